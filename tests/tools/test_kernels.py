"""Which kernels are chosen, what a guest runs, what is written; and two real kernels, booted."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import signal
import tarfile
import threading
from pathlib import Path

import pytest

from labkit import survey
from labkit.errors import MachineError, UsageError
from labkit.survey.records import Machine, Record
from tools import installing
from tools.kernels import __main__ as command
from tools.kernels import guest, packages, published, rooms, trying
from tools.kernels.archive import Archive, Package

BACKPORTS = "trixie-backports"


class FakeArchive:
    """An archive of these packages, each with what it needs."""

    def __init__(self, needs: dict[Package, list[str]]) -> None:
        self.all = needs

    def names(self, prefix: str) -> list[str]:
        return list({one.name for one in self.all if one.name.startswith(prefix)})

    def versions(self, names) -> list[Package]:
        return [one for one in self.all if one.name in names]

    def needs(self, package: Package) -> list[str]:
        return self.all[package]


OLD = Package("linux-image-6.1.0-56-amd64", "6.1.192-2", "bookworm-security")
SPLIT = Package("linux-image-7.3.4+deb13-amd64", "7.3.4-1~bpo13+1", BACKPORTS)
BINARY = Package("linux-binary-7.3.4+deb13-amd64", "7.3.4-1~bpo13+1", BACKPORTS)
CANDIDATE = Package("linux-image-7.3-amd64", "7.3~rc7-1~exp1", "experimental")
ARCHIVE = FakeArchive(
    {
        OLD: ["kmod"],
        Package("linux-image-6.1.0-9-amd64", "6.1.27-1", "bookworm"): [],
        Package("linux-image-6.1.0-99-cloud-amd64", "6.1.999-1", "bookworm"): [],
        Package("linux-image-6.1.0-98-amd64-unsigned", "6.1.998-1", "bookworm"): [],
        Package("linux-image-amd64", "6.1.999-1", "bookworm"): [],
        SPLIT: ["kmod", BINARY.name, "linux-base-7.3.4+deb13-amd64"],
        BINARY: [],
        CANDIDATE: [],
    }
)


def test_the_newest_of_each_series_is_chosen_and_experimentals_is_one_more() -> None:
    found = packages.find(ARCHIVE)  # type: ignore[arg-type]
    chosen = [(name, one.image) for name, one in found.items()]
    assert chosen == [("6.1", OLD), ("7.3", SPLIT), ("experimental", CANDIDATE)]


def test_what_is_asked_for_and_whatever_is_newer_is_tried() -> None:
    newer = packages.Kernel("7.4", OLD)
    names = packages.wanted({"7.4": newer, "experimental": newer, "4.19": newer})
    assert names == [*packages.WANTED, "7.4", "experimental"]


@pytest.mark.parametrize(
    ("version", "series"),
    [("6.1.192-2", "6.1"), ("7.3.4-1~bpo13+1", "7.3"), ("7.3~rc7-1~exp1", None), ("7.3-1", "7.3")],
)
def test_a_release_candidate_is_of_no_series(version: str, series: str | None) -> None:
    assert packages.series_of(version) == series


def test_a_kernel_lies_in_its_image_or_in_what_that_needs() -> None:
    assert packages.parts(ARCHIVE, SPLIT) == [SPLIT, BINARY]  # type: ignore[arg-type]
    assert packages.parts(ARCHIVE, OLD) == [OLD]  # type: ignore[arg-type]


def deb(folder: Path, name: str, content: bytes) -> Path:
    """Build a package with one file in it."""
    tree = folder / "tree"
    (tree / name).parent.mkdir(parents=True)
    (tree / name).write_bytes(content)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    )
    file = folder / "x.deb"
    done = os.spawnlp(
        os.P_WAIT, "dpkg-deb", "dpkg-deb", "--root-owner-group", "-b", str(tree), str(file)
    )
    assert done == 0
    return file


@pytest.mark.parametrize("name", ["boot/vmlinuz-6.1.0-56-amd64", "usr/lib/modules/7.3.4/vmlinuz"])
def test_the_kernel_is_taken_out_of_a_package(tmp_path: Path, name: str) -> None:
    assert packages._kernel_in(deb(tmp_path, name, b"a kernel")) == b"a kernel"


def test_a_package_without_a_kernel_has_none(tmp_path: Path) -> None:
    assert packages._kernel_in(deb(tmp_path, "usr/share/doc/vmlinuz-notes", b"x")) is None


def test_the_archives_sources_name_the_keyring_and_no_suite_without_a_mirror(
    tmp_path: Path,
) -> None:
    archive = Archive(tmp_path / "apt", {"Debian": "file:/nowhere"})
    with pytest.raises(MachineError, match="No such file|could be had"):
        archive.update()
    sources = (tmp_path / "apt/archive.sources").read_text()
    assert sources.count("Signed-By:") == sources.count("URIs: file:/nowhere")
    assert "security" not in sources
    assert not any((tmp_path / "apt/lists").glob("*Packages*"))


def test_only_takes_known_names_in_the_order_of_the_table() -> None:
    assert command.chosen("7.3, 6.1", packages.WANTED) == ["6.1", "7.3"]
    assert command.chosen(None, ["a", "b"]) == ["a", "b"]
    for wrong in ("6.13", ","):
        with pytest.raises(UsageError, match=r"--only .*5\.10"):
            command.chosen(wrong, packages.WANTED)


def test_another_architecture_is_told_not_tried(monkeypatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    options = command.parser().parse_args([])
    with pytest.raises(MachineError, match="aarch64 are not tried"):
        command.kernels(options, command.Told())


def test_what_is_missing_is_named_with_the_option_that_installs_it(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(installing, "found", lambda name: None)
    with pytest.raises(MachineError, match="qemu-system-x86, debootstrap.*\n.*--install"):
        command.see_to_the_needs(install=False, say=lambda _words: None)


def test_a_guest_that_never_speaks_says_so(tmp_path: Path, monkeypatch) -> None:
    fake = tmp_path / "qemu"
    fake.write_text("#!/bin/sh\necho no such machine >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(guest, "QEMU", str(fake))
    how = guest.Accelerator(guest.EMULATION, "")
    with pytest.raises(guest.GuestFailed, match="too early; no such machine"):
        guest.run(tmp_path, tmp_path, how, 1, 10, tmp_path, lambda _words: None)


@pytest.mark.parametrize("done", [True, False])
def test_a_guests_lines_are_told_and_its_files_brought_back(
    tmp_path: Path, monkeypatch, done: bool
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("./logs/percpu.log")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"log"))
    brought = packed.getvalue() if done else packed.getvalue()[:9]
    (tmp_path / "kept.tar.gz").write_bytes(brought)
    fake = tmp_path / "qemu"
    fake.write_text(
        f"#!/bin/sh\nprintf 'x\\nlab: awake\\r\\nlab: done\\r\\n' >{tmp_path}/{guest.CONSOLE}\n"
        f"cp {tmp_path}/kept.tar.gz {tmp_path}/{guest.BROUGHT}\nsleep 1\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(guest, "QEMU", str(fake))
    said: list[str] = []
    how = guest.Accelerator(guest.EMULATION, "")
    if done:
        files = guest.run(tmp_path, tmp_path, how, 1, 10, tmp_path, said.append)
        assert files == {"logs/percpu.log": b"log"}
        assert said == ["awake", "done"]
    else:
        with pytest.raises(guest.GuestFailed, match="cannot be read"):
            guest.run(tmp_path, tmp_path, how, 1, 10, tmp_path, said.append)


def test_a_guest_that_hangs_is_ended_with_its_last_words(tmp_path: Path, monkeypatch) -> None:
    fake = tmp_path / "qemu"
    fake.write_text(f"#!/bin/sh\necho 'last words' >{tmp_path}/{guest.CONSOLE}\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(guest, "QEMU", str(fake))
    how = guest.Accelerator(guest.EMULATION, "")
    with pytest.raises(guest.GuestFailed, match="not done after 1 s; .*last words"):
        guest.run(tmp_path, tmp_path, how, 1, 1, tmp_path, lambda _words: None)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_ends_the_guests_and_no_other_is_begun(
    tmp_path: Path, monkeypatch, jobs: int
) -> None:
    fake = tmp_path / "qemu"
    fake.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/begun\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(guest, "QEMU", str(fake))
    how = guest.Accelerator(guest.EMULATION, "")

    def try_one(name: str) -> trying.Found:
        folder = tmp_path / name
        folder.mkdir()
        guest.run(tmp_path, tmp_path, how, 1, 60, folder, lambda _words: None)
        raise AssertionError("a guest that sleeps is done")

    interrupt = threading.Timer(2, os.kill, [os.getpid(), signal.SIGINT])
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        command.each(["6.1", "6.12", "7.3"], jobs, try_one, command.Told())
    begun = (tmp_path / "begun").read_text().split()
    assert len(begun) == jobs
    assert not any(Path("/proc", pid).exists() for pid in begun)
    assert not guest.STOP.is_set()  # what is begun afterwards goes its way


def kernels(tmp_path: Path) -> trying.Kernels:
    how = guest.Accelerator(guest.EMULATION, "software emulation")
    return trying.Kernels(ARCHIVE, tmp_path, tmp_path, tmp_path, 1.0, how)  # type: ignore[arg-type]


def test_a_kernel_that_no_suite_has_is_a_row_that_says_so(tmp_path: Path) -> None:
    found = kernels(tmp_path).try_one("6.17", None, lambda _words: None)
    assert "no suite" in found.record["problem"]
    assert Record(Machine("6.17"), problem=found.record["problem"]).to_json()


@pytest.mark.parametrize("fails", [1, 2])
def test_a_second_try_has_one_cpu(tmp_path: Path, monkeypatch, fails: int) -> None:
    asked = []

    def run(_vmlinuz, _ramdisk, _how, cpus, *_rest):
        asked.append(cpus)
        if len(asked) <= fails:
            raise guest.GuestFailed("panic")
        return {trying.RECORD: json.dumps({"schema": 1, "machine": {"kernel": "6.1"}}).encode()}

    monkeypatch.setattr(guest, "run", run)
    monkeypatch.setattr(packages, "get", lambda *_: packages.Bootable(["x"], tmp_path))
    kernel = packages.Kernel("6.1", OLD)
    found = kernels(tmp_path).try_one("6.1", kernel, lambda _words: None)
    assert asked == [2, 1]
    assert found.tried.earlier[0] == "with 2 CPUs: panic"
    assert bool(found.record.get("problem")) == (fails == 2)


def test_documents_are_written_from_the_records_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(published, "DOCS", tmp_path)
    monkeypatch.setattr(published, "FOLDER", tmp_path / "kernels")
    for name in ("debian-13", "experimental", "7.3", "6.12", "6.1"):
        tried = trying.Tried(name, ["linux 1 (sid)"], "software emulation", 2, 61.2)
        record = Record(Machine(f"{name}.0")).to_json()
        published.keep(trying.Found(tried, record))
    published.keep(trying.nothing(trying.Tried("6.17"), "no suite has it"))
    assert [path.stem for path in published.files()] == [
        *("6.1", "6.12", "6.17", "7.3", "experimental", "debian-13"),
    ]
    assert "6 records" in published.write()
    text = (tmp_path / "kernels.md").read_text()
    assert "| 6.1 | 6.1.0 | linux 1 (sid) | software emulation | 2 | 61 |" in text
    assert "no suite has it" in text
    assert (tmp_path / "kernels.csv").exists()
    assert (tmp_path / "kernels.png").exists()


PUBLISHED = published.files()


@pytest.mark.skipif(not PUBLISHED, reason="nothing is published: sudo ./lab kernels")
def test_what_is_published_tells_of_every_record_and_of_no_other() -> None:
    text = (published.DOCS / "kernels.md").read_text()
    with (published.DOCS / "kernels.csv").open(newline="") as file:
        machines = {row["kernel"] for row in csv.DictReader(file)}
    records = [survey.open_records(path)[0] for path in PUBLISHED]
    assert {one.machine.kernel for one in records if not one.problem} <= machines
    for path, one in zip(PUBLISHED, records, strict=True):
        assert f"| {path.stem} | {one.problem or one.machine.kernel} |" in text
    told = text.partition("## How each was tried")[2].count("\n| ") - 1  # its head
    assert told == len(records)


def test_the_checkout_is_packed_without_what_is_ignored() -> None:
    with tarfile.open(fileobj=io.BytesIO(rooms.checkout())) as tar:
        names = tar.getnames()
    assert "bpf/exec_events.c" in names
    assert not [name for name in names if name.startswith((".venv", "results", ".git/"))]


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_oldest_and_the_newest_kernel_say_what_the_files_declare(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    """Downloads them, boots them, and holds each program against its file; nothing is published."""
    monkeypatch.setattr(published, "DOCS", tmp_path)
    monkeypatch.setattr(published, "FOLDER", tmp_path / "kernels")
    monkeypatch.setattr(command, "RESULTS_HERE", tmp_path / "results")
    oldest, newest = packages.WANTED[0], packages.WANTED[-1]
    status = command.main(["--only", f"{oldest},{newest}", "--claims", "none", "--minutes", "5"])
    told = capsys.readouterr()
    if status:
        problems = [one.problem for one in survey.open_records(tmp_path / "kernels")]
        pytest.fail(f"status {status}: {problems}\n{told.err[-3000:]}")
    for record in survey.open_records(tmp_path / "kernels"):
        assert record.machine.kernel.startswith((oldest, newest))
        assert {one.name: one.outcome for one in record.programs if one.group == "variant"} == {
            "percpu": "accepted",
            "stack": "compiler_refused",
            "stack_lifted": "verifier_refused",
            "stack_beyond": "verifier_refused",
        }
        assert [one.name for one in record.programs if one.agrees is False] == []
        assert not [one for one in record.programs if one.problem]

"""machines/: what the files say holds, as far as it can be told without another machine.

That user-data.yaml boots to a JupyterLab that answers: sudo .venv/bin/python -m tools.machines.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import bundle, machines

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "machines"
README = (FOLDER / "README.md").read_text()
USER_DATA: dict[str, Any] = yaml.safe_load((FOLDER / "user-data.yaml").read_text())
FILES = {file["path"]: file for file in USER_DATA["write_files"]}
SCRIPTS = [path for path in FILES if path.startswith("/usr/local/")]
needs_shellcheck = pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck")


def test_cloud_init_knows_it_by_its_first_line() -> None:
    assert (FOLDER / "user-data.yaml").read_text().startswith("#cloud-config\n")
    assert set(USER_DATA) == {"write_files", "runcmd"}
    assert all(file["permissions"] == "0755" for path in SCRIPTS for file in [FILES[path]])


@needs_shellcheck
@pytest.mark.parametrize("path", SCRIPTS)
def test_shellcheck_finds_nothing_in_its_scripts(path: str, tmp_path: Path) -> None:
    (tmp_path / "script").write_text(FILES[path]["content"])
    words = ["shellcheck", "--exclude=SC1091", str(tmp_path / "script")]
    assert subprocess.run(words, capture_output=True, text=True).stdout == ""


def test_the_service_runs_what_is_written_and_hides_the_token() -> None:
    unit = FILES["/etc/systemd/system/ebpf-lab.service"]["content"]
    commands = re.findall(r"^(?:ExecStartPre|EnvironmentFile)=(\S+)", unit, re.MULTILINE)
    assert {*commands} <= {*FILES}
    assert "/opt/ebpf-lab/lab --no-browser --port ${PORT} >/run/ebpf-lab/printed" in unit
    assert "RuntimeDirectoryMode=0700" in unit


class Fetch:
    """The machine's fetching script, with folders of a test's in place of the machine's."""

    def __init__(self, place: Path) -> None:
        self.lab, self.folder = place / "opt", place / "mnt"
        self.conf, self.script = place / "conf", place / "script"
        self.folder.mkdir()
        text = FILES["/usr/local/sbin/ebpf-lab-fetch"]["content"]
        for there, here in (("/opt/ebpf-lab", self.lab), ("/etc/ebpf-lab.conf", self.conf)):
            assert there in text
            text = text.replace(there, str(here))
        self.script.write_text(text)

    def run(self, repository: str = "") -> subprocess.CompletedProcess[str]:
        self.conf.write_text(f"FOLDER={self.folder}\nREPOSITORY={repository}\nPORT=8888\n")
        return subprocess.run(["bash", self.script], capture_output=True, text=True)


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    return Fetch(tmp_path)


def lab_in(folder: Path, word: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "lab").write_text(f"#!/bin/sh\necho {word}\n")
    (folder / "lab").chmod(0o755)
    return folder


class TestFetch:
    def test_a_checkout_without_what_was_made_in_it(self, fetch: Fetch) -> None:
        lab_in(fetch.folder, "mounted")
        (fetch.folder / ".venv").mkdir()
        (fetch.folder / "bpf").mkdir()
        assert fetch.run().returncode == 0
        assert {path.name for path in fetch.lab.iterdir()} == {"lab", "bpf"}

    def test_a_bundle(self, fetch: Fetch, tmp_path: Path) -> None:
        source = lab_in(tmp_path / bundle.TOP, "bundled")
        with tarfile.open(fetch.folder / "any name.tar", "w") as tar:
            tar.add(source, bundle.TOP)
        assert fetch.run().returncode == 0
        assert subprocess.check_output([fetch.lab / "lab"], text=True) == "bundled\n"

    def test_a_clone(self, fetch: Fetch, tmp_path: Path) -> None:
        source = lab_in(tmp_path / "source", "cloned")
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", "-C", str(source)]
        for words in (["init", "-q"], ["add", "lab"], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *words], check=True)
        assert fetch.run(repository=str(source)).returncode == 0
        assert subprocess.check_output([fetch.lab / "lab"], text=True) == "cloned\n"

    def test_nothing_says_what_to_do(self, fetch: Fetch) -> None:
        done = fetch.run()
        assert done.returncode == 1
        assert all(word in done.stderr for word in ("bundle", "REPOSITORY", "systemctl restart"))
        assert not fetch.lab.exists()

    def test_what_is_there_stays(self, fetch: Fetch) -> None:
        lab_in(fetch.lab, "mine")
        lab_in(fetch.folder, "another")
        assert fetch.run().returncode == 0
        assert subprocess.check_output([fetch.lab / "lab"], text=True) == "mine\n"


class TestLima:
    lima: dict[str, Any] = yaml.safe_load((FOLDER / "lima.yaml").read_text())

    def test_the_checkout_is_mounted_where_the_machine_looks_for_it(self) -> None:
        (mount,) = self.lima["mounts"]
        conf = FILES["/etc/ebpf-lab.conf"]["content"]
        assert f"FOLDER={mount['mountPoint']}\n" in conf
        assert not mount.get("writable")
        assert f"PORT={self.lima['portForwards'][0]['guestPort']}\n" in conf

    def test_it_does_what_user_data_says(self, tmp_path: Path) -> None:
        """The script itself, on a user-data.yaml whose files lie in a folder of this test."""
        (one,) = self.lima["provision"]
        assert one["mode"] == "system" and one["script"].startswith("#!/usr/bin/env python3\n")
        data = {**USER_DATA, "runcmd": [["touch", str(tmp_path / "commanded")]]}
        data["write_files"] = [
            {**file, "path": str(tmp_path / Path(file["path"]).name)} for file in FILES.values()
        ]
        (tmp_path / "machines").mkdir()
        (tmp_path / "machines/user-data.yaml").write_text(yaml.safe_dump(data))
        script = one["script"].replace("/mnt/ebpf-lab", str(tmp_path))
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
        assert (tmp_path / "commanded").exists()
        for path, file in FILES.items():
            written = tmp_path / Path(path).name
            assert written.read_text() == file["content"]
            assert oct(written.stat().st_mode)[-4:] == file.get("permissions", "0644")


@pytest.mark.parametrize("name", ["lima.yaml", "Dockerfile"])
def test_the_readme_and_the_file_itself_tell_the_same_commands(name: str) -> None:
    head = (FOLDER / name).read_text()
    told = re.findall(r"^#     (.+)$", head, re.MULTILINE)
    assert len(told) == 2
    assert all(command in README for command in told)


def test_docker_leaves_out_what_must_not_come_along() -> None:
    left_out = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {".venv", ".git", "results", ".jupyter/state"} <= {*left_out}
    assert "COPY . /opt/ebpf-lab" in (FOLDER / "Dockerfile").read_text()


@pytest.mark.parametrize("page", ["machines/README.md", "docs/instructor.md"])
def test_what_a_page_links_to_is_there(page: str) -> None:
    place = (ROOT / page).parent
    for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text()):
        target, _, heading = link.partition("#")
        if target.startswith("https://"):
            continue
        file = (place / target) if target else ROOT / page
        assert file.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert heading in {_anchor(words) for words in headings}, link


def _anchor(words: str) -> str:
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def test_the_slides_need_nothing_but_the_labs_own_pictures() -> None:
    slides = (ROOT / "docs/slides.html").read_text()
    pictures = re.findall(r'src="([^"]+)"', slides)
    assert len(pictures) == 2 == len(re.findall(r'alt="[^"]{20,}"', slides))
    assert all((ROOT / "docs" / name).is_file() for name in pictures)
    assert "http" not in slides


def test_what_the_instructor_is_told_to_expect_is_what_the_lab_says() -> None:
    page = (ROOT / "docs/instructor.md").read_text()
    source = "\n".join(path.read_text() for path in (ROOT / "labkit").rglob("*.py"))
    source += (ROOT / "tools/bundle.sh").read_text()
    for words in (
        "without CAP_BPF and CAP_PERFMON",
        "leave the container",
        "is damaged",
        "confidentiality",
        "is for ",
        "is in use",
    ):
        assert words in page and words in source, words


class TestTheTool:
    def test_the_machine_has_no_network_but_a_port_for_ssh(self, tmp_path: Path) -> None:
        words = machines.qemu_words(tmp_path, tmp_path / "system.run", 4022)
        (net,) = [word for word in words if word.startswith("user,")]
        assert net == "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:4022-:22"
        assert words[words.index("-cpu") + 1] == "Nehalem"

    @pytest.mark.skipif(shutil.which("genisoimage") is None, reason="no genisoimage")
    def test_the_seed_holds_user_data_as_it_is(self, tmp_path: Path) -> None:
        machines.make_seed(tmp_path)
        label = (tmp_path / "seed.iso").read_bytes()[32808:32840].strip()
        assert label == b"CIDATA"
        told = (FOLDER / "user-data.yaml").read_bytes()
        assert told in (tmp_path / "seed.iso").read_bytes()

    def test_a_token_that_opens_nothing_or_everything_fails(self, monkeypatch, tmp_path) -> None:
        machine = machines.Machine(tmp_path, 1)
        monkeypatch.setattr(machines.Machine, "forwarded", lambda *_: _Port())
        address = "http://127.0.0.1:8888/lab/tree/notebooks/01.ipynb?token=ab12"
        for status in (200, 403):
            monkeypatch.setattr(machines, "status_of", lambda *_, status=status: status)
            with pytest.raises(machines.BootError, match=f"with the token {status}"):
                machines.answers(machine, address)
        with pytest.raises(machines.BootError, match="not an address"):
            machines.answers(machine, "http://127.0.0.1:8888/lab")


class _Port:
    def __enter__(self) -> int:
        return 1

    def __exit__(self, *_: object) -> None:
        pass

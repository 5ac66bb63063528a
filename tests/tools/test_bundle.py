"""A bundle: what goes into it, and that ./lab looks at all of it before it installs any of it.

That a machine without a network really sets up from one: sudo tools/fresh_machine.sh --offline.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from packaging.requirements import Requirement
from test_lab_script import Lab, needs_root

from labkit.errors import MachineError
from tools import bundle

ROOT = Path(__file__).resolve().parents[2]
RUN_LOCK = (ROOT / "requirements/run.lock").read_text()
BOOKWORM = bundle.Target("bookworm", "amd64", "3.11.2", "2.36")
TRIXIE = bundle.Target("trixie", "arm64", "3.13.5", "2.41")
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb: not Debian")


def machine(word: str) -> str:
    """What this machine is, as Debian says it."""
    words = {"release": ". /etc/os-release && echo ${VERSION_CODENAME:-$ID}"}
    words["architecture"] = "dpkg --print-architecture"
    return subprocess.check_output(["bash", "-c", words[word]], text=True).strip()


class TestLocked:
    @pytest.mark.parametrize("target", [BOOKWORM, TRIXIE])
    def test_each_name_once_without_condition_with_its_hashes(self, target) -> None:
        entries = re.split(r"\n(?=\w)", bundle.locked(RUN_LOCK, target).rstrip("\n"))
        found = [Requirement(entry.partition(" \\")[0]) for entry in entries]
        assert len({one.name for one in found}) == len(found) > 80
        assert all(one.marker is None and len(one.specifier) == 1 for one in found)
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}$", entry) for entry in entries)

    def test_takes_what_is_for_that_python_and_linux(self) -> None:
        lock = """
one==1.0 ; python_full_version < '3.11.5' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via other
one==2.0 ; python_full_version >= '3.11.5' \\
    --hash=sha256:cc
intel[extra]==3 ; platform_machine == 'x86_64' \\
    --hash=sha256:dd
winning==4 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""
        old, new = bundle.locked(lock, BOOKWORM), bundle.locked(lock, TRIXIE)
        assert re.findall(r"^\w+==\S+", old, re.M) == ["one==1.0", "intel==3"]
        assert re.findall(r"sha256:(\w+)", old) == ["aa", "bb", "dd"]
        assert re.findall(r"^\w+==\S+", new, re.M) == ["one==2.0"]

    def test_wheels_for_a_newer_glibc_are_not_taken(self) -> None:
        tags = BOOKWORM.platforms()
        assert {"manylinux_2_36_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"} < {*tags}
        assert "manylinux_2_37_x86_64" not in tags
        assert "manylinux_2_41_aarch64" in TRIXIE.platforms()


def toy_deb(folder: Path, name: str, version: str, needs: str = "") -> None:
    """Make a package that holds nothing."""
    control = folder / f"{name}.files/DEBIAN/control"
    control.parent.mkdir(parents=True)
    depends = f"Depends: {needs}\n" if needs else ""
    control.write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
        f"Maintainer: nobody <nobody@localhost>\n{depends}Description: a toy\n"
    )
    file = folder / f"{name}_{version.partition(':')[2] or version}_all.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", str(control.parents[1]), str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(control.parents[1])


@needs_dpkg
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get: not Debian")
def test_apt_itself_reads_the_index_and_finds_each_file(tmp_path) -> None:
    debs = tmp_path / "a folder"
    debs.mkdir()
    toy_deb(debs, "toy", "1:2.0+x-1", needs="toy-lib (>= 3)")
    toy_deb(debs, "toy-lib", "3.1")
    bundle.write_index(debs)
    place = tmp_path / "apt"
    apt = bundle.apt_words(place, machine("architecture"))
    uri = str(debs).replace(" ", "%20")
    (place / "sources.list").write_text(f"deb [trusted=yes] file:{uri} ./\n")
    subprocess.run([*apt, "update", "--error-on=any"], check=True, stdout=subprocess.DEVNULL)
    words = [*apt, "install", "-y", "--download-only", "--print-uris", "toy"]
    told = unquote(subprocess.check_output(words, text=True))
    found = {Path(path) for path in re.findall(r"file:(.*?\.deb)'", told)}
    assert found == {*debs.glob("*.deb")} and len(found) == 2


@needs_dpkg
def test_the_target_is_what_its_packages_say(tmp_path) -> None:
    toy_deb(tmp_path, "python3", "3.11.2-1+b1")
    toy_deb(tmp_path, "python3.11-minimal", "3.11.2-6+deb12u6")
    toy_deb(tmp_path, "libc6", "2.36-9+deb12u10")
    assert bundle.target_of("bookworm", "amd64", tmp_path) == BOOKWORM


def test_what_cannot_be_made_says_what_can(capsys, tmp_path) -> None:
    with pytest.raises(SystemExit) as stopped:
        bundle.main(["--release", "noble"])
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert "noble" in told and "bookworm" in told and "trixie" in told
    assert bundle.main([str(tmp_path / "nowhere/file.tar")]) == 2
    assert "nowhere/file.tar" in capsys.readouterr().err


def test_a_machine_without_apt_says_where_it_can_be_made(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(bundle, "KEYRING", Path(__file__))  # which is there
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bundle.main([str(tmp_path / "file.tar")]) == 3
    told = capsys.readouterr().err
    assert "this machine has no apt-get" in told and "Debian" in told
    assert not list(tmp_path.iterdir()), "something was left"


def test_a_failing_command_shows_its_last_words(capsys) -> None:
    with pytest.raises(MachineError, match="status 7"):
        bundle.run(["sh", "-c", "echo no archive; exit 7"], "mend")
    assert "no archive" in capsys.readouterr().err


def test_the_side_that_uses_it_names_the_same_releases_and_processors() -> None:
    told = (ROOT / "tools/bundle.sh").read_text()
    assert f"^({'|'.join(bundle.RELEASES)})$" in told
    assert (
        f"for Debian {' and '.join(bundle.RELEASES)}, {' and '.join(bundle.ARCHITECTURES)}" in told
    )
    assert f"{bundle.TOP}/bundle" in told


@pytest.fixture
def offline_lab(tmp_path) -> Lab:
    """A lab on a machine made of notes, with a bundle beside it for the release this one has."""
    lab = Lab(tmp_path)
    (lab.checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools/bundle.sh", lab.checkout / "tools")
    for tool in ("tar", "wc", "cut", "uname"):
        if not (lab.bin / tool).exists():
            (lab.bin / tool).symlink_to(shutil.which(tool) or "/nowhere")
    lab.program("dpkg", "#!/usr/bin/env bash\n[[ $1 != --print-architecture ]] || echo amd64\n")
    make_bundle(lab.checkout / "bundle", machine("release"))
    return lab


def make_bundle(place: Path, release: str, architecture: str = "amd64") -> None:
    for name in ("debs/Packages", "debs/a_1_all.deb", "wheels/a-1-py3-none-any.whl"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(name)
    bundle.describe(bundle.Target(release, architecture, "3.11.2", "2.36"), place)


def packed(lab: Lab, file: Path) -> Path:
    """Put the bundle into a file instead."""
    bundle.pack([(lab.checkout / "bundle", "ebpf-lab/bundle")], file)
    shutil.rmtree(lab.checkout / "bundle")
    return file


@needs_root
class TestSettingUp:
    def test_apt_and_pip_look_into_the_bundle_and_nowhere_else(self, offline_lab) -> None:
        done = offline_lab.run("build", "percpu")
        assert done.returncode == 0, done.stderr
        installs = [line for line in offline_lab.calls.splitlines() if " install " in line]
        apt = [line for line in installs if line.startswith("apt-get")]
        others = [line for line in installs if not line.startswith("apt-get")]
        assert len(apt) == 1 and len(others) == 2
        assert "Dir::Etc::sourceparts=/dev/null" in apt[0]
        assert all("--no-index --find-links" in line for line in others)
        assert all("--require-hashes" in line for line in others)
        assert "without the network" in done.stderr

    def test_the_file_does_the_same_and_leaves_nothing(self, offline_lab, tmp_path) -> None:
        file = packed(offline_lab, tmp_path / "a bundle.tar")
        done = offline_lab.run("--bundle", str(file), "build", "percpu")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("labkit build percpu")
        assert "--no-index" in offline_lab.calls
        assert not list(offline_lab.checkout.glob(".bundle*"))

    def test_the_tests_come_from_the_network(self, offline_lab) -> None:
        assert offline_lab.run("test").returncode == 0
        assert "--no-index" not in offline_lab.calls

    def test_to_make_one_needs_no_bcc(self, tmp_path) -> None:
        lab = Lab(tmp_path)
        lab.say("has-venv")
        done = lab.run("bundle", "file.tar")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("tools.bundle file.tar by ")
        assert "apt-get" not in lab.calls

    def test_a_failure_speaks_of_the_bundle(self, offline_lab) -> None:
        offline_lab.say("apt-fails")
        done = offline_lab.run("build", "percpu")
        assert done.returncode == 3
        assert "newer than the bundle's" in done.stderr
        assert "network permitting" not in done.stderr


def damage(place: Path) -> None:
    (place / "debs/a_1_all.deb").write_text("debs/a_1_all.deB")


def lose(place: Path) -> None:
    (place / "wheels/a-1-py3-none-any.whl").unlink()


def slip_in(place: Path) -> None:
    (place / "wheels/b-1-py3-none-any.whl").touch()


def lose_the_sums(place: Path) -> None:
    (place / "SHA256SUMS").write_text("")


@needs_root
class TestRefused:
    def refused(self, lab: Lab, *words: str) -> str:
        done = lab.run(*words, "build", "percpu")
        assert done.returncode == 3, done.stderr
        assert "to mend: " in done.stderr
        assert not lab.was_installed() and not lab.venv.exists()
        assert not list(lab.checkout.glob(".bundle*"))
        return done.stderr

    @pytest.mark.parametrize("harm", [damage, lose, slip_in, lose_the_sums])
    def test_what_is_not_whole(self, offline_lab, harm: Callable[[Path], None]) -> None:
        harm(offline_lab.checkout / "bundle")
        assert "is damaged" in self.refused(offline_lab)

    @pytest.mark.parametrize("kept", [0, 100, 1200, 3000])
    def test_a_file_cut_short(self, offline_lab, tmp_path, kept) -> None:
        file = packed(offline_lab, tmp_path / "cut.tar")
        file.write_bytes(file.read_bytes()[:kept])
        told = self.refused(offline_lab, "--bundle", str(file))
        assert f"{file} is no bundle, or not whole" in told or f"{file} is damaged" in told

    def test_another_tar(self, offline_lab, tmp_path) -> None:
        with tarfile.open(tmp_path / "other.tar", "w") as tar:
            tar.add(ROOT / "LICENSE", "LICENSE")
        assert "is no bundle" in self.refused(offline_lab, "--bundle", str(tmp_path / "other.tar"))

    @pytest.mark.parametrize(
        ("release", "architecture", "told"),
        [("sarge", "amd64", "is for release sarge"), ("", "arm64", "is for architecture arm64")],
    )
    def test_one_for_another_machine(self, offline_lab, release, architecture, told) -> None:
        place = offline_lab.checkout / "bundle"
        shutil.rmtree(place)
        make_bundle(place, release or machine("release"), architecture)
        refusal = self.refused(offline_lab)
        assert told in refusal
        assert "bookworm and trixie, amd64 and arm64" in refusal

    def test_one_for_another_python(self, offline_lab) -> None:
        offline_lab.say("version", "Python 3.13.5")
        told = self.refused(offline_lab)
        assert "is for python 3.11.2, this machine has 3.13.5" in told

    def test_one_made_from_other_locks(self, offline_lab) -> None:
        with (offline_lab.checkout / "requirements/run.lock").open("a") as file:
            file.write("# newer\n")
        assert "another version of the lab" in self.refused(offline_lab)


@pytest.mark.parametrize("words", [["--bundle"], ["--bundle", "/no/such/file"]])
def test_a_file_that_is_not_there_is_wrong_use(tmp_path, words) -> None:
    lab = Lab(tmp_path)
    done = lab.run(*words)
    assert done.returncode == 2
    assert "./lab bundle" in done.stderr and words[-1].replace("--bundle", "''") in done.stderr
    assert not lab.was_installed()


def test_the_tests_are_not_in_a_bundle(offline_lab) -> None:
    done = offline_lab.run("--bundle", str(offline_lab.checkout / "bundle"), "test")
    assert done.returncode == 2
    assert "not what its tests need" in done.stderr

"""The repository keeps its promises: its lists agree, its locks are whole, it gives no one away."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
LOCKS = ("setup", "run", "test")
NOT_OURS = {".git", ".venv", ".jupyter/state", "results", "build", "bundle"}

PROMISED = ["bpf", "labkit", "machines", "notebooks", "tests", "tools", "lab", ".ci/run"]
PROMISED += ["environment.yml", "pyproject.toml", "README.md", "LICENSE", "SECURITY.md"]


def repository_files() -> list[Path]:
    """Return all files that are, or would be, committed."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    if shutil.which("git") and (ROOT / ".git").exists():
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not is_made_here(path)]


def is_made_here(path: Path) -> bool:
    """Tell whether .gitignore would leave this path out; only needed where there is no git."""
    name = path.relative_to(ROOT).as_posix()
    caches = any("cache__" in part or part.endswith(("_cache", ".egg-info")) for part in path.parts)
    checkpoints = ".ipynb_checkpoints" in path.parts or ".hypothesis" in path.parts
    return caches or checkpoints or any(name.startswith(f"{start}/") for start in NOT_OURS)


FILES = repository_files()
NOTEBOOKS = [p for p in FILES if p.suffix == ".ipynb" and p.parent.name == "notebooks"]


def declared(lock: str) -> list[Requirement]:
    """Return what pyproject.toml declares for this lock."""
    project = PROJECT["project"]
    lines = {
        "setup": PROJECT["dependency-groups"]["setup"],
        "run": project["dependencies"],
        "test": project["dependencies"] + project["optional-dependencies"]["test"],
    }
    return [Requirement(line) for line in lines[lock]]


def locked(lock: str) -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Return each pin of a lock with its hashes, by name; a name may stand once for each Python."""
    text = (ROOT / f"requirements/{lock}.lock").read_text().replace("\\\n", " ")
    pins: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            spec, *hashes = re.split(r"\s+--hash=", line.strip())
            requirement = Requirement(spec)
            pins.setdefault(canonicalize_name(requirement.name), []).append((requirement, hashes))
    return pins


def pinned_version(requirement: Requirement) -> Version:
    (specifier,) = requirement.specifier
    assert specifier.operator == "==", f"{requirement} is not pinned"
    return Version(specifier.version)


# They make machines of their own, and bring the checkout to a place there that they name.
ROOMS = {
    "tools/fresh_machine.sh",
    "tools/kernels/init.sh",
    "tools/kernels/rooms.py",
    "tools/room.sh",
}


class TestWhatIsPromised:
    @pytest.mark.parametrize("name", PROMISED)
    def test_is_there(self, name):
        assert (ROOT / name).exists()

    @pytest.mark.parametrize("name", ["lab", ".ci/run", "tools/fresh_machine.sh"])
    def test_scripts_can_be_executed(self, name):
        assert (ROOT / name).stat().st_mode & 0o111 == 0o111

    def test_setuptools_finds_every_package(self):
        assert PROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == [
            "labkit",
            "labkit.*",
        ]
        folders = {path.parent for path in (ROOT / "labkit").rglob("*.py")}
        assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []

    def test_ci_runs_the_readmes_test_command(self):
        ci = (ROOT / ".ci/run").read_text()
        assert "./lab test" in ci
        assert "LABKIT_REQUIRE_LIVE=1" in ci
        assert "./lab test" in (ROOT / "README.md").read_text()


class TestEnvironment:
    def conda_specs(self) -> dict[str, rattler.MatchSpec]:
        lines = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, str)]
        specs = [rattler.MatchSpec(line, strict=True) for line in lines]
        return {spec.name.normalized: spec for spec in specs}

    def test_has_only_the_keys_conda_knows(self):
        assert set(ENVIRONMENT) == {"name", "channels", "dependencies"}
        assert ENVIRONMENT["channels"] == ["conda-forge", "nodefaults"]

    def test_names_are_those_of_pyproject(self):
        wanted = {requirement.name for requirement in declared("run")} | {"python", "pip"}
        assert set(self.conda_specs()) == wanted

    def test_bounds_are_those_of_pyproject(self):
        wanted = {requirement.name: str(requirement.specifier) for requirement in declared("run")}
        wanted |= {"python": PROJECT["project"]["requires-python"], "pip": ""}
        found = {name: str(spec.version or "") for name, spec in self.conda_specs().items()}
        assert found == wanted

    def test_pip_installs_the_checkout_and_nothing_else(self):
        (pip,) = [line for line in ENVIRONMENT["dependencies"] if isinstance(line, dict)]
        assert pip == {"pip": ["-e ."]}

    def test_says_where_bcc_comes_from(self):
        comments = [
            line
            for line in (ROOT / "environment.yml").read_text().splitlines()
            if line.startswith("#")
        ]
        assert "python3-bpfcc" in "\n".join(comments)
        assert "bcc" not in self.conda_specs()


class TestLocks:
    @pytest.mark.parametrize("lock", LOCKS)
    def test_hold_every_declared_requirement_within_its_bounds(self, lock):
        pins = locked(lock)
        for requirement in declared(lock):
            versions = [pinned_version(pin) for pin, _ in pins[canonicalize_name(requirement.name)]]
            assert all(version in requirement.specifier for version in versions), requirement

    @pytest.mark.parametrize("lock", LOCKS)
    def test_every_pin_has_hashes(self, lock):
        pins = locked(lock)
        assert pins
        for pin, hashes in (entry for entries in pins.values() for entry in entries):
            assert pinned_version(pin)
            assert hashes, pin
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), pin

    @pytest.mark.parametrize("lock", LOCKS)
    def test_name_no_place_to_fetch_from(self, lock):
        text = (ROOT / f"requirements/{lock}.lock").read_text()
        assert not re.search(r"^\s*-|://", text.replace("    --hash", ""), flags=re.MULTILINE)

    @pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
    @pytest.mark.parametrize("lock", LOCKS)
    def test_hold_one_pin_for_each_python(self, lock, python):
        here = {"python_full_version": f"{python}.0", "python_version": python}
        for requirement in declared(lock):
            if requirement.marker and not requirement.marker.evaluate(here):
                continue
            entries = locked(lock)[canonicalize_name(requirement.name)]
            fitting = [pin for pin, _ in entries if not pin.marker or pin.marker.evaluate(here)]
            assert len(fitting) == 1, requirement

    def test_tests_run_on_what_attendees_run_on(self):
        def pins(lock: str) -> set[str]:
            # without the marker: the tests may need for every Python what the lab needs for some
            entries = locked(lock).items()
            return {f"{name}{pin.specifier}" for name, found in entries for pin, _ in found}

        assert pins("run") <= pins("test")

    @pytest.mark.parametrize("lock", LOCKS)
    def test_are_made_from_pyproject_alone(self, lock):
        command = (ROOT / f"requirements/{lock}.lock").read_text().splitlines()[1]
        assert "uv pip compile" in command
        source = "--group setup" if lock == "setup" else "pyproject.toml"
        assert source in command
        assert "--generate-hashes" in command
        assert "--universal --python-version 3.10" in command


class TestNothingPrivate:
    def text_files(self) -> dict[str, str]:
        found = {}
        for path in FILES:
            try:
                found[path.relative_to(ROOT).as_posix()] = path.read_text()
            except UnicodeDecodeError:  # pictures
                continue
        return found

    def test_no_path_of_somebodys_machine(self):
        # /home/me and the like are examples, and nobody's.
        private = re.compile(r"/(?:home|Users)/(?!me\b|you\b|user\b)\w+|/root/\w+")
        own = {*ROOMS, "tests/test_repository.py"}
        hits = {
            name: private.findall(text)
            for name, text in self.text_files().items()
            if name not in own and private.search(text)
        }
        assert hits == {}

    def test_this_checkouts_own_place_is_in_no_file(self):
        place = re.compile(rf"(?<![\w.]){re.escape(str(ROOT))}(?![\w-])")
        found = [name for name, text in self.text_files().items() if place.search(text)]
        assert set(found) <= ROOMS


def notebook_id(path: Path) -> str:
    return path.name


class TestNotebooks:
    @pytest.fixture(params=NOTEBOOKS, ids=notebook_id)
    def notebook(self, request):
        return json.loads(request.param.read_text())

    def test_there_are_some(self):
        assert NOTEBOOKS

    def test_have_no_outputs(self, notebook):
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert [cell["source"] for cell in code if cell["outputs"]] == []
        assert [cell["source"] for cell in code if cell["execution_count"] is not None] == []

    def test_have_no_widget_state(self, notebook):
        assert "widgets" not in notebook["metadata"]

    def test_ask_for_any_python_3(self, notebook):
        assert notebook["metadata"]["kernelspec"]["name"] == "python3"
        display_name = notebook["metadata"]["kernelspec"]["display_name"]
        assert display_name in ("Python 3", "Python 3 (ipykernel)")

    def test_tell_no_ones_python_version(self, notebook):
        assert "version" not in notebook["metadata"].get("language_info", {})

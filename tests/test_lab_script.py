"""./lab itself: real bash, a checkout of its own, and a Python and an apt-get that only take notes.

Nothing here installs anything or reaches the network; tools/fresh_machine.sh does that, in earnest.
"""

import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534

# All that ./lab may use of the machine. apt-get and dnf are not among it: a test adds its own.
TOOLS = """basename bash cat chown cp cut dirname env find flock grep ldconfig mkdir mktemp readlink
rm sed sha256sum sleep stat tail touch""".split()  # noqa: SIM905

# It answers by what it is asked to run, each on its command line as ./lab writes it.
FAKE_PYTHON = r"""#!/usr/bin/env bash
echo "python $*" >>"$FAKE/calls"
case "$*" in
  --version) cat "$FAKE/version" ;;
  "-I "*"/tools/probe.py bcc"*)
    [[ ! -e $FAKE/has-wrong-bcc ]] || exit 4
    [[ -e $FAKE/has-bcc ]]
    ;;
  "-I "*"/tools/probe.py venv") [[ -e $FAKE/has-venv ]] ;;
  "-I "*"/tools/probe.py new-enough") [[ ! -e $FAKE/is-old ]] ;;
  "-I "*"/tools/probe.py lacks "*) cat "$FAKE/lacks" 2>/dev/null || true ;;
  "-m venv "*) mkdir -p "$3/bin" "$3/lib/python3/site-packages" && cp "$0" "$3/bin/python" ;;
  "-m uv "*)
    [[ ! -e $FAKE/uv-hangs ]] || { touch "$FAKE/uv-is-hanging" && exec sleep 60; }
    [[ ! -e $FAKE/uv-fails ]] || { echo "error: cannot reach the index" && exit 2; }
    ;;
  "-m labkit"* | "-m tools."*)
    echo "${*:2} by $0 pid $$ path ${PYTHONPATH:-} in $PWD"
    [[ ! -e $FAKE/makes ]] || touch "$(<"$FAKE/makes")"
    [[ ! -e $FAKE/labkit-hangs ]] || { touch "$FAKE/labkit-is-hanging" && exec sleep 60; }
    exit "$(cat "$FAKE/status")"
    ;;
esac
"""

FAKE_APT = r"""#!/usr/bin/env bash
echo "apt-get $*" >>"$FAKE/calls"
[[ $1 == install ]] || exit 0
[[ ! -e $FAKE/apt-fails ]] || { echo "E: Unable to fetch some archives" && exit 100; }
[[ $* != *python3-bpfcc* ]] || touch "$FAKE/has-bcc"
[[ $* != *python3-venv* ]] || touch "$FAKE/has-venv"
"""


class Lab:
    """A checkout with ./lab in it, and around it a machine made of notes."""

    def __init__(self, place: Path) -> None:
        self.checkout = place / "a check out"  # a space, on purpose
        self.fake = place / "fake"
        self.bin = place / "bin"
        self.calls_file = self.fake / "calls"
        python = str(self.fake / "python")
        self.env = {"PATH": str(self.bin), "FAKE": str(self.fake), "TMPDIR": str(place)}
        self.env |= {"LABKIT_PYTHON": python, "LABKIT_BCC_PYTHON": python}
        for directory in (self.checkout, self.fake, self.bin):
            directory.mkdir()
        self.fill_checkout()
        self.fill_machine()

    def fill_checkout(self) -> None:
        shutil.copy(ROOT / "lab", self.checkout)
        shutil.copytree(ROOT / "requirements", self.checkout / "requirements")
        jupyter = shutil.ignore_patterns("state")
        shutil.copytree(ROOT / ".jupyter", self.checkout / ".jupyter", ignore=jupyter)

    def fill_with_code(self) -> None:
        """Bring what a real Python needs in order to run a command."""
        for name in ("labkit", "tools"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.checkout / name, ignore=ignore)

    def fill_machine(self) -> None:
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or "/nowhere")
        self.program("apt-get", FAKE_APT)
        for_guests = ("qemu-system-x86_64", "debootstrap", "cpio")
        for name in ("dpkg", "readelf", "bpftool", "chromium", "shellcheck", *for_guests):
            self.program(name, "#!/usr/bin/env bash\n")
        self.python = self.program("../fake/python", FAKE_PYTHON)
        self.say("version", "Python 3.11.2")
        self.say("status", "0")
        self.calls_file.touch()

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path.resolve()

    def say(self, name: str, text: str = "") -> None:
        """Set one property of the fake machine."""
        (self.fake / name).write_text(text + "\n")

    def start(self, *args: str, **options):
        pipe = subprocess.PIPE
        command = [str(self.checkout / "lab"), *args]
        return subprocess.Popen(
            command, env=self.env, stdout=pipe, stderr=pipe, text=True, **options
        )

    def run(self, *args: str, **options):
        """Run ./lab to its end; what it called is in `calls` afterwards."""
        self.calls_file.write_text("")
        with self.start(*args, **options) as process:
            stdout, stderr = process.communicate(timeout=150)
        assert "unbound variable" not in stderr
        assert not re.search(r"lab: line \d+", stderr), "a bash trace"
        return subprocess.CompletedProcess(args, process.returncode, stdout, stderr)

    @property
    def calls(self) -> str:
        return self.calls_file.read_text()

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    def was_installed(self) -> bool:
        return bool(re.search(r"apt-get|-m (venv|pip|uv)", self.calls))


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path)


@pytest.fixture
def ready_lab(lab):
    """A lab after its first set-up."""
    lab.say("has-bcc")
    lab.say("has-venv")
    assert lab.run("build", "percpu").returncode == 0
    return lab


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another user")


class TestWords:
    @pytest.mark.parametrize("word", ["help", "--help", "-h"])
    def test_help_is_short_and_has_examples(self, lab, word):
        done = lab.run(word)
        assert (done.returncode, done.stderr) == (0, "")
        assert "examples:" in done.stdout
        assert len(done.stdout.splitlines()) < 30

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            (["nonsense"], "check, build, run"),
            (["--nope"], "--no-browser and --port"),
            (["--no-browser", "extra"], "--no-browser and --port"),
            (["--port"], "number"),
            (["--port", "x"], "number"),
            (["--port=0"], "number"),
            (["--port", "65536"], "number"),
        ],
    )
    def test_wrong_use_is_2_tells_what_is_allowed_and_installs_nothing(self, lab, words, names):
        done = lab.run(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert names in done.stderr
        assert not lab.was_installed()
        assert not lab.venv.exists()

    def test_knows_exactly_the_commands_that_there_are(self, lab):
        stderr = lab.run("nonsense").stderr
        told = re.findall(r"\w+", stderr.partition("there are ")[2].partition("\n")[0])
        of_labkit = subprocess.run(
            [sys.executable, "-m", "labkit", "--help"], capture_output=True, text=True, cwd=ROOT
        ).stdout
        there = {path.stem for path in (ROOT / "tools").iterdir()}
        tools = [word for word in told if word in there]
        assert tools == ["test", "render", "bench", "bundle", "soak", "kernels"]
        assert set(told) == {*tools, *re.findall(r"^    (\w+) ", of_labkit, re.MULTILINE)}

    @pytest.mark.parametrize("tool", ["test", "render", "bench", "bundle", "soak", "kernels"])
    def test_a_tool_explains_itself_without_any_package(self, lab, tool):
        lab.env["LABKIT_PYTHON"] = sys.executable
        lab.fill_with_code()
        done = lab.run(tool, "--help")
        assert done.returncode == 0
        assert f"./lab {tool}" in done.stdout
        assert "example: sudo ./lab" in done.stdout
        assert not lab.was_installed()

    def test_the_folder_it_is_called_in_is_no_place_to_import_from(self, lab, tmp_path):
        """Debian's Python and those after 3.10 can be told so."""
        if sys.version_info < (3, 11):
            pytest.skip("Python 3.10 always looks there first")
        lab.env["LABKIT_PYTHON"] = sys.executable
        lab.fill_with_code()
        (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
        assert lab.run("build", "--help", cwd=tmp_path).returncode == 0


class TestWithoutInstalling:
    @pytest.mark.parametrize("words", [["check", "--json"], ["build", "--help"], ["run", "-h"]])
    def test_a_question_goes_to_any_python(self, lab, words):
        done = lab.run(*words)
        assert done.returncode == 0
        assert done.stdout.startswith(f"labkit {' '.join(words)} by {lab.python} ")
        assert not lab.was_installed()
        assert not lab.venv.exists()

    def test_is_this_machine_ready_installs_nothing(self, lab):
        done = lab.run("ready", "--json", "mine.json")
        assert done.returncode == 0
        assert done.stdout.startswith("labkit ready --json mine.json by ")
        assert not lab.was_installed()

    def test_comparing_needs_no_bcc(self, lab):
        lab.say("has-venv")
        done = lab.run("compare", "one.json")
        assert done.returncode == 0
        assert done.stdout.startswith(f"labkit compare one.json by {lab.venv}/bin/python ")
        assert "apt-get" not in lab.calls
        assert lab.run("compare", "one.json").returncode == 0
        assert not lab.was_installed()

    def test_check_without_any_python_says_so(self, lab):
        lab.say("is-old")
        done = lab.run("check")
        assert done.returncode == 3
        assert "no Python of 3.10" in done.stderr
        assert "to mend: sudo apt-get install python3" in done.stderr


@pytest.fixture
def stray_bcc(tmp_path):
    """A folder that holds what looks like the real bcc, and a Python that has none."""
    folder = tmp_path / "stray"
    (folder / "bcc").mkdir(parents=True)
    for name in ("__init__.py", "libbcc.py"):
        (folder / "bcc" / name).touch()
    return folder


@needs_root
class TestWhichBcc:
    @pytest.fixture
    def lab_of_a_real_python(self, lab):
        lab.env["LABKIT_BCC_PYTHON"] = sys.executable  # a virtual environment: it has no bcc
        shutil.copytree(ROOT / "tools", lab.checkout / "tools")
        lab.say("has-venv")
        return lab

    def test_one_in_the_current_folder_does_not_count(self, lab_of_a_real_python, stray_bcc):
        lab_of_a_real_python.run("build", "percpu", cwd=stray_bcc)
        assert "python3-bpfcc" in lab_of_a_real_python.calls

    def test_one_on_pythonpath_does_not_count(self, lab_of_a_real_python, stray_bcc):
        lab_of_a_real_python.env["PYTHONPATH"] = str(stray_bcc)
        lab_of_a_real_python.run("build", "percpu")
        assert "python3-bpfcc" in lab_of_a_real_python.calls

    def test_pypis_is_no_lack_but_in_the_way(self, lab):
        lab.say("has-wrong-bcc")
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert f"to mend: sudo {lab.python} -m pip uninstall bcc" in done.stderr
        assert not lab.was_installed()


@needs_root
class TestFirstSetUp:
    def test_installs_what_is_missing_and_shows_its_steps(self, lab):
        done = lab.run("build", "percpu", "--json")
        assert done.returncode == 0
        assert re.search(r"apt-get install .* python3-bpfcc python3-venv$", lab.calls, re.MULTILINE)
        assert "--no-install-recommends" in lab.calls  # these would be the kernel headers
        assert done.stderr.index("[1/2]") < done.stderr.index("[2/2]")

    def test_keeps_stdout_for_labkit(self, lab):
        (line,) = lab.run("build", "percpu", "--json").stdout.splitlines()
        assert line.startswith("labkit build percpu --json by")

    def test_takes_only_packages_with_a_known_hash(self, lab):
        lab.run("build", "percpu")
        installs = [line for line in lab.calls.splitlines() if " install " in line]
        from_index = [line for line in installs if "-m pip" in line or "-m uv" in line]
        assert len(from_index) == 2
        assert all("--require-hashes" in line for line in from_index)

    def test_makes_labkit_importable_in_every_kernel(self, lab):
        lab.run("build", "percpu")
        (pth,) = lab.venv.rglob("labkit.pth")
        assert (pth.parent / pth.read_text().strip()).resolve() == lab.checkout

    def test_failing_apt_is_3_with_its_words_and_the_cure(self, lab):
        lab.say("apt-fails")
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "Unable to fetch some archives" in done.stderr
        assert "to mend: " in done.stderr
        assert not lab.venv.exists()

    def test_packages_that_do_not_help_are_not_taken_for_success(self, lab):
        lab.program("apt-get", "#!/usr/bin/env bash\n")
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "python3-bpfcc is installed, yet bcc does not work" in done.stderr

    def test_no_package_manager_is_3(self, lab):
        (lab.bin / "apt-get").unlink()
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "neither apt-get nor dnf" in done.stderr

    def test_dnf_gets_fedoras_names(self, lab):
        (lab.bin / "apt-get").unlink()
        lab.program(
            "dnf", '#!/usr/bin/env bash\necho "dnf $*" >>"$FAKE/calls"; touch "$FAKE/has-bcc"\n'
        )
        lab.say("has-venv")
        assert lab.run("build", "percpu").returncode == 0
        assert re.search(r"dnf install .* python3-bcc$", lab.calls, re.MULTILINE)


class TestVenv:
    def test_a_second_call_does_nothing_and_says_nothing(self, ready_lab):
        done = ready_lab.run("build", "percpu")
        assert (done.returncode, done.stderr) == (0, "")
        assert not ready_lab.was_installed()

    def test_no_network_is_3_and_the_next_call_mends(self, lab):
        lab.say("has-bcc")
        lab.say("has-venv")
        lab.say("uv-fails")
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "cannot reach the index" in done.stderr
        assert "to mend: " in done.stderr
        (lab.fake / "uv-fails").unlink()
        assert lab.run("build", "percpu").returncode == 0

    def test_cut_short_is_never_taken_for_finished(self, lab):
        lab.say("has-bcc")
        lab.say("has-venv")
        lab.say("uv-hangs")
        with lab.start("build", "percpu", start_new_session=True) as process:
            wait_for((lab.fake / "uv-is-hanging").exists)
            os.killpg(process.pid, signal.SIGKILL)
        assert (lab.venv / "bin/python").exists()
        (lab.fake / "uv-hangs").unlink()
        assert lab.run("build", "percpu").returncode == 0
        assert "-m venv" in lab.calls

    def test_cut_short_while_adding_the_tests_packages_is_not_finished_either(self, ready_lab):
        ready_lab.say("uv-hangs")
        with ready_lab.start("test", start_new_session=True) as process:
            wait_for((ready_lab.fake / "uv-is-hanging").exists)
            os.killpg(process.pid, signal.SIGKILL)
        (ready_lab.fake / "uv-hangs").unlink()
        assert ready_lab.run("build", "percpu").returncode == 0
        assert "-m venv" in ready_lab.calls

    @pytest.mark.parametrize("lock", ["run.lock", "setup.lock"])
    def test_a_changed_lock_makes_it_anew(self, ready_lab, lock):
        with (ready_lab.checkout / "requirements" / lock).open("a") as file:
            file.write("# another\n")
        assert ready_lab.run("build", "percpu").returncode == 0
        assert "-m venv" in ready_lab.calls

    def test_another_python_makes_it_anew(self, ready_lab):
        ready_lab.say("version", "Python 3.13.5")
        assert ready_lab.run("build", "percpu").returncode == 0
        assert "-m venv" in ready_lab.calls

    def test_somebodys_own_is_left_alone(self, lab):
        lab.say("has-bcc")
        lab.say("has-venv")
        lab.venv.mkdir()
        (lab.venv / "precious").touch()
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "did not make it" in done.stderr
        assert (lab.venv / "precious").exists()

    def test_two_at_once_make_one(self, lab):
        lab.say("has-bcc")
        lab.say("has-venv")
        first, second = lab.start("build", "percpu"), lab.start("build", "percpu")
        for process in (first, second):
            process.communicate(timeout=150)
            assert process.returncode == 0
        assert lab.calls.count("-m venv") == 1

    def test_an_old_python_is_3(self, lab):
        lab.say("has-bcc")
        lab.say("has-venv")
        lab.say("is-old")
        done = lab.run("build", "percpu")
        assert done.returncode == 3
        assert "older than 3.10" in done.stderr


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@needs_root
class TestWhoIsWho:
    @pytest.fixture
    def open_lab(self, lab):
        """A lab that a user without rights can enter, and owns."""
        for path in (lab.checkout, *lab.checkout.rglob("*"), lab.fake, *lab.fake.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        for parent in lab.checkout.parents:
            if parent.stat().st_uid == 0 and str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o055)
        lab.checkout.parent.chmod(0o777)
        return lab

    def as_nobody(self) -> dict[str, object]:
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def test_missing_packages_without_root_are_3_and_name_the_command(self, open_lab):
        done = open_lab.run("build", "percpu", **self.as_nobody())
        assert done.returncode == 3
        assert "only root can install them: python3-bpfcc python3-venv" in done.stderr
        assert "to mend: sudo ./lab" in done.stderr
        assert not open_lab.was_installed()

    def test_a_user_can_make_the_venv_when_the_packages_are_there(self, open_lab):
        open_lab.say("has-bcc")
        open_lab.say("has-venv")
        assert open_lab.run("build", "percpu", **self.as_nobody()).returncode == 0
        assert "-m venv" in open_lab.calls

    def test_what_root_makes_belongs_to_the_owner_of_the_checkout(self, open_lab):
        assert open_lab.run("test").returncode == 0
        made = [open_lab.venv, *open_lab.venv.rglob("*")]
        assert len(made) > 5
        wait_for(lambda: {path.lstat().st_uid for path in made} == {NOBODY})

    @pytest.mark.parametrize("words", [["run", "percpu", "--csv", "x"], ["render"], ["test"], []])
    def test_so_does_what_a_command_makes(self, open_lab, words):
        made = open_lab.checkout / "made by root"
        open_lab.say("makes", str(made))
        assert open_lab.run(*words).returncode == 0
        wait_for(lambda: made.stat().st_uid == NOBODY)

    @pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
    def test_however_the_command_ends(self, open_lab, sign):
        made = open_lab.checkout / "made by root"
        open_lab.say("makes", str(made))
        open_lab.say("labkit-hangs")
        with open_lab.start("run", "percpu") as process:
            wait_for((open_lab.fake / "labkit-is-hanging").exists)
            assert made.stat().st_uid == 0
            process.send_signal(sign)
        assert process.returncode == -sign
        wait_for(lambda: made.stat().st_uid == NOBODY)


class TestConda:
    @pytest.fixture
    def conda(self, lab, tmp_path):
        lab.say("has-bcc")
        lab.say("has-venv")
        python = tmp_path / "conda/bin/python"
        python.parent.mkdir(parents=True)
        shutil.copy(lab.python, python)
        lab.env["CONDA_PREFIX"] = str(tmp_path / "conda")
        return python

    def test_that_has_the_packages_is_used(self, lab, conda):
        done = lab.run("build", "percpu")
        assert done.returncode == 0
        assert f" by {conda} " in done.stdout
        assert f" path {lab.checkout} " in done.stdout
        assert not lab.venv.exists()

    def test_that_lacks_some_is_named_and_the_venv_used(self, lab, conda):
        lab.say("lacks", "jupyterlab pandas")
        done = lab.run("build", "percpu")
        assert "lacks jupyterlab pandas: .venv is used instead" in done.stderr
        assert f" by {lab.venv}/bin/python " in done.stdout
        assert lab.run("build", "percpu").stderr == ""

    def test_that_is_gone_is_no_obstacle(self, lab, conda):
        conda.unlink()
        done = lab.run("build", "percpu")
        assert f" by {lab.venv}/bin/python " in done.stdout

    @pytest.mark.parametrize("words", [["build", "percpu"], ["test"]])
    def test_is_asked_for_what_the_imports_are_called(self, lab, conda, words):
        """A real Python that has all packages, asked by the names in tools/probe.py."""
        shutil.copytree(ROOT / "tools", lab.checkout / "tools")
        real = f'#!/usr/bin/env bash\n[[ $1 != -I ]] || exec "{sys.executable}" "$@"\n'
        conda.write_text(real + FAKE_PYTHON.partition("\n")[2])
        assert f" by {conda} " in lab.run(*words).stdout


class TestHandingOver:
    @pytest.mark.parametrize("status", [0, 1, 2, 3])
    def test_labkits_exit_status_is_labs(self, ready_lab, status):
        ready_lab.say("status", str(status))
        assert ready_lab.run("run", "percpu").returncode == status

    def test_labkit_is_the_process_itself_so_that_signals_reach_it(self, ready_lab):
        with ready_lab.start("run", "percpu") as process:
            stdout, _ = process.communicate(timeout=150)
        assert f" pid {process.pid} " in stdout

    def test_arguments_arrive_as_they_were(self, ready_lab):
        done = ready_lab.run("run", "percpu", "--csv", "a file.csv")
        assert done.stdout.startswith("labkit run percpu --csv a file.csv by")

    def test_the_callers_directory_stays(self, ready_lab, tmp_path):
        assert ready_lab.run("build", "percpu", cwd=tmp_path).stdout.endswith(f" in {tmp_path}\n")

    def test_works_through_a_link(self, ready_lab, tmp_path):
        link = tmp_path / "link"
        link.symlink_to(ready_lab.checkout / "lab")
        done = subprocess.run(
            [link, "check"], env=ready_lab.env, capture_output=True, text=True, check=True
        )
        assert f" path {ready_lab.checkout} " in done.stdout

    @pytest.mark.parametrize("tool", ["render", "bench", "soak"])
    def test_tools_are_no_part_of_labkit(self, ready_lab, tool):
        assert ready_lab.run(tool, "--rounds", "3").stdout.startswith(f"tools.{tool} --rounds 3 by")


class TestTests:
    def test_get_their_options_as_they_were(self, ready_lab):
        done = ready_lab.run("test", "--fast", "-k", "two words")
        assert done.returncode == 0
        assert done.stdout.startswith("tools.test --fast -k two words by")

    def test_installs_the_tests_packages_once(self, ready_lab):
        ready_lab.run("test")
        assert "requirements/test.lock" in ready_lab.calls
        assert "-m venv" not in ready_lab.calls
        ready_lab.run("test")
        assert not ready_lab.was_installed()
        ready_lab.run("build", "percpu")
        assert not ready_lab.was_installed()

    @needs_root
    def test_a_missing_browser_is_fetched_and_its_absence_survived(self, ready_lab):
        (ready_lab.bin / "chromium").unlink()
        ready_lab.say("apt-fails")
        done = ready_lab.run("test")
        assert re.search(r"apt-get install .* chromium$", ready_lab.calls, re.MULTILINE)
        assert "chromium could not be installed" in done.stderr
        assert "tools.test by" in done.stdout

    def test_ci_demands_that_live_tests_run(self, lab):
        (lab.checkout / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/run", lab.checkout / ".ci/run")
        (lab.checkout / "lab").write_text(
            '#!/usr/bin/env bash\necho "$* live=$LABKIT_REQUIRE_LIVE"; cat; exit 7\n'
        )
        lab.program("sudo", '#!/usr/bin/env bash\nexec "$@"\n')
        done = subprocess.run(
            [lab.checkout / ".ci/run"],
            env=lab.env,
            input="not for the tests",
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (7, "test live=1\n")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck: sudo ./lab test")
@pytest.mark.parametrize(
    "script", ["lab", ".ci/run", "tools/bundle.sh", "tools/fresh_machine.sh", "tools/room.sh"]
)
def test_shellcheck_finds_nothing(script):
    words = ["shellcheck", "-x", script]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


class RunningLab:
    """A real JupyterLab, started by ./lab from the Python that runs the tests."""

    def __init__(self, lab: Lab, *options: str, **how) -> None:
        self.lab = lab
        self.process = lab.start("--no-browser", *options, **how)

    @functools.cached_property
    def address(self) -> str:
        """What it says when it answers."""
        assert self.process.stdout
        for line in self.process.stdout:
            if match := re.search(r"http://\S+", line):
                return match[0]
        _, stderr = self.process.communicate(timeout=60)
        raise AssertionError(stderr)

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    @property
    def token(self) -> str:
        return self.address.split("token=")[1]

    def status(self, token: str) -> int:
        url = f"http://127.0.0.1:{self.port}/api/contents"
        request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
        try:
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            return int(direct.open(request, timeout=10).status)
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self, sign: int = signal.SIGTERM) -> int:
        self.process.send_signal(sign)
        self.process.communicate(timeout=150)
        return self.process.returncode

    def processes(self) -> list[str]:
        """Return the command lines that mention this lab's port."""
        port, found = f"port={self.port}", []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:  # it ended meanwhile
                continue
            if port in words:
                found.append(words)
        return found


@pytest.fixture
def jupyter(lab):
    """Start a real JupyterLab, as often as wanted; all have ended afterwards."""
    # A wrapper: a link to a virtual environment's Python would not find its packages.
    python = lab.fake / "conda/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    lab.fill_with_code()
    lab.say("has-bcc")
    lab.env |= {"CONDA_PREFIX": str(lab.fake / "conda"), "HOME": str(lab.fake)}
    running = []

    def start(*options: str, **how) -> RunningLab:
        running.append(RunningLab(lab, *options, **how))
        return running[-1]

    yield start
    for server in running:
        if server.process.poll() is None:
            server.stop()


class TestJupyter:
    def test_answers_to_its_token_alone_and_on_this_machine_alone(self, jupyter):
        server = jupyter()
        assert "/lab?token=" in server.address, "there is no notebook to open"
        assert len(server.token) == 48
        assert server.status(server.token) == 200
        assert server.status("wrong") == 403
        assert server.status("") == 403
        assert listeners(server.port) == ["0100007F"]
        assert server.processes(), "whose command lines everybody can read"
        assert not [words for words in server.processes() if server.token in words]

    @pytest.mark.parametrize(("sign", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
    def test_leaves_nothing_behind_when_stopped(self, jupyter, sign, status):
        server = jupyter()
        assert server.processes()
        assert server.stop(sign) == status
        assert server.processes() == []
        assert list(server.lab.checkout.parent.glob("lab-jupyter*")) == []

    def test_opens_the_first_notebook_on_the_port_it_is_given(self, jupyter, lab):
        (lab.checkout / "notebooks").mkdir()
        for name in ("00_welcome.ipynb", "01_stack_limit.ipynb"):
            (lab.checkout / "notebooks" / name).write_text("{}")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free = taken.getsockname()[1]
        server = jupyter("--port", str(free))
        assert "/lab/tree/notebooks/01_stack_limit.ipynb?token=" in server.address
        assert server.port == free

    @pytest.mark.slow
    def test_two_that_start_at_once_take_two_ports(self, jupyter):
        first, second = jupyter(), jupyter()
        assert first.port != second.port
        assert [first.status(first.token), second.status(second.token)] == [200, 200]

    def test_what_the_parent_ignored_stays_ignored(self, jupyter):
        """As nohup and a background job of a script have it."""
        server = jupyter(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        assert server.address
        server.process.send_signal(signal.SIGINT)
        assert server.status(server.token) == 200
        assert server.stop(signal.SIGTERM) == 143

    def test_says_when_the_given_port_is_taken(self, jupyter):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            _, stderr = jupyter("--port", str(port)).process.communicate(timeout=150)
        assert f"port {port} is in use" in stderr
        assert "to mend: sudo ./lab --port " in stderr


def listeners(port: int) -> list[str]:
    """Return the local addresses, as /proc/net writes them, that listen on this port."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [
        row[1].split(":")[0] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"
    ]

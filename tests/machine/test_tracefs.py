"""Where tracefs is not mounted, or may not be read, that is said, with the command for it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from labkit.machine.tracefs import MOUNT, TRACEFS

ALONE = ["unshare", "--mount", "--propagation", "private", "sh", "-c"]
POWERLESS = "setpriv --bounding-set=-sys_admin,-dac_override,-dac_read_search"

needs_tools = pytest.mark.skipif(
    not (shutil.which("unshare") and shutil.which("setpriv")), reason="no unshare or no setpriv"
)


def build_after(script: str, change: str) -> str:
    """Build where tracefs has been changed, in a mount namespace of its own; return the reason."""
    command = f"{change}; {script} {sys.executable} -m labkit build percpu --json"
    done = subprocess.run([*ALONE, command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["outcome"] == "host_refused"
    return str(report["reason"])


@needs_tools
@pytest.mark.live
def test_not_mounted_and_not_allowed_to_mount() -> None:
    reason = build_after(POWERLESS, f"umount {TRACEFS}; umount /sys/kernel/debug 2>/dev/null")
    assert reason.startswith(f"cannot mount tracefs on {TRACEFS}")
    assert reason.endswith(f"to mend it: {MOUNT}")


@needs_tools
@pytest.mark.live
def test_mounted_but_not_to_be_read() -> None:
    user = f"{POWERLESS} --reuid=65534 --clear-groups --"
    reason = build_after(user, "umount /sys/kernel/debug 2>/dev/null")
    assert reason.startswith(f"tracefs is mounted on {TRACEFS}, but user 65534 may not read it")
    assert reason.endswith("sudo ./lab")

"""A live test that cannot run here says why; under LABKIT_REQUIRE_LIVE=1 it fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest
from simulated import either_kernel

from labkit import checklist, session

__all__ = ["either_kernel"]  # a fixture for every test
REQUIRE_LIVE = os.environ.get("LABKIT_REQUIRE_LIVE") == "1"

# How long an example takes tells of the machine's other work, not of the code.
hypothesis.settings.register_profile("lab", deadline=None)
hypothesis.settings.load_profile("lab")


# Where pytest ignores Ctrl-C or a hangup (nohup, a background job of a script), what the tests
# start would ignore it as well, and a test that interrupts it would wait for ever. A handler is not
# inherited: with one that does nothing pytest goes on as it was told, and its children do not.
for sign in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(sign) is signal.SIG_IGN:
        signal.signal(sign, lambda *_: None)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in this test, whatever whoever runs the tests ignores."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: Playwright keeps an event loop running in this thread.

    And in the order in which they are written: those of a file share a page, whose state is what
    the clicks before have made of it, as it is for an attendee. All others run in any order.
    """
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, str, int]:
    if item.get_closest_marker("browser") is None:
        return 0, "", 0
    return 1, str(item.path), item.reportinfo()[1] or 0


@pytest.fixture(scope="session")
def lacking() -> str:
    """What this machine lacks for live tests, with the command that mends it; empty if nothing."""
    rows = [row for row in checklist.check() if row.ok is False]
    return "; ".join(f"{row.name}: {row.found} (mend: {row.mend})" for row in rows)


@pytest.fixture(autouse=True)
def _live(request: pytest.FixtureRequest) -> None:
    """Let a test marked ``live`` run only where BPF programs load."""
    if request.node.get_closest_marker("live") is None:
        return
    reason = request.getfixturevalue("lacking")
    if reason and REQUIRE_LIVE:
        pytest.fail(f"LABKIT_REQUIRE_LIVE=1, but this machine cannot: {reason}")
    if reason:
        pytest.skip(reason)


@pytest.fixture(autouse=True, scope="session")
def _runs_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests kill leaves its run's file in a folder of theirs, not in the checkout."""
    os.environ["LABKIT_RUNS"] = str(tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True, scope="session")
def _end_workers() -> Iterator[None]:
    yield
    session.close()

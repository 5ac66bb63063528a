"""``./lab run``: attach a variant, print its events, and bring them home however it ends."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from labkit.building.build import layout
from labkit.collecting.collection import TICK, Collection
from labkit.collecting.files import check_free, export_csv
from labkit.collecting.run import Run
from labkit.errors import UsageError
from labkit.show import terminal
from labkit.status import ACCEPTED_STATUS, MACHINE_STATUS, progress, say_machine, status_of

LAG = 1.0  # seconds by which what is printed on a terminal may be late; then some is left out
LAST_ONES = 20  # events that are still printed after those that were left out
EACH, EACH_IN_A_LOG = 0.5, 10.0  # seconds between two lines of progress: on a terminal, elsewhere


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP: an interrupt like Ctrl-C's, so the run comes home."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number


def command_run(options: argparse.Namespace) -> int:
    """Run ``run``."""
    if options.csv:
        _check_writable(Path(options.csv))
    progress(f"building {options.variant}")
    sizes = [word for word in options.define if "=" in word]
    out = Progress() if options.quiet else Printer()
    out.write(terminal.banner(layout(*sizes)) + "\n")
    status = ACCEPTED_STATUS
    with (
        _signals_interrupt(),
        Collection(options.variant, seconds=options.seconds, defines=options.define) as collection,
    ):
        try:
            _watch(collection, out)
        except KeyboardInterrupt as interrupt:
            collection.interrupted = True
            status = interrupt.status if isinstance(interrupt, Ended) else status
            _see_to_the_end(collection, out)
        run = collection.finish(keep_file=True)
    return _bring_home(run, options.csv, out) or status


def _check_writable(path: Path) -> None:
    """Refuse now what could not be written after the run."""
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise UsageError(f"cannot write '{path}': name a file in a folder that exists")
    check_free(path)


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise Ended; one that is ignored, as under nohup, stays ignored."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise Ended(number)

    before = {
        number: signal.signal(number, end)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(collection: Collection, out: Printer | Progress) -> None:
    """Show what comes until the run is over, or nobody reads what is printed."""
    while not collection.over:
        collection.wait(0 if out.look(collection) else TICK)
        if out.closed:
            raise KeyboardInterrupt
    while out.look(collection):
        pass


def _see_to_the_end(collection: Collection, out: Printer | Progress) -> None:
    """Stop the collection and show the rest. Another interrupt only ends the showing."""
    with contextlib.suppress(KeyboardInterrupt):
        collection.stop()
        _watch(collection, out)


def _bring_home(run: Run, csv: str | None, out: Printer | Progress) -> int:
    """Write what is to be written, tell the account, and only then let go of the run's file."""
    if not run.attached:
        out.write(terminal.report(run.report) + "\n")
        say_machine(run.report)
        return status_of(run.report)
    try:
        written = export_csv(run, csv) if csv else None
    except UsageError as error:
        out.write(terminal.account(run) + "\n")
        raise UsageError(
            f"{error}\n  The events are kept in {run.file}: labkit.recover()"
        ) from None
    if written or run.ended_well:
        run.discard_file()
    out.write(terminal.account(run) + "\n")
    if written:
        out.write(f"wrote {written}\n")
    return ACCEPTED_STATUS if run.ended_well else MACHINE_STATUS


class Output:
    """Standard output, which may be closed by whoever reads it, or be a terminal that is gone."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, text: str) -> None:
        """Print it; where that cannot be done any more, note so and go on."""
        if self.closed:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            self.closed = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Printer(Output):
    """Prints one line per event: all, or on a terminal as many as it takes without delay."""

    def __init__(self) -> None:
        super().__init__()
        self.may_leave_out = sys.stdout.isatty()

    def look(self, collection: Collection) -> bool:
        """Print the next events; return whether there were any."""
        records = collection.take()
        if not len(records) or collection.file is None:
            return False
        late = time.monotonic_ns() - int(records["timestamp"][0]) > LAG * 1e9
        left_out = collection.file.behind + len(records) - LAST_ONES
        if self.may_leave_out and late and left_out > 0:
            collection.file.skip_to_last(LAST_ONES)
            self.write(f"… {left_out:,} events not printed, all kept\n")
        else:
            self.write("".join(terminal.event_lines(records)))
        return True


class Progress(Output):
    """Prints no events; tells how many there are, and how fast they come."""

    def __init__(self) -> None:
        super().__init__()
        self._terminal = sys.stderr.isatty()
        self._told = time.monotonic()
        self._events = 0

    def look(self, collection: Collection) -> bool:
        """Print a line of progress when it is time."""
        now = time.monotonic()
        passed = now - self._told
        if collection.file is None or (
            passed < (EACH if self._terminal else EACH_IN_A_LOG) and not collection.over
        ):
            return False
        line = terminal.progress(collection.file, self._events, passed)
        self._told, self._events = now, len(collection.file)
        end = "\n" if collection.over or not self._terminal else ""
        begin = "\r\x1b[K" if self._terminal else ""
        with contextlib.suppress(OSError):
            print(f"{begin}{line}", end=end, file=sys.stderr, flush=True)
        return False

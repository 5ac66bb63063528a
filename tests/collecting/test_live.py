"""A live collection, however it is left: nothing stays attached, what came is kept."""

from __future__ import annotations

import asyncio

import kernel
import pytest

import labkit
from labkit.collecting.live import Live
from labkit.collecting.run import Run

pytestmark = pytest.mark.live


async def attached(live: Live) -> set[int]:
    """Wait until the program is attached; return the programs that are loaded for it."""
    while not live.attached:
        await asyncio.sleep(0.02)
    return kernel.programs()


def test_a_picture_that_raises_ends_the_collection_and_keeps_it() -> None:
    seen: set[int] = set()

    def raise_later(live: Live) -> None:
        if live.attached and live.counts.total() > 5:
            seen.update(kernel.programs())
            raise ZeroDivisionError("the picture")

    live = Live("percpu", 60, raise_later)
    with labkit.exec_storm(rate=100), pytest.raises(ZeroDivisionError):
        asyncio.run(live.run())
    assert kernel.gone(seen)
    assert live.result is not None
    assert live.result.balanced
    assert len(live.result) > 5


def test_a_cancelled_task_ends_the_collection_and_keeps_it() -> None:
    async def scenario() -> set[int]:
        task = asyncio.create_task(live.run())
        programs = await attached(live)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return programs

    live = Live("percpu", 60, lambda _live: None)
    assert kernel.gone(asyncio.run(scenario()))
    assert live.result is not None
    assert live.result.balanced


def test_a_task_cancelled_while_the_worker_starts_leaves_nothing() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(live.run())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    live = Live("percpu", 60, lambda _live: None)
    asyncio.run(scenario())
    assert kernel.wait_until(lambda: not kernel.programs(), 2)


def test_close_during_a_collection_ends_it() -> None:
    """labkit.close() from another cell: the collection is over, with what had come."""

    async def scenario() -> tuple[set[int], Run | None]:
        task = asyncio.create_task(live.run())
        programs = await attached(live)
        while live.counts.total() < 5:
            await asyncio.sleep(0.02)
        labkit.close()
        return programs, await asyncio.wait_for(task, 10)

    live = Live("percpu", 60, lambda _live: None)
    with labkit.exec_storm(rate=100):
        programs, run = asyncio.run(scenario())
    assert kernel.gone(programs)
    assert run is not None
    assert not run.complete
    assert run.attached
    assert len(run) >= 5
    run.discard_file()

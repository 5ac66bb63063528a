from __future__ import annotations

from labkit.building.report import ACCEPTED, BuildReport, Gate
from labkit.errors import LabError
from labkit.notebook.alternatives import AlternativeSwitch


class Builds:
    """Stands in for build(): refuses what it is told to."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def __call__(self, variant):
        self.built.append(variant.name)
        if variant.name == "task_storage":
            raise LabError("no <task> storage")
        gates_passed = (Gate("compiler", True, 0.1), Gate("verifier", True, 0.1))
        return BuildReport(variant.name, ACCEPTED, gates_passed, "", "", None, {})


def test_the_toggle_shows_program_and_verdict():
    builds = Builds()
    switch = AlternativeSwitch(builds)
    assert builds.built == ["percpu_array"]
    switch.choice.value = "ringbuf_reserve"
    assert switch.builds.wait(5)
    assert "ringbuf_reserve.c" in switch.result.value
    assert "Since Linux 5.8" in switch.html
    assert "accepted" in switch.state.value and switch.report is not None
    switch.choice.value = "task_storage"
    assert switch.builds.wait(5)
    assert "no &lt;task&gt; storage" in switch.result.value
    assert switch.report is None

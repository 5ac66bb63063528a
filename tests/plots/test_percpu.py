"""The drawing of the slots: to scale, and each by the id of its CPU."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from labkit.plots.percpu import percpu_array


@pytest.mark.parametrize("cpus", [(0,), (0, 1), (0, 1, 2, 8), tuple(range(64))])
def test_the_drawing_of_the_slots_is_to_scale(cpus: tuple[int, ...]) -> None:
    layout = {
        "big_event": {"size": 544},
        "extra_buffer": {"size": 768},
        "local_data": {"size": 256},
    }
    axes: Any = percpu_array(layout, cpus, Figure().subplots())
    assert [bar.get_width() for bar in axes.patches[:4]] == [512, 544, 768, 256]
    assert f"{1568 * len(cpus):,} bytes" in axes.get_title(loc="left")
    lanes = [label.get_text() for label in axes.get_yticklabels()]
    assert lanes[1:] == [f"slot of CPU {cpu}" for cpu in cpus[:4]]

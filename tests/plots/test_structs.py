from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

import labkit
from labkit.building.frame_size import Largest
from labkit.plots import style
from labkit.plots.structs import limit_search, struct_sizes
from labkit.program.variants import STRUCTS

matplotlib.use("agg")


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def struct(name: str, *sizes: int) -> dict[str, Any]:
    fields, offset = [], 0
    for number, size in enumerate(sizes):
        fields.append({"name": f"f{number}", "offset": offset, "size": size})
        offset += size
    return {"name": name, "size": offset, "fields": fields}


LAYOUT = {
    "big_event": struct("big_event", 4, 4, 600),
    "extra_buffer": struct("extra_buffer", 300, 400),
    "local_data": struct("local_data", 128),
}


def bars(axes: Any, row: float) -> list[Any]:
    """The bars of one row, from the left."""
    found = [p for p in axes.patches if p.get_y() <= row <= p.get_y() + p.get_height()]
    return sorted(found, key=lambda bar: bar.get_x())


def colour(bar: Any) -> str:
    return to_hex(bar.get_edgecolor()).upper()


def test_each_row_is_as_long_as_its_struct():
    axes = struct_sizes(LAYOUT)
    for row, name in enumerate(STRUCTS, 1):
        row_bars = bars(axes, row)
        assert sum(bar.get_width() for bar in row_bars) == LAYOUT[name]["size"]
        ends = [bar.get_x() + bar.get_width() for bar in row_bars]
        assert [bar.get_x() for bar in row_bars] == [0, *ends[:-1]]
    together = bars(axes, 4)
    assert sum(bar.get_width() for bar in together) == sum(s["size"] for s in LAYOUT.values())


@pytest.mark.parametrize("limit", [512, 2048])
def test_what_is_past_the_limit_is_hatched_and_coloured(limit):
    axes = struct_sizes(LAYOUT, limit=limit)
    assert axes.get_xlim()[1] > limit
    for row in range(1, 5):
        for bar in bars(axes, row):
            beyond = bar.get_x() >= limit
            assert bool(bar.get_hatch()) == beyond
            assert colour(bar) == (style.BAD if beyond else style.GOOD)


@pytest.mark.parametrize("limit", [512, 2048])
def test_nothing_that_fits_is_drawn_past_the_limit(limit):
    axes = struct_sizes(LAYOUT, limit=limit)
    for row, name in enumerate(STRUCTS, 1):
        past = sum(bar.get_width() for bar in bars(axes, row) if bar.get_hatch())
        assert past == max(0, LAYOUT[name]["size"] - limit)


def test_the_picture_says_how_much_is_too_much():
    words = [text.get_text() for text in struct_sizes(LAYOUT, limit=512).texts]
    assert "608 bytes, 96 too many" in words
    assert "128 bytes" in words
    assert "1436 bytes, 924 too many" in words
    assert "1436 bytes" in [t.get_text() for t in struct_sizes(LAYOUT, limit=2048).texts]


def test_the_paper_is_white_and_opaque():
    figure = struct_sizes(LAYOUT).figure
    assert to_hex(figure.get_facecolor(), keep_alpha=True) == "#ffffffff"


def test_matplotlibs_own_settings_are_left_alone():
    before = dict(matplotlib.rcParams)
    struct_sizes(LAYOUT)
    assert dict(matplotlib.rcParams) == before


def test_every_try_of_a_search_is_a_point():
    one = Largest("compiler", 40, ((8, True), (80, False), (40, True), (48, False)))
    axes = limit_search(one)
    lines = [(list(np.ravel(line.get_xdata())), line.get_marker()) for line in axes.lines]
    points = [(places[0], marker) for places, marker in lines if len(places) == 1]
    assert points == [(8, "o"), (80, "X"), (40, "o"), (48, "X")]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "the compiler: at most 40" in legend


def test_two_searches_differ_by_more_than_colour():
    tries = ((8, True), (80, False))
    axes = limit_search(Largest("compiler", 8, tries), Largest("verifier", 8, tries))
    paths = [line for line in axes.lines if np.size(line.get_xdata()) == len(tries)]
    assert len({line.get_linestyle() for line in paths[:2]}) == 2


def test_looks_are_different_for_as_many_as_there_are():
    looks = style.looks(20)
    assert len({tuple(look.items()) for look in looks}) == 20


@pytest.mark.live
def test_the_picture_is_drawn_from_the_compilers_own_measure():
    axes = struct_sizes()
    for row, name in enumerate(STRUCTS, 1):
        size = labkit.layout()[name]["size"]
        assert sum(bar.get_width() for bar in bars(axes, row)) == size

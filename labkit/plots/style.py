"""What all pictures share: colours that colour-blind readers tell apart, opaque white, no frills.

Colour is never the only sign: a bar has a hatch, a line its own dashes, a point its own marker.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GOOD = "#0072B2"  # blue
BAD = "#D55E00"  # vermilion
LIMIT = "#CC79A7"  # reddish purple
INK = "#222222"
PAPER = "#FFFFFF"

# For things that are neither good nor bad: Okabe and Ito's other colours first.
OTHERS = ("#009E73", "#E69F00", "#56B4E9", "#000000", GOOD, BAD, LIMIT)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":")
HATCHES = ("//", "..", "xx", "--", "++", "oo")


class SlotLook(NamedTuple):
    """How a byte of stack looks by what the verifier knows of it, in HTML and in a picture."""

    colour: str
    hatch: str


# By the log's letter (see labkit.stack.snapshot.MEANINGS). Okabe and Ito's colours, lightened where
# a letter stands on them; each has a hatch of its own.
SLOT_LOOKS = {
    "?": SlotLook("#FFFFFF", ""),
    "m": SlotLook("#A6D8F3", "\\\\"),
    "r": SlotLook("#F5C76B", "//"),
    "0": SlotLook("#8FD3BC", ".."),
    "d": SlotLook("#E3B7D0", "xx"),
    "i": SlotLook("#F0E442", "++"),
    "f": SlotLook("#CCCCCC", "oo"),
    "p": SlotLook("#999999", "--"),
}

RC: Any = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "savefig.transparent": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10.0,
    "hatch.linewidth": 0.6,
}


def styled() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws as the lab does, and afterwards as before."""
    import matplotlib as mpl

    return mpl.rc_context(RC)


def new_axes(width: float = 9.0, height: float = 3.5) -> Axes:
    """Return the Axes of a new pyplot figure; width and height are in inches."""
    from matplotlib import pyplot as plt

    from labkit.show.pictures import register_here

    # The first figure loads the notebook's backend, which turns interactive mode on for good;
    # within styled() that would be undone, and later pictures would not show.
    figure = plt.figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    register_here()  # afterwards: the backend, when it loads, forgets how figures are shown
    with styled():
        return figure.subplots()


def looks(count: int) -> list[dict[str, str]]:
    """Return ``count`` looks of a colour, a marker and dashes, to pass on to ``Axes.plot``."""
    places = islice(zip(cycle(OTHERS), cycle(MARKERS), cycle(DASHES), strict=False), count)
    return [{"color": c, "marker": m, "linestyle": dash} for c, m, dash in places]


def limit_line(axes: Axes, at: float, label: str) -> None:
    """Draw a limit as a dashed vertical line with its words at the top."""
    axes.axvline(at, color=LIMIT, linestyle="--", linewidth=2, zorder=4)
    axes.annotate(
        label,
        (at, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        color=INK,
        ha="center",
        va="bottom",
    )

"""Programs × machines: what came of each, by sign, word and colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from labkit.plots import alt
from labkit.plots.alt import describe
from labkit.plots.style import BAD, GOOD, INK, LIMIT, OTHERS, PAPER, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from labkit.survey.cells import Cell
    from labkit.survey.comparison import Column, Comparison

READ = "read"  # how a basis begins of what nobody tried
GREY = "#666666"
ORANGE = OTHERS[1]
CELL = 1.0, 0.31  # inches
SIDE = 2.3, 2.4  # inches, for the names on the left and the machines on top


class Look(NamedTuple):
    """How a word is drawn: a sign and a short form of it, a colour."""

    sign: str
    short: str
    colour: str


LOOKS = {
    "accepted": Look("✓", "loads", GOOD),
    "compiler refused": Look("✗", "compiler", ORANGE),
    "verifier refused": Look("✗", "verifier", BAD),
    "machine refused": Look("✗", "machine", LIMIT),
    "build died": Look("✗", "died", INK),
    "cannot be told here": Look("?", "not told", GREY),
    "no record": Look("–", "no record", GREY),
    "not tried": Look("–", "not tried", GREY),
}
LEGEND = "✓ loads    ✗ who refuses: the compiler, the verifier, the machine    ? cannot be told"


def programs_by_machine(compared: Comparison, axes: Axes | None = None) -> Axes:
    """Draw a row a program and a column a machine; machines that agree in all share a column."""
    columns, rows = compared.columns, compared.rows
    if axes is None:
        width = SIDE[0] + CELL[0] * max(len(columns), 4)
        axes = new_axes(width, SIDE[1] + CELL[1] * len(rows))
    with styled():
        for y, row in enumerate(rows):
            for x, column in enumerate(columns):
                cell = compared.cell(row.key, column.number)
                _cell(axes, x, y, cell)
        _names(axes, [row.label for row in rows], list(columns))
        odd = "    ! not as its file declares" if compared.odd else ""
        axes.set_xlabel(f"{LEGEND}{odd}\n{bases(compared)}", fontsize=8)
    return describe(axes, alt.programs_by_machine(compared))


def _cell(axes: Axes, x: int, y: int, cell: Cell) -> None:
    """Draw a cell; what was only read has a dotted edge."""
    from matplotlib.patches import Rectangle

    fact = Look("", cell.word.replace(" bytes ", "\u2009B "), INK)
    look = LOOKS.get(cell.word, fact)
    style = ":" if cell.basis.startswith(READ) else "-"
    axes.add_patch(
        Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, fc=PAPER, ec=look.colour, ls=style, lw=1.4)
    )
    axes.add_patch(Rectangle((x - 0.47, y - 0.44), 0.07, 0.88, fc=look.colour, ec="none"))
    words = f"{look.sign} {look.short}{' !' if cell.odd else ''}".strip()
    axes.text(
        x + 0.03, y, words, ha="center", va="center", color=INK, fontsize=7 if look is fact else 8
    )


def _names(axes: Axes, rows: list[str], columns: list[Column]) -> None:
    labels = [f"{one.label} (×{one.count})" if one.count > 1 else one.label for one in columns]
    axes.set_xlim(-0.5, max(len(columns), 4) - 0.5)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), labels, rotation=50, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0, labelbottom=False, labeltop=True, labelsize=8.5)
    for side in axes.spines.values():
        side.set_visible(False)


def bases(compared: Comparison) -> str:
    """Return in words how many machines are known in which way."""
    counted: dict[str, int] = {}
    for record in compared.records:
        basis = record.basis.partition(":")[0]
        counted[basis] = counted.get(basis, 0) + 1
    told = ", ".join(f"{basis}: {count}" for basis, count in counted.items())
    read = any(cell.basis.startswith(READ) for key in compared.keys for cell in compared.row(key))
    return f"machines {told}" + ("; dotted: read, not tried" if read else "")

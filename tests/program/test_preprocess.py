"""What is left of a C text, whatever stands in its directives."""

from __future__ import annotations

import pytest

from labkit import show
from labkit.program.preprocess import Unresolved, left_by_preprocessor, lines_of
from labkit.program.variants import Variant
from labkit.stack.variables import by_source

SOURCE = """\
one
#ifdef A
two
# if defined(B) && !defined(C)
three
# elif defined C
four
# else
five
# endif
#else
six
#endif
#ifndef A
seven
#endif
eight
"""


@pytest.mark.parametrize(
    ("defines", "left"),
    [
        ("", "one six seven eight"),
        ("A", "one two five eight"),
        ("AB", "one two three eight"),
        ("AC", "one two four eight"),
        ("ABC", "one two four eight"),
        ("B", "one six seven eight"),
    ],
)
def test_the_preprocessors_arms_are_resolved(defines, left):
    lines = left_by_preprocessor(SOURCE, dict.fromkeys(defines, True))
    assert [line.text for line in lines] == left.split()
    assert all(SOURCE.splitlines()[line.number - 1] == line.text for line in lines)


def test_a_condition_that_is_more_than_defined_is_not_guessed():
    with pytest.raises(Unresolved, match="cannot resolve"):
        left_by_preprocessor("#if VERSION > 3\nx\n#endif\n", {})


MALFORMED = [
    "#ifdef\nx\n#endif\n",
    "#ifndef /* what? */\nx\n#endif\n",
    "#endif\nx\n",
    "#else\nx\n",
    "#elif defined(A)\nx\n",
    "#if (\nx\n#endif\n",
    "#if defined(A) ||\nx\n#endif\n",
    "#if defined()\nx\n#endif\n",
    "#if\nx\n#endif\n",
    "#if 1 0\nx\n#endif\n",
    "#if !=\nx\n#endif\n",
    "#if " + "(" * 5000 + "1" + ")" * 5000 + "\nx\n#endif\n",
    "#if __import__('os')\nx\n#endif\n",
    "#ifdef A\nx\n",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_directive_in_a_readers_cell_ends_nothing(text):
    with pytest.raises(Unresolved):
        left_by_preprocessor(text, {})
    cell = Variant("cell", text + "int f(void *ctx) { char big[600]; }\n", "a test")
    assert "x" in [line.text for line in lines_of(cell)]
    assert [one.name for one in by_source(cell)] == ["big"]
    assert "x" in show.side_by_side(cell, cell)._repr_html_()


def test_a_define_of_the_text_itself_counts():
    text = "#define A\n#ifdef A\none\n#endif\n#undef A\n#ifdef A\ntwo\n#endif\n"
    assert [line.text for line in left_by_preprocessor(text, {})] == [
        "#define A",
        "one",
        "#undef A",
    ]


def test_lines_end_where_c_says_and_nowhere_else():
    text = "one // \x85 \u2028 \f still\r\ntwo\rthree"
    assert [line.number for line in left_by_preprocessor(text, {})] == [1, 2, 3]

"""The README names only what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labkit import cli
from labkit.program.variants import VARIANTS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> set[str]:
    told = cli.parser().format_help()
    tools = {"test", "render", "bench", "bundle", "soak", "kernels"}
    return {*re.findall(r"^    ([a-z]+) ", told, re.M), *tools}


def test_each_command_is_one_of_the_labs_and_each_of_the_labs_is_told() -> None:
    named = set(re.findall(r"\./lab ([a-z]+)\b", README))
    assert named == commands()


def test_each_variant_is_told() -> None:
    assert all(f"`{name}`" in README for name in VARIANTS)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_what_is_linked_is_there(target: str) -> None:
    assert (ROOT / target).exists()


def test_it_opens_with_one_sentence_a_session_and_the_two_commands() -> None:
    title, sentence, session = README.split("\n\n")[:3]
    assert title.startswith("# ")
    assert sentence.count(". ") == 0
    assert session.startswith("```console\n$ sudo ./lab run stack\n")
    assert README.index("$ sudo ./lab   ") < README.index("$ sudo ./lab test") < README.index("## ")

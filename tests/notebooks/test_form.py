"""The notebooks as they stand in git: no outputs, cells with names and tags, links that lead on."""

from __future__ import annotations

import json
import re

import pytest
import words

BOOKS = (
    "01_stack_limit.ipynb",
    "02_percpu_array.ipynb",
    "03_compiler_and_verifier.ipynb",
    "04_claims.ipynb",
)

every_book = pytest.mark.parametrize("name", BOOKS)


def code_cells(name: str) -> list[dict]:
    return [cell for cell in words.cells(name) if cell["cell_type"] == "code"]


@every_book
def test_it_is_committed_without_outputs(name: str) -> None:
    for cell in code_cells(name):
        assert (cell["outputs"], cell["execution_count"]) == ([], None), cell["id"]
    metadata = json.loads((words.NOTEBOOKS / name).read_text("utf-8"))["metadata"]
    kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert metadata["kernelspec"] == kernelspec
    assert "widgets" not in metadata


@every_book
def test_each_cell_has_a_name_of_its_own_and_a_tag(name: str) -> None:
    names = [cell["id"] for cell in words.cells(name)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", one) for one in names)
    for cell in words.cells(name):
        assert set(cell["metadata"]) <= {"tags", words.FOLDED}, cell["id"]
        assert len(cell["metadata"]["tags"]) == 1, cell["id"]
        assert cell["metadata"]["tags"][0] in words.TAGS, cell["id"]


@every_book
def test_a_section_that_is_folded_is_optional(name: str) -> None:
    for cell in words.cells(name):
        if cell["metadata"].get(words.FOLDED):
            assert cell["metadata"]["tags"] == ["optional"]
            assert cell["source"].startswith("## ")


@every_book
def test_a_code_cell_is_short(name: str) -> None:
    lines = sorted(len(cell["source"].splitlines()) for cell in code_cells(name))
    assert lines[-1] <= 10
    assert lines[len(lines) // 2] <= 5


@every_book
def test_prose_stands_before_each_result_and_after_it(name: str) -> None:
    kinds = [cell["cell_type"] for cell in words.cells(name)]
    assert kinds[0] == kinds[-1] == "markdown"
    pairs = zip(words.cells(name), words.cells(name)[1:], strict=False)
    assert not [a["id"] for a, b in pairs if a["cell_type"] == b["cell_type"] == "code"]


@every_book
def test_its_links_lead_to_files_that_are_there(name: str) -> None:
    assert words.broken_links(name) == []


@every_book
def test_it_leads_to_the_notebooks_beside_it_and_to_the_programs(name: str) -> None:
    found = words.links(name)
    assert "05_exercises.ipynb" in found
    assert any(target.startswith("../bpf/") for target in found)
    assert any(target.startswith("https://docs.kernel.org/bpf/") for target in found)


@pytest.mark.parametrize("name", BOOKS[:2])
def test_the_core_path_is_short_and_says_truly_how_long_it_is(name: str) -> None:
    core = [cell for cell in words.cells(name) if cell["metadata"]["tags"] == ["core"]]
    count = words.words(name, "core")
    assert 1000 < count <= words.MOST_CORE_WORDS
    prose = "\n".join(cell["source"] for cell in core)
    said = re.search(r"([\d,]+) words to read, (\d+) outputs", prose)
    assert said
    assert abs(int(said[1].replace(",", "")) - count) <= 50
    assert int(said[2]) == sum(cell["cell_type"] == "code" for cell in core)

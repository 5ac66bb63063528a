"""Every sentence that names a kernel's version says what tests/kernel_facts.py has."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from kernel_facts import FACTS, Fact

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "docs" / "kernels"
WRITTEN = ("benchmarks.md", "kernels.md")  # in docs/, by a command, from what was measured
HOW_TO_ADD = (
    "add a Fact to tests/kernel_facts.py (version, words of the sentence, commit or row), or mend"
    " the sentence; a number that is no kernel's version needs its unit beside it"
)

# 3.19 and later, without a point release: a machine's own 6.18.44 is told, not claimed.
_VERSION = re.compile(
    r"(?<![\w.,-])(?<!Python )(?<!bcc )(?<!libbpf )(?<!bpftool )(?<!JupyterLab )"
    r"(3\.19|[4-7]\.\d{1,2})"
    r"(?!\.?\w|\.\d|%|-\w| (?:s|ms|µs|ns|KiB|MiB|MB|GB|times|bytes|seconds)\b)"
)
_COMMIT = re.compile(r"\b[0-9a-f]{12,40}\b")
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+(?=\S)")
_TRIED = re.compile(r"\b(?:tried|measured|seen|ran)\b", re.I)  # there: no claim of when it came
_UP_TO = re.compile(r"(?:up to|until|through|after) (?:Linux )?$", re.I)
_FROM = re.compile(r"(?:since|from|before) (?:Linux )?$", re.I)


class Said(NamedTuple):
    """A version, the sentence that names it, what stands around it, and where that is."""

    version: str
    sentence: str
    around: str
    before: str
    place: str


def found_in(text: str, place: str, around: str = "") -> Iterator[Said]:
    """Yield the versions of a text; around a sentence stand those beside it in its paragraph."""
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[|#]|[-*] ))", text):
        sentences = _SENTENCE.split(" ".join(paragraph.split()))
        for number, sentence in enumerate(sentences):
            near = " ".join(sentences[max(0, number - 1) : number + 2])
            for match in _VERSION.finditer(sentence):
                before = sentence[: match.start()]
                yield Said(match[1], sentence, around or near, before, place)


def in_notebook(path: Path) -> Iterator[Said]:
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield from found_in("".join(cell["source"]), f"{path.name}, cell {cell.get('id')}")


def in_comments(path: Path) -> Iterator[Said]:
    for comment in re.findall(r"/\*.*?\*/|//(?! LOG:)[^\n]*", path.read_text("utf-8"), re.S):
        yield from found_in(re.sub(r"^[ /]*\*+ ?|\*/$|^// ?", "", comment, flags=re.M), path.name)


# Keywords of a row of explain/messages: its ``source`` says where these were read.
UNTOLD = {"since", "until", "pattern", "example", "example_c", "source"}


def in_code(path: Path) -> Iterator[Said]:
    """Yield the versions of what labkit tells: of all texts but docstrings, which tell nobody."""
    tree = ast.parse(path.read_text("utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        above = parents[node]
        if isinstance(above, ast.Expr) or getattr(above, "arg", None) in UNTOLD:
            continue
        alone = len(node.value) < 40  # a cell of a table: the others of its row tell of what
        around = " ".join(_texts(above, parents)) if alone else ""
        yield from found_in(node.value, f"{path.relative_to(ROOT)}:{node.lineno}", around)


def _texts(row: ast.AST, parents: dict[ast.AST, ast.AST]) -> list[str]:
    """Return the texts of a row, and the key under which it stands, if there is one."""
    above, nodes = parents[row], list(ast.walk(row))
    if isinstance(above, ast.Dict) and isinstance(row, ast.expr) and row in above.values:
        nodes += filter(None, [above.keys[above.values.index(row)]])
    constants = (one for one in nodes if isinstance(one, ast.Constant))
    return [one.value for one in constants if isinstance(one.value, str)]


def places() -> dict[str, list[Said]]:
    """Return what is said, by file."""
    documents = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
    told = {p: found_in(p.read_text("utf-8"), p.name) for p in documents if p.name not in WRITTEN}
    told |= {path: in_notebook(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    programs = [path for path in (ROOT / "bpf").rglob("*") if path.suffix in (".c", ".h", ".insns")]
    told |= {path: in_comments(path) for path in sorted(programs)}
    told |= {path: in_code(path) for path in sorted((ROOT / "labkit").rglob("*.py"))}
    made = {str(path.relative_to(ROOT)): list(said) for path, said in told.items()}
    return {name: said for name, said in made.items() if said}


def problem_of(said: Said) -> str:
    """Say what is wrong with a sentence, or nothing."""
    if _COMMIT.search(said.sentence) or _TRIED.search(said.before):
        return ""
    subjects = [fact for fact in FACTS if re.search(fact.about, said.around, re.I)]
    here = [fact for fact in subjects if fact.version == said.version]
    if not here:
        others = sorted({f"{fact.version} ({fact.about})" for fact in subjects})
        known = f"; of what it speaks of there is: {', '.join(others)}" if others else ""
        return f"no fact of {said.version}{known}"
    if _UP_TO.search(said.before) and not any(fact.last for fact in here):
        return f"it says up to {said.version}, and the fact is of what came with it"
    if _FROM.search(said.before) and all(fact.last for fact in here):
        return f"it says since {said.version}, and the fact is of the last that has it"
    return ""


PLACES = places()


@pytest.mark.parametrize("name", PLACES)
def test_each_sentence_with_a_version_has_a_fact(name: str) -> None:
    wrong = [(said, problem) for said in PLACES[name] if (problem := problem_of(said))]
    lines = [f"{said.place}: {problem}\n    {said.sentence}" for said, problem in wrong]
    assert not lines, "\n".join([*lines, f"To mend it: {HOW_TO_ADD}"])


def test_versions_are_found_where_they_are_told() -> None:
    """No test passes because nothing was found."""
    for folder in ("README.md", "notebooks/", "bpf/mistakes/", "labkit/explain/messages/"):
        assert any(name.startswith(folder) for name in PLACES), folder


def one(text: str) -> list[str]:
    return [problem_of(said) for said in found_in(text, "here")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Since 6.14 a constant key needs no NULL check.", ""),
        ("Since 6.12 a constant key needs no NULL check.", "no fact of 6.12; of what it speaks"),
        ("From 6.13 on\ntracing programs have private stacks.", ""),
        ("If they differ, it is 6.13. There each has a private stack.", ""),
        ("Cats came with Linux 5.9.", "no fact of 5.9"),
        ("Cats came with Linux 5.9 (6c4fc209fcf9).", ""),
        ("Tried on Linux 6.18, Debian 12.", ""),
        ("Up to Linux 7.3 there are 512 bytes.", ""),
        ("Since Linux 7.3 there are 2048 bytes.", "it says since 7.3"),
        ("Up to Linux 5.8 there is a ring buffer.", "it says up to 5.8"),
    ],
)
def test_a_sentence_is_held_against_the_facts(text: str, problem: str) -> None:
    (said,) = one(text)
    assert said.startswith(problem) and bool(said) == bool(problem)


@pytest.mark.parametrize(
    "text", ["6.18.44 runs here.", "It takes 4.2 s.", "4.5 times", "bcc 0.26", "v5.80", "6.18-rc7"]
)
def test_what_is_no_kernels_version_is_left_alone(text: str) -> None:
    assert one(text) == []


def test_a_paragraph_away_is_not_beside_it() -> None:
    (said,) = one("It came with 6.13.\n\nPrivate stacks are another matter.")
    assert said.startswith("no fact of 6.13")


# Facts and the records that support them ----------------------------------------------------------


def key(fact: Fact) -> str:
    return f"{fact.version} {fact.about}"


@pytest.mark.parametrize("fact", FACTS, ids=key)
def test_each_fact_has_a_row_or_a_source(fact: Fact) -> None:
    assert fact.row or _COMMIT.search(fact.read) or " " in fact.read or "/" in fact.read


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def against(fact: Fact, records: list[dict]) -> tuple[list[str], set[str]]:
    """Return which records contradict a fact with a row, and the sides that one supports."""
    assert fact.row
    wrong, sides = [], set()
    for record in records:
        machine = record["machine"]
        shown = fact.row.look(record)
        if shown is None or machine.get("arch", fact.row.arch) != fact.row.arch:
            continue
        kernel, turn = number(machine["kernel"]), number(fact.version)
        side = "before" if kernel < turn or (fact.last and kernel == turn) else "since"
        form = getattr(fact.row, side)
        sides.add(side)
        if not re.search(form, shown):
            wrong.append(f"{machine['kernel']} shows {shown!r}, and not {form!r} ({side})")
    return wrong, sides


WITH_ROWS = [fact for fact in FACTS if fact.row]


@pytest.mark.parametrize("fact", WITH_ROWS, ids=key)
def test_each_row_is_as_the_published_records_show(fact: Fact) -> None:
    if not RECORDS.is_dir():
        pytest.skip("docs/kernels has no records yet: ./lab kernels writes them")
    records = [json.loads(path.read_text("utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    wrong, sides = against(fact, records)
    assert not wrong, "\n".join(wrong)
    needed = {side for side in ("before", "since") if getattr(fact.row, side)}
    assert sides >= needed, f"no record {' and none '.join(sorted(needed - sides))} {fact.version}"


@pytest.mark.parametrize(
    ("kernel", "outcome", "said"),
    [
        ("6.12.90", "verifier_refused", []),
        ("6.13.1", "accepted", []),
        (
            "6.12.90",
            "accepted",
            ["6.12.90 shows 'accepted', and not '^verifier_refused$' (before)"],
        ),
        ("6.18.0-x", "verifier_refused", ["6.18.0-x shows"]),
    ],
)
def test_a_record_against_a_fact_is_named(kernel: str, outcome: str, said: list[str]) -> None:
    (fact,) = [fact for fact in WITH_ROWS if fact.version == "6.13"]
    tried = {"name": "call_chain_tracing", "outcome": outcome}
    record = {"machine": {"kernel": kernel, "arch": "x86_64"}, "programs": [tried]}
    wrong, sides = against(fact, [record])
    assert len(wrong) == len(said) and all(map(str.startswith, wrong, said))
    assert sides == {"before" if kernel.startswith("6.12") else "since"}
    assert (
        against(fact, [{"machine": {"kernel": kernel, "arch": "aarch64"}, "programs": [tried]}])[1]
        == set()
    )

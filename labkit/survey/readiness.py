"""ready(): whether this machine can take part, in a line and a code to read out in a room.

The code has six characters; the last is made from the others, so that one that was misheard, or two
that changed places, are noticed. Machines in the same state have the same code. It tells: the
kernel's release, LLVM's, the first thing that is lacking, how much stack there is, and whether each
variant of the lesson came out as it is meant to. ``decode("...")`` says that in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from labkit.checklist import Row, check
from labkit.errors import UsageError
from labkit.machine import rights
from labkit.program.variants import LLVM_LIMIT, VARIANTS
from labkit.survey import facts
from labkit.survey.recording import Progress, record
from labkit.survey.records import Program, Record

PACKAGES = (  # as tools/probe.py has them
    "ipywidgets", "jupyterlab", "markupsafe", "matplotlib", "nbconvert", "numpy", "pandas",
    "pyarrow",
)  # fmt: skip

# No I, L, O, 0 and 1, which look alike. A prime number of characters: then the check finds each
# wrong one and each two that changed places.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 6
NOTHING, OTHER = "nothing", "something else"
LACKS = (
    NOTHING, "rights", "bpf() call", "per-CPU array", "ring buffer", "tracefs", "tracepoint",
    "bcc", "kernel lockdown", "packages", OTHER,
)  # fmt: skip
AS_MEANT, OTHERWISE, NOT_TOLD = "as meant", "NOT as meant", "not tried"
STATES = (AS_MEANT, OTHERWISE, NOT_TOLD)
STACKS = (f"{LLVM_LIMIT} bytes", "more or fewer bytes", "an unknown number of bytes")
FIRST_MAJOR, MAJORS, MINORS, LLVMS = 4, 8, 32, 32  # the last of each: that or a later one
_RADIXES = (MAJORS, MINORS, LLVMS, len(LACKS), len(STACKS), *[len(STATES)] * len(VARIANTS))


@dataclass(frozen=True)
class Readiness:
    """Whether this machine is ready; ``lacking`` are the rows that are not well."""

    record: Record
    lacking: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is lacking and each variant came out as it is meant to."""
        return not self.lacking and all(one == AS_MEANT for one in states(self.record.programs))

    @property
    def code(self) -> str:
        """Six characters to read out."""
        return encode(self.record, self.lacking)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        """Yield the line, and what to do; labkit.show needs packages that may be missing."""
        yield f"{'ready' if self.ok else 'NOT ready'}: code {self.code}  ({self.record.machine})"
        for row in self.lacking:
            yield f"  {row.name}: {row.found}"
            yield f"    to mend it: {row.mend}"
        for one in self.record.programs:
            if not one.agrees:
                odd = one.problem or f"{one.outcome}: {one.message}"
                yield f"  {one.name} is not as it is meant to be: {odd} {one.disagreement}".rstrip()


def ready(progress: Progress | None = None, name: str = "") -> Readiness:
    """Try what the lab needs here, and the variants; takes a few seconds, and needs no packages.

    Where something is lacking, the record says so as its ``problem``.
    """
    lacking = tuple(row for row in (*check(), *_packages()) if row.ok is False)
    if rights.may_load() and not any(row.name == "bcc" for row in lacking):
        made = record(progress, claims="none", programs=VARIANTS, collect=False, name=name)
    else:
        made = Record(facts.this_machine(), when=facts.now(), lab=facts.this_lab(), name=name)
        made = replace(made, here=True)
    words = "; ".join(f"{row.name}: {row.found}" for row in lacking)
    return Readiness(replace(made, problem=f"not ready: {words}" if words else ""), lacking)


def _packages() -> Iterator[Row]:
    """Yield whether the notebooks' packages are there."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    found = f"missing: {', '.join(missing)}" if missing else "all there"
    yield Row("packages", not missing, found, "sudo ./lab" if missing else "")


# The code ------------------------------------------------------------


def states(programs: Sequence[Program]) -> list[str]:
    """Return what became of each variant, in the order of VARIANTS."""
    by_name = {one.name: one for one in programs}
    told = [by_name.get(name, Program(name)).agrees for name in VARIANTS]
    return [NOT_TOLD if one is None else AS_MEANT if one else OTHERWISE for one in told]


def encode(made: Record, lacking: Sequence[Row]) -> str:
    """Return the code of a record and of what is lacking."""
    major, minor = _numbers(made.machine.kernel, 2)
    alone = next((one.alone for one in made.limits if one.program_type == "tracepoint"), None)
    lack = (lacking[0].name if lacking[0].name in LACKS else OTHER) if lacking else NOTHING
    digits = [
        min(max(major - FIRST_MAJOR, 0), MAJORS - 1),
        min(minor, MINORS - 1),
        min(_numbers(made.machine.llvm, 1)[0], LLVMS - 1),
        LACKS.index(lack),
        2 if alone is None else int(alone != LLVM_LIMIT),
        *map(STATES.index, states(made.programs)),
    ]
    number = 0
    for digit, radix in zip(digits, _RADIXES, strict=True):
        number = number * radix + digit
    places = []
    for _ in range(LENGTH - 1):
        number, place = divmod(number, len(ALPHABET))
        places.append(place)
    return "".join(ALPHABET[place] for place in (*reversed(places), _check(places[::-1])))


def _check(places: Sequence[int]) -> int:
    """Return the check character's place: a weighted sum that a single mistake always changes."""
    return sum(weight * place for weight, place in enumerate(places, 1)) % len(ALPHABET)


def _numbers(text: str, count: int) -> list[int]:
    found = [int(number) for number in re.findall(r"\d+", text)[:count]]
    return found + [0] * (count - len(found))


def decode(code: str) -> str:
    """Return in words what a code tells. Raises UsageError for one that was misheard."""
    spoken = re.sub(r"[\s-]", "", code).upper()
    places = [ALPHABET.find(letter) for letter in spoken]
    if len(places) != LENGTH or -1 in places:
        raise UsageError(f"{code!r} is no code: one has {LENGTH} characters of {ALPHABET}")
    number = 0
    for place in places[:-1]:
        number = number * len(ALPHABET) + place
    digits = []
    for radix in reversed(_RADIXES):
        number, digit = divmod(number, radix)
        digits.append(digit)
    if number or _check(places[:-1]) != places[-1]:
        raise UsageError(f"{code!r} was misheard: its check character does not fit; ask once more")
    return _told(digits[::-1])


def _told(digits: list[int]) -> str:
    major, minor, llvm, lack, stack, *variants = digits
    ok = not lack and not any(variants)
    last = " or later" if major == MAJORS - 1 or minor == MINORS - 1 else ""
    known = f"LLVM {llvm}" if llvm else "LLVM not known"
    came = ", ".join(f"{n} {STATES[state]}" for n, state in zip(VARIANTS, variants, strict=True))
    lacking = "" if not lack else f" It lacks: {LACKS[lack]}."
    return (
        f"{'ready' if ok else 'NOT ready'}: Linux {major + FIRST_MAJOR}.{minor}{last}, {known}, a"
        f" stack of {STACKS[stack]}.{lacking} Variants: {came}."
    )

"""One row of the table of messages, and how its sentences are filled in. Holds no message."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

__all__ = ["Message", "Sentences", "fill"]

Sentences = str | tuple[str, ...]
"""A sentence with ``{facts}`` in it, or several: the first is said of which all facts are known.
A part in ``<<`` and ``>>`` is left out where a fact in it is not known."""

_FACT = re.compile(r"\{(\w+)\}")
_PART = re.compile(r"<<(.*?)>>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the kernel, a loader or a compiler, and what a person is told of it.

    :param key: a short name; several wordings of one mistake may share it.
    :param pattern: a regular expression, searched in one line. A named group is a fact;
        ``off_old`` is another wording's ``off``.
    :param needs: facts that must be known too, with a blank between them; ``!fact`` must not.
    :param title, happened, why: the answer. ``change``: what to do; where tools differ, a mapping
        from tool (``words.TOOLS`` of the table) to sentences, ``""`` for all others.
    :param example: a text that this row explains, and no other row; a test reads it.
        ``example_c`` is the C source to it, where a fact comes from there.
    :param source: where the message is printed, as file and function.
    :param speaker: whose message it is: ``verifier``, ``kernel``, ``compiler``, ``loader``.
    :param since, until: the first and the last kernel with this wording, where it is not all.
    :param report: under which heading Linux 7.3's own report files this, if it makes one.
    :param rank: 0 is the cause of others and goes before all; 2 only says that something failed,
        and is asked last; 1 is everything else.
    """

    key: str
    pattern: str
    title: str
    happened: Sentences
    why: Sentences
    change: Sentences | Mapping[str, Sentences]
    example: str
    example_c: str = ""
    source: str
    speaker: str = "verifier"
    see: str = "break"
    needs: str = ""
    since: str = ""
    until: str = ""
    report: str = ""
    rank: int = 1

    @property
    def regex(self) -> re.Pattern[str]:
        """The pattern, compiled; lines are told apart by their ends."""
        return _compiled(self.pattern)

    def change_for(self, tool: str) -> Sentences:
        """Return what to change for someone who uses that tool."""
        if isinstance(self.change, Mapping):
            return self.change.get(tool) or self.change[""]
        return self.change


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.M)


def fill(sentences: Sentences, fact: Callable[[str], str]) -> str:
    """Return the first sentence of which all facts are known, filled in.

    ``fact`` gives the words for a name, or an empty text for what is not known. Where no sentence
    can be filled it is the last one, with "?" for what is not known.
    """
    tried = ""
    for sentence in (sentences,) if isinstance(sentences, str) else sentences:
        said = _PART.sub(lambda part: part[1] if _all_known(part[1], fact) else "", sentence)
        tried = _FACT.sub(lambda name: fact(name[1]) or "?", said)
        if _all_known(said, fact):
            break
    return tried


def _all_known(sentence: str, fact: Callable[[str], str]) -> bool:
    return all(fact(name) for name in _FACT.findall(sentence))

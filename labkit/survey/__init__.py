"""What was tried on a machine, written down; and several machines side by side.

    from labkit import survey
    survey.record().write("mine.json")                      # this machine, now
    survey.Comparison(survey.open_records("class/*.json"))  # any number of them
    survey.Comparison(survey.published())                   # those of docs/kernels

Each name loads its module when it is first used.
"""

from __future__ import annotations

from typing import Any

from labkit.lazy import attribute

_NAMES = {
    "BadRecord": "labkit.survey.records",
    "Comparison": "labkit.survey.comparison",
    "Machine": "labkit.survey.records",
    "Record": "labkit.survey.records",
    "open_records": "labkit.survey.reading",
    "published": "labkit.survey.reading",
    "decode": "labkit.survey.readiness",
    "ready": "labkit.survey.readiness",
    "record": "labkit.survey.recording",
    "written": "labkit.survey.comparison",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    return attribute("labkit.survey", _NAMES, name)


def __dir__() -> list[str]:
    return __all__

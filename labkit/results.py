"""The folder results/: where the lab writes what a reader asked it to keep."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path

from labkit.errors import UsageError

RESULTS = Path(__file__).resolve().parents[1] / "results"


def write_new(name: str, data: bytes) -> Path:
    """Write a file of that name, with a number where the name is taken; return its path.

    Raises UsageError where nothing can be written there; half a file is never left.
    """
    wanted = Path(name)
    names = chain([name], (f"{wanted.stem}-{number}{wanted.suffix}" for number in count(2)))
    try:
        RESULTS.mkdir(exist_ok=True)
        path = next(path for path in map(RESULTS.joinpath, names) if not path.exists())
        _write(path, data)
    except OSError as error:
        raise UsageError(
            f"cannot write {name} into {RESULTS}: {error.strerror}. Nothing is lost, it is still in"
            " memory: make room, or see whose folder that is, and ask again"
        ) from error
    return path


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        try:
            file.write(data)
        except OSError:
            path.unlink()
            raise

"""What ./lab asks of a Python before it uses it, in syntax that an old one understands.

    PYTHON -I tools/probe.py new-enough        status 0: it can run labkit
    PYTHON -I tools/probe.py venv              status 0: it can make a virtual environment
    PYTHON -I tools/probe.py bcc [--import]    status 0: it has bcc; 1: not; 4: PyPI's package bcc
    PYTHON -I tools/probe.py lacks run|test    prints which of the modules it cannot import

``-I`` because the worker runs so too: the current folder and PYTHONPATH do not count.
"""

import importlib.util
import os
import sys

WRONG_BCC = 4
RUN = ["ipywidgets", "jupyterlab", "markupsafe", "matplotlib", "nbconvert", "numpy", "pandas"]
RUN += ["pyarrow"]
TEST = ["dask", "distributed", "duckdb", "hypothesis", "importlinter", "mypy", "nbclient"]
TEST += ["nbformat", "packaging", "playwright", "pytest", "pytest_randomly", "pytest_timeout"]
TEST += ["rattler", "ruff", "xdist", "yaml"]


def bcc(how: str = "") -> int:
    """Look for bcc, which is 20 times quicker than to import it; ``--import`` does that as well."""
    spec = importlib.util.find_spec("bcc")
    if spec is None:
        return 1
    if not spec.origin or not os.path.exists(
        os.path.join(os.path.dirname(spec.origin), "libbcc.py")
    ):
        return WRONG_BCC  # only the real one has that file
    if how == "--import":
        importlib.import_module("bcc")
    return 0


def lacks(what: str) -> int:
    """Print which modules cannot be found."""
    wanted = RUN if what == "run" else RUN + TEST
    print(*(name for name in wanted if importlib.util.find_spec(name) is None))
    return 0


def venv() -> int:
    """Debian has both in a package of their own."""
    return int(not all(map(importlib.util.find_spec, ("ensurepip", "venv"))))


def new_enough() -> int:
    """Return 0 if labkit runs here."""
    return int(sys.version_info < (3, 10))


if __name__ == "__main__":
    QUESTIONS = {"bcc": bcc, "lacks": lacks, "new-enough": new_enough, "venv": venv}
    sys.exit(QUESTIONS[sys.argv[1]](*sys.argv[2:]))  # type: ignore[operator]

"""Run as ``PYTHON -I labkit/worker REPLY_FD``, under the Python that has bcc.

That Python has no labkit installed, and may be as old as 3.9. So the checkout is put on its path
here; of labkit, the worker imports its own files and those of machine/ that say it does.
``PYTHON -I labkit/worker load JSON`` starts what is to be observed, under any Python.
"""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from labkit.worker import load, server  # noqa: E402  needs the path

if sys.argv[1] == "load":
    load.main()
else:
    server.main()
    os._exit(0)  # LLVM's libraries take longer to leave than all the rest of the end

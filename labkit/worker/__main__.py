"""Run as ``PYTHON -I labkit/worker REPLY_FD``, under the Python that has bcc.

That Python has no labkit installed, and may be as old as 3.9. So the checkout is put on its path
here; of labkit, the worker imports its own files and those of machine/ that say it does.
"""

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])

from labkit.worker.server import main  # noqa: E402  needs the path

main()
os._exit(0)  # LLVM's libraries take longer to leave than all the rest of the end

"""``python -m labkit COMMAND``."""

import sys

if sys.argv[1:2] in (["build"], ["run"]) and not {"-h", "--help"} & set(sys.argv):
    from labkit import session

    session.start_ahead()  # the worker imports bcc while this process imports the rest

from labkit.cli import main

sys.exit(main())

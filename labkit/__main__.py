"""``python -m labkit COMMAND``."""

import signal
import sys

# While there is nobody yet who answers to it in words, an interrupt ends this process without a
# traceback. One that is ignored, as under nohup, stays ignored.
heard = signal.getsignal(signal.SIGINT)
if heard is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

if sys.argv[1:2] in (["build"], ["run"]) and not {"-h", "--help"} & set(sys.argv):
    from labkit import session

    session.start_ahead()  # the worker imports bcc while this process imports the rest

from labkit.cli import main  # noqa: E402

signal.signal(signal.SIGINT, heard)
sys.exit(main())

"""Run as ``PYTHON -I -S exec_loop.py SECONDS PROGRAM CPU...``: execs on each CPU, at full speed.

Prints how many there were. posix_spawn() does not copy this process, so a loop in Python reaches
the rate of one in C.
"""

import os
import sys
import time


def main() -> None:
    """Start PROGRAM and wait for it, again and again, on each of the CPUs at once."""
    seconds, program, cpus = float(sys.argv[1]), sys.argv[2], [int(word) for word in sys.argv[3:]]
    read_end, write_end = os.pipe()
    for cpu in cpus:
        if not os.fork():
            os.sched_setaffinity(0, {cpu})
            spawn, wait, words, now = os.posix_spawn, os.waitpid, [program], time.monotonic
            end, done = now() + seconds, 0
            while now() < end:
                wait(spawn(program, words, {}), 0)
                done += 1
            os.write(write_end, b"%d\n" % done)
            os._exit(0)
    for _ in cpus:
        os.wait()
    print(sum(map(int, os.read(read_end, 4096).split())))


main()

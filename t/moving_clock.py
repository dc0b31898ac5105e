"""A wall clock that a test moves, for a whole running server and for the clients and verifiers beside it (moving_clock.c).

It is laid before libc from outside, so that the programs are those that are installed: there is no switch in them by which anybody
could tell a signer another time. libfaketime does the like, but opens and reads its file at each look, which the signer's filter of
system calls and its view of the file system forbid, as they should.
"""

import datetime
import mmap
import os
import pathlib
import struct
import subprocess
import time

SOURCE = pathlib.Path(__file__).with_suffix(".c")


class MovingClock:
    def __init__(self, directory):
        library, state = directory / "moving_clock.so", directory / "moving_clock"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
        state.write_bytes(bytes(8))
        for path in (library, state):
            path.chmod(0o755)
        with open(state, "r+b") as file:
            self.ahead = mmap.mmap(file.fileno(), 8)
        sanitizers = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # whose runtime wants to be first
        self.environment = {"LD_PRELOAD": str(library), "MOVING_CLOCK": str(state), "ASAN_OPTIONS": sanitizers}

    def move(self, **span):
        """On or, with a negative span, back."""
        ahead, = struct.unpack("q", self.ahead[:])
        self.ahead[:] = struct.pack("q", ahead + int(datetime.timedelta(**span).total_seconds()))

    def now(self):
        ahead, = struct.unpack("q", self.ahead[:])
        return datetime.datetime.fromtimestamp(time.time() + ahead, datetime.timezone.utc)

    def run(self, *argv, **how):
        """A program at this time."""
        return subprocess.run([str(one) for one in argv], capture_output=True, text=True, timeout=120, env={**os.environ, **self.environment}, **how)

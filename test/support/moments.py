"""Run by gdb: looks at a stopped process at every entry into some functions, until told to end.

Environment: MOMENTS_FUNCTIONS (separated by blanks), MOMENTS_SCAN (a shell command, run at each entry),
MOMENTS_READY (this file is made once the process is watched), MOMENTS_END (when this file is there, the next entry is
the last one: the process is let go).
"""

import os
import pathlib
import subprocess

import gdb


class Moment(gdb.Breakpoint):
    """Every thread of the process stands still while this runs."""

    def stop(self):
        if os.path.exists(os.environ["MOMENTS_END"]):
            return True
        subprocess.run(os.environ["MOMENTS_SCAN"], shell=True, check=True)
        return False


for function in os.environ["MOMENTS_FUNCTIONS"].split():
    Moment(function)
pathlib.Path(os.environ["MOMENTS_READY"]).touch()
gdb.execute("continue")
gdb.execute("detach")

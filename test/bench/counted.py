# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions of a whole query while the generator asks. By callgrind, under which the program runs:
those of user space, on any machine. By `perf stat`: those of the kernel too, where the processor's
counters can be read.
"""

import re
import subprocess

from programs import Bailiwickd, Floor


class Counted:
    """A program under callgrind. It starts uncounted, which is quicker."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._control("--instr=on")

    def launch(self, *command, **options):
        super().launch("valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no",
                       f"--callgrind-out-file={self.folder}/callgrind", *command, **options)

    def _control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True,
                       capture_output=True)

    def counted(self):
        """Instructions of all threads since the last call."""
        for old in self.folder.glob("callgrind.*"):
            old.unlink()
        self._control("--dump")
        return sum(
            int(total)
            for dump in self.folder.glob("callgrind.*")
            for total in re.findall(r"^totals: (\d+)", dump.read_text(), re.M)
        )


class CountedFloor(Counted, Floor):
    pass


class CountedBailiwickd(Counted, Bailiwickd):
    sandbox = "no"  # valgrind makes system calls of its own


COUNTED = {"floor": CountedFloor, "bailiwickd": CountedBailiwickd}


def perf_stat(pid, path):
    """The words before a command, during which the instructions of a process are counted."""
    events = ("-e", "instructions:u", "-e", "instructions:k")
    return ("perf", "stat", "-x", ",", "-o", str(path), *events, "-p", str(pid), "--")


def read_perf_stat(text):
    """(user, kernel) instructions, or None where they could not be counted."""
    rows = [line.split(",") for line in text.splitlines() if line and not line.startswith("#")]
    if not rows or not all(row[0].isdecimal() for row in rows):
        return None
    return tuple(
        sum(int(row[0]) for row in rows if row[2].endswith(space)) for space in ("u", "k")
    )

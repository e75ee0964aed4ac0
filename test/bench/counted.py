# SPDX-License-Identifier: GPL-3.0-or-later
"""The user instructions of a whole query, counted: the program runs under callgrind while the
generator asks it. It is what `perf stat` would say of user space, on any machine; the kernel's part
is not counted.
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

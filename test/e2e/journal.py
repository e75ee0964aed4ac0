#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program as systemd does, its standard error connected to a real journal, which keeps its
files in a folder. In a mount namespace of its own: nothing reaches the machine's journal.

usage: unshare --mount test/e2e/journal.py FOLDER PROGRAM [ARGUMENT]...
"""

import os
import pathlib
import socket
import subprocess
import sys
import time

JOURNAL = pathlib.Path("/run/systemd/journal")
MACHINE = pathlib.Path("/etc/machine-id")
CGROUPS = pathlib.Path("/sys/fs/cgroup")
PATIENCE = 30  # seconds


def start_journal(folder):
    mount = lambda *words: subprocess.run(["mount", *words], check=True)
    mount("-t", "tmpfs", "tmpfs", "/run")
    kept = pathlib.Path("/run/log/journal")
    for each in (JOURNAL, kept):
        each.mkdir(parents=True)
    mount("--bind", folder, str(kept))
    machine = pathlib.Path("/run/machine-id")
    machine.write_text(32 * "1" + "\n")
    MACHINE.touch()
    mount("--bind", str(machine), str(MACHINE))
    if not os.path.ismount(CGROUPS):  # in a chroot; the journal ends without them
        mount("-t", "cgroup2", "cgroup2", str(CGROUPS))
    # It ends when we, or what we become, do.
    return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", "/lib/systemd/systemd-journald"])


def connect(journal):
    """As PID 1 does: who it is, no unit, priority, and no prefixes of levels."""
    stream = socket.socket(socket.AF_UNIX)
    until = time.monotonic() + PATIENCE
    while stream.connect_ex(str(JOURNAL / "stdout")) != 0:
        if journal.poll() is not None or time.monotonic() > until:
            sys.exit(f"no journal: systemd-journald ended with {journal.returncode}")
        time.sleep(0.01)
    stream.send(b"bailiwickd\n\n6\n0\n0\n0\n0\n")
    return stream


stream = connect(start_journal(sys.argv[1]))
os.dup2(stream.fileno(), 2)
found = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
os.execvp(sys.argv[2], sys.argv[2:])

# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsperf beside a test, asking on and on until it is ended. At full speed; with sanitizers
(E2E_LIGHT) at a steady pace, as they would take all of the CPUs from the other suites to find the
same."""

import re
import signal
import subprocess

from client import DEADLINE
from harness import ITALIAN4, SERVER4
from policytest import LIGHT

LIGHT_PACE = ("-Q", "1000")  # queries a second


class Load:
    """One dnsperf from one address, whose queries take turns among names.

    lost     queries that were not answered, once it has ended
    codes    {rcode: answers}, likewise
    report   all that it said, likewise
    """

    def __init__(self, site, names, *options, address=ITALIAN4, server=SERVER4):
        questions = site.folder / f"questions-{address}"
        questions.write_text("".join(f"{name} A\n" for name in names))
        command = ("dnsperf", "-s", server, "-a", address, "-d", str(questions), "-l", "3600")
        pace = LIGHT_PACE if LIGHT else ()
        with site.clients:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command, "-t", "60", "-T", "1", *pace,
                 *options],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip

    def end(self):
        """Once."""
        self.process.send_signal(signal.SIGINT)
        self.report, _ = self.process.communicate(timeout=DEADLINE)
        self.lost = int(re.search(r"Queries lost: +(\d+)", self.report)[1])
        counts = re.findall(r"([A-Z]+) (\d+)", re.search(r"Response codes: +(.*)", self.report)[1])
        self.codes = {code: int(count) for code, count in counts}

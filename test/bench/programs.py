# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are compared, each a Process that runs on one core (harness.Process)."""

import os
import pathlib
import re
import subprocess

from dnsbytes import NOERROR, query
from harness import BUILD, COUNTRY_DATABASE, Daemon, Process

UPSTREAM = ("127.0.0.9", 5300)
UPSTREAM_SOCKETS = 8  # of bailiwickd, by its default; the others get as many


def pinned(core):
    return ("taskset", "--cpu-list", str(core))


class Measured:
    """What the kernel says of a process that runs."""

    def cpu_ns(self):
        """(all, user) nanoseconds of processor time, all of its threads."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = map(int, fields.split()[11:13])
        return total, total * user / max(user + system, 1)

    def pss_bytes(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return 1024 * int(re.search(r"^Pss: +(\d+)", text, re.M).group(1))

    def switches(self):
        """How often it has been woken."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            text = (task / "status").read_text()
            total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))
        return total


class Responder(Process):
    name = "responder"

    def __init__(self, site, core):
        super().__init__(site)
        address, port = UPSTREAM
        self.launch(*pinned(core), str(BUILD / "bench" / "responder"), f"{address}:{port}")
        self.wait_for_answer(UPSTREAM, query("bench.invalid"), NOERROR)


class Floor(Process, Measured):
    name = "floor"
    streams = False

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        upstream = f"{UPSTREAM[0]}:{UPSTREAM[1]}"
        self.launch(*pinned(core), str(BUILD / "bench" / "floor"), f"{address}:53", upstream)
        self.wait_for_answer(self.server, query("bench.invalid"), NOERROR)

    @staticmethod
    def version():
        return "test/bench/floor.c"


class Bailiwickd(Daemon, Measured):
    streams = True

    def __init__(self, site, core, address, inputs):
        self.server = (address, 53)
        order = {
            "id": "IT-bench",
            "authority": "Bench",
            "issued": "2026-01-01",
            "lists": [{"file": "names.txt", "format": "names"}],
        }
        listen = [{"address": address, "port": 53}]
        super().__init__(
            site,
            [UPSTREAM],
            orders={"IT/bench.yaml": order},
            config={"listen": listen, "workers": 1, "geo": {"database": str(COUNTRY_DATABASE)}},
            prefix=pinned(core),
            start=False,
        )
        os.link(inputs.listed, self.folder / "orders" / "IT" / "names.txt")
        self.start()

    @staticmethod
    def version():
        done = subprocess.run([BUILD / "bailiwickd", "--version"], capture_output=True, text=True)
        return done.stdout.split("\n")[0]


class Dnsdist(Process, Measured):
    """Italy as a group of netmasks, the names as a suffix match node."""

    name = "dnsdist"
    streams = True
    exit_statuses = (0, 1, -15)

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        (self.folder / "dnsdist.conf").write_text(
            f"""\
setSecurityPollSuffix("")
setLocal("{address}:53")
setACL({{"0.0.0.0/0"}})
newServer({{address="{UPSTREAM[0]}:{UPSTREAM[1]}", sockets={UPSTREAM_SOCKETS}, healthCheckMode="up"}})
italy = newNMG()
for line in io.lines("{inputs.networks}") do italy:addMask(line) end
listed = newSuffixMatchNode()
for line in io.lines("{inputs.listed}") do listed:add(newDNSName(line)) end
addAction(AndRule({{NetmaskGroupRule(italy), SuffixMatchNodeRule(listed, true)}}),
          RCodeAction(DNSRCode.REFUSED))
"""
        )
        conf = str(self.folder / "dnsdist.conf")
        self.launch(*pinned(core), "dnsdist", "--supervised", "--disable-syslog", "-C", conf)
        self.wait_for_answer(self.server, query("bench.invalid"), NOERROR)

    @staticmethod
    def version():
        done = subprocess.run(["dnsdist", "--version"], capture_output=True, text=True)
        return done.stdout.split("\n")[0]

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

    def __init__(self, site, core, server=UPSTREAM):
        super().__init__(site)
        self.server = server
        self.launch(*pinned(core), str(BUILD / "bench" / "responder"), f"{server[0]}:{server[1]}")
        self.wait_for_answer(server, query("bench.example"), NOERROR)


class Rival(Process):
    """Computes on the core of the program under test, as its equal before the scheduler, so that
    the program does not catch up with who asks it. Touches next to no memory."""

    name = "rival"

    def __init__(self, site, core):
        super().__init__(site)
        self.launch(*pinned(core), "sh", "-c", "while :; do :; done")


class Floor(Process, Measured):
    name = "floor"
    streams = False

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        upstream = f"{UPSTREAM[0]}:{UPSTREAM[1]}"
        self.launch(*pinned(core), str(BUILD / "bench" / "floor"), f"{address}:53", upstream)
        self.wait_for_answer(self.server, query("bench.example"), NOERROR)

    @staticmethod
    def version():
        return "test/bench/floor.c"


class Bailiwickd(Daemon, Measured):
    streams = True
    workers = 1
    sandbox = "yes"

    def __init__(self, site, core, address, inputs):
        self.server = (address, 53)
        listen = [{"address": address, "port": 53}]
        super().__init__(
            site,
            [UPSTREAM],
            orders={},
            config={
                "listen": listen,
                "workers": self.workers,
                "sandbox": self.sandbox,
                "geo": {"database": str(COUNTRY_DATABASE)},
            },
            prefix=pinned(core),
            start=False,
        )
        self.write_orders(inputs)
        self.start()
        self.wait_until_kept()  # its start is over, and what follows is queries alone

    def write_orders(self, inputs):
        self.write_order("IT/bench.yaml", self.order("IT"))
        os.link(self.list_of(inputs), self.folder / "orders" / "IT" / "names.txt")

    @staticmethod
    def list_of(inputs):
        return inputs.listed

    @staticmethod
    def order(code):
        return {
            "id": f"{code}-bench",
            "authority": "Bench",
            "issued": "2026-01-01",
            "lists": [{"file": "names.txt", "format": "names"}],
        }

    @staticmethod
    def version():
        done = subprocess.run([BUILD / "bailiwickd", "--version"], capture_output=True, text=True)
        return done.stdout.split("\n")[0]


class Tenfold(Bailiwickd):
    """With ten times as many names."""

    @staticmethod
    def list_of(inputs):
        return inputs.tenfold


class Dnsdist(Process, Measured):
    """Italy as a group of netmasks, the names as a suffix match node. The root of another Debian
    may be given, to compare with its version."""

    name = "dnsdist"
    streams = True
    exit_statuses = (0, 1, -15)
    root = "/"

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        self._give("networks", inputs.networks.read_text())
        self._give("listed", inputs.listed.read_text())
        conf = self._give(
            "dnsdist.conf",
            f"""\
setSecurityPollSuffix("")
setLocal("{address}:53")
setACL({{"0.0.0.0/0"}})
newServer({{address="{UPSTREAM[0]}:{UPSTREAM[1]}", sockets={UPSTREAM_SOCKETS}, healthCheckMode="up"}})
italy = newNMG()
for line in io.lines("{self._inside("networks")}") do italy:addMask(line) end
listed = newSuffixMatchNode()
for line in io.lines("{self._inside("listed")}") do listed:add(newDNSName(line)) end
addAction(AndRule({{NetmaskGroupRule(italy), SuffixMatchNodeRule(listed, true)}}),
          RCodeAction(DNSRCode.REFUSED))
""",
        )
        command = ("dnsdist", "--supervised", "--disable-syslog", "-C", conf)
        self.launch(*pinned(core), *self.entered(), *command)
        self.wait_for_answer(self.server, query("bench.example"), NOERROR)

    def _inside(self, name):
        """A file's path as dnsdist sees it."""
        return f"/tmp/{self.folder.name}-{name}"

    def _give(self, name, text):
        path = pathlib.Path(self.root + self._inside(name))
        path.write_text(text)
        return self._inside(name)

    def stop(self):
        super().stop()
        for path in pathlib.Path(self.root + "/tmp").glob(f"{self.folder.name}-*"):
            path.unlink()

    @classmethod
    def entered(cls):
        return () if cls.root == "/" else ("chroot", cls.root)

    @classmethod
    def version(cls):
        command = (*cls.entered(), "dnsdist", "--version")
        return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]


def write_zone(path, names):
    """A response policy zone: each name and everything below it."""
    with path.open("w") as out:
        out.write("@ 60 SOA localhost. nobody.invalid. 1 3600 600 86400 60\n@ NS localhost.\n")
        for name in names:
            out.write(f"{name} CNAME .\n*.{name} CNAME .\n")


class Bind(Process, Measured):
    """A view for Italy by the same database, with a response policy zone; forwards and keeps
    nothing."""

    name = "bind"
    streams = False

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        write_zone(self.folder / "rpz.zone", inputs.listed.read_text().split())
        (self.folder / "GeoLite2-Country.mmdb").symlink_to(COUNTRY_DATABASE)
        (self.folder / "named.conf").write_text(
            f"""\
options {{
    directory "{self.folder}"; pid-file none; session-keyfile none;
    geoip-directory "{self.folder}";
    listen-on {{ {address}; }}; listen-on-v6 {{ none; }};
    allow-query {{ any; }}; recursion yes; allow-recursion {{ any; }};
    forward only; forwarders {{ {UPSTREAM[0]} port {UPSTREAM[1]}; }};
    dnssec-validation no; max-cache-ttl 0; max-ncache-ttl 0;
}};
controls {{ }};
view italy {{
    match-clients {{ geoip country IT; }};
    zone rpz {{ type primary; file "rpz.zone"; }};
    response-policy {{ zone rpz; }} qname-wait-recurse no;
}};
view others {{ match-clients {{ any; }}; }};
"""
        )
        conf = str(self.folder / "named.conf")
        self.launch(*pinned(core), "named", "-g", "-n", "1", "-c", conf)
        self.wait_for_answer(self.server, query("bench.example"), NOERROR)

    @staticmethod
    def version():
        done = subprocess.run(["named", "-v"], capture_output=True, text=True)
        return done.stdout.split("\n")[0]


class UnboundRpz(Process, Measured):
    """The zone for every client: Unbound knows no countries."""

    name = "unbound"
    streams = False

    def __init__(self, site, core, address, inputs):
        super().__init__(site)
        self.server = (address, 53)
        write_zone(self.folder / "rpz.zone", inputs.listed.read_text().split())
        (self.folder / "unbound.conf").write_text(
            f"""\
server:
    interface: {address}
    access-control: 0.0.0.0/0 allow
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{self.folder}"
    use-syslog: no
    num-threads: 1
    do-not-query-localhost: no
    module-config: "respip iterator"
rpz:
    name: rpz
    zonefile: rpz.zone
forward-zone:
    name: "."
    forward-addr: {UPSTREAM[0]}@{UPSTREAM[1]}
remote-control:
    control-enable: no
"""
        )
        conf = str(self.folder / "unbound.conf")
        self.launch(*pinned(core), "unbound", "-d", "-p", "-c", conf)
        self.wait_for_answer(self.server, query("bench.example"), NOERROR)

    @staticmethod
    def version():
        done = subprocess.run(["unbound", "-V"], capture_output=True, text=True)
        return done.stdout.split("\n")[0]

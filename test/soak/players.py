# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part in a soak: the daemon under a manager that keeps its sockets, resolvers that
misbehave as they are told, an asker that judges every answer, and what is right for whom.

    world = World(site)
    with world.changes("changing", "0"): ...     while something changes, both answers are right
    with world.allows("s"): ...                  meanwhile SERVFAIL is right for what is forwarded
"""

import contextlib
import json
import mmap
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import threading
import time

from client import eventually
from harness import (
    BUILD, GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, SERVER4, SERVER6, Daemon, Process, sanitized,
)  # fmt: skip
from mmdb import mmdb
from policytest import default_text, order
from quic import PROGRAM as QUIC_CLIENT
from quic import certificate
from test_service import Manager, Service
from upstream import UPSTREAM_PORT

SANITIZED = BUILD.name in ("asan", "tsan")
RATE = float(os.environ.get("SOAK_RATE", "0.3" if SANITIZED else "1"))
LOST_MS = 30000 if SANITIZED else 15000  # a query without an answer for so long is lost
SERVFAIL_AFTER_MS = 8000 if SANITIZED else 3000
PROBED_EVERY = "1s" if SANITIZED else "500ms"
WINDOWS = (6, 18)  # queries of a row at a time
OTHER_PORT = 5301
STATE_SIZE = "size=2g"  # of which it takes what it needs

ITALIAN_PROXY, GERMAN_PROXY, GERMAN_ECS = "2.32.9.9", "5.9.9.9", "5.9.8.8"
MOVER, MOVERS = "90.0.0.1", "90.0.0.0/9"  # who is in one country and then in another
PROXIED = 8053
PORTS = {"udp": 53, "tcp": 53, "tls": 853, "https": 443, "get": 443, "quic": 853}
UPSTREAM_NAME, UPSTREAM_TLS_PORT = "dns.example", 853

ALWAYS, CHANGING, OTHERWISE, TIMED = "0", "1", "2", "3"
COURTS = "Another Court of Examples"  # the authority of an order as edited
TEXTS = {
    ALWAYS: default_text("SOAK-ALWAYS"),
    CHANGING: default_text("SOAK-CHANGING"),
    OTHERWISE: f"Blocked by order SOAK-CHANGING of {COURTS}",
    TIMED: default_text("SOAK-TIMED"),
}
FORWARDED = "f"


def database(moved):
    """Where everybody is; the movers in Italy or in France."""
    return mmdb({
        "2.32.0.0/12": "IT", "2001:b07::/32": "IT", "5.9.0.0/16": "DE", "2a01:4f8::/29": "DE",
        MOVERS: "IT" if moved else "FR",
    })  # fmt: skip


def rows(chance):
    """(group, words for the asker) of each. A group has one verdict."""
    made = []

    def add(group, way, local, suffix, rate, turnover=0, how=(), port=None):
        server = SERVER6 if ":" in local else SERVER4
        port = port or PORTS[way]
        window = chance.randint(*WINDOWS)
        made.append((group, (way, local, server, port, suffix, window, rate * RATE, turnover, *how)))

    ways = (("udp", 400), ("tcp", 120), ("tls", 120), ("https", 80), ("get", 40), ("quic", 50))
    for way, rate in ways:
        add("out", way, GERMAN4, "always.test", rate)
        add("out", way, GERMAN4, "changing.test", rate / 2)
        add("free", way, ITALIAN4, "free.test", rate)
        add("always", way, ITALIAN4, "always.test", rate)
        add("changing", way, ITALIAN4, "changing.test", rate)
    for way in ("tcp", "tls", "https", "get"):  # with a new connection every few queries
        add("free", way, ITALIAN4, "free.test", 60, turnover=chance.randint(1, 5))
        add("always", way, ITALIAN4, "always.test", 60, turnover=chance.randint(1, 5))
    for way in ("tcp", "tls"):
        for group, local, suffix in (
            ("out", GERMAN4, "always.test"), ("free", ITALIAN4, "free.test"),
            ("always", ITALIAN4, "always.test"), ("changing", ITALIAN4, "changing.test"),
        ):  # fmt: skip
            # Of each its own connection: the resolver's end of it is the client's too.
            add(group, way, local, suffix, 10, turnover=1, how=("transfers",))
    for way in ("udp", "tls"):
        add("mover", way, MOVER, "always.test", 100)
        add("timed", way, ITALIAN4, "timed.test", 200)
    for way in ("udp", "tcp"):
        add("out", way, GERMAN6, "always.test", 100)
        add("always", way, ITALIAN6, "always.test", 100)
        told = {"how": ("proxy", GERMAN4), "port": PROXIED}
        add("out", way, ITALIAN_PROXY, "always.test", 100, **told)
        told = {"how": ("proxy", ITALIAN4), "port": PROXIED}
        add("always", way, GERMAN_PROXY, "always.test", 100, **told)
    add("always", "udp", GERMAN_ECS, "always.test", 100, how=("ecs", ITALIAN4))
    add("out", "udp", GERMAN_ECS, "always.test", 100, how=("ecs", GERMAN4))
    return made


class Told(Process):
    """A program that takes a command a line and answers each with a line."""

    program = None
    arguments = ()
    namespace = "server"

    def __init__(self, site):
        super().__init__(site)
        self.lock = threading.Lock()
        self.start()

    def start(self):
        ends_with_us = ("setpriv", "--pdeathsig", "KILL", "--")
        with getattr(self.site, self.namespace), open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*ends_with_us, *sanitized(BUILD / "soak" / self.program), *map(str, self.arguments)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
            )  # fmt: skip
        self.site.running.append(self)

    def tell(self, *words):
        """What it answers; `ok` counts as nothing."""
        with self.lock:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline().strip()
        if said in ("", "what?"):
            self.fail(f"does not do {words}")
        return said

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()
        self.site.running.remove(self)


class FakeResolver(Told):
    """Two of its addresses are its own, the other is one that lies."""

    name, program = "fake_resolver", "fake_resolver"

    def __init__(self, site, number, pair):
        self.server = (f"127.0.0.{number}", UPSTREAM_PORT)
        secret = (UPSTREAM_TLS_PORT, pair["certificate"], pair["key"])
        self.arguments = (*self.server, f"127.0.1.{number}", OTHER_PORT, *secret)
        super().__init__(site)

    def probes(self):
        """Health checks that it has answered."""
        return int(self.tell("probes"))

    def broken(self):
        """Connections that it has broken off."""
        return int(self.tell("broken"))

    def encrypted(self):
        """Queries that came by TLS."""
        return int(self.tell("encrypted"))

    def stop(self):
        self.signal(signal.SIGCONT)
        super().stop()


class Asker(Told):
    name, program, namespace = "asker", "asker", "clients"
    arguments = (QUIC_CLIENT,)

    def __init__(self, site, seed):
        super().__init__(site)
        self.tell("seed", seed)
        self.tell("lost", LOST_MS)
        for number, text in TEXTS.items():
            self.tell("text", number, text)

    def figures(self):
        return json.loads(self.tell("figures"))

    def so_far(self, figure):
        """Of the phase that goes on: "wrong", "lost", "servfail", "cut"."""
        return self.figures()[-1][figure]

    def drain(self):
        """Waits until all that was asked before now is answered (or lost)."""
        now = self.tell("now")
        rest = lambda: int(self.tell("waiting", now))
        eventually(lambda: rest() == 0, lambda: f"{rest()} queries are answered")

    def answers(self):
        return [int(each) for each in self.tell("answers").split()]


class Clock:
    """The wall clock of whoever preloads stepped_clock.so with this file."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)
        self.offset = 0

    def set(self, offset):
        self.offset = offset
        self.map[:] = struct.pack("=q", offset)

    def now(self):
        return time.time() + self.offset


class SoakedDaemon(Service):
    """bailiwickd with a clock that can be set."""

    def __init__(self, site, upstreams, manager, clock, **options):
        self.clock = clock
        super().__init__(site, upstreams, manager, **options)

    def launch(self, *command, environment=None):
        stepped = {
            "LD_PRELOAD": str(BUILD / "soak" / "stepped_clock.so"),
            "STEPPED_CLOCK": str(self.clock.path),
        }
        environment = {**(environment or {}), **stepped}
        if "ASAN_OPTIONS" in environment:
            environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        super().launch(*command, environment=environment)

    def memory(self):
        """Resident octets."""
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def data(self):
        """Octets of its own that it may write to: what RLIMIT_DATA limits."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmData:\s+(\d+) kB", status)[1]) * 1024

    def descriptors_in_use(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def limit(self, **limits):
        """Soft limits of the running daemon: limit(nofile=100); None takes one away."""
        for name, value in limits.items():
            soft = value
            if value is None:
                soft = "unlimited" if name == "data" else self.most_descriptors()
            command = ["prlimit", f"--pid={self.process.pid}", f"--{name}={soft}:"]
            subprocess.run(command, check=True)

    def most_descriptors(self):
        """The hard limit."""
        limits = pathlib.Path(f"/proc/{self.process.pid}/limits").read_text()
        (line,) = [each for each in limits.splitlines() if each.startswith("Max open files")]
        return line.split()[4]


class World:
    """All of them, and what is right. What a phase leaves to chance, this run's seed decides."""

    def __init__(self, site, seed):
        self.site = site
        self.chance = random.Random(seed)
        self.clock = Clock(site.folder / "clock")
        self.pair = certificate(site.folder, UPSTREAM_NAME)
        self.resolvers = [FakeResolver(site, number, self.pair) for number in (2, 3)]
        self.manager = Manager(site)
        self.daemon = self._daemon()
        self.verdicts = {
            "out": FORWARDED, "free": FORWARDED, "always": ALWAYS, "changing": FORWARDED,
            "mover": FORWARDED, "timed": FORWARDED,
        }  # fmt: skip
        self.allowed = {"udp": "", "stream": "", "transfers": ""}
        self.asker = Asker(site, seed)
        self.rows = rows(self.chance)
        self.told = {}
        for _, words in self.rows:
            self.asker.tell("row", *words)
        self._tell()

    def _daemon(self):
        """Its state folder is a file system of its own, which can be filled."""
        ends = [{"address": SERVER4, "port": 53}, {"address": SERVER6, "port": 53}]
        for transport in ("tls", "https", "quic"):
            port = PORTS[transport]
            ends.append({"address": SERVER4, "port": port, "transport": transport, **self.pair})
        ends.append({"address": SERVER4, "port": PROXIED, "proxy-protocol": "yes"})
        config = {
            "listen": ends,
            "upstream": {
                "tls-ca": self.pair["certificate"],
                "retry-after": "300ms",
                "timeout": f"{SERVFAIL_AFTER_MS}ms",
                "health-check": {"interval": PROBED_EVERY, "down-after": 3, "up-after": 1},
            },
            "geo": {"database": "country.mmdb"},
            "trust": {"proxy-protocol": [ITALIAN_PROXY, GERMAN_PROXY], "ecs": [GERMAN_ECS]},
            "watch": "yes",
        }
        orders = {"IT/always.yaml": order("SOAK-ALWAYS", names=["always.test"])}
        daemon = SoakedDaemon(
            self.site, self.resolvers, self.manager, self.clock, orders=orders,
            files={"country.mmdb": database(moved=False)}, config=config, start=False,
        )  # fmt: skip
        state = daemon.folder / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", STATE_SIZE, "tmpfs", state], check=True)
        daemon.start()
        return daemon

    def limit_state(self, spare=None):
        """The file system of `state` has room for so many octets more; None: for all of a soak."""
        state = self.daemon.folder / "state"
        used = os.statvfs(state)
        octets = (used.f_blocks - used.f_bfree) * used.f_frsize
        size = STATE_SIZE if spare is None else f"size={octets + spare}"
        remount = ["mount", "-t", "tmpfs", "-o", f"remount,{size}", "tmpfs", state]
        subprocess.run(remount, check=True)

    # ---- what is right

    def _tell(self):
        """Tells the asker of every row for which something else is right than before."""
        changed = {}
        for number, (group, words) in enumerate(self.rows):
            how = "udp" if words[0] == "udp" else "transfers" if "transfers" in words else "stream"
            allowed = self.allowed[how]
            if FORWARDED not in self.verdicts[group]:
                allowed = "".join(each for each in allowed if each == "x")
            right = "".join(sorted(set(self.verdicts[group] + allowed)))
            if self.told.get(number) != right:
                self.told[number] = right
                changed.setdefault(right, []).append(number)
        for right, numbers in changed.items():
            self.asker.tell("right", right, *numbers)

    @contextlib.contextmanager
    def changes(self, group, verdict):
        """Inside, the verdict of before and the new one are right; afterwards the new one alone."""
        before = self.verdicts[group]
        self.verdicts[group] = before + verdict
        self._tell()
        yield
        self.verdicts[group] = verdict
        self._tell()

    @contextlib.contextmanager
    def allows(self, stream, udp="", transfers=""):
        """Inside, these are right too: s (SERVFAIL) and c (cut) for what is forwarded, x
        (connections may end) for all. For transfers what is for streams, and more."""
        before = self.allowed
        more = {"udp": udp, "stream": stream, "transfers": stream + transfers}
        self.allowed = {how: before[how] + more[how] for how in before}
        self._tell()
        yield
        self.allowed = before
        self._tell()

    @contextlib.contextmanager
    def mistaken(self, group, verdict):
        """Inside, the asker is told what is not so."""
        before = self.verdicts[group]
        self.verdicts[group] = verdict
        self._tell()
        yield
        self.verdicts[group] = before
        self._tell()

    # ---- what happens

    def reload(self, good=True):
        """A reload that loads everything, or, if not good, must say what it does not."""
        done = self.daemon.tool("reload")
        if (done.returncode == 0) != good:
            raise AssertionError(f"reload: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stderr

    def ask_by(self, transport):
        """The daemon asks both resolvers by dns or tls from now on, and knows that they are there."""
        keys = {"port": UPSTREAM_PORT}
        if transport == "tls":
            keys = {"port": UPSTREAM_TLS_PORT, "transport": "tls", "tls-name": UPSTREAM_NAME}
        servers = [{"address": each.server[0], **keys} for each in self.resolvers]
        self.daemon.write_config({"upstream": {"servers": servers}})
        self.reload()
        self.wait_until_up()

    def wait_until_up(self):
        """Until the daemon knows that both resolvers are there, whatever it has thought of them: by
        the second check that is answered from now on it has seen the first."""
        before = [each.probes() for each in self.resolvers]
        for each, count in zip(self.resolvers, before):
            eventually(lambda: each.probes() >= count + 2, f"{each.server} is probed")
        eventually(lambda: self.all_up(), "both resolvers are up again")

    def all_up(self):
        return all(each["up"] for each in self.daemon.status()["upstreams"])

    def stop(self):
        """Whatever fails, the others end too. What stands still goes on first."""
        unmount = ["umount", "--lazy", self.daemon.folder / "state"]
        with contextlib.ExitStack() as stack:
            stack.callback(subprocess.run, unmount, check=True)
            stack.callback(self.manager.close)
            for each in (*self.resolvers, self.daemon, self.asker):  # the last one first
                stack.callback(each.stop)

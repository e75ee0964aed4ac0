# SPDX-License-Identifier: GPL-3.0-or-later
"""Under a service manager (sd_notify(3), sd_listen_fds(3)): what it is told and when, the sockets it
keeps over a restart, and that what waits in them meanwhile is answered: queries of one dnsperf at
full speed over many restarts. The manager is played here; systemd does the same by bailiwick.service."""

import array
import os
import signal
import socket
import threading

from client import DEADLINE
from dnsbytes import NOERROR, REFUSED, parse, query
from harness import SERVER4, SERVER6, Daemon, SiteTest
from load import Load
from policytest import LIGHT

RESTARTS = 3 if LIGHT else 10

# Becomes the daemon with descriptors from 3 on, as a service manager starts one.
LAUNCHER = """
import fcntl, os, sys
count = len(sys.argv[1].split(",")) if sys.argv[1] else 0
high = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 100) for each in sys.argv[1].split(",") if each]
for number, each in enumerate(high):
    os.dup2(each, 3 + number)
if count:
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=sys.argv[2])
os.environ.update(NOTIFY_SOCKET=sys.argv[3], WATCHDOG_USEC="600000", WATCHDOG_PID=str(os.getpid()))
os.closerange(3 + count, 1000)
os.execvp(sys.argv[4], sys.argv[4:])
"""


class Manager:
    """Hears what a daemon says of itself, and keeps sockets for it."""

    def __init__(self, site):
        with site.server:  # an abstract name belongs to a network
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("")
        self.address = "@" + self.socket.getsockname()[1:].decode()
        self.said = []  # every line, in order
        self.kept = []  # (name, descriptor)
        self.lock = threading.Lock()
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        while True:
            data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(256))
            descriptors = array.array("i")
            for _, _, passed in ancillary:
                descriptors.frombytes(passed)
            lines = data.decode().split("\n")
            if lines == [""]:
                return
            names = [line[7:] for line in lines if line.startswith("FDNAME=")]
            with self.lock:
                for descriptor in descriptors:
                    self._keep(names[0], descriptor)
                if "FDSTOREREMOVE=1" in lines:
                    self._drop(lambda name: name == names[0])
                self.said += lines

    def _keep(self, name, descriptor):
        """As systemd does: what is kept already is kept once."""
        if any(os.path.sameopenfile(descriptor, each) for _, each in self.kept):
            os.close(descriptor)
        else:
            self.kept.append((name, descriptor))

    def _drop(self, unwanted):
        for name, descriptor in self.kept:
            if unwanted(name):
                os.close(descriptor)
        self.kept = [each for each in self.kept if not unwanted(each[0])]

    def names(self):
        with self.lock:
            return sorted(name for name, _ in self.kept)

    def words(self):
        """What was said, without the signs of life."""
        with self.lock:
            return [line for line in self.said if line.endswith("=1") and "FD" not in line
                    and line != "WATCHDOG=1"]  # fmt: skip

    def status(self):
        with self.lock:
            return [line[7:] for line in self.said if line.startswith("STATUS=")][-1]

    def close(self):
        self.socket.sendto(b"", self.socket.getsockname())
        self._drop(lambda name: True)
        self.socket.close()


class Service(Daemon):
    """A daemon under a manager; start() hands over what that keeps."""

    def __init__(self, site, upstreams, manager, **options):
        self.manager = manager
        super().__init__(site, upstreams, **options)

    def _launch(self):
        with self.manager.lock:
            kept = list(self.manager.kept)
        self.descriptors = tuple(descriptor for _, descriptor in kept)
        self.prefix = (
            "/usr/bin/python3", "-c", LAUNCHER,
            ",".join(str(each) for each in self.descriptors),
            ":".join(name for name, _ in kept),
            self.manager.address,
        )  # fmt: skip
        super()._launch()

    def end(self):
        """As a manager stops it: it can be started again."""
        self.signal(signal.SIGTERM)
        status = self._ended()
        if status != 0:
            self.fail(f"ended with {status}")


class ServiceTest(SiteTest):
    def setUp(self):
        self.resolver = self.unbound(data=["www.example. 300 A 192.0.2.80"])

    def service(self, **options):
        self.manager = Manager(self.site)
        self.addCleanup(self.manager.close)
        return self._started(Service(self.site, [self.resolver], self.manager, **options))


class Told(ServiceTest):
    def test_ready_loading_and_stopping(self):
        daemon = self.service()
        self.eventually(lambda: self.manager.words() == ["READY=1"], self.manager.words)
        self.assertEqual(self.manager.status(), "Generation 1 in force, 1 order")
        daemon.reload()
        self.eventually(
            lambda: self.manager.words() == ["READY=1", "RELOADING=1", "READY=1"],
            self.manager.words,
        )
        self.assertEqual(self.manager.status(), "Generation 2 in force, 1 order")
        daemon.write("orders/IT/milan.yaml", "id: [\n")
        self.assertEqual(daemon.tool("reload").returncode, 1)
        says = "Generation 3 in force, 1 order; 1 error, see bailiwick status"
        self.eventually(lambda: self.manager.status() == says, self.manager.status)
        daemon.end()
        self.assertEqual(self.manager.words()[-1], "STOPPING=1")
        self.assertRegex(self.manager.status(), "Waiting for the disk; events to be recorded: ")
        with self.manager.lock:  # whatever TimeoutStopSec says
            self.assertIn("EXTEND_TIMEOUT_USEC=20000000", self.manager.said)

    def test_signs_of_life_while_it_serves(self):
        self.service()
        self.eventually(lambda: self.manager.said.count("WATCHDOG=1") > 2, "signs of life")

    def test_a_start_that_fails_is_never_ready(self):
        daemon = self.service(config={"orders": "nowhere", "geo": {"database": "x"}}, start=False)
        self.assertEqual(daemon.run_to_end(), 1)
        self.assertEqual(self.manager.words(), [])


class Kept(ServiceTest):
    NAMES = ["tcp-0.0.0.0-53", "tcp-__-53", "udp-0.0.0.0-53", "udp-__-53"]

    def names_for(self, workers, names=None):
        return sorted(f"{name}-{i}" for name in names or self.NAMES for i in range(workers))

    def test_what_waits_is_served_by_the_next(self):
        daemon = self.service()
        self.eventually(lambda: self.manager.names() == self.names_for(2), self.manager.names)
        for workers in (2, 1, 3):  # fewer take over all of them, more open their own
            daemon.end()
            daemon.write_config({"workers": workers})
            waiting = []
            for number in range(20):
                datagrams = self.italian4.udp()
                datagrams.send(query(("www.example", "x.limetorrents.pro")[number % 2], id=number))
                stream = self.german6.tcp()
                stream.send(query("www.example", id=number + 100))
                waiting += [(datagrams, (NOERROR, REFUSED)[number % 2]), (stream, NOERROR)]
            daemon.start()
            for channel, rcode in waiting:
                self.assertEqual(parse(channel.receive()).rcode, rcode)
                channel.close()
            self.eventually(
                lambda: self.manager.names() == self.names_for(workers), self.manager.names
            )

    def test_what_is_not_wanted_is_closed(self):
        daemon = self.service()
        daemon.end()
        daemon.write_config({"listen": [{"address": "0.0.0.0", "transport": ["udp"]}]})
        daemon.start()
        self.eventually(lambda: self.manager.names() == self.names_for(2, ["udp-0.0.0.0-53"]),
                        self.manager.names)
        daemon.wait_for_log("inherited socket not wanted")
        with self.assertRaises(ConnectionRefusedError):
            self.italian4.tcp()

    def bound(self, kind, port=53):
        with self.site.server:
            channel = socket.socket(socket.AF_INET, kind)
        channel.bind((SERVER4, port))
        if kind == socket.SOCK_STREAM:
            channel.listen()
        return channel.detach()

    def test_sockets_of_a_unit(self):
        """One for all workers, as it came; it is the manager's, and is not given back to it."""
        daemon = self.service(config={"listen": [{"address": SERVER4}]}, start=False)
        unit = [
            ("bailiwick.socket", self.bound(socket.SOCK_STREAM)),
            ("odd.socket", self.bound(socket.SOCK_DGRAM, 54)),
            ("bailiwick.socket", self.bound(socket.SOCK_DGRAM)),
        ]
        self.manager.kept += unit
        daemon.start()
        daemon.wait_for_log("inherited socket not wanted name=odd.socket")
        for transport in ("udp", "tcp") * 4:
            answer = self.italian4.ask(query("x.limetorrents.pro"), transport)
            self.assertEqual(parse(answer).rcode, REFUSED)
        daemon.reload()
        self.eventually(lambda: self.manager.names() == ["bailiwick.socket"] * 2, self.manager.names)
        daemon.write_config({"workers": 1, "listen": [{"address": SERVER4}, {"address": SERVER6}]})
        daemon.reload()
        more = [f"{kind}-2001_db8__53-53-0" for kind in ("tcp", "udp")]
        self.eventually(
            lambda: self.manager.names() == ["bailiwick.socket"] * 2 + more, self.manager.names
        )
        for transport in ("udp", "tcp") * 4:
            for client in (self.italian4, self.italian6):
                answer = client.ask(query("x.limetorrents.pro"), transport)
                self.assertEqual(parse(answer).rcode, REFUSED)

    def test_no_query_is_lost_over_restarts(self):
        daemon = self.service()
        load = Load(self.site, ["www.example", "x.limetorrents.pro"], "-q", "200", "-c", "4")
        for _ in range(RESTARTS):
            self.eventually(lambda: daemon.status()["queries"] > 1000, "load arrives")
            daemon.end()
            daemon.start()
        load.end()
        self.assertEqual(load.lost, 0, load.report)
        self.assertEqual(sorted(load.codes), ["NOERROR", "REFUSED"], load.report)

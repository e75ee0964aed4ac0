# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits from outside: floods by UDP, honest clients beside them, by TCP and through proxies;
reloads; and ports from which answers would go round."""

import socket
import struct
import time

from client import DEADLINE, SILENCE
from dnsbytes import FORMERR, NOERROR, REFUSED, TC, header, opt, parse, query, question
from harness import SERVER4, SERVER4_OTHER
from policytest import PolicyTest, default_text, order, small_database
from proxytest import CONFIG, ITALIAN_PROXY, PROXIED, proxied

BLOCKED, FREE = "blocked.example", "free.example"
FLOOD = 300
IP_FREEBIND = 15
LOOP_PORTS = (7, 13, 17, 19, 37, 464)


class RateLimit(PolicyTest):
    ORDERS = {"IT/one.yaml": order("ONE", names=[BLOCKED])}
    FILES = {"country.mmdb": small_database()}
    CONFIG = CONFIG

    def limit(self, **limits):
        """From now on; what was counted before is over in a second."""
        self.proxy.config.pop("rate-limit", None)
        self.proxy.write_config({"rate-limit": limits} if limits else {})
        self.proxy.reload()

    def flood(self, address, message, count=FLOOD, before=b"", server=None, sockets=4):
        """Asks so often, from several ports, so that all workers are asked. What came back, when all
        has been handled, and the seconds that it took."""
        earlier = self.proxy.status()
        channels = [self.client(address).udp(server) for _ in range(sockets)]
        began = time.monotonic()
        received = []
        for number in range(count):
            channels[number % sockets].send(before + message)
            if number % 16 == 0:
                received += self.waiting(channels)

        def handled():
            received.extend(self.waiting(channels))
            status = self.proxy.status()
            since = lambda key: status[key] - earlier[key]
            lost = since("receive_drops")
            return (since("queries") + lost, len(received) + since("dropped") + lost) == (count,) * 2

        self.eventually(handled, "all is answered or dropped")
        took = time.monotonic() - began
        for channel in channels:
            channel.close()
        return [parse(each) for each in received], took

    @staticmethod
    def waiting(channels):
        received = []
        for channel in channels:
            channel.socket.setblocking(False)
            try:
                while True:
                    received.append(channel.receive())
            except BlockingIOError:
                channel.socket.settimeout(DEADLINE)
        return received

    def counted(self, before):
        now = self.proxy.status()
        return {key: now[f"rate_limited_{key}"] - before[f"rate_limited_{key}"]
                for key in ("dropped", "slipped", "queries")}  # fmt: skip

    def assert_limited(self, rate, received, took):
        """No fewer than come at once; and what the rate allows, or a few more where both workers
        count at one moment, but not as many as if each counted for itself."""
        whole = [each for each in received if not each.flags & TC]
        self.assertGreaterEqual(len(whole), rate)
        self.assertLessEqual(len(whole), 1.5 * rate * (1 + took) + 2)
        for each in received:
            if each.flags & TC:
                self.assertEqual((each.rcode, each.records), (NOERROR, []))
        return len(received) - len(whole)

    def test_answers(self):
        """A flood of one network leaves its rate, and its honest clients come by TCP."""
        self.limit(answers=20)
        for address, neighbour, other in (
            ("2.32.1.1", "2.32.1.200", "2.32.2.1"),
            ("2001:b07:1::1", "2001:b07:1:0fe::1", "2001:b07:1:100::1"),
        ):
            before = self.proxy.status()
            message = query(BLOCKED, opt=opt())
            received, took = self.flood(address, message)
            slipped = self.assert_limited(20, received, took)
            counts = self.counted(before)
            self.assertEqual(counts["slipped"], slipped)
            self.assertGreater(slipped, FLOOD // 5)
            self.assertGreater(counts["dropped"], FLOOD // 5)
            got = self.blocked(self.client(neighbour), message, "tcp")
            self.assertEqual((got.rcode, got.ede[1]), (REFUSED, default_text("ONE")))
            self.assertEqual(self.blocked(self.client(other), message).rcode, REFUSED)
            self.assert_forwarded(self.client(address), query(FREE))

    def test_slip(self):
        message = query(BLOCKED)
        for slip, kind in ((0, "slipped"), (1, "dropped")):
            self.limit(answers=5, slip=slip)
            before = self.proxy.status()
            self.assert_limited(5, *self.flood(f"2.32.3{slip}.1", message))
            self.assertEqual(self.counted(before)[kind], 0)

    def test_errors(self):
        """Whatever is made here counts together."""
        self.limit(answers=5, slip=0)
        received, took = self.flood("2.32.4.1", header(1, 0, 2) + question(FREE) * 2)
        self.assertEqual({each.rcode for each in received}, {FORMERR})
        self.assert_limited(5, received, took)

    def test_queries(self):
        """Of one client by UDP, and apart from that by TCP."""
        self.limit(queries=30, slip=2)
        before = self.proxy.status()
        message = query(FREE)
        received, took = self.flood("5.9.1.1", message)
        slipped = self.assert_limited(30, received, took)
        counts = self.counted(before)
        self.assertEqual(counts["slipped"], slipped)
        self.assertEqual(counts["queries"], slipped + counts["dropped"])
        self.assert_forwarded(self.client("5.9.1.2"), message)
        self.assert_forwarded(self.client("5.9.1.1"), message, "tcp")
        with self.client("5.9.1.3").tcp() as stream:
            began = time.monotonic()
            stream.send(*[message] * 200)
            rcodes = [parse(stream.receive()).rcode for _ in range(200)]
            took = time.monotonic() - began
            self.assertGreaterEqual(rcodes.count(NOERROR), 30)
            self.assertLessEqual(rcodes.count(NOERROR), 30 * (1 + took) + 1)
            self.assertEqual(set(rcodes), {NOERROR, REFUSED})
        self.assert_forwarded(self.client("5.9.1.3"), message)

    def test_the_true_client_counts(self):
        """Behind one proxy each client has his own; who is not told of is the proxy, and exempt."""
        self.limit(answers=10, slip=1)
        server = (SERVER4, PROXIED)
        for client in ("2.32.5.1", "2.32.6.1"):
            received, took = self.flood(
                ITALIAN_PROXY, query(BLOCKED), 60, proxied(client), server, sockets=1
            )
            self.assert_limited(10, received, took)
        received, _ = self.flood(ITALIAN_PROXY, query(BLOCKED), 60)
        self.assertEqual(len([each for each in received if each.flags & TC]), 0)
        # It is not the proxy's country that counts, nor its network.
        received, took = self.flood(ITALIAN_PROXY, query(BLOCKED), 60, proxied("2.32.5.77"), server)
        self.assertGreater(len([each for each in received if each.flags & TC]), 0)

    def test_exempt(self):
        self.limit(answers=1, queries=1, slip=1, exempt=["2.32.7.0/25"])
        received, _ = self.flood("2.32.7.1", query(BLOCKED), 50)
        self.assertEqual([each.rcode for each in received], [REFUSED] * 50)
        received, took = self.flood("2.32.7.129", query(BLOCKED), 50)
        self.assert_limited(1, received, took)

    def test_reload(self):
        """Limits come and go without a start."""
        self.limit()
        received, _ = self.flood("2.32.8.1", query(BLOCKED), 50)
        self.assertEqual([each.rcode for each in received], [REFUSED] * 50)
        self.limit(answers=1, slip=1)
        received, took = self.flood("2.32.8.1", query(BLOCKED), 50)
        self.assert_limited(1, received, took)
        self.limit()
        received, _ = self.flood("2.32.8.1", query(BLOCKED), 50)
        self.assertEqual([each.rcode for each in received], [REFUSED] * 50)


def datagram(source_port, server, payload):
    """UDP as it stands on the wire, without a checksum, which IPv4 allows."""
    return struct.pack("!4H", source_port, server[1], 8 + len(payload), 0) + payload


class Ports(PolicyTest):
    ORDERS = {"IT/one.yaml": order("ONE", names=[BLOCKED])}
    FILES = {"country.mmdb": small_database()}
    CONFIG = {"listen": [{"address": SERVER4}], "geo": {"database": "country.mmdb"}}

    def forge(self, namespace, source, server, payload):
        with namespace, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
            raw.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            raw.bind((source[0], 0))
            raw.sendto(datagram(source[1], server, payload), (server[0], 0))

    def test_where_something_may_answer_anything(self):
        before = self.proxy.status()
        for port in LOOP_PORTS:
            with self.italian4.udp(port=port) as channel:
                channel.send(query(BLOCKED), query(FREE))
        self.forge(self.site.clients, ("2.32.0.1", 0), (SERVER4, 53), query(BLOCKED))
        dropped = 2 * len(LOOP_PORTS) + 1
        self.eventually(
            lambda: self.proxy.status()["loop_ports"] - before["loop_ports"] == dropped, "dropped"
        )
        self.assertEqual(self.proxy.status()["queries"], before["queries"])
        self.assertEqual(self.proxy.status()["dropped"] - before["dropped"], dropped)

    def test_other_low_ports_are_served(self):
        for port in (1, 53, 123, 512, 1023):
            with self.italian4.udp(port=port) as channel:
                channel.send(query(BLOCKED))
                self.assertEqual(parse(channel.receive()).rcode, REFUSED)

    def test_servers_set_against_each_other_fall_silent(self):
        """One query from the other's address and port, one answer to it, and nothing more."""
        other = self.daemon(
            self.resolver, orders={}, files=self.FILES,
            config={**self.CONFIG, "listen": [{"address": SERVER4_OTHER}], "control": "other.sock"},
        )  # fmt: skip
        broken = header(7, 0, 2) + question(FREE) * 2
        for message in (query(FREE), broken):
            mine, theirs = self.proxy.status(), other.status()
            self.forge(self.site.server, (SERVER4_OTHER, 53), (SERVER4, 53), message)
            self.eventually(
                lambda: other.status()["dropped"] == theirs["dropped"] + 1, "an answer is dropped"
            )
            time.sleep(SILENCE)
            self.assertEqual(self.proxy.status()["queries"], mine["queries"] + 1)
            self.assertEqual(other.status()["dropped"], theirs["dropped"] + 1)
            self.assertEqual(self.proxy.status()["dropped"], mine["dropped"])

    def test_an_echo_falls_silent(self):
        before = self.proxy.status()
        with self.italian4.udp() as channel:
            channel.send(query(BLOCKED))
            answer = channel.receive()
            channel.send(answer)
            self.assertTrue(channel.is_silent())
        self.assertEqual(self.proxy.status()["dropped"], before["dropped"] + 1)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients behind proxies that tell them by the PROXY protocol: from real senders, and from liars."""

import itertools
import re
import ssl
import subprocess
import time

from client import eventually, frame
from dnsbytes import NOERROR, OPTION_COOKIE, REFUSED, answer, opt, parse, query
from harness import GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, SERVER4, SERVER4_OTHER, SERVER6, Process
from policytest import MARK
from proxytest import (
    CONFIG, FREE, GERMAN_PROXY, INET, INET6, ITALIAN_ECS, ITALIAN_PROXY, LISTED, LOCAL, NOWHERE,
    PROXIED, PROXY_MAX, UNIX, UNKNOWN, UNSPEC, ProxyTest, header_of, proxied, tlv, verdict,
)
from tls import certificate, context


class Verdicts(ProxyTest):
    """The client decides, not the way."""

    CLIENTS = {
        ITALIAN4: "block", ITALIAN6: "block", GERMAN4: "forward", GERMAN6: "forward",
        "2.32.77.1": "forward", "2.32.77.128": "block", NOWHERE: "forward",
        "::ffff:2.32.0.1": "block", "2002:220:1::1": "block",
    }  # fmt: skip

    def test_every_way_gives_the_same_verdict(self):
        ways = list(itertools.product((ITALIAN_PROXY, GERMAN_PROXY), ("udp", "tcp")))
        for client, expected in self.CLIENTS.items():
            found = {}
            if not client.startswith(("::ffff", "2002")):
                for how in ("udp", "tcp"):
                    received = self.client(client).ask(query(LISTED, opt=opt()), how)
                    found["direct", how] = verdict(received)
            for proxy, how in ways:
                received = self.through(proxy, proxied(client, how), query(LISTED, opt=opt()), how)
                found[proxy, how] = verdict(received)
            self.assertEqual(set(found.values()), {expected}, (client, found))

    def test_the_bytes_behind_the_header_are_the_query(self):
        message = query("a.example", opt=opt(options=[(65001, b"x" * 900)]), tail=b"tail")
        for how in ("udp", "tcp"):
            self.resolver.requests.clear()
            received = self.through(ITALIAN_PROXY, proxied(GERMAN4, how), message, how)
            self.assertEqual(received, answer(message, [MARK]))
            self.assertEqual([one.message[2:] for one in self.resolver.requests], [message[2:]])

    def test_a_proxy_speaks_for_itself_by_local(self):
        """Addresses in such a header say nothing."""
        for rest in (b"", bytes(36), proxied(GERMAN4)[16:]):
            for family, how in ((UNSPEC, "udp"), (INET, "tcp"), (9, "udp")):
                header = header_of(rest, command=LOCAL, family=family)
                for proxy, expected in ((ITALIAN_PROXY, "block"), (GERMAN_PROXY, "forward")):
                    received = self.through(proxy, header, query(LISTED, opt=opt()), how)
                    self.assertEqual(verdict(received), expected, (rest, family, proxy))

    def test_who_is_not_told_is_in_no_country(self):
        headers = [
            header_of(b""),
            header_of(tlv(4, b"1234")),
            header_of(bytes(216), family=UNIX, transport=1),
            header_of(proxied(ITALIAN4)[16:], family=INET),
        ]
        for header, how in itertools.product(headers, ("udp", "tcp")):
            said = [
                verdict(self.through(ITALIAN_PROXY, header, query(qname), how))
                for qname in (LISTED, UNKNOWN, FREE)
            ]
            self.assertEqual(said, ["forward", "block", "forward"])

    def test_the_true_client_is_who_is_allowed_and_who_gets_cookies(self):
        message = query(LISTED, opt=opt(options=[(OPTION_COOKIE, b"12345678")]))
        self.proxy.write_config({"block": {"cookie-secret": "secret"}})
        self.proxy.write("secret", "0123456789abcdef0123456789abcdef\n")
        self.addCleanup(self.proxy.reload)
        self.addCleanup(self.proxy.write_config, {"allow": ["0.0.0.0/0", "::/0"]})
        self.proxy.reload()
        cookie = lambda received: dict(parse(received).options)[OPTION_COOKIE][:16]
        direct = cookie(self.italian4.ask(message))
        told = cookie(self.through(GERMAN_PROXY, proxied(ITALIAN4), message))
        self.assertEqual(direct, told)
        self.proxy.write_config({"allow": [GERMAN4, ITALIAN_PROXY]})
        self.proxy.reload()
        said = lambda client: parse(self.through(ITALIAN_PROXY, proxied(client), query(FREE)))
        self.assertEqual(said(ITALIAN4).rcode, REFUSED)
        self.assertEqual(said(GERMAN4).rcode, NOERROR)

    def test_the_order_of_the_tool_and_of_proxied_clients_is_one(self):
        for client in (ITALIAN4, GERMAN6):
            tool = self.proxy.tool("test", client, LISTED).returncode
            asked = verdict(self.through(ITALIAN_PROXY, proxied(client), query(LISTED)))
            self.assertEqual(tool == 3, asked == "block")


class Headers(ProxyTest):
    """What a header may look like, and what becomes of all else."""

    BAD = {
        "none": b"",
        "another signature": b"\r\n\r\n\0\r\nQUIT\r" + proxied(GERMAN4)[12:],
        "version 1": b"PROXY TCP4 5.9.0.1 192.0.2.53 4242 53\r\n",
        "version 3": proxied(GERMAN4)[:12] + b"\x31" + proxied(GERMAN4)[13:],
        "command 2": header_of(proxied(GERMAN4)[16:], command=2, family=INET, transport=2),
        "family 4": header_of(bytes(36), family=4, transport=2),
        "transport 3": header_of(bytes(36), family=INET, transport=3),
        "too short for its addresses": header_of(bytes(11), family=INET, transport=2),
        "IPv6 of IPv4's length": header_of(bytes(12), family=INET6, transport=2),
        "a TLV that is cut": proxied(GERMAN4, tlvs=tlv(4, b"1234")[:-1]),
        "two octets of a TLV": proxied(GERMAN4, tlvs=b"\x04\0"),
        "a wrong checksum": proxied(GERMAN4, tlvs=tlv(3, b"1234")),
        "a checksum of 5": proxied(GERMAN4, tlvs=tlv(3, bytes(5))),
        "too long": proxied(GERMAN4, tlvs=tlv(4, bytes(PROXY_MAX - 12 - 3 + 1))),
    }

    def test_what_is_no_header_is_refused(self):
        for label, header in self.BAD.items():
            with self.subTest(label):
                self.assert_silent(GERMAN_PROXY, header + query(LISTED), "proxy_malformed")
                octets = header + frame(query(LISTED)) + bytes(600)
                self.assert_closed(GERMAN_PROXY, octets, "proxy_malformed")

    def test_a_datagram_that_ends_in_its_header_is_refused(self):
        whole = proxied(GERMAN4)
        for size in (0, 1, 11, 12, 15, 16, 27):
            self.assert_silent(GERMAN_PROXY, whole[:size], "proxy_malformed")

    def test_the_longest_header_is_taken(self):
        header = proxied(GERMAN4, tlvs=tlv(4, bytes(PROXY_MAX - 12 - 3)))
        for how in ("udp", "tcp"):
            header = proxied(GERMAN4, how, tlv(4, bytes(PROXY_MAX - 12 - 3)))
            received = self.through(ITALIAN_PROXY, header, query(LISTED), how)
            self.assertEqual(verdict(received), "forward")

    def test_a_header_split_at_each_octet(self):
        octets = proxied(ITALIAN6, "tcp", tlv(0xE0, b"own")) + frame(query(LISTED, id=7))
        for at in range(1, len(octets)):
            with self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED)) as stream:
                stream.send_bytes(octets[:at])
                time.sleep(0.001)
                stream.send_bytes(octets[at:])
                self.assertEqual(verdict(stream.receive()), "block", at)

    def test_one_octet_at_a_time_with_two_queries_behind(self):
        with self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED)) as stream:
            for octet in proxied(ITALIAN4, "tcp") + frame(query(LISTED), query(LISTED)):
                stream.send_bytes(bytes([octet]))
            self.assertEqual([verdict(stream.receive()) for _ in range(2)], ["block"] * 2)

    def test_a_second_header_is_a_query_that_nobody_can_read(self):
        """Of opcode 1, by its signature."""
        second = proxied(GERMAN4) + query(LISTED)
        self.resolver.requests.clear()
        with self.client(ITALIAN_PROXY).udp((SERVER4, PROXIED)) as channel:
            channel.send(proxied(ITALIAN4) + second)
            self.eventually(lambda: self.resolver.requests, "forwarded as it is")
        self.assertEqual(self.resolver.requests[0].message[2:], second[2:])

    def test_a_header_that_trickles_ends_in_time(self):
        """Honest clients are served meanwhile. PROXY_INTAKE_MS is what it gets."""
        began = time.monotonic()
        with self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED)) as slow:
            header = proxied(ITALIAN4, "tcp", tlv(4, bytes(400)))
            for octet in header:
                try:
                    slow.send_bytes(bytes([octet]))
                except OSError:
                    break
                if time.monotonic() - began > 2:
                    break
                time.sleep(0.05)
                received = self.through(ITALIAN_PROXY, proxied(GERMAN4), query(FREE))
                self.assertEqual(verdict(received), "forward")
            self.assertTrue(slow.ends())


class Liars(ProxyTest):
    """Nobody gets another's country who is not trusted for just that."""

    def test_a_peer_that_is_not_trusted_is_not_heard(self):
        for liar in (ITALIAN4, GERMAN6, ITALIAN_ECS):
            for header in (proxied(GERMAN4), header_of(b"", command=LOCAL), b""):
                self.assert_silent(liar, header + query(FREE), "proxy_untrusted")
                before = self.count("proxy_untrusted")
                with self.client(liar).tcp(self.proxied_server(liar)) as stream:
                    self.assertTrue(stream.ends())
                self.assertEqual(self.count("proxy_untrusted"), before + 1)

    def test_a_listener_without_it_never_honours_a_header(self):
        """Not even of who is trusted: it is a query that cannot be read, of opcode 1."""
        message = proxied(GERMAN4) + query(LISTED)
        for liar in (self.italian4, self.client(ITALIAN_PROXY)):
            self.resolver.requests.clear()
            with liar.udp((SERVER4, 53)) as channel:
                channel.send(message)
                self.eventually(lambda: self.resolver.requests, "forwarded as it is")
                self.assertEqual(self.resolver.requests[0].message[2:], message[2:])
            self.assertEqual(verdict(liar.ask(query(LISTED))), "block")


OUTSIDE, INSIDE = 8853, 8854  # ports of TLS with the header before it, and in it


class Tls(ProxyTest):
    """PROXY headers before TLS, and as the first octets in it."""

    @classmethod
    def setUpClass(cls):
        secured = {"transport": "tls", "certificate": "tls/certificate", "key": "tls/key"}
        pair = dict(zip(("tls/certificate", "tls/key"), certificate()))
        cls.FILES = ProxyTest.FILES | pair
        cls.trusting = context()
        cls.CONFIG = CONFIG | {
            "limits": {"tcp-per-client": 8},
            "listen": [
                {"address": SERVER4, "port": 53},
                {"address": "::", "port": 853, **secured},
                {"address": "::", "port": OUTSIDE, "proxy-protocol": "yes", **secured},
                {"address": "::", "port": INSIDE, "proxy-protocol": "inside-tls", **secured},
                {"address": SERVER4, "port": INSIDE, "proxy-protocol": "inside-tls", **secured},
            ]
        }
        super().setUpClass()

    def secure(self, stream):
        """The stream goes on inside TLS."""
        stream.socket = self.trusting.wrap_socket(stream.socket)
        return stream

    def outside(self, header, *pieces):
        stream = self.client(GERMAN_PROXY).tcp((SERVER6, OUTSIDE))
        self.addCleanup(stream.close)
        stream.send_bytes(header)
        for piece in pieces:
            self.secure(stream).send_bytes(piece)
        return stream

    def inside(self, *pieces):
        stream = self.secure(self.client(GERMAN_PROXY).tcp((SERVER6, INSIDE)))
        self.addCleanup(stream.close)
        for piece in pieces:
            stream.send_bytes(piece)
        return stream

    def test_every_way_gives_the_same_verdict(self):
        message = query(LISTED, opt=opt())
        for client, expected in Verdicts.CLIENTS.items():
            header = proxied(client, "tcp", tlv(4, bytes(300)))
            before = self.outside(header, frame(message))
            within = self.inside(header + frame(message))
            with before, within:
                found = [verdict(stream.receive()) for stream in (before, within)]
            self.assertEqual(found, [expected] * 2, client)
        with self.secure(self.italian6.tcp((SERVER6, 853))) as direct:
            direct.send(message)
            self.assertEqual(verdict(direct.receive()), "block")

    def test_who_is_not_told_is_in_no_country(self):
        message = frame(query(UNKNOWN), query(LISTED))
        for stream in (self.outside(header_of(b""), message), self.inside(header_of(b""), message)):
            found = {verdict(stream.receive()) for _ in range(2)}
            self.assertEqual(found, {"block", "forward"})
        local = header_of(b"", command=LOCAL)
        for stream in (self.outside(local, message), self.inside(local, message)):
            self.assertEqual([verdict(stream.receive()) for _ in range(2)], ["forward"] * 2)

    def test_a_header_split_over_records(self):
        octets = proxied(ITALIAN4, "tcp") + frame(query(LISTED))
        stream = self.inside(*(bytes([octet]) for octet in octets))
        self.assertEqual(verdict(stream.receive()), "block")

    def test_what_is_no_header_is_refused(self):
        for header in (frame(query(LISTED)), *Headers.BAD.values()):
            before = self.count("proxy_malformed")
            stream = self.inside(header + bytes(600))
            self.assertTrue(self.ended(stream), header)
            self.eventually(lambda: self.count("proxy_malformed") == before + 1, header)

    def ended(self, stream):
        try:
            return stream.ends()
        except ssl.SSLError:
            return True

    def test_a_header_at_the_wrong_place(self):
        """Before TLS where it belongs inside, and the other way round."""
        with self.client(GERMAN_PROXY).tcp((SERVER6, INSIDE)) as stream:
            stream.send_bytes(proxied(ITALIAN4, "tcp"))
            self.assertRaises(OSError, self.secure, stream)
        with self.client(GERMAN_PROXY).tcp((SERVER6, OUTSIDE)) as stream:
            self.assertRaises(OSError, self.secure, stream)

    def test_who_is_not_trusted_does_not_get_as_far_as_tls(self):
        for port in (OUTSIDE, INSIDE):
            with self.italian6.tcp((SERVER6, port)) as stream:
                self.assertTrue(stream.ends())

    def test_dnsdist(self):
        """Which sends the header inside TLS, and so its health checks."""
        before = self.count("proxy_malformed")
        tls = ', tls="openssl", validateCertificates=false'
        dnsdist = Dnsdist(self.site, INSIDE, tls)
        self.addCleanup(dnsdist.stop)
        dnsdist.start()
        for how in ("udp", "tcp"):
            for client, expected in ((self.italian4, "block"), (self.german4, "forward")):
                received = client.ask(query(LISTED, opt=opt()), how, dnsdist.server)
                self.assertEqual(verdict(received), expected, how)
        self.assertEqual(self.count("proxy_malformed"), before)

    def test_the_quota_is_the_true_clients(self):
        header = proxied(ITALIAN6, "tcp") + frame(query(FREE))
        streams = [self.inside(header) for _ in range(8)]
        for stream in streams:
            self.assertEqual(verdict(stream.receive()), "forward")
        self.assertTrue(self.ended(self.inside(header)))


class Dnsdist(Process):
    """A load balancer of DNS before the daemon: by PROXY, as its documentation has it."""

    name = "dnsdist"

    def __init__(self, site, port=PROXIED, options=""):
        super().__init__(site)
        self.server = (SERVER4_OTHER, 5353)
        (self.folder / "dnsdist.conf").write_text(
            f"""\
setLocal("{SERVER4_OTHER}:5353")
addACL("0.0.0.0/0")
newServer{{address="{SERVER4}:{port}", source="{SERVER4}", useProxyProtocol=true,
           checkInterval=1, checkName="{FREE}."{options}}}
setSecurityPollSuffix("")
"""
        )

    def start(self):
        conf = str(self.folder / "dnsdist.conf")
        self.launch("dnsdist", "--supervised", "--disable-syslog", "-C", conf)
        self.wait_for_answer(self.server, query(FREE), NOERROR)


class Haproxy(Process):
    """A load balancer of TCP before the daemon."""

    name = "haproxy"
    exit_statuses = (0, 143, -15)

    def __init__(self, site):
        super().__init__(site)
        self.server = (SERVER4_OTHER, 5354)
        (self.folder / "haproxy.cfg").write_text(
            f"""\
defaults
    mode tcp
    timeout connect 60s
    timeout client 60s
    timeout server 60s
listen dns
    bind {SERVER4_OTHER}:5354
    server plain {SERVER4}:{PROXIED} source {SERVER4} send-proxy-v2 check inter 1s
listen dns-with-more
    bind {SERVER4_OTHER}:5355
    server more {SERVER4}:{PROXIED} source {SERVER4} send-proxy-v2 proxy-v2-options crc32c,unique-id
"""
        )

    def start(self):
        self.launch("haproxy", "-db", "-q", "-f", str(self.folder / "haproxy.cfg"))
        beside = self.site.beside(self.server)

        def answers():
            self.check_alive()
            try:
                return beside.ask(query(FREE), "tcp")
            except (OSError, EOFError):
                return False

        eventually(answers, lambda: f"haproxy\n{self.log_tail()}")


class RealSenders(ProxyTest):
    def test_dnsdist(self):
        """By datagrams and streams, with its health checks, which are LOCAL."""
        dnsdist = Dnsdist(self.site)
        self.addCleanup(dnsdist.stop)
        dnsdist.start()
        for how in ("udp", "tcp"):
            for client, expected in ((self.italian4, "block"), (self.german4, "forward")):
                received = client.ask(query(LISTED, opt=opt()), how, dnsdist.server)
                self.assertEqual(verdict(received), expected, how)
        self.assertRegex(dnsdist.log(), "Marking downstream .* as 'up'")
        self.assertNotIn("as 'down'", dnsdist.log())
        self.assertEqual(self.count("proxy_malformed"), 0)

    def test_haproxy(self):
        haproxy = Haproxy(self.site)
        self.addCleanup(haproxy.stop)
        haproxy.start()
        for port in (5354, 5355):
            for client, expected in ((self.italian4, "block"), (self.german4, "forward")):
                for _ in range(4):  # more than tcp-per-client of one peer, if it were counted
                    received = client.ask(query(LISTED, opt=opt()), "tcp", (SERVER4_OTHER, port))
                    self.assertEqual(verdict(received), expected, port)

    def test_kdig(self):
        for how, (client, expected) in itertools.product(
            ("+notcp", "+tcp"), ((ITALIAN4, "REFUSED"), (GERMAN4, "NOERROR"))
        ):
            with self.site.clients:
                said = subprocess.run(
                    ["kdig", "-b", ITALIAN_PROXY, f"@{SERVER4}", "-p", str(PROXIED), how,
                     f"+proxy={client}#4242-{SERVER4}#53", LISTED],
                    stdout=subprocess.PIPE, text=True, timeout=30, check=True,
                ).stdout  # fmt: skip
            self.assertEqual(re.findall(r"status: (\w+)", said), [expected])


class Quota(ProxyTest):
    """tcp-per-client is 3 here: of the true client, and of no trusted peer."""

    def open(self, client):
        stream = self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED))
        self.addCleanup(stream.close)
        stream.send_bytes(proxied(client, "tcp") + frame(query(FREE)))
        return stream

    def test_it_is_the_true_clients(self):
        for client in (ITALIAN4, GERMAN4):
            for stream in [self.open(client) for _ in range(3)]:
                self.assertEqual(verdict(stream.receive()), "forward")
        self.assertTrue(self.open(ITALIAN4).ends())
        # And it is the same as without a proxy.
        with self.italian4.tcp() as direct:
            self.assertTrue(direct.ends())
        for header in (header_of(b""), header_of(b"", command=LOCAL)):
            streams = [self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED)) for _ in range(5)]
            for stream in streams:
                self.addCleanup(stream.close)
                stream.send_bytes(header + frame(query(FREE)))
            self.assertEqual([verdict(each.receive()) for each in streams], ["forward"] * 5)
        # Places come back.
        self.doCleanups()
        self.eventually(lambda: self.is_served(ITALIAN4), "a place is free again")

    def is_served(self, client):
        try:
            return verdict(self.open(client).receive()) == "forward"
        except (EOFError, OSError):
            return False

    def test_connections_that_wait_for_their_header_end_with_the_daemon(self):
        """And hold up neither it nor others."""
        streams = [self.client(GERMAN_PROXY).tcp((SERVER6, PROXIED)) for _ in range(50)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.send_bytes(proxied(ITALIAN4)[:20])
        received = self.through(ITALIAN_PROXY, proxied(GERMAN4, "tcp"), query(FREE), "tcp")
        self.assertEqual(verdict(received), "forward")



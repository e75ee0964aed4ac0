# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries that no order touches reach a real server and its answers come back: over both transports
and both families, from the address that was asked, for every type."""

import random
import signal

from dnsbytes import (
    DSO, NOTIMP, QR, TYPES, answer, header, message_id, opcode_flags, opt, parse, query, with_id,
)
from harness import (
    GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, MILAN, SERVER4, SERVER4_OTHER, SERVER6, SERVER6_OTHER,
    Daemon, Nsd, SiteTest,
)

TRANSPORTS = ("udp", "tcp")
TRANSFERS = {TYPES["AXFR"], TYPES["IXFR"]}

# One record of each type that NSD knows, and some that it knows by number alone.
ZONE = """\
$ORIGIN example.
$TTL 300
@       SOA     ns hostmaster 1 3600 600 86400 300
        NS      ns
        MX      10 mail
        TXT     "one text" "another"
        CAA     0 issue "ca.example"
        DNSKEY  257 3 13 q83vASNFZ4k=
        NSEC3PARAM 1 0 0 -
        CDS     12345 13 2 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789
        CDNSKEY 257 3 13 q83vASNFZ4k=
        CSYNC   66 3 A NS AAAA
        SPF     "v=spf1 -all"
        ZONEMD  1 1 240 ABCDEF0123456789ABCDEF0123456789
        SSHFP   1 1 ABCDEF0123456789ABCDEF0123456789ABCDEF01
        TLSA    3 1 1 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789
        SMIMEA  3 1 1 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789
        OPENPGPKEY q83vASNFZ4k=
        CERT    1 2 3 q83vASNFZ4k=
        DHCID   q83vASNFZ4k=
        KX      10 kx
        TYPE55  \\# 11 0402000301020304010203
        IPSECKEY 10 1 2 192.0.2.38 q83vASNFZ4k=
        KEY     256 3 13 q83vASNFZ4k=
        NSAP    0x47000580005a0000000001e133ffffff000161
        PX      10 map822 mapx400
        RP      mbox txt
        AFSDB   1 afsdb
        X25     "311061700956"
        ISDN    "150862028003217" "004"
        RT      10 rt
        HINFO   "CPU" "OS"
        MINFO   rmail email
        MB      mb
        MG      mg
        MR      mr
        TYPE11  \\# 8 c000020106000040
        TYPE27  \\# 6 013101320133
        LOC     52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
        TYPE31  \\# 3 010203
        TYPE32  \\# 3 010203
        NAPTR   100 50 "s" "http" "" _http._tcp
        APL     1:192.0.2.0/24
        L32     10 10.1.2.0
        L64     10 2001:0DB8:1140:1000
        LP      10 l64
        NID     10 0014:4fff:ff20:ee64
        EUI48   00-00-5e-00-53-2a
        EUI64   00-00-5e-ef-10-00-00-2a
        URI     10 1 "ftp://ftp.example/public"
        AVC     "app"
        SVCB    1 svc alpn=h2 port=8443
        HTTPS   1 . alpn=h2,h3 ipv4hint=192.0.2.80
        SRV     0 5 443 www
        PTR     www
        TYPE65534 \\# 4 01020304
@       A       192.0.2.80
        AAAA    2001:db8::80
www     A       192.0.2.81
        AAAA    2001:db8::81
alias   CNAME   www
tree    DNAME   other.example.
sub     NS      ns.sub
ns.sub  A       192.0.2.54
sub     DS      12345 13 2 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789
*.wild  TXT     "anything"
"""


class ForwardingTest(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nsd = Nsd(cls.site, zones={"example.": ZONE})
        cls.daemon = Daemon(cls.site, [cls.nsd], orders={"IT/milan.yaml": MILAN})
        cls.direct = cls.site.beside(cls.nsd.server)

    def assert_relayed(self, client, message, transport="udp", server=None):
        """The same answer as from the server itself, ID and all."""
        self.assertEqual(
            client.ask(message, transport, server=server), self.direct.ask(message, transport)
        )


class Paths(ForwardingTest):
    def test_every_client_and_transport(self):
        for client in (self.italian4, self.italian6, self.german4, self.german6):
            for transport in TRANSPORTS:
                with self.subTest(client=client.address, transport=transport):
                    self.assert_relayed(client, query("www.example", opt=opt()), transport)

    def test_a_refused_italian_stands_beside_an_answered_one(self):
        """The order is loaded: what is forwarded above is so although there is one."""
        refused = parse(self.italian4.ask(query("www.kickasstorrents.to")))
        self.assertEqual(refused.rcode, 5)

    def test_answers_leave_from_the_address_that_was_asked(self):
        """One wildcard listener, many addresses: connected client sockets take no other answer."""
        for address, servers in (
            (GERMAN4, (SERVER4, SERVER4_OTHER, "198.18.0.1")),
            (GERMAN6, (SERVER6, SERVER6_OTHER, "fd18::1")),
        ):
            for server in servers:
                for transport in TRANSPORTS:
                    with self.subTest(server=server, transport=transport):
                        self.assert_relayed(
                            self.client(address), query("example", "MX"), transport, (server, 53)
                        )

    def test_link_local_server_address(self):
        for transport in TRANSPORTS:
            self.assert_relayed(self.site.link_local_client(), query("www.example"), transport)

    def test_many_clients_at_once(self):
        """Interleaved queries of many addresses: each gets the answer to its own."""
        rng = random.Random(1)
        clients = [f"{first}.{i}.7.9" for first in (2, 5, 62, 93) for i in range(16)]
        channels = [self.client(address).udp() for address in clients]
        asked = []
        for channel in channels:
            message = query(f"host{rng.randrange(10**9)}.wild.example", "TXT")
            asked.append(message)
            channel.send(message)
        for channel, message in zip(channels, asked):
            self.assertEqual(channel.receive(), self.direct.ask(message))
            channel.close()

    def test_the_same_id_and_question_from_two_clients(self):
        message = query("www.example", id=4711)
        with self.client("5.9.0.1").udp() as one, self.client("5.9.0.2").udp() as other:
            one.send(message)
            other.send(message)
            self.assertEqual(one.receive(), other.receive())

    def test_dso_is_not_implemented(self):
        for client in (self.italian4, self.german4):
            for transport in TRANSPORTS:
                message = header(77, opcode_flags(DSO))
                answer = parse(client.ask(message, transport))
                self.assertEqual((answer.id, answer.rcode), (77, NOTIMP))
                self.assertEqual(answer.flags & QR, QR)


class Types(ForwardingTest):
    def test_every_type(self):
        """Each assigned type, and some that nobody knows, for names of every kind."""
        numbers = set(TYPES.values()) | set(range(1, 300)) | {1000, 32768, 65534, 65535}
        with self.german4.udp() as channel, self.direct.udp() as direct:
            for qname in ("example", "alias.example", "a.tree.example", "b.sub.example"):
                for number in sorted(numbers - TRANSFERS):
                    message = query(qname, number, opt=opt(do=number % 2))
                    channel.send(message)
                    direct.send(message)
                    self.assertEqual(channel.receive(), direct.receive(), (qname, number))

    def test_the_types_of_the_zone_have_answers(self):
        """What the comparison above compares is more than empty answers."""
        found = 0
        for number in set(range(1, 300)) - TRANSFERS:
            found += bool(parse(self.german4.ask(query("example", number))).section("answer"))
        self.assertGreaterEqual(found, 50)

    def test_truncation_is_the_resolvers_business(self):
        """An answer with TC=1 comes back as it is; over TCP the whole of it."""
        message = query("example", "ANY", id=7)
        self.assert_relayed(self.german4, message, "udp")
        self.assert_relayed(self.german4, message, "tcp")
        self.assert_relayed(self.italian6, with_id(message, 8), "tcp")


class Listeners(SiteTest):
    LISTEN = [
        {"address": SERVER4, "port": 53},
        {"address": SERVER4_OTHER, "port": 5353, "transport": ["udp"]},
        {"address": SERVER6, "port": 53, "transport": ["tcp"]},
        {"address": SERVER6_OTHER, "port": 5353},
    ]

    def test_several_listeners(self):
        upstream = self.upstream()
        self.daemon(upstream, config={"listen": self.LISTEN})
        for listen in self.LISTEN:
            server = (listen["address"], listen["port"])
            client = self.client(ITALIAN6 if ":" in server[0] else ITALIAN4)
            for transport in TRANSPORTS:
                with self.subTest(server=server, transport=transport):
                    if transport in listen.get("transport", TRANSPORTS):
                        answer = parse(client.ask(query("www.example"), transport, server))
                        self.assertEqual(answer.rcode, 0)
                    else:
                        with self.assertRaises(ConnectionRefusedError):
                            client.ask(query("www.example"), transport, server)

    def test_an_ipv6_upstream(self):
        upstream = self.upstream(address="::1", port=5301)
        self.daemon(upstream)
        for transport in TRANSPORTS:
            message = query("www.example")
            self.assertEqual(parse(self.italian4.ask(message, transport)).rcode, 0)
            self.assertEqual(upstream.requests[-1].message[2:], message[2:])

    def test_a_client_that_is_not_allowed(self):
        upstream = self.upstream()
        self.daemon(upstream, config={"allow": ["2.32.0.0/12", "2001:b07::/32"]})
        for client in (self.german4, self.german6):
            for transport in TRANSPORTS:
                answer = parse(client.ask(query("www.example", opt=opt()), transport))
                self.assertEqual((answer.rcode, answer.ede), (5, None))
        self.assertEqual(upstream.requests, [])
        self.assertEqual(parse(self.italian4.ask(query("www.example"))).rcode, 0)


class Ending(SiteTest):
    """SIGTERM and SIGINT: no more queries, but what is in flight is answered; then status 0."""

    def setUp(self):
        self.resolver = self.upstream(script=None)
        patient = {"upstream": {"retry-after": "60s", "timeout": "120s"}}
        self.proxy = self.daemon(self.resolver, config=patient)

    def end_with_queries_in_flight(self, number):
        with self.german4.udp() as channel, self.italian6.tcp() as stream:
            for asker in (channel, stream):
                asker.send(query("www.example", id=5))
            requests = [self.resolver.next() for _ in range(2)]
            self.proxy.signal(number)
            self.proxy.wait_for_log("stop")
            for request in requests:
                request.reply(answer(request.message))
            for asker in (channel, stream):
                self.assertEqual(message_id(asker.receive()), 5)
            self.assertTrue(stream.ends())
        self.assertEqual(self.proxy.wait(), 0)

    def test_sigterm(self):
        self.end_with_queries_in_flight(signal.SIGTERM)

    def test_sigint(self):
        self.end_with_queries_in_flight(signal.SIGINT)

    def test_a_resolver_that_never_answers_does_not_keep_it(self):
        with self.german4.udp() as channel:
            channel.send(query("www.example"))
            self.resolver.next()
            self.proxy.signal(signal.SIGTERM)
            self.assertEqual(self.proxy.wait(), 0)

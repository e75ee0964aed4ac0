# SPDX-License-Identifier: GPL-3.0-or-later
"""What the resolver behind gets to see: the client by a PROXY header or by ECS, or nothing; and DNS
over TLS towards it, with the certificate verified. Real resolvers, and scripted ones that show what
they were told."""

import ipaddress
import struct

from dnsbytes import (
    FORMERR, NOERROR, QR, RA, RD, REFUSED, SERVFAIL, TC, a, answer, header, opt, parse, query,
    question, rr, with_id,
)
from harness import GERMAN4, SERVER4, SiteTest, echo, silent
from quic import Quic, certificate
from resolvers import (
    ELSEWHERE, ITALY, LOCAL, TLS_PORT, Certificates, ProxiedUpstream, ProxyingDnsdist,
    ProxyingKresd, ProxyingRecursor, ProxyingUnbound, SubnetRecursor, TlsUpstream,
)

ECS = 8
NAME = "resolver.example"
PROXIED = {"workers": 1, "upstream": {"send-client": "proxy-protocol"}}
BOTH = ("udp", "tcp")


def ecs(network, scope=0, source=None):
    """(code, data) of an ECS option."""
    network = ipaddress.ip_network(network)
    bits = network.prefixlen if source is None else source
    family = 1 if network.version == 4 else 2
    octets = network.network_address.packed[: (bits + 7) // 8]
    return ECS, struct.pack("!HBB", family, bits, scope) + octets


def tls_server(peer, name=NAME):
    address, port = getattr(peer, "tls_server", getattr(peer, "server", peer))
    return {"address": address, "port": port, "transport": "tls", "tls-name": name}


def addresses(message):
    return [str(ipaddress.ip_address(record.rdata)) for record in parse(message).records]


class ViewTest(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = Certificates(cls.site.new_folder("certificates"))

    def tls_upstream(self, *names, **options):
        certificate = self.certificates.of(*(names or (NAME,)))
        return self._started(TlsUpstream(self.site.server, certificate, **options))

    def tls_daemon(self, *servers, **upstream):
        settings = {"servers": list(servers), "tls-ca": str(self.certificates.authority)}
        return self.daemon(config={"workers": 1, "upstream": {**settings, **upstream}})


class RealResolvers(ViewTest):
    """Each answers Italian clients with another address than all others."""

    def check_views(self):
        for client, expected in ((self.italian4, ITALY), (self.german4, ELSEWHERE)):
            for transport in BOTH:
                got = addresses(client.ask(query("www.example"), transport))
                self.assertEqual(got, [expected], f"{client.address} {transport}")

    def check(self, kind, address, tls=False):
        certificate = self.certificates.of(NAME) if tls else None
        peer = self._started(kind(self.site, address, certificate))
        daemon = self.daemon(peer, config=PROXIED)
        self.check_views()
        daemon.stop()
        if tls:
            self.tls_daemon(tls_server(peer), **PROXIED["upstream"])
            self.check_views()

    def test_unbound(self):
        self.check(ProxyingUnbound, "127.0.0.11", tls=True)

    def test_dnsdist(self):
        self.check(ProxyingDnsdist, "127.0.0.12", tls=True)

    def test_knot_resolver(self):
        self.check(ProxyingKresd, "127.0.0.13")

    def test_recursor(self):
        self.check(ProxyingRecursor, "127.0.0.14")

    def test_recursor_with_ecs(self):
        peer = self._started(SubnetRecursor(self.site, "127.0.0.15"))
        self.daemon(peer, config={"workers": 1, "upstream": {"send-client": "ecs"}})
        for client, network in (
            (self.italian4, b"2.32.0.0/24"),
            (self.german4, b"5.9.0.0/24"),
            (self.italian6, b"2001:b07::/56"),
        ):
            for number, transport in enumerate(BOTH):
                name = f"{network.hex()}.{number}.example"
                answered = parse(client.ask(query(name, "TXT"), transport))
                self.assertEqual([record.rdata[1:] for record in answered.records], [network])
                self.assertEqual(answered.opts, [])


class ProxyHeaders(ViewTest):
    def start(self, **changes):
        self.peer = self._started(ProxiedUpstream(self.site.server, "127.0.0.2"))
        return self.daemon(self.peer, config={**PROXIED, **changes})

    def test_both_ends_are_told(self):
        """On a wildcard listener too: the address that was asked."""
        self.start()
        for client in (self.italian4, self.german4, self.italian6):
            for transport in BOTH:
                with getattr(client, transport)() as channel:
                    port = channel.socket.getsockname()[1]
                    channel.send(query("www.example"))
                    self.assertEqual(parse(channel.receive()).rcode, NOERROR)
                told = self.peer.requests[-1].told
                server = client.server[0]
                self.assertEqual(told, (client.address, port, server, 53, transport))

    def test_both_ends_are_told_of_quic(self):
        pair = certificate(self.site.new_folder("pki"))
        quic = {"address": "0.0.0.0", "transport": ["quic"], **pair}
        self.start(listen=[{"address": "0.0.0.0"}, quic])
        for client in (self.italian4, self.german4):
            with Quic(client) as connection:
                connection.event("connected")
                received = connection.ask(query("www.example", id=0))
            self.assertEqual(parse(received).rcode, NOERROR)
            address, port, *server = self.peer.requests[-1].told
            self.assertEqual([address, *server], [client.address, client.server[0], 853, "tcp"])
            self.assertGreater(port, 0)

    def test_a_connection_speaks_for_one_client(self):
        """Queries of one connection share one; two clients never do."""
        self.start()
        with self.german4.tcp() as one, self.german4.tcp() as other, self.italian4.tcp() as third:
            for _ in range(3):
                for channel in (one, other, third):
                    channel.send(query("www.example"))
                    channel.receive()
            self.assertEqual(self.peer.connections, 3)
            self.assertEqual(len({request.told for request in self.peer.requests}), 3)

    def test_zone_transfers_tell_the_client(self):
        self.start()
        with self.german4.tcp() as channel:
            channel.send(query("example", "AXFR"))
            channel.receive()
            port = channel.socket.getsockname()[1]
            self.peer.hang_up()
            self.assertTrue(channel.ends())
        self.assertEqual(self.peer.requests[-1].told, (GERMAN4, port, SERVER4, 53, "tcp"))

    def test_a_retry_tells_the_same(self):
        first = self._started(ProxiedUpstream(self.site.server, "127.0.0.5", script=silent))
        self.peer = self._started(ProxiedUpstream(self.site.server, "127.0.0.2"))
        settings = {**PROXIED["upstream"], "balance": "first", "retry-after": "100ms"}
        self.daemon(first, self.peer, config={"upstream": settings})
        self.german4.ask(query("www.example"))
        self.assertEqual(first.requests[0].told, self.peer.requests[0].told)

    def test_health_checks_speak_for_nobody(self):
        settings = {**PROXIED["upstream"], "health-check": {"interval": "100ms"}}
        self.start(upstream=settings)
        self.eventually(lambda: len(self.peer.requests) > 2, "health checks")
        self.assertEqual({request.told for request in self.peer.requests}, {LOCAL})


class Subnets(ViewTest):
    """`send-client: ecs`, as the resolver and the client see it."""

    def start(self, script=None, **settings):
        self.peer = self.upstream(script=script)
        upstream = {"send-client": "ecs", **settings}
        return self.daemon(self.peer, config={"workers": 1, "upstream": upstream})

    def exchange(self, message, make_answer, client=None, transport="udp"):
        """(the query at the resolver, what the client got)."""
        with getattr(client or self.italian4, transport)() as channel:
            channel.send(message)
            request = self.peer.next()
            request.reply(make_answer(request.message))
            return request.message, channel.receive()

    def options_of(self, message):
        return parse(message).options

    def test_without_opt(self):
        """One is added, and taken away again."""
        self.start()
        record = rr("www.example", "A", 60, a("192.0.2.1"))
        for client, network in ((self.italian4, "2.32.0.0/24"), (self.italian6, "2001:b07::/56")):
            for transport in BOTH:
                message = query("www.example", id=7)
                extra = opt(options=[ecs(network, scope=16), (15, b"\0\x03stale")])
                at_peer, got = self.exchange(
                    message,
                    lambda asked: answer(asked, [record], additional=[extra]),
                    client,
                    transport,
                )
                self.assertEqual(self.options_of(at_peer), [ecs(network)])
                self.assertEqual(got, answer(message, [record]))

    def test_an_answer_that_is_too_long_is_cut(self):
        """It came with an OPT that said more than the client takes."""
        self.start()
        message = query("www.example", id=7)
        long = [rr("www.example", "TXT", 60, b"\xc8" + 200 * b"x")] * 3
        at_peer, got = self.exchange(
            message, lambda asked: answer(asked, long, additional=[opt()])
        )
        self.assertLess(parse(at_peer).opts[0].rclass, 600)
        self.assertEqual(got, answer(message, flags=QR | RA | TC))
        _, got = self.exchange(
            message, lambda asked: answer(asked, long, additional=[opt()]), transport="tcp"
        )
        self.assertEqual(got, answer(message, long))

    def test_with_opt(self):
        """The option is added to it; the answer's is removed, all else stays."""
        self.start()
        message = query("www.example", id=7, opt=opt(4000, do=True, options=[(10, b"12345678")]))
        cookie = (10, b"12345678abcdefgh")
        at_peer, got = self.exchange(
            message,
            lambda asked: answer(
                asked, additional=[opt(1400, options=[cookie, ecs("2.32.0.0/24", scope=24)])]
            ),
        )
        expected = opt(4000, do=True, options=[(10, b"12345678"), ecs("2.32.0.0/24")])
        self.assertEqual(with_id(at_peer, 7), query("www.example", id=7, opt=expected))
        self.assertEqual(got, answer(message, additional=[opt(1400, options=[cookie])]))

    def test_the_clients_own_is_replaced(self):
        """And repeated to it with a scope of its own size."""
        self.start()
        for own, told, scope, expected in (
            ("198.51.100.0/25", "2.32.0.0/24", 20, ecs("198.51.100.0/25", scope=25)),
            ("198.51.100.0/25", "2.32.0.0/24", 0, ecs("198.51.100.0/25")),
            ("2001:db8::/64", "2.32.0.0/24", 24, ecs("2001:db8::/64", scope=64)),
            ("2.32.0.0/16", "2.32.0.0/16", 24, ecs("2.32.0.0/16", scope=16)),  # tells less: kept
        ):
            message = query("www.example", id=7, opt=opt(options=[ecs(own)]))
            at_peer, got = self.exchange(
                message,
                lambda asked: answer(asked, additional=[opt(options=[ecs(told, scope=scope)])]),
            )
            self.assertEqual(self.options_of(at_peer), [ecs(told)], own)
            self.assertEqual(got, answer(message, additional=[opt(options=[expected])]), own)

    def test_what_is_left_alone(self):
        """Both ways, to the last octet."""
        self.start()
        tsig = rr("key.example", 250, 0, 20 * b"\0", rclass=255)
        sig0 = rr("", 24, 0, 20 * b"\0", rclass=255)
        rows = {
            "SOURCE 0": query("www.example", opt=opt(options=[ecs("0.0.0.0/0")])),
            "malformed": query("www.example", opt=opt(options=[(ECS, b"\0\x01\x18\0\x02")])),
            "TSIG": query("www.example", additional=[opt(), tsig]),
            "SIG(0)": query("www.example", additional=[sig0]),
            "class CH": query("version.bind", "TXT", qclass=3),
            "opcode STATUS": header(1, 2 << 11, 1) + question("example"),
            "two OPTs": query("www.example", additional=[opt(), opt()]),
            "version 1": query("www.example", opt=opt(version=1)),
            "tail": query("www.example", tail=b"\0"),
            "no question": header(1, RD),
        }
        for label, message in rows.items():
            given = lambda asked: answer(asked, additional=[opt(options=[ecs("0.0.0.0/0")])])
            at_peer, got = self.exchange(message, given, self.german4)
            self.assertEqual(at_peer[2:], message[2:], label)
            self.assertEqual(got, given(message), label)

    def test_a_refusal_is_asked_again_without(self):
        """RFC 7871 section 7.1.3: once, and the client gets what comes then."""
        for rcode in (REFUSED, FORMERR):
            self.peer = None
            daemon = self.start(
                script=lambda request: request.reply(
                    answer(request.message, rcode=rcode if parse(request.message).opts else NOERROR)
                )
            )
            self.assertEqual(parse(self.italian4.ask(query("www.example"))).rcode, NOERROR)
            self.assertEqual(len(self.peer.requests), 2)
            asked = query("www.example", id=9, opt=opt(options=[ecs("198.51.100.0/24")]))
            self.assertEqual(parse(self.italian4.ask(asked)).rcode, rcode)
            self.assertEqual(self.options_of(self.peer.requests[-1].message), [])
            self.assertEqual(len(self.peer.requests), 4)
            self.assertEqual(daemon.status()["subnet_refused"], 2)
            daemon.stop()
            self.peer.stop()

    def test_bits_are_configured(self):
        self.start(script=echo, **{"ecs-ipv4": 13, "ecs-ipv6": 33})
        self.client("2.47.255.255").ask(query("www.example"))
        self.assertEqual(self.options_of(self.peer.requests[-1].message), [ecs("2.40.0.0/13")])
        self.client("2001:b07:ffff::1").ask(query("www.example"))
        told = self.options_of(self.peer.requests[-1].message)
        self.assertEqual(told, [ecs("2001:b07:8000::/33")])


class Tls(ViewTest):
    def test_everything_goes_over_one_verified_connection(self):
        peer = self.tls_upstream()
        daemon = self.tls_daemon(tls_server(peer))
        for transport in BOTH:
            for client in (self.german4, self.italian6):
                message = query("www.example", id=5, opt=opt())
                self.assertEqual(client.ask(message, transport), answer(message))
        self.assertEqual(peer.connections, 1)
        self.assertEqual(peer.handshakes, [("dot", NAME, "TLSv1.3", False)])
        (upstream,) = daemon.status()["upstreams"]
        self.assertEqual((upstream["certificate"], upstream["tls_name"]), ("verified", NAME))

    def test_a_broken_connection_is_resumed(self):
        peer = self.tls_upstream()
        self.tls_daemon(tls_server(peer))
        self.german4.ask(query("www.example"))
        peer.hang_up()
        self.eventually(lambda: not peer._streams, "the connection has ended")
        self.german4.ask(query("www.example"))
        self.assertEqual([resumed for *_, resumed in peer.handshakes], [False, True])

    def test_queries_are_pipelined(self):
        peer = self.tls_upstream(script=None)
        self.tls_daemon(tls_server(peer))
        with self.german4.udp() as channel:
            for number in range(40):
                channel.send(query("www.example", id=number))
            requests = [peer.next() for _ in range(40)]
            for request in reversed(requests):
                request.reply(answer(request.message))
            self.assertEqual({parse(channel.receive()).id for _ in range(40)}, set(range(40)))
        self.assertEqual(peer.connections, 1)

    def test_a_long_answer_is_cut_for_udp(self):
        """To question and OPT, with TC=1: at the client's size, and at ours, whatever it says."""
        peer = self.tls_upstream(script=None)
        self.tls_daemon(tls_server(peer))
        records = [rr("www.example", "TXT", 60, b"\xc8" + 200 * b"x")] * 8
        for sent, count, cut in (
            (None, 2, False), (None, 3, True), (opt(1232), 3, False), (opt(1232), 8, True),
            (opt(65535), 8, True),
        ):
            message = query("www.example", id=5, opt=sent)
            extra = [opt(1300, options=[(15, b"\0\x03stale")])] if sent else []
            with self.german4.udp() as channel:
                channel.send(message)
                request = peer.next()
                request.reply(answer(request.message, records[:count], additional=extra))
                got = channel.receive()
            whole = answer(message, records[:count], additional=extra)
            expected = answer(message, flags=QR | RA | TC, additional=extra) if cut else whole
            self.assertEqual(got, expected, (sent, count))
            with self.german4.tcp() as channel:
                channel.send(message)
                request = peer.next()
                request.reply(answer(request.message, records[:count], additional=extra))
                self.assertEqual(channel.receive(), whole)

    def test_unbound(self):
        certificate, key = self.certificates.of(NAME)
        peer = self.unbound(
            data=["www.example. 300 A 192.0.2.80"],
            config=f"""
    interface: 127.0.0.3@{TLS_PORT}
    tls-port: {TLS_PORT}
    tls-service-pem: "{certificate}"
    tls-service-key: "{key}"
""",
        )
        self.tls_daemon(tls_server(("127.0.0.3", TLS_PORT)))
        for transport in BOTH:
            got = addresses(self.german4.ask(query("www.example"), transport))
            self.assertEqual(got, ["192.0.2.80"])
        peer.check_alive()

    def test_zone_transfers(self):
        peer = self.tls_upstream()
        self.tls_daemon(tls_server(peer))
        with self.german4.tcp() as channel:
            channel.send(message := query("example", "AXFR"))
            self.assertEqual(channel.receive(), answer(message))
            peer.hang_up()
            self.assertTrue(channel.ends())
        self.assertEqual(len(peer.requests), 1)


class TlsRefused(ViewTest):
    def refused(self, peer, name=NAME, **upstream):
        """No query gets there, and no client is left without an answer."""
        daemon = self.tls_daemon(tls_server(peer, name), **upstream)
        for transport in BOTH:
            for _ in range(3):
                answered = parse(self.german4.ask(query("www.example"), transport))
                self.assertEqual(answered.rcode, SERVFAIL)
        self.assertEqual(peer.requests, [])
        return daemon

    def test_a_wrong_name(self):
        daemon = self.refused(self.tls_upstream("other.example"))
        daemon.wait_for_log("certificate is refused")
        self.assertEqual(daemon.log().count("certificate is refused"), 1)
        status = daemon.status()
        self.assertEqual(status["upstreams"][0]["certificate"], "refused")
        self.assertGreater(status["upstream_unverified"], 0)

    def test_a_partial_wildcard(self):
        self.refused(self.tls_upstream("d*.resolver.example"), "dns.resolver.example")

    def test_a_wildcard(self):
        peer = self.tls_upstream("*.resolver.example")
        self.tls_daemon(tls_server(peer, "dns.resolver.example"))
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, NOERROR)

    def test_an_unknown_authority(self):
        peer = self.tls_upstream()
        stranger = Certificates(self.site.new_folder("stranger"))
        self.refused(peer, **{"tls-ca": str(stranger.authority)})

    def test_a_plain_server(self):
        """Nothing but a ClientHello reaches it."""
        heard = []
        peer = self.upstream(port=TLS_PORT, script=lambda request: heard.append(request))
        daemon = self.tls_daemon(tls_server(peer), timeout="400ms")
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, SERVFAIL)
        self.assertFalse([r for r in heard if b"\x03www\x07example" in r.message])
        self.assertEqual(daemon.status()["upstreams"][0]["certificate"], "untried")

    def test_the_next_server_is_asked(self):
        bad = self.tls_upstream("other.example", address="127.0.0.5")
        good = self.tls_upstream()
        self.tls_daemon(tls_server(bad), tls_server(good), balance="first")
        for transport in BOTH:
            for _ in range(5):
                answered = parse(self.german4.ask(query("www.example"), transport))
                self.assertEqual(answered.rcode, NOERROR)
        self.assertEqual(bad.requests, [])
        self.assertEqual(bad.connections, 1, "its certificate is not asked for with each query")

    def test_health_checks_verify(self):
        bad = self.tls_upstream("other.example", address="127.0.0.5")
        good = self.tls_upstream()
        check = {"interval": "100ms", "down-after": 2}
        daemon = self.tls_daemon(tls_server(bad), tls_server(good), **{"health-check": check})
        self.eventually(
            lambda: [server["up"] for server in daemon.status()["upstreams"]] == [False, True],
            "the first server is down",
        )
        self.assertTrue(good.requests)

    def test_a_silent_server(self):
        """One that never answers the handshake, then one that never answers the query."""
        good = self.tls_upstream()
        mute = self.upstream("127.0.0.5", TLS_PORT, script=silent, transports=("tcp",))
        deaf = self.tls_upstream(address="127.0.0.6", script=silent)
        for peer in (mute, deaf):
            settings = {"balance": "first", "retry-after": "200ms"}
            daemon = self.tls_daemon(tls_server(peer), tls_server(good), **settings)
            self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, NOERROR)
            daemon.stop()

    def test_authorities_that_cannot_be_read(self):
        upstream = {"servers": [tls_server(("127.0.0.2", TLS_PORT))], "tls-ca": "missing.pem"}
        daemon = self.daemon(config={"upstream": upstream}, start=False)
        self.assertEqual(daemon.run_to_end(), 1)
        self.assertIn("upstream.tls-ca", daemon.log())
        checked = daemon.tool("check")
        self.assertEqual(checked.returncode, 1)
        self.assertIn(f"upstream.tls-ca {daemon.folder}/missing.pem", checked.stdout)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients whose networks are told by EDNS Client Subnet (RFC 7871): by who may, and by liars."""

import itertools

from dnsbytes import EDE_CENSORED, OPTION_COOKIE, OPTION_ECS, opt, parse, query
from harness import ITALIAN4
from policytest import default_text
from proxytest import (
    FREE, GERMAN_ECS, GERMAN_PROXY, ITALIAN_ECS, ITALIAN_PROXY, LISTED, LOCAL, UNKNOWN, ProxyTest,
    ecs, header_of, proxied, verdict, with_ecs,
)


class Subnets(ProxyTest):
    """ECS of peers that may tell whose country counts (RFC 7871)."""

    def told(self, *options, qname=LISTED, peer=ITALIAN_ECS, how="udp", **keys):
        return verdict(self.client(peer).ask(with_ecs(qname, *options, **keys), how))

    def test_the_network_decides(self):
        rows = [
            (ecs("2.32.0.0", 24), "block"),
            (ecs("2.32.0.1", 32), "block"),
            (ecs("2.40.0.0", 13), "block"),
            (ecs("2.32.0.0", 12), "forward"),  # a part of it is excepted
            (ecs("2.0.0.0", 8), "forward"),  # Italy, and more
            (ecs("5.9.0.0", 24), "forward"),
            (ecs("2001:b07::", 56), "block"),
            (ecs("2001:b00::", 24), "forward"),
            (ecs("2a01:4f8::", 56), "forward"),
            (ecs("0.0.0.0", 0), "forward"),
            (ecs("::", 0), "forward"),
            (ecs("0.0.0.0", 0, family=0), "forward"),
            (ecs("2.32.77.0", 24), "forward"),  # half of it is excepted
            (ecs("2.32.77.128", 25), "block"),
        ]
        for data, expected in rows:
            for peer, how in itertools.product((ITALIAN_ECS, GERMAN_ECS), ("udp", "tcp")):
                self.assertEqual(self.told(data, peer=peer, how=how), expected, data)

    def test_nobody_knows_who_is_in_no_network(self):
        for data in (ecs("0.0.0.0", 0), ecs("2.0.0.0", 8), ecs("9.9.9.0", 24)):
            self.assertEqual(self.told(data, qname=UNKNOWN), "block")

    def test_what_is_malformed_tells_nobody(self):
        rows = [
            [ecs("2.32.0.0", 24, octets=4)],
            [ecs("2.32.0.0", 24, octets=2)],
            [ecs("2.32.0.1", 31)],
            [ecs("2.32.0.0", 33, octets=4)],
            [ecs("2.32.0.0", 24, family=3)],
            [ecs("2.32.0.0", 24, scope=24)],
            [b""],
            [b"\0\1\0"],
            [ecs("2.32.0.0", 24), ecs("5.9.0.0", 24)],
            [ecs("2.32.0.0", 24), ecs("2.32.0.0", 24)],
        ]
        for options in rows:
            for peer in (ITALIAN_ECS, GERMAN_ECS):
                self.assertEqual(self.told(*options, peer=peer), "forward", options)

    def test_a_message_that_cannot_be_read_is_nobodys(self):
        message = query(LISTED, opt=opt()[:-1])
        self.assert_forwarded(self.client(ITALIAN_ECS), message)
        two = query(LISTED, opt=opt(), additional=[opt()])
        self.assert_forwarded(self.client(ITALIAN_ECS), two)

    def test_without_it_the_peer_asks_for_itself(self):
        self.assertEqual(self.told(), "block")
        self.assertEqual(self.told(peer=GERMAN_ECS), "forward")

    def test_it_is_passed_on(self):
        for peer in (ITALIAN_ECS, GERMAN_ECS, ITALIAN4):
            self.assert_forwarded(self.client(peer), with_ecs(FREE, ecs("5.9.0.0", 24)))

    def test_a_block_answer_echoes_it(self):
        """With SCOPE = SOURCE, of whoever sent it (RFC 7871 section 7.2.1)."""
        rows = [ecs("2.32.0.0", 24), ecs("2.32.0.1", 32), ecs("2001:b07::", 56)]
        for data, peer in itertools.product(rows, (ITALIAN_ECS, ITALIAN4)):
            got = self.blocked(self.client(peer), with_ecs(LISTED, data))
            echoed = bytes([*data[:3], data[2], *data[4:]])
            self.assertEqual([d for code, d in got.options if code == OPTION_ECS], [echoed])
            self.assertEqual(got.ede, (EDE_CENSORED, default_text("IT-LISTED")))
        for data in (ecs("2.32.0.1", 24, octets=4), b"", ecs("2.32.0.0", 24, scope=24)):
            got = self.blocked(self.italian4, with_ecs(LISTED, data))
            self.assertEqual([d for code, d in got.options if code == OPTION_ECS], [])

    def test_an_answer_of_512_octets_still_has_room(self):
        long = ".".join(["x" * 63] * 3 + ["y" * 45, LISTED])
        options = [(OPTION_COOKIE, bytes(40)), (OPTION_ECS, ecs("2001:b07::", 128))]
        message = query(long, opt=opt(size=512, options=options))
        received = self.client(ITALIAN_ECS).ask(message)
        self.assertLessEqual(len(received), 512)
        got = parse(received)
        self.assertEqual({code for code, _ in got.options}, {OPTION_ECS, OPTION_COOKIE, 15})


class Liars(ProxyTest):
    """Nobody chooses his country by ECS."""

    def test_ecs_of_anybody_else_decides_nothing(self):
        networks = [ecs("2.32.0.0", 24), ecs("5.9.0.0", 24), ecs("::", 0), ecs("2a01:4f8::", 32)]
        for client, data in itertools.product((self.italian4, self.italian6), networks):
            self.assertEqual(verdict(client.ask(with_ecs(LISTED, data))), "block")
        for client, data in itertools.product((self.german4, self.german6), networks):
            self.assert_forwarded(client, with_ecs(LISTED, data))

    def test_who_is_proxied_is_not_trusted_for_what_his_proxy_is(self):
        german = with_ecs(LISTED, ecs("5.9.0.0", 24))
        received = self.through(ITALIAN_PROXY, proxied(ITALIAN4), german)
        self.assertEqual(verdict(received), "block")
        received = self.through(GERMAN_PROXY, header_of(b"", command=LOCAL), german)
        self.assertEqual(verdict(received), "forward")  # it is German itself

    def test_a_chain_of_trust(self):
        """A resolver with ECS behind a proxy."""
        for network, expected in (("2.32.0.0", "block"), ("5.9.0.0", "forward")):
            message = with_ecs(LISTED, ecs(network, 24))
            received = self.through(GERMAN_PROXY, proxied(ITALIAN_ECS), message)
            self.assertEqual(verdict(received), expected)

# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suites about orders share: orders as dicts, a resolver whose answers cannot be taken for
Bailiwick's own, and assertions about verdicts.

    class Something(PolicyTest):
        ORDERS = {"IT/some.yaml": order("IT-SOME", action="nxdomain", names=["some.example"])}
        def test_it(self):
            self.assert_forwarded(self.german4, query("some.example"))
            self.assertEqual(self.blocked(self.italian4, query("some.example")).rcode, NXDOMAIN)

The resolver and the daemon are started once a class. Forwarded means: the query's bytes reached the
resolver and the answer's bytes came back, both unchanged but for the ID.
"""

import os

from dnsbytes import QR, answer, parse, rr
from harness import Daemon, SiteTest
from mmdb import mmdb
from upstream import ScriptedUpstream

# E2E_LIGHT=1: fewer rounds of the same, for runs under sanitizers.
LIGHT = bool(os.environ.get("E2E_LIGHT"))
SEED = int(os.environ.get("SEED", "20220711"))
AUTHORITY = "Court of Examples"
TRANSPORTS = ("udp", "tcp")
BROKEN = "id: [\n"  # an order or a configuration with an error at 2:1

# A database and a configuration of which nothing is to be said, not even that it is old. Loaded in
# an instant, where the real database takes its time. What it says of Teredo, NAT64 and 6to4 is not
# to be believed, and EU is no country.
NETWORKS = {
    "2.32.0.0/12": "IT", "2001:b07::/32": "IT", "5.9.0.0/16": "DE", "2a01:4f8::/29": "DE",
    "90.0.0.0/9": "FR", "81.2.69.0/24": "UK", "46.99.0.0/16": "XK", "192.88.99.0/24": "EU",
    "2001::/32": "FR", "64:ff9b::/96": "FR", "64:ff9b:1::/48": "FR", "2002::/16": "FR",
}  # fmt: skip
BUILT = 1767225600  # 2026-01-01T00:00:00Z
SMALL = {"geo": {"database": "country.mmdb", "max-age": "3650d"}, "resolver-arpa": "nodata"}


def small_database(built=BUILT):
    return mmdb(NETWORKS, built=built)


def database_of_another_kind():
    return mmdb(NETWORKS, kind="Test-ASN", record=lambda _: {"organization": "Example"})


MARK = rr("answer.of.the.resolver", "TXT", 86400, b"\x08upstream")


def marked(request):
    """A script for ScriptedUpstream."""
    request.reply(answer(request.message, [MARK]))


def order(id, **keys):
    """An order as a dict; except_networks=… is the key except-networks."""
    given = {key.replace("_", "-"): value for key, value in keys.items()}
    return {"id": id, "authority": AUTHORITY, "issued": "2022-07-11", **given}


def default_text(id):
    return f"Blocked by order {id} of {AUTHORITY}"


class PolicyTest(SiteTest):
    ORDERS = {}
    FILES = {}
    CONFIG = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resolver = ScriptedUpstream(cls.site.server, "127.0.0.2", script=marked)
        cls.addClassCleanup(cls.resolver.stop)
        cls.proxy = Daemon(
            cls.site, [cls.resolver], orders=cls.ORDERS, files=cls.FILES, config=cls.CONFIG
        )

    @classmethod
    def in_scope(cls):
        """(client, transport): Italian, by IPv4 and IPv6, UDP and TCP."""
        return [(who, how) for who in (cls.italian4, cls.italian6) for how in TRANSPORTS]

    def blocked(self, client, message, transport="udp"):
        """The parsed answer, made by Bailiwick for exactly this query."""
        return self.parse_own(client.ask(message, transport), message)

    def parse_own(self, received, message):
        got = parse(received)
        self.assertEqual(received[:2], message[:2])
        self.assertTrue(got.flags & QR)
        self.assertEqual(got.size, len(received), "octets that no count accounts for")
        self.assertNotIn(b"\x08upstream", received, "this is the resolver's answer")
        return got

    def assert_forwarded(self, client, message, transport="udp"):
        before = len(self.resolver.requests)
        received = client.ask(message, transport)
        self.assertEqual(received, answer(message, [MARK]))
        self.assertEqual(
            [request.message[2:] for request in self.resolver.requests[before:]], [message[2:]]
        )

# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom an order binds and for which names: countries, groups, overrides and networks; exact names,
exceptions and lists; and which of two orders decides."""

from dnsbytes import EDE_CENSORED, NOERROR, NXDOMAIN, REFUSED, opt, parse, query, read_soa
from policytest import TRANSPORTS, PolicyTest, order


class Names(PolicyTest):
    ORDERS = {
        "IT/nx.yaml": order(
            "IT-NX",
            action="nxdomain",
            names=["part.example", "whole.example", "twice.example"],
            exact=["exact.example", "twice.example"],
            **{"except": ["free.part.example", "b.a.part.example"]},
        ),
        "IT/refused.yaml": order(
            "IT-R",
            names=["r-part.example"],
            exact=["r-exact.example"],
            **{"except": ["free.r-part.example"]},
        ),
        "IT/list.yaml": order(
            "IT-L", action="nxdomain", lists=[{"file": "list.txt", "format": "names"}]
        ),
        "IT/idn.yaml": order("IT-IDN", names=["bücher.example", "WWW.CAPS.EXAMPLE."]),
    }
    FILES = {
        "orders/IT/list.txt": "l-part.example # a comment\n"
        "=l-exact.example\n"
        "!free.l-part.example\n\n# end\n"
    }

    # name: rcode, or None when it is forwarded; are DS and DNSKEY forwarded?
    ROWS = {
        "whole.example": (NXDOMAIN, False),
        "x.whole.example": (NXDOMAIN, False),
        "exact.example": (NOERROR, True),
        "x.exact.example": (None, True),
        "twice.example": (NXDOMAIN, False),
        "x.twice.example": (NXDOMAIN, False),
        "part.example": (NOERROR, True),
        "free.part.example": (None, True),
        "x.free.part.example": (None, True),
        "other.part.example": (NXDOMAIN, False),
        "a.part.example": (NOERROR, True),
        "b.a.part.example": (None, True),
        "c.a.part.example": (NXDOMAIN, False),
        "r-part.example": (REFUSED, True),
        "x.r-part.example": (REFUSED, False),
        "free.r-part.example": (None, True),
        "r-exact.example": (REFUSED, True),
        "x.r-exact.example": (None, True),
        "l-part.example": (NOERROR, True),
        "x.l-part.example": (NXDOMAIN, False),
        "free.l-part.example": (None, True),
        "l-exact.example": (NOERROR, True),
        "x.l-exact.example": (None, True),
        "example": (None, True),
        "apart.example": (None, True),
        "part.example.org": (None, True),
        "xn--bcher-kva.example": (REFUSED, False),
        "a.xn--bcher-kva.example": (REFUSED, False),
        "www.caps.example": (REFUSED, False),
        "caps.example": (None, True),
    }

    def test_names_left_free(self):
        """Where free names lie below, nxdomain becomes nodata, and DS and DNSKEY are forwarded."""
        for qname, (rcode, keys_are_free) in self.ROWS.items():
            for client, transport in self.in_scope():
                for qtype in ("A", "DS", "DNSKEY", "NS", "SOA", "RRSIG", "CDS"):
                    with self.subTest(qname, qtype=qtype, transport=transport):
                        message = query(qname, qtype)
                        if rcode is None or (qtype in ("DS", "DNSKEY") and keys_are_free):
                            self.assert_forwarded(client, message, transport)
                        else:
                            self.assertEqual(self.blocked(client, message, transport).rcode, rcode)

    def test_the_matched_name_of_an_exact_one(self):
        message = query("exact.example")
        received = self.italian4.ask(message)
        (soa,) = parse(received).section("authority")
        self.assertEqual((soa.owner, read_soa(received, soa).mname), ("exact.example",) * 2)


class Precedence(PolicyTest):
    @staticmethod
    def make(id, effective=None, **keys):
        dates = {"effective": effective} if effective else {}
        return order(id, message=id, **dates, **keys)

    EARLY, LATE = "2022-01-01T00:00:00Z", "2023-01-01T00:00:00Z"
    ORDERS = {
        # Who decides is seen by the text of the answer, which is the order's id.
        "IT/longer-1.yaml": make("IT-LONGER-1", EARLY, names=["longer.example"]),
        "IT/longer-2.yaml": make("IT-LONGER-2", LATE, names=["www.longer.example"]),
        "IT/earlier-1.yaml": make("IT-EARLIER-1", LATE, names=["earlier.example"]),
        "IT/earlier-2.yaml": make("IT-EARLIER-2", EARLY, names=["earlier.example"]),
        "IT/undated.yaml": make("IT-UNDATED", None, names=["undated.example"]),
        "IT/dated.yaml": make("IT-DATED", "1990-01-01T00:00:00Z", names=["undated.example"]),
        "IT/smaller-1.yaml": make("IT-SMALLER-b", EARLY, names=["smaller.example"]),
        "IT/smaller-2.yaml": make("IT-SMALLER-B", EARLY, names=["smaller.example"]),
        "IT/excepted-1.yaml": make(
            "IT-EXCEPTED-1",
            EARLY,
            names=["excepted.example"],
            **{"except": ["free.excepted.example"]},
        ),
        "IT/excepted-2.yaml": make("IT-EXCEPTED-2", LATE, names=["excepted.example"]),
        "IT/shadow-1.yaml": make("IT-SHADOW-1", EARLY, names=["a.shadow.example"], action="shadow"),
        "IT/shadow-2.yaml": make("IT-SHADOW-2", LATE, names=["shadow.example"]),
        "IT/over-1.yaml": make(
            "IT-OVER-1", LATE, names=["a.over.example"], until="2023-06-01T00:00:00Z"
        ),
        "IT/over-2.yaml": make("IT-OVER-2", EARLY, names=["over.example"]),
        "EU/group.yaml": make("EU-GROUP", EARLY, names=["group.example"]),
        "IT/group.yaml": make("IT-GROUP", LATE, names=["group.example"], action="nxdomain"),
        "IT/kind-1.yaml": make("IT-KIND-1", LATE, exact=["kind.example"]),
        "IT/kind-2.yaml": make("IT-KIND-2", EARLY, names=["kind.example"]),
        "IT/list-1.yaml": make("IT-LIST-1", EARLY, lists=[{"file": "list.txt", "format": "names"}]),
        "IT/list-2.yaml": make("IT-LIST-2", LATE, names=["a.list.example"]),
    }
    FILES = {"orders/IT/list.txt": "list.example\n"}

    ROWS = {
        "longer.example": "IT-LONGER-1",
        "x.longer.example": "IT-LONGER-1",
        "www.longer.example": "IT-LONGER-2",
        "x.www.longer.example": "IT-LONGER-2",
        "earlier.example": "IT-EARLIER-2",
        "undated.example": "IT-UNDATED",
        "smaller.example": "IT-SMALLER-B",
        "excepted.example": "IT-EXCEPTED-1",
        "free.excepted.example": "IT-EXCEPTED-2",
        "a.shadow.example": "IT-SHADOW-2",
        "a.over.example": "IT-OVER-2",
        "group.example": "EU-GROUP",
        "kind.example": "IT-KIND-2",
        "a.kind.example": "IT-KIND-2",
        "a.list.example": "IT-LIST-2",
        "b.list.example": "IT-LIST-1",
    }

    def test_of_two_orders(self):
        for qname, winner in self.ROWS.items():
            for client, transport in self.in_scope():
                with self.subTest(qname, client=client.address, transport=transport):
                    got = self.blocked(client, query(qname, opt=opt()), transport)
                    self.assertEqual(got.ede, (EDE_CENSORED, winner))
        self.assertEqual(self.resolver.requests, [])


class Clients(PolicyTest):
    """Whom an order binds: by country, group, override and network."""

    CONFIG = {"geo": {"overrides": "overrides.csv"}}
    FILES = {
        "overrides.csv": "# RFC 8805\n"
        "5.9.7.0/24,IT,,,\n"
        "2.32.7.0/24,DE,,,\n"
        "2.32.8.0/24,,,,\n"
        "2001:b07:7::/48,DE\n"
        "2a01:4f8:7::/48,IT\n"
        "64:ff9b::/96,IT\n"
        "2001:0:1::/48,IT\n"
        "198.51.100.0/24,SM\n"
        "203.0.113.0/25,IT\n"
        "203.0.113.128/25,GB\n"
    }
    ORDERS = {
        "IT/it.yaml": order(
            "IT", names=["it.example"], except_networks=["2.32.5.0/24", "2001:b07:5::/48"]
        ),
        "IT/it-sm.yaml": order("IT-SM", scope=["IT", "SM"], names=["it-sm.example"]),
        "IT/unknown.yaml": order("IT-UNKNOWN", include_unknown="yes", names=["unknown.example"]),
        "EU/eu.yaml": order("EU", names=["eu.example"]),
        "EEA/eea.yaml": order("EEA", names=["eea.example"]),
        "GB/gb.yaml": order("GB", names=["gb.example"]),
    }

    # client: labels of the orders that bind it
    ROWS = {
        "2.32.0.1": "it it-sm unknown eu eea",
        "2001:b07::1": "it it-sm unknown eu eea",
        "5.9.0.1": "eu eea",
        "2a01:4f8::1": "eu eea",
        "90.0.0.1": "eu eea",  # France
        "2.32.5.1": "it-sm unknown eu eea",  # an excepted network
        "2.32.4.255": "it it-sm unknown eu eea",
        "2.32.6.0": "it it-sm unknown eu eea",
        "2001:b07:5::1": "it-sm unknown eu eea",
        "2001:b07:4:ffff::1": "it it-sm unknown eu eea",
        "5.9.7.1": "it it-sm unknown eu eea",  # overrides win
        "5.9.8.1": "eu eea",
        "2.32.7.1": "eu eea",
        "2.32.8.1": "unknown",  # an empty country means unknown
        "2001:b07:7::1": "eu eea",
        "2a01:4f8:7::1": "it it-sm unknown eu eea",
        "198.51.100.1": "it-sm",  # San Marino is in no group
        "203.0.113.1": "it it-sm unknown eu eea",
        "203.0.113.200": "gb",  # no longer in the EU
        "2002:220:1::1": "it it-sm unknown eu eea",  # 6to4 of 2.32.0.1
        "2002:220:501::1": "it-sm unknown eu eea",  # 6to4 of 2.32.5.1, which is excepted
        "2002:509:1::1": "eu eea",  # 6to4 of 5.9.0.1
        "2002:509:701::1": "it it-sm unknown eu eea",  # 6to4 of an overridden one
        "64:ff9b::509:1": "it it-sm unknown eu eea",  # NAT64, by overrides
        "64:ff9b:1::220:1": "unknown",  # NAT64 without an override
        "2001:0:1::1": "it it-sm unknown eu eea",  # Teredo, by overrides
        "2001:0:2::220:1": "unknown",
        "fd00::1": "unknown",
        "10.1.2.3": "unknown",
    }
    LABELS = ("it", "it-sm", "unknown", "eu", "eea", "gb")

    def test_who_is_bound(self):
        for address, row in self.ROWS.items():
            for label in self.LABELS:
                for transport in TRANSPORTS:
                    with self.subTest(address, label=label, transport=transport):
                        message = query(f"{label}.example")
                        if label in row.split():
                            self.blocked(self.client(address), message, transport)
                        else:
                            self.assert_forwarded(self.client(address), message, transport)

    def test_mapped_addresses(self):
        """No socket here has such an address; the tool can be asked."""
        for address, country in (
            ("::ffff:2.32.0.1", "IT"),
            ("::ffff:5.9.0.1", "DE"),
            ("::ffff:5.9.7.1", "IT"),
        ):
            done = self.proxy.tool("country", "--json", address)
            self.assertIn(f'"country":"{country}"', done.stdout)

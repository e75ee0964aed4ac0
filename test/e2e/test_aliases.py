# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks that look at answers, and the action cname, in front of a real resolver (Unbound, which
follows aliases itself) and a real authoritative server (NSD, for transfers): blocked in Italy, the
same octets elsewhere."""

import json
import unittest

from dnsbytes import (
    EDE_CENSORED, EDE_FORGED, NOERROR, REFUSED, SERVFAIL, TC, TYPES, a, aaaa, answer, name,
    opt, parse, query, question, rr, with_id,
)
from harness import Daemon, SiteTest, Unbound
from policytest import TRANSPORTS, default_text, order

BLOCKED4, BLOCKED6 = "203.0.113.7", "2001:db8:7::7"
MANY = "\n".join(f"many A 198.51.100.{i}" for i in range(1, 60))

ZONE = f"""\
$ORIGIN test.
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A {BLOCKED4}
free A 192.0.2.1
bad A 192.0.2.2
www.bad A 192.0.2.3
fine.bad A 192.0.2.4
one CNAME two
two CNAME three
three CNAME www.bad
excepted CNAME bad
tofine CNAME fine.bad
nx A 192.0.2.5
tonx CNAME nx
tonothing CNAME gone.bad
alone A 192.0.2.6
below.alone A 192.0.2.7
tobelow CNAME below.alone
d DNAME bad
dd DNAME alone
dfree DNAME sub.free
x.sub.free A 192.0.2.9
addressed A 192.0.2.8
addressed A {BLOCKED4}
addressed6 AAAA {BLOCKED6}
mapped AAAA ::ffff:{BLOCKED4}
nat64 AAAA 64:ff9b::{BLOCKED4}
hinted HTTPS 1 . alpn=h2 ipv4hint=192.0.2.8,{BLOCKED4}
hinted6 HTTPS 1 . ipv6hint={BLOCKED6}
served HTTPS 1 www.bad alpn=h2
aliased HTTPS 0 bad
unhinted HTTPS 1 . ipv4hint=192.0.2.8
mailed MX 10 bad
drop A 192.0.2.10
todrop CNAME drop
shadow A 192.0.2.11
toshadow CNAME shadow
led A 192.0.2.12
toled CNAME led
page A 192.0.2.80
page AAAA 2001:db8::80
page TXT "the page"
chainpage CNAME page
longled A 192.0.2.13
{MANY}
"""

LOOKS = {"aliases": "yes"}
EXCEPT = {"except": ["fine.bad.test", "excepted.test"]}
ORDERS = {
    "IT/bad.yaml": order("IT-BAD", names=["bad.test"], **EXCEPT, **LOOKS),
    "IT/nx.yaml": order("IT-NX", action="nxdomain", names=["nx.test"], **LOOKS),
    "IT/alone.yaml": order("IT-ALONE", exact=["alone.test"], **LOOKS),
    "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.test"], **LOOKS),
    "IT/shadow.yaml": order("IT-SHADOW", action="shadow", names=["shadow.test"], **LOOKS),
    "IT/led.yaml": order(
        "IT-LED", action="cname", target="chainpage.test", names=["led.test"], **LOOKS
    ),
    "IT/long.yaml": order("IT-LONG", action="cname", target="many.test", names=["longled.test"]),
    "IT/net.yaml": order(
        "IT-NET", action="nodata", answers=[f"{BLOCKED4}/32", "2001:db8:7::/48"]
    ),
}


class Answers(SiteTest):
    # qname, type: order and rcode, for what an Italian client gets
    BLOCKED = [
        ("one.test", "A", "IT-BAD", REFUSED),
        ("two.test", "AAAA", "IT-BAD", REFUSED),
        ("three.test", "CNAME", "IT-BAD", REFUSED),
        ("tonothing.test", "A", "IT-BAD", REFUSED),
        ("www.d.test", "A", "IT-BAD", REFUSED),
        ("served.test", "HTTPS", "IT-BAD", REFUSED),
        ("aliased.test", "HTTPS", "IT-BAD", REFUSED),
        ("tonx.test", "A", "IT-NX", NOERROR),
        ("addressed.test", "A", "IT-NET", NOERROR),
        ("addressed6.test", "AAAA", "IT-NET", NOERROR),
        ("mapped.test", "AAAA", "IT-NET", NOERROR),
        ("nat64.test", "AAAA", "IT-NET", NOERROR),
        ("hinted.test", "HTTPS", "IT-NET", NOERROR),
        ("hinted6.test", "HTTPS", "IT-NET", NOERROR),
    ]
    FREE = [
        ("free.test", "A"), ("excepted.test", "A"), ("tofine.test", "A"), ("tobelow.test", "A"),
        ("below.dd.test", "A"), ("x.dfree.test", "A"), ("unhinted.test", "HTTPS"),
        ("mailed.test", "MX"), ("test", "NS"), ("toshadow.test", "A"), ("gone.test", "A"),
    ]  # fmt: skip

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.site.new_folder("zone")
        (folder / "test.zone").write_text(ZONE)
        cls.resolver = cls.start_resolver(folder / "test.zone")
        cls.proxy = Daemon(cls.site, [cls.resolver], orders=ORDERS)

    @classmethod
    def start_resolver(cls, zone):
        resolver = Unbound(
            cls.site,
            config=f"""\
    local-zone: "test." transparent
    minimal-responses: no
    rrset-roundrobin: no
auth-zone:
    name: "test."
    zonefile: "{zone}"
    for-upstream: yes
    for-downstream: no
""",
        )
        cls.addClassCleanup(resolver.stop)
        return resolver

    def direct(self, message, transport):
        return self.site.beside(self.resolver.server).ask(message, transport)

    def assert_same(self, client, message, transport):
        """What the resolver says, octet for octet; its TTLs may fall in between."""
        received = None
        for _ in range(20):
            before = self.direct(message, transport)
            received = client.ask(message, transport)
            if before == self.direct(message, transport):
                self.assertEqual(received, before)
                return
        self.fail("the resolver changes its mind at each query")

    def test_blocked_in_italy(self):
        for qname, qtype, id, rcode in self.BLOCKED:
            for client in (self.italian4, self.italian6):
                for transport in TRANSPORTS:
                    with self.subTest(qname, client=client.address, transport=transport):
                        message = query(qname, qtype, opt=opt())
                        received = client.ask(message, transport)
                        got = parse(received)
                        self.assertEqual(received[:2], message[:2])
                        self.assertEqual(got.rcode, rcode)
                        self.assertEqual(got.section("answer"), [])
                        self.assertEqual(got.ede, (EDE_CENSORED, default_text(id)))
                        if rcode == NOERROR:  # the qname owns the SOA: names below it are free
                            self.assertEqual(
                                [record.owner for record in got.section("authority")], [qname]
                            )

    def test_unchanged_elsewhere(self):
        for qname, qtype, *_ in self.BLOCKED:
            for client in (self.german4, self.german6):
                for transport in TRANSPORTS:
                    with self.subTest(qname, client=client.address, transport=transport):
                        self.assert_same(client, query(qname, qtype, opt=opt()), transport)

    def test_unchanged_where_nothing_is_meant(self):
        for qname, qtype in self.FREE:
            for client in (self.italian4, self.german4):
                for transport in TRANSPORTS:
                    with self.subTest(qname, client=client.address, transport=transport):
                        self.assert_same(client, query(qname, qtype, opt=opt()), transport)

    def test_drop(self):
        for qname in ("drop.test", "todrop.test"):
            with self.italian4.udp() as channel:
                channel.send(query(qname))
                self.assertTrue(channel.is_silent())
            with self.italian4.tcp() as stream:
                stream.send(query(qname), query("free.test", id=77))
                self.assertEqual(parse(stream.receive()).id, 77)
                self.assertTrue(stream.is_silent())

    def test_counters(self):
        before = self.proxy.status()
        for client in (self.italian4, self.german4):
            for qname in ("one.test", "todrop.test", "toshadow.test", "free.test"):
                with client.udp() as channel:
                    channel.send(query(qname))
                    if qname != "todrop.test" or client is self.german4:
                        channel.receive()
        self.eventually(
            lambda: self.proxy.status()["answers_read"] == before["answers_read"] + 4,
            "four answers are read: those of the Italian client",
        )
        after = self.proxy.status()
        grown = {key: after[key] - before[key] for key in after if isinstance(after[key], int)}
        self.assertEqual(grown["blocked_answers"], 2)
        self.assertEqual(grown["blocked"], 2)
        self.assertEqual(grown["would_block"], 1)
        self.assertEqual(grown["answers_unreadable"], 0)
        self.assertEqual(after["by_order"]["IT-BAD"], before["by_order"].get("IT-BAD", 0) + 1)

    def test_the_tool_agrees(self):
        rows = [
            (["www.bad.test"], "block", "IT-BAD"),
            (["free.test", "nx.test", "bad.test"], "block", "IT-NX"),
            ([BLOCKED4], "block", "IT-NET"),
            (["free.test", "192.0.2.1"], "forward", None),
        ]
        for links, verdict, id in rows:
            options = [word for link in links for word in ("--answer", link)]
            done = self.proxy.tool("test", "--json", *options, "2.32.0.1", "one.test")
            got = json.loads(done.stdout)
            self.assertEqual((got["verdict"], got["order"]), (verdict, id), links)
            self.assertTrue(got["reads_answer"])

    # ---- the action cname

    def test_cname(self):
        """By the name itself and by an alias of it; chainpage.test is an alias of page.test."""
        chain = [(TYPES["CNAME"], "chainpage.test"), (TYPES["CNAME"], "page.test")]
        data = {"A": a("192.0.2.80"), "AAAA": aaaa("2001:db8::80"), "TXT": b"\x08the page"}
        for qname in ("led.test", "toled.test"):
            for qtype, expected in data.items():
                for transport in TRANSPORTS:
                    with self.subTest(qname, qtype=qtype, transport=transport):
                        received = self.italian4.ask(query(qname, qtype, opt=opt()), transport)
                        got = parse(received)
                        self.assertEqual(got.rcode, NOERROR)
                        self.assertEqual(got.question, question(qname, qtype))
                        self.assertEqual(got.ede, (EDE_FORGED, default_text("IT-LED")))
                        owners = [record.owner for record in got.section("answer")]
                        self.assertEqual(owners, [qname, "chainpage.test", "page.test"])
                        types = [record.type for record in got.section("answer")]
                        self.assertEqual(types[:2], [kind for kind, _ in chain])
                        self.assertEqual(got.section("answer")[2].rdata, expected)
                        self.assert_same(self.german4, query(qname, qtype, opt=opt()), transport)

    def test_cname_alone(self):
        for qtype in ("CNAME", "ANY"):
            got = parse(self.italian4.ask(query("led.test", qtype), "tcp"))
            (record,) = got.section("answer")
            self.assertEqual((record.owner, record.type), ("led.test", TYPES["CNAME"]))
            self.assertEqual(record.rdata, name("chainpage.test"))

    def test_nothing_at_the_target(self):
        got = parse(self.italian4.ask(query("led.test", "MX")))
        self.assertEqual(got.rcode, NOERROR)
        self.assertEqual([r.owner for r in got.section("answer")], ["led.test", "chainpage.test"])
        self.assertEqual([r.type for r in got.section("authority")], [TYPES["SOA"]])

    def test_too_long_for_udp(self):
        got = parse(self.italian4.ask(query("longled.test")))
        self.assertTrue(got.flags & TC)
        self.assertEqual(got.records, [])
        got = parse(self.italian4.ask(query("longled.test"), "tcp"))
        self.assertEqual(len(got.section("answer")), 60)


class Transfers(SiteTest):
    def test_axfr(self):
        nsd = self.nsd(zones={"test": ZONE.replace("$ORIGIN test.\n", ""), "clean": CLEAN})
        self.daemon(nsd, orders=ORDERS, config={"limits": {"tcp-idle": "1s"}})

        def transfer(client, zone):
            with client.tcp() as stream:
                stream.send(query(zone, "AXFR", id=5))
                return stream.receive()

        beside = self.site.beside(nsd.server)
        self.assertEqual(transfer(self.german4, "test"), transfer(beside, "test"))
        self.assertEqual(transfer(self.italian4, "clean"), transfer(beside, "clean"))
        # A zone whose records lead to what is blocked: by the first of them in the zone's order.
        got = parse(transfer(self.italian4, "test"))
        self.assertEqual(got.section("answer"), [])


CLEAN = """\
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
one CNAME ns
"""


class Hostile(SiteTest):
    """A resolver whose answers cannot be read: forwarded as they are, and counted in scope only."""

    def test_forwarded_unchanged(self):
        rubbish = [
            lambda m: answer(m, [rr("x.test", "A", 60, b"\1\2\3")]),
            lambda m: answer(m, [rr("x.test", "CNAME", 60, b"\xc0\x0c\xff")])[:-4],
            lambda m: answer(m) + b"\xff" * 40,
            lambda m: answer(m)[:6] + b"\xff" * 6 + answer(m)[12:],
            lambda m: answer(m, [name("x") + b"\0\5\0\1\0\0\0\0\0\2\xc0\x25"]),
        ]
        current = []
        upstream = self.upstream(script=lambda request: request.reply(current[0](request.message)))
        daemon = self.daemon(upstream, orders=ORDERS)
        for client in (self.german4, self.italian4):
            for make in rubbish:
                current[:] = [make]
                message = query("x.test")
                for transport in TRANSPORTS:
                    self.assertEqual(client.ask(message, transport), make(message))
            read = 0 if client is self.german4 else 2 * len(rubbish)
            self.assertEqual(daemon.status()["answers_read"], read)
        self.assertEqual(daemon.status()["answers_unreadable"], 2 * (len(rubbish) - 1))
        self.assertEqual(daemon.status()["blocked"], 0)

    def test_a_target_that_is_not_answered(self):
        upstream = self.upstream(script=lambda request: request.reply(answer(request.message)[:14]))
        self.daemon(upstream, orders=ORDERS, config={"upstream": {"timeout": "300ms"}})
        message = query("led.test", opt=opt())
        got = parse(self.italian4.ask(message))
        self.assertEqual((got.rcode, got.ede), (SERVFAIL, (23, "")))


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""What rules of response policy zones have in place of an order's action: local data, an alias, and
that a client is to come by TCP; to clients that ask for structured errors, and to those that do not."""

import json

from dnsbytes import (
    EDE_CENSORED, EDE_FORGED, NOERROR, NXDOMAIN, TC, TYPES, a, aaaa, name, opt, parse, query, question,
    read_soa,
)
from policytest import PolicyTest, default_text, order

YXDOMAIN = 6
SDE = [(26, b"")]
TEXTS = b"\x05by or\x03der"
LONG = b"".join(b"\xff" + b"t" * 255 for _ in range(4))  # more than 512 octets take
LONG_TEXT = " ".join('"' + "t" * 255 + '"' for _ in range(4))

ZONE = f"""$ORIGIN rpz.example.
$TTL 300
@ SOA ns.rpz.example. nobody.rpz.example. 1 3600 600 86400 300
@ NS ns.rpz.example.
local.example A 192.0.2.80
local.example A 192.0.2.81
local.example AAAA 2001:db8::80
local.example TXT "by or" "der"
*.local.example A 192.0.2.90
long.example TXT {LONG_TEXT}
alias.example CNAME garden.example.
deep.example CNAME *.garden.example.
*.deep.example CNAME *.garden.example.
both.example CNAME .
*.both.example A 192.0.2.91
none.example CNAME .
*.none.example CNAME rpz-passthru.
tcp.example CNAME rpz-tcp-only.
"""


class LocalData(PolicyTest):
    FILES = {"orders/IT/it.rpz": ZONE}
    ORDERS = {"IT/zone.yaml": order("IT-ZONE", lists=[{"file": "it.rpz", "format": "rpz"}])}
    CONFIG = {"upstream": {"retry-after": "60s", "timeout": "120s"}}  # each is asked once

    def records(self, got):
        return [(record.type, record.ttl, record.rdata) for record in got.section("answer")]

    def test_records_of_the_type_asked_for(self):
        a_s = [(TYPES["A"], 60, a(f"192.0.2.8{host}")) for host in (0, 1)]
        aaaas = [(TYPES["AAAA"], 60, aaaa("2001:db8::80"))]
        texts = [(TYPES["TXT"], 60, TEXTS)]
        rows = {"A": a_s, "AAAA": aaaas, "TXT": texts, "ANY": a_s + aaaas + texts, "MX": []}
        for client, transport in self.in_scope():
            for type, expected in rows.items():
                with self.subTest(type, client=client.address, transport=transport):
                    message = query("Local.Example", type, opt=opt(4096))
                    got = self.blocked(client, message, transport)
                    self.assertEqual((got.rcode, got.flags & TC), (NOERROR, 0))
                    self.assertEqual(got.ede, (EDE_FORGED, default_text("IT-ZONE")))
                    self.assertCountEqual(self.records(got), expected)
                    self.assertEqual(len(got.section("authority")), not expected)

    def test_a_wildcard_has_data_of_its_own(self):
        got = self.blocked(self.italian4, query("www.local.example"))
        self.assertEqual(self.records(got), [(TYPES["A"], 60, a("192.0.2.90"))])

    def test_a_name_and_all_below_it_with_rules_of_their_own(self):
        """As BIND answers; but a name below which all passes exists, or RFC 8020 would block it."""
        for client, transport in self.in_scope():
            got = self.blocked(client, query("both.example"), transport)
            self.assertEqual((got.rcode, self.records(got)), (NXDOMAIN, []))
            got = self.blocked(client, query("a.b.both.example"), transport)
            self.assertEqual(got.rcode, NOERROR)
            self.assertEqual(self.records(got), [(TYPES["A"], 60, a("192.0.2.91"))])
            got = self.blocked(client, query("none.example"), transport)
            self.assertEqual((got.rcode, self.records(got)), (NOERROR, []))
            self.assert_forwarded(client, query("www.none.example"), transport)

    def test_what_is_too_long_for_udp_is_there_by_tcp(self):
        message = query("long.example", "TXT", opt=opt(1200))
        self.assertEqual(self.records(self.blocked(self.italian4, message)), [(16, 60, LONG)])
        message = query("long.example", "TXT")
        got = self.blocked(self.italian4, message)
        self.assertEqual((got.flags & TC, self.records(got)), (TC, []))
        got = self.blocked(self.italian4, message, "tcp")
        self.assertEqual((got.flags & TC, self.records(got)), (0, [(16, 60, LONG)]))

    def test_nothing_is_forged_for_who_asks_for_structured_errors(self):
        expected = {"j": default_text("IT-ZONE"), "l": "en"}
        for client, transport in self.in_scope():
            # Names below all but the first are free, so they may not be said not to exist.
            for qname, type in (("local.example", "A"), ("long.example", "TXT"), ("alias.example", "A")):
                with self.subTest(qname, client=client.address, transport=transport):
                    message = query(qname, type, opt=opt(options=SDE))
                    received = client.ask(message, transport)
                    got = self.parse_own(received, message)
                    self.assertIn(got.rcode, (NXDOMAIN, NOERROR))
                    self.assertEqual(got.rcode == NXDOMAIN, qname == "local.example")
                    self.assertEqual(got.ede[0], EDE_CENSORED)
                    self.assertEqual(json.loads(got.ede[1]), expected)
                    self.assertEqual(got.section("answer"), [])
                    (soa,) = got.section("authority")
                    self.assertEqual(read_soa(received, soa).mname, qname)

    def test_an_alias_and_what_upstream_says_of_its_target(self):
        for client, transport in self.in_scope():
            with self.subTest(client=client.address, transport=transport):
                self.resolver.forget()
                received = client.ask(query("alias.example", opt=opt()), transport)
                got = parse(received)
                first, second = got.section("answer")
                self.assertEqual((got.rcode, got.question), (NOERROR, question("alias.example")))
                self.assertEqual(first[1:5], ("alias.example", TYPES["CNAME"], 1, 60))
                self.assertEqual(first.rdata, name([b"garden", b"example"]))
                self.assertEqual(second.owner, "answer.of.the.resolver")
                self.assertEqual(got.ede, (EDE_FORGED, default_text("IT-ZONE")))
                (request,) = self.resolver.requests
                self.assertEqual(parse(request.message).question, question("garden.example"))

    def test_a_wildcard_takes_the_name_in(self):
        for client, transport in self.in_scope():
            with self.subTest(client=client.address, transport=transport):
                self.resolver.forget()
                got = parse(client.ask(query("WWW.deep.example", opt=opt()), transport))
                first, second = got.section("answer")
                self.assertEqual((got.rcode, first[1:5]),
                                 (NOERROR, ("www.deep.example", TYPES["CNAME"], 1, 60)))  # fmt: skip
                target = name([b"www", b"deep", b"example", b"garden", b"example"])
                self.assertEqual(first.rdata, target)
                self.assertEqual(second.owner, "answer.of.the.resolver")
                (request,) = self.resolver.requests
                self.assertEqual(parse(request.message).question,
                                 question("www.deep.example.garden.example"))  # fmt: skip
        self.assert_forwarded(self.german4, query("www.deep.example"))

    def test_a_wildcard_that_becomes_too_long(self):
        labels = ".".join("a" * 57 for _ in range(4))
        for type in ("A", "CNAME", "ANY"):
            message = query(f"{labels}.deep.example", type, opt=opt())
            got = self.blocked(self.italian4, message)
            self.assertEqual((got.rcode, got.section("answer")), (YXDOMAIN, []))
            self.assert_forwarded(self.german4, message)

    def test_by_tcp_alone(self):
        for options in ([], SDE):
            message = query("tcp.example", opt=opt(options=options))
            got = self.blocked(self.italian4, message)
            self.assertEqual((got.rcode, got.flags & TC, got.ede), (NOERROR, TC, None))
            self.assertEqual(got.section("answer") + got.section("authority"), [])
            self.assert_forwarded(self.italian4, message, "tcp")
            self.assert_forwarded(self.german4, message)

    def counts(self):
        status = self.proxy.status()
        return status["blocked"], status["by_order"].get("IT-ZONE", 0)

    def test_what_counts_as_blocked(self):
        message = query("tcp.example")
        before = self.counts()
        parse(self.italian4.ask(message, "tcp"))
        self.assertEqual(self.counts(), before)
        parse(self.italian4.ask(message))
        self.assertEqual(self.counts(), tuple(count + 1 for count in before))

    def test_the_tool_shows_it(self):
        tool = lambda *words: self.proxy.tool("test", self.italian4.address, *words).stdout
        self.assertIn("Answer      NOERROR, truncated\n", tool("tcp.example"))
        said = tool("local.example", "TXT")
        self.assertIn("Answer      NOERROR, EDE 4 (Forged Answer): ", said)
        self.assertIn('TXT\t"by or" "der"\n', said)
        self.assertIn("Structured  NXDOMAIN, EDE 16 (Censored)\n", said)
        self.assertIn("CNAME\tgarden.example.", tool("alias.example"))
        said = tool("deep.example")
        self.assertIn("CNAME\tdeep.example.garden.example.", said)
        self.assertIn("what upstream says of deep.example.garden.example\n", said)

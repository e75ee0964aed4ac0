# SPDX-License-Identifier: GPL-3.0-or-later
"""Structured errors (draft-ietf-dnsop-structured-dns-error): who asks for them, what is told, what
goes when it does not fit; and that dig, kdig and the operator's tool read the same."""

import itertools
import json
import re
import subprocess

from dnsbytes import (
    EDE_CENSORED, EDE_FORGED, FORMERR, NOERROR, NXDOMAIN, OPTION_COOKIE, OPTION_EDE, REFUSED, TC, a,
    opt, parse, query, read_soa,
)
from harness import SERVER4
from policytest import AUTHORITY, PolicyTest, default_text, order

OPTION_SDE = 26
SDE = [(OPTION_SDE, b"")]
OLD_SIGNAL = [(OPTION_EDE, b"\0\0")]  # of drafts before SDE: INFO-CODE 0, no text
MESSAGE = "Bloccato per ordine del \"Tribunale\" \\ Milano. È così. 🚫"
CONTACTS = ["mailto:abuse@example.net", "tel:+390212345", "https://example.net/" + "b" * 170]
COOKIES = [(OPTION_COOKIE, bytes(40))]
ORGANIZATION = "Example Networks"
LONG = "x" * 200


def object_of(got):
    """The EXTRA-TEXT as an object, of whose names none comes twice; minified."""
    code, text = got.ede

    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), text
        return dict(pairs)

    found = json.loads(text, object_pairs_hook=unique)
    assert text == json.dumps(found, ensure_ascii=False, separators=(",", ":")), text
    return code, found


class Structured(PolicyTest):
    CONFIG = {"block": {"contact": CONTACTS, "organization": ORGANIZATION}}
    ORDERS = {
        "IT/refused.yaml": order("IT-REFUSED", names=["refused.example"]),
        "IT/told.yaml": order(
            "IT-TOLD",
            action="nxdomain",
            names=["told.example"],
            message=MESSAGE,
            public_record={"lumen": "12345", "other": "a/b"},
        ),
        "IT/long.yaml": order("IT-LONG", names=["long.example"], message=LONG),
        "IT/address.yaml": order(
            "IT-ADDRESS", action="address", addresses=["192.0.2.80"], names=["address.example"]
        ),
        "IT/part.yaml": order(
            "IT-PART",
            action="address",
            addresses=["192.0.2.80"],
            names=["part.example"],
            **{"except": ["free.part.example"]},
        ),
        "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.example"]),
        "IT/sealed.yaml": order(
            "IT-SEALED",
            names=["sealed.example"],
            disclose="no",
            message=MESSAGE,
            public_record={"lumen": "1"},
        ),
    }
    WHO = {"c": CONTACTS}

    def told(self, text, language):
        return {**self.WHO, "j": text, "o": ORGANIZATION, "l": language}

    def test_who_asks_is_told(self):
        databases = [{"db": "lumen", "id": "12345"}, {"db": "other", "id": "a/b"}]
        rows = {
            "refused.example": (REFUSED, self.told(default_text("IT-REFUSED"), "en")),
            "www.told.example": (NXDOMAIN, {**self.told(MESSAGE, "und"), "fdbs": databases}),
        }
        for client, transport in self.in_scope():
            for signal in (SDE, OLD_SIGNAL, [(OPTION_SDE, b"ignored")], SDE + OLD_SIGNAL):
                for qname, (rcode, expected) in rows.items():
                    with self.subTest(qname, client=client.address, signal=signal):
                        message = query(qname, opt=opt(4096, options=signal))
                        got = self.blocked(client, message, transport)
                        self.assertEqual(got.rcode, rcode)
                        self.assertEqual(object_of(got), (EDE_CENSORED, expected))
                        self.assertEqual([code for code, _ in got.options], [OPTION_EDE])

    def test_who_does_not_ask_gets_plain_text(self):
        for options in ([], [(OPTION_EDE, b"\0\1")], [(OPTION_EDE, b"\0\0x")], [(27, b"")]):
            message = query("told.example", opt=opt(4096, options=options))
            got = self.blocked(self.italian4, message)
            self.assertEqual(got.ede, (EDE_CENSORED, MESSAGE), options)

    def test_nothing_is_forged(self):
        plain = self.blocked(self.italian4, query("address.example", opt=opt()))
        self.assertEqual((plain.rcode, plain.ede[0]), (NOERROR, EDE_FORGED))
        self.assertEqual([record.rdata for record in plain.section("answer")], [a("192.0.2.80")])
        for qname, rcode in (("address.example", NXDOMAIN), ("part.example", NOERROR)):
            for type in ("A", "AAAA", "MX", "HTTPS"):
                message = query(qname, type, opt=opt(options=SDE))
                received = self.italian6.ask(message)
                got = self.parse_own(received, message)
                self.assertEqual(got.rcode, rcode)
                self.assertEqual(object_of(got)[0], EDE_CENSORED)
                self.assertEqual(got.section("answer"), [])
                (soa,) = got.section("authority")
                self.assertEqual(read_soa(received, soa).mname, qname)

    def test_the_free_name_below_is_forwarded(self):
        self.assert_forwarded(self.italian4, query("free.part.example", opt=opt(options=SDE)))

    def test_a_sealed_order_tells_nothing(self):
        for signal in (SDE, OLD_SIGNAL):
            message = query("sealed.example", opt=opt(options=signal))
            self.assertEqual(self.blocked(self.italian4, message).ede, (EDE_CENSORED, ""))

    def test_dropped_is_dropped(self):
        with self.italian4.udp() as socket:
            socket.send(query("drop.example", opt=opt(options=SDE)))
            self.assertTrue(socket.is_silent())

    def test_two_opts_are_a_format_error(self):
        message = query("told.example", opt=opt(options=SDE) + opt(options=SDE))
        message = message[:10] + b"\0\2" + message[12:]
        got = self.blocked(self.italian4, message)
        self.assertEqual((got.rcode, got.ede), (FORMERR, None))

    def test_other_clients_and_names_are_forwarded(self):
        for signal in (SDE, OLD_SIGNAL):
            self.assert_forwarded(self.german4, query("told.example", opt=opt(options=signal)))
            self.assert_forwarded(self.italian4, query("free.example", opt=opt(options=signal)))

    def test_what_does_not_fit(self):
        """First the message, the organization and their language go, then all; never with TC."""
        whole = self.told(LONG, "und")
        size_of = lambda found: len(json.dumps(found, separators=(",", ":")))
        left = set()
        for labels, size in itertools.product(range(4), (512, 600, 700, 1232)):
            with self.subTest((labels, size)):
                qname = ("y" * 63 + ".") * labels + "long.example"
                message = query(qname, opt=opt(size, options=SDE + COOKIES))
                room = size - (12 + len(qname) + 2 + 4 + 11 + 4 + 40 + 6)
                fits = [found for found in (whole, self.WHO) if size_of(found) <= room]
                received = self.italian4.ask(message)
                got = parse(received)
                self.assertLessEqual(len(received), size)
                self.assertEqual(got.flags & TC, 0)
                if fits:
                    self.assertEqual(object_of(got), (EDE_CENSORED, fits[0]))
                else:
                    self.assertEqual(got.ede, (EDE_CENSORED, ""))
                left.add(len(fits))
                stream = self.blocked(self.italian4, message, "tcp")
                self.assertEqual(object_of(stream), (EDE_CENSORED, whole))
        self.assertEqual(left, {0, 1, 2})

    def test_it_is_there_as_soon_as_there_is_room(self):
        qname = ("y" * 63 + ".") * 3 + "told.example"
        message = lambda size: query(qname, opt=opt(size, options=SDE))
        whole = len(self.italian4.ask(message(1400)))
        self.assertGreater(whole, 513)
        for size in (whole - 1, whole, whole + 1):
            _, found = object_of(self.blocked(self.italian4, message(size)))
            self.assertEqual({"j", "o", "l"} <= set(found), size >= whole)

    def client_says(self, *command):
        with self.site.clients:
            return subprocess.run(
                [*command], stdout=subprocess.PIPE, text=True, timeout=30, check=True
            ).stdout

    def test_dig_and_kdig_read_it(self):
        here = ("-b", self.italian4.address, f"@{SERVER4}", "refused.example")
        expected = self.told(default_text("IT-REFUSED"), "en")
        for asked in ("+ednsopt=26", "+ednsopt=15:0000"):
            said = self.client_says("dig", *here, asked)
            self.assertIn("status: REFUSED", said)
            (text,) = re.findall(r"EDE: 16 \(Censored\): \((.*)\)$", said, re.MULTILINE)
            self.assertEqual(json.loads(text), expected)
            said = self.client_says("kdig", *here, asked)
            (text,) = re.findall(r"EDE: 16 \(Censored\): '(.*)'$", said, re.MULTILINE)
            self.assertEqual(json.loads(text.replace('\\"', '"')), expected)
        whole = json.loads(self.client_says("kdig", *here, "+ednsopt=26", "+json"))
        self.assertEqual((whole["RCODE"], whole["TC"]), (REFUSED, 0))

    def test_the_tool_says_what_is_told(self):
        said = self.proxy.tool("test", self.italian4.address, "told.example").stdout
        shown = "Bloccato per ordine del \"Tribunale\" \\ Milano. È così. 🚫"
        self.assertIn(f"Answer      NXDOMAIN, EDE 16 (Censored): {shown}\n", said)
        self.assertIn(
            "Structured  NXDOMAIN, EDE 16 (Censored)\n"
            f"            contact: {', '.join(CONTACTS)}\n"
            f"            justification: {shown}\n"
            f"            organization: {ORGANIZATION}\n"
            "            language: und\n"
            "            public record: lumen 12345, other a/b\n",
            said,
        )
        said = self.proxy.tool("test", "--json", self.italian4.address, "told.example").stdout
        got = json.loads(said)
        self.assertEqual(got["ede_text"], shown)
        self.assertEqual(
            got["structured_error"],
            {
                "c": CONTACTS,
                "j": shown,
                "o": ORGANIZATION,
                "l": "und",
                "fdbs": [{"db": "lumen", "id": "12345"}, {"db": "other", "id": "a/b"}],
            },
        )
        said = self.proxy.tool("test", "--json", self.italian4.address, "free.example").stdout
        got = json.loads(said)
        self.assertEqual((got["ede_text"], got["structured_error"]), (None, None))


class Bare(PolicyTest):
    """Nothing is configured, and the order says nothing but what it must."""

    ORDERS = {"IT/refused.yaml": order("IT-REFUSED", names=["refused.example"])}

    def test_what_is_not_known_is_not_told(self):
        got = self.blocked(self.italian4, query("refused.example", opt=opt(options=SDE)))
        text = f"Blocked by order IT-REFUSED of {AUTHORITY}"
        self.assertEqual(object_of(got), (EDE_CENSORED, {"j": text, "l": "en"}))

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client gets when an order binds it, and when one does not: actions, header, SOA, EDE, OPT,
cookies and sizes, who is bound, for which names, and when."""

import ipaddress
import itertools
import struct
import time

from dnsbytes import (
    AA, AD, CD, EDE_CENSORED, EDE_FORGED, FORMERR, NOERROR, NXDOMAIN, OPTION_COOKIE,
    OPTION_KEEPALIVE, OPTION_PADDING, QR, RA, RD, REFUSED, TC, TYPES, Z, a, aaaa, name, opt, parse,
    query, question, read_soa,
)
from harness import GERMAN4, ITALIAN4, ITALIAN6
from policytest import TRANSPORTS, PolicyTest, default_text, order

MESSAGE = "Blocked for clients in Italy by order of the court. " + "x" * 148  # 200 octets
ADDRESSES = ["192.0.2.80", "2001:db8::80", "192.0.2.81"]
LONGEST = [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 46]  # 239 octets, to be put before LONG_TAIL
LONG_TAIL = "l.example"
SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")  # of RFC 9018 appendix A
CLIENT_COOKIE = bytes.fromhex("2464c4abcf10c957")


def rfc3339(instant):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(instant))


def siphash24(key, data):
    """SipHash-2-4, as its paper has it."""
    mask = (1 << 64) - 1
    rotate = lambda word, by: (word << by | word >> (64 - by)) & mask

    def rounds(count, v0, v1, v2, v3):
        for _ in range(count):
            v0 = v0 + v1 & mask
            v2 = v2 + v3 & mask
            v1 = rotate(v1, 13) ^ v0
            v3 = rotate(v3, 16) ^ v2
            v0 = rotate(v0, 32) + v3 & mask
            v2 = v2 + v1 & mask
            v1 = rotate(v1, 17) ^ v2
            v3 = rotate(v3, 21) ^ v0
            v2 = rotate(v2, 32)
        return v0, v1, v2, v3

    k0, k1 = struct.unpack("<QQ", key)
    state = [
        k ^ word
        for k, word in zip((k0, k1) * 2, struct.unpack(">4Q", b"somepseudorandomlygeneratedbytes"))
    ]
    padded = data.ljust(len(data) // 8 * 8 + 7, b"\0") + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        state[3] ^= word
        state = list(rounds(2, *state))
        state[0] ^= word
    state[2] ^= 255
    v0, v1, v2, v3 = rounds(4, *state)
    return struct.pack("<Q", v0 ^ v1 ^ v2 ^ v3)


def server_cookie(client_cookie, head, address, secret):
    """RFC 9018 section 4.4; head is version, reserved octets and timestamp."""
    packed = ipaddress.ip_address(address).packed
    return head + siphash24(secret, client_cookie + head + packed)


class Actions(PolicyTest):
    ORDERS = {
        "IT/refused.yaml": order(
            "IT-REFUSED", action="refused", names=["refused.example"], message=MESSAGE
        ),
        "IT/nxdomain.yaml": order("IT-NXDOMAIN", action="nxdomain", names=["nxdomain.example"]),
        "IT/nodata.yaml": order(
            "IT-NODATA", action="nodata", names=["nodata.example"], message="Nothing here."
        ),
        "IT/address.yaml": order(
            "IT-ADDRESS",
            action="address",
            addresses=ADDRESSES,
            names=["address.example"],
            message="Look there.",
        ),
        "IT/four.yaml": order(
            "IT-FOUR", action="address", addresses=["192.0.2.90"], names=["four.example"]
        ),
        "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.example"]),
        "IT/shadow.yaml": order("IT-SHADOW", action="shadow", names=["shadow.example"]),
        "IT/sealed.yaml": order(
            "IT-SEALED", names=["sealed.example"], disclose="no", message="Nobody may read this."
        ),
        "IT/sealed-address.yaml": order(
            "IT-SEALED-ADDRESS",
            action="address",
            addresses=["192.0.2.91"],
            names=["sealed-address.example"],
            disclose="no",
        ),
    }

    # name below it: rcode, answers to A, an SOA?, EDE
    ROWS = {
        "refused.example": (REFUSED, [], False, (EDE_CENSORED, MESSAGE)),
        "nxdomain.example": (NXDOMAIN, [], True, (EDE_CENSORED, default_text("IT-NXDOMAIN"))),
        "nodata.example": (NOERROR, [], True, (EDE_CENSORED, "Nothing here.")),
        "address.example": (
            NOERROR,
            [a(ADDRESSES[0]), a(ADDRESSES[2])],
            False,
            (EDE_FORGED, "Look there."),
        ),
        "four.example": (NOERROR, [a("192.0.2.90")], False, (EDE_FORGED, default_text("IT-FOUR"))),
        "sealed.example": (REFUSED, [], False, (EDE_CENSORED, "")),
        "sealed-address.example": (NOERROR, [a("192.0.2.91")], False, (EDE_FORGED, "")),
    }

    def each_row(self):
        """Every row for every in-scope client and transport, at the name and below it."""
        for listed, row in self.ROWS.items():
            for client, transport in self.in_scope():
                for qname in (listed, f"www.{listed}", f"a.b.C.{listed.upper()}"):
                    with self.subTest(qname, client=client.address, transport=transport):
                        yield listed, row, client, transport, qname

    def test_each_action(self):
        for listed, (rcode, answers, has_soa, ede), client, transport, qname in self.each_row():
            message = query(qname, opt=opt())
            got = self.blocked(client, message, transport)
            self.assertEqual(got.rcode, rcode)
            self.assertEqual(got.question, question(qname))
            self.assertEqual(got.ede, ede)
            self.assertEqual([record.rdata for record in got.section("answer")], answers)
            for record in got.section("answer"):
                self.assertEqual(record[:5], ("answer", qname.lower(), TYPES["A"], 1, 60))
            self.assertEqual(len(got.section("authority")), has_soa)
            self.assertEqual(got.section("additional"), [])
        self.assertEqual(self.resolver.requests, [])

    def test_the_soa_names_the_matched_name(self):
        for listed, (_, _, has_soa, _), client, transport, qname in self.each_row():
            if has_soa:
                message = query(qname)
                received = client.ask(message, transport)
                (soa,) = self.parse_own(received, message).section("authority")
                self.assertEqual(soa[:5], ("authority", listed, TYPES["SOA"], 1, 60))
                fields = read_soa(received, soa)
                self.assertEqual((fields.mname, fields.rname), (listed, "nobody.invalid"))
                self.assertEqual(fields.minimum, 60)

    def test_without_opt_no_opt(self):
        for _, (rcode, answers, has_soa, _), client, transport, qname in self.each_row():
            got = self.blocked(client, query(qname), transport)
            self.assertEqual(got.opts, [])
            self.assertEqual(got.rcode, rcode)
            self.assertEqual(len(got.records), len(answers) + has_soa)

    def test_out_of_scope_clients_get_the_resolvers_answer(self):
        for qname in (*self.ROWS, "drop.example", "shadow.example"):
            for client in (self.german4, self.german6):
                for transport in TRANSPORTS:
                    self.assert_forwarded(client, query(qname, opt=opt()), transport)
        self.resolver.forget()

    def test_header_bits(self):
        """RD and CD are copied, RA is set, and nothing else is."""
        for bits in itertools.product((0, RD), (0, CD), (0, AD), (0, RA), (0, AA), (0, TC), (0, Z)):
            flags = sum(bits)
            for qname, row in self.ROWS.items():
                got = self.blocked(self.italian4, query(qname, flags=flags))
                self.assertEqual(got.flags, QR | RA | flags & (RD | CD) | row[0], (qname, flags))

    def test_the_question_comes_back_as_it_came(self):
        for qname in ("ReFuSeD.eXaMpLe", "NXDOMAIN.example", "w.NoData.example", "ADDRESS.EXAMPLE"):
            got = self.blocked(self.italian4, query(qname, "AAAA"))
            self.assertEqual(got.question, question(qname, "AAAA"))

    def test_addresses_of_each_family(self):
        rows = [
            ("address.example", "A", [a(ADDRESSES[0]), a(ADDRESSES[2])]),
            ("address.example", "AAAA", [aaaa(ADDRESSES[1])]),
            ("four.example", "AAAA", []),
            ("address.example", "MX", []),
            ("address.example", "ANY", []),
            ("address.example", "HTTPS", []),
        ]
        for qname, qtype, expected in rows:
            for client, transport in self.in_scope():
                with self.subTest((qname, qtype), client=client.address, transport=transport):
                    got = self.blocked(client, query(f"w.{qname}", qtype, opt=opt()), transport)
                    self.assertEqual(got.rcode, NOERROR)
                    self.assertEqual([each.rdata for each in got.section("answer")], expected)
                    self.assertEqual(got.ede[0], EDE_FORGED)
                    if expected:
                        self.assertEqual(got.section("authority"), [])
                    else:
                        (soa,) = got.section("authority")
                        self.assertEqual((soa.owner, soa.type), (qname, TYPES["SOA"]))

    def test_classes(self):
        """All classes are blocked; addresses are of class IN alone."""
        for qclass in (1, 3, 4, 254, 255, 0, 65535):
            for qname, (rcode, answers, has_soa, _) in self.ROWS.items():
                got = self.blocked(self.italian4, query(qname, qclass=qclass))
                with self.subTest(qname, qclass=qclass):
                    self.assertEqual(got.rcode, rcode)
                    self.assertEqual(got.question, question(qname, qclass=qclass))
                    if qclass not in (1, 255):
                        self.assertEqual(got.section("answer"), [])

    def test_drop(self):
        """Nothing comes, and a stream stays open."""
        for client in (self.italian4, self.italian6):
            with client.udp() as channel:
                channel.send(*(query("drop.example", qtype) for qtype in ("A", "TXT", "ANY")))
                self.assertTrue(channel.is_silent())
            with client.tcp() as stream:
                stream.send(query("www.drop.example"), query("refused.example", id=77))
                self.assertEqual(parse(stream.receive()).id, 77)
                self.assertTrue(stream.is_silent())
                stream.send(query("refused.example", id=78))
                self.assertEqual(parse(stream.receive()).id, 78)
        self.assertEqual(self.resolver.requests, [])

    def test_shadow(self):
        before = self.proxy.status()["would_block"]
        for client, transport in self.in_scope():
            self.assert_forwarded(client, query("www.shadow.example", opt=opt()), transport)
        self.resolver.forget()
        after = self.proxy.status()
        self.assertEqual(after["would_block"] - before, 4)
        self.assertNotIn("IT-SHADOW", after["by_order"])

    def test_blocked_and_forwarded_on_one_stream(self):
        """Pipelined: each answer belongs to its query, in whatever order they come."""
        names = ["refused.example", "free.example", "nxdomain.example", "address.example"] * 25
        with self.italian4.tcp() as stream:
            stream.send(*(query(qname, id=id) for id, qname in enumerate(names)))
            got = {}
            for _ in names:
                message = parse(stream.receive())
                got[message.id] = message
        for id, qname in enumerate(names):
            self.assertEqual(got[id].question, question(qname))
            self.assertEqual(got[id].rcode, self.ROWS.get(qname, (NOERROR,))[0])
        self.resolver.forget()


class Edns(PolicyTest):
    CONFIG = {
        "block": {
            "cookie-secret": "cookie-secret",
            "contact": ["tel:+391", "mailto:dns.admin@mail.example", "mailto:other@mail.example"],
            "ttl": "300s",
        }
    }
    FILES = {"cookie-secret": SECRET.hex() + "\n"}
    ORDERS = {
        "IT/refused.yaml": order(
            "IT-R", names=["refused.example", "r." + LONG_TAIL], message=MESSAGE
        ),
        "IT/nxdomain.yaml": order(
            "IT-N", action="nxdomain", names=["n." + LONG_TAIL], message=MESSAGE
        ),
        "IT/address.yaml": order(
            "IT-A",
            action="address",
            names=["a." + LONG_TAIL],
            message=MESSAGE,
            addresses=[f"2001:db8::{host}" for host in range(1, 17)],
        ),
    }

    @staticmethod
    def long_name(letter):
        return LONGEST + [letter.encode()] + [label.encode() for label in LONG_TAIL.split(".")]

    def test_the_opt_that_comes_back(self):
        """Size 1232, version 0, DO copied, whatever came; only the options that belong there."""
        options = [(OPTION_KEEPALIVE, b""), (OPTION_PADDING, bytes(20)), (3, b""), (65001, b"x")]
        for client, transport in self.in_scope():
            for size, do, flags in itertools.product((0, 512, 4096, 65535), (0, 1), (0, 0x7FFF)):
                with self.subTest(client=client.address, size=size, do=do, flags=flags):
                    sent = opt(size, do=do, flags=flags, options=options)
                    got = self.blocked(client, query("refused.example", opt=sent), transport)
                    (record,) = got.opts
                    self.assertEqual((record.section, record.owner), ("additional", ""))
                    self.assertEqual(record.rclass, 1232)
                    self.assertEqual(record.ttl, 0x8000 if do else 0)
                    self.assertEqual(len(got.options), 1)
                    self.assertEqual(got.ede, (EDE_CENSORED, MESSAGE))

    def test_contact_and_ttl_of_the_soa(self):
        """RNAME from the first mailto contact; a dot in the mailbox stays within its label."""
        message = query("n." + LONG_TAIL)
        received = self.italian4.ask(message)
        (soa,) = self.parse_own(received, message).section("authority")
        self.assertEqual(soa.ttl, 300)
        self.assertEqual(read_soa(received, soa).minimum, 300)
        self.assertIn(name([b"dns.admin", b"mail", b"example"]), soa.rdata)

    def test_what_fits(self):
        """EXTRA-TEXT goes first, whole, and never with TC; the rest stays."""
        rows = [
            # first label, OPT or none, cookie, text there?
            ("r", 512, False, True),
            ("r", 0, False, True),  # below 512 means 512
            ("r", 512, True, False),
            ("r", 4096, True, True),
            ("n", 512, False, False),
            ("n", 1232, True, True),
        ]
        for letter, size, with_cookie, has_text in rows:
            with self.subTest((letter, size, with_cookie)):
                options = [(OPTION_COOKIE, CLIENT_COOKIE + bytes(32))] if with_cookie else []
                qname = self.long_name(letter)
                received = self.italian4.ask(query(qname, opt=opt(size, options=options)))
                got = parse(received)
                self.assertLessEqual(len(received), max(512, size))
                self.assertEqual(got.flags & TC, 0)
                self.assertEqual(got.ede, (EDE_CENSORED, MESSAGE if has_text else ""))
                self.assertEqual(len(got.options), 1 + with_cookie)
                self.assertEqual(len(got.section("authority")), letter == "n")

    def test_what_just_fits(self):
        """The text is there as soon as there is room for its last octet, and not before."""
        for letter in "rna":
            options = [(OPTION_COOKIE, bytes(40))]
            ask = lambda size: self.italian4.ask(
                query(self.long_name(letter), opt=opt(size, options=options))
            )
            whole = len(ask(1400))
            self.assertGreater(whole, 513)
            for size in (whole - 1, whole, whole + 1):
                received = ask(size)
                text = MESSAGE if size >= whole else ""
                self.assertEqual((parse(received).ede[1], len(received) <= size), (text, True))

    def test_a_stream_has_no_udp_size(self):
        for letter in "rna":
            message = query(self.long_name(letter), opt=opt(512))
            got = self.blocked(self.italian4, message, "tcp")
            self.assertEqual(got.ede[1], MESSAGE)

    def test_without_opt_it_fits_512_octets(self):
        for letter in "rna":
            received = self.italian4.ask(query(self.long_name(letter), "AAAA"))
            self.assertLessEqual(len(received), 512)
            self.assertEqual(parse(received).flags & TC, 0)

    def test_addresses_that_do_not_fit(self):
        """Beyond the text, addresses go from the last; never with TC."""
        everything = [aaaa(f"2001:db8::{host}") for host in range(1, 17)]
        for size, least in ((512, 1), (700, 8), (1400, 16), (65535, 16)):
            message = query(self.long_name("a"), "AAAA", opt=opt(size))
            received = self.italian4.ask(message)
            got = self.parse_own(received, message)
            records = [record.rdata for record in got.section("answer")]
            self.assertGreaterEqual(len(records), least)
            self.assertEqual(records, everything[: len(records)])
            self.assertLessEqual(len(received), min(size, 1400))
            self.assertEqual(got.flags & TC, 0)
            self.assertEqual(got.ede, (EDE_FORGED, MESSAGE if size >= 1400 else ""))

    def test_siphash_is_that_of_rfc_9018(self):
        """The model below against appendix A.1."""
        head = bytes.fromhex("010000005cf79f11")
        expected = bytes.fromhex("010000005cf79f111f8130c3eee29480")
        self.assertEqual(server_cookie(CLIENT_COOKIE, head, "198.51.100.100", SECRET), expected)

    def test_a_client_cookie_gets_a_server_cookie(self):
        for address in (ITALIAN4, ITALIAN6):
            for transport in TRANSPORTS:
                before = int(time.time())
                message = query(
                    "refused.example", opt=opt(options=[(OPTION_COOKIE, CLIENT_COOKIE)])
                )
                got = self.blocked(self.client(address), message, transport)
                cookie = dict(got.options)[OPTION_COOKIE]
                head = cookie[8:16]
                self.assertEqual(cookie[:8], CLIENT_COOKIE)
                self.assertEqual(cookie[8:], server_cookie(CLIENT_COOKIE, head, address, SECRET))
                self.assertEqual(head[:4], b"\1\0\0\0")
                (stamp,) = struct.unpack("!I", head[4:])
                self.assertTrue(before - 1 <= stamp <= time.time())

    def test_a_server_cookie_comes_back_as_it_came(self):
        """None is validated: sizes from the least to the largest, any octets."""
        for size in (16, 17, 24, 39, 40):
            cookie = bytes(range(size))
            for client, transport in self.in_scope():
                message = query("refused.example", opt=opt(options=[(OPTION_COOKIE, cookie)]))
                got = self.blocked(client, message, transport)
                self.assertEqual(dict(got.options)[OPTION_COOKIE], cookie)
                self.assertEqual(got.ede, (EDE_CENSORED, MESSAGE))

    def test_no_cookie_for_who_sent_none(self):
        got = self.blocked(self.italian4, query("refused.example", opt=opt()))
        self.assertNotIn(OPTION_COOKIE, dict(got.options))

    def test_a_malformed_cookie_changes_no_verdict(self):
        for size in (0, 1, 7, 9, 15, 41):
            message = query("refused.example", opt=opt(options=[(OPTION_COOKIE, bytes(size))]))
            self.assertIn(self.blocked(self.italian4, message).rcode, (REFUSED, FORMERR))

    def test_the_clients_own_ecs_never_decides(self):
        """A German who says to be in Italy is German; an Italian who says otherwise is Italian."""
        subnet = lambda address: (8, b"\0\1\x18\0" + ipaddress.ip_address(address).packed[:3])
        claims_italy = query("refused.example", opt=opt(options=[subnet(ITALIAN4)]))
        claims_germany = query("refused.example", opt=opt(options=[subnet(GERMAN4)]))
        self.assert_forwarded(self.german4, claims_italy)
        self.assertEqual(self.blocked(self.italian4, claims_germany).rcode, REFUSED)


class Dates(PolicyTest):
    ORDERS = {
        "IT/coming.yaml": order(
            "IT-COMING", names=["coming.example"], effective="2999-01-01T00:00:00Z"
        ),
        "IT/ended.yaml": order("IT-ENDED", names=["ended.example"], until="2022-12-31T23:59:59Z"),
        "IT/suspended.yaml": order("IT-SUSPENDED", names=["suspended.example"], status="suspended"),
        "IT/lifted.yaml": order("IT-LIFTED", names=["lifted.example"], status="lifted"),
        "IT/for-good.yaml": order("IT-FOR-GOOD", names=["for-good.example"]),
        "IT/days.yaml": order(
            "IT-DAYS",
            names=["days.example"],
            timezone="Europe/Rome",
            effective="2022-08-10",
            until="2998-12-31",
        ),
    }

    def test_only_orders_in_force_bind(self):
        rows = {
            "coming": False,
            "ended": False,
            "suspended": False,
            "lifted": False,
            "for-good": True,
            "days": True,
        }
        for label, binds in rows.items():
            for client, transport in self.in_scope():
                with self.subTest(label, client=client.address, transport=transport):
                    message = query(f"www.{label}.example", opt=opt())
                    if binds:
                        self.assertEqual(self.blocked(client, message, transport).rcode, REFUSED)
                    else:
                        self.assert_forwarded(client, message, transport)

    def ask_at(self, qname):
        """(earliest, latest second it was judged at, answer)."""
        message = query(qname)
        before = int(time.time())
        received = self.german4.ask(message)
        return before, int(time.time()), parse(received)

    def watch(self, begin, end):
        """Asks from now until the order has ended; was it asked before, during and after it? No
        other order binds Germany, so that nothing else keeps its clients in scope."""
        dates = {"effective": rfc3339(begin), "until": rfc3339(end)}
        short = order("DE-SHORT", action="nodata", names=["short.example"], **dates)
        self.proxy.write_order("DE/short.yaml", short)
        self.proxy.reload()
        seen = set()
        while "after" not in seen:
            earliest, latest, got = self.ask_at("short.example")
            soa = got.section("authority")
            if soa:
                self.assertTrue(begin <= latest and earliest < end, (earliest, latest, begin, end))
                self.assertTrue(end - latest <= soa[0].ttl <= end - earliest, soa)
                seen.add("during")
            else:
                self.assertTrue(earliest < begin or latest >= end, (earliest, latest, begin, end))
                seen.add("before" if earliest < begin else "after")
            time.sleep(0.02)
        return seen

    def test_an_order_begins_and_ends_on_time_without_a_reload(self):
        """No answer before it begins or after it ends is a block, none in between is not, and no
        TTL outlives it. A machine that is too slow to see all three gets more time for them."""
        for seconds in (2, 8, 32):
            begin = int(time.time()) + seconds
            if self.watch(begin, begin + seconds) == {"before", "during", "after"}:
                break
        else:
            self.fail("the order was never seen before, during and after its time")
        for event in ("order begins", "order ends"):
            self.assertIn("DE-SHORT", self.proxy.wait_for_log(event))

    def test_the_ttl_ends_with_the_order(self):
        end = int(time.time()) + 45
        addresses = {"action": "address", "addresses": ["192.0.2.80"]}
        self.proxy.write_order(
            "IT/soon.yaml",
            order("IT-SOON", names=["soon.example"], until=rfc3339(end), **addresses),
        )
        self.proxy.reload()
        for qtype, section in (("A", "answer"), ("MX", "authority")):
            before = int(time.time())
            message = query("soon.example", qtype)
            received = self.italian4.ask(message)
            (record,) = parse(received).section(section)
            self.assertTrue(end - time.time() <= record.ttl <= end - before, record)
            if section == "authority":
                self.assertEqual(read_soa(received, record).minimum, record.ttl)


class Settings(PolicyTest):
    CONFIG = {
        "allow": ["2.0.0.0/8", "5.9.0.0/17", "2001:b07::/32"],
        "resolver-arpa": "nodata",
        "block": {"action": "nodata", "ttl": "7s", "contact": "https://example.net/blocked"},
    }
    ORDERS = {
        "IT/default.yaml": order("IT-DEFAULT", names=["default.example"]),
        "IT/own.yaml": order("IT-OWN", names=["own.example"], action="refused"),
    }

    def test_the_default_action_and_ttl(self):
        for client, transport in self.in_scope():
            message = query("www.default.example", opt=opt())
            received = client.ask(message, transport)
            got = self.parse_own(received, message)
            (soa,) = got.section("authority")
            self.assertEqual((got.rcode, soa.ttl, got.ede[0]), (NOERROR, 7, EDE_CENSORED))
            self.assertEqual(read_soa(received, soa).rname, "nobody.invalid")
            self.assertEqual(self.blocked(client, query("own.example"), transport).rcode, REFUSED)

    def test_clients_that_are_not_allowed(self):
        for address in ("5.9.128.1", "2a01:4f8::1", "93.0.0.1"):
            for transport in TRANSPORTS:
                for qname in ("www.example", "default.example"):
                    message = query(qname, opt=opt(do=True), flags=RD | CD)
                    got = self.blocked(self.client(address), message, transport)
                    self.assertEqual((got.rcode, got.ede), (REFUSED, None))
                    self.assertEqual(got.flags, QR | RA | RD | CD | REFUSED)
                    self.assertEqual(got.opts[0].ttl, 0x8000)
        self.assert_forwarded(self.german4, query("default.example"))

    def test_resolver_arpa(self):
        for qname in ("resolver.arpa", "_dns.resolver.arpa", "X.RESOLVER.ARPA"):
            for client, transport in self.in_scope():
                for qtype in ("SVCB", "A", "ANY"):
                    message = query(qname, qtype, opt=opt())
                    received = client.ask(message, transport)
                    got = self.parse_own(received, message)
                    (soa,) = got.section("authority")
                    self.assertEqual((got.rcode, got.ede), (NOERROR, None))
                    self.assertEqual((soa.owner, soa.ttl), ("resolver.arpa", 7))
                    self.assertEqual(read_soa(received, soa).mname, "resolver.arpa")
            self.assert_forwarded(self.german4, query(qname, "SVCB"))
        for qname in ("xresolver.arpa", "arpa", "resolver.arpa.example"):
            self.assert_forwarded(self.italian4, query(qname, "SVCB"))

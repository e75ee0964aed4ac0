# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody inside an order slips past it by spelling, type, flags, transport or timing, and nobody
outside is touched by what the same message looks like. Each message is sent by a client in scope
and by one out of scope; what must come of it is judged by a model of interfaces section 4 that
reads the bytes on its own. SEED=number repeats a run."""

import itertools
import random
import struct
import time

from client import frame
from dnsbytes import (
    AA, AD, BADVERS, CD, DSO, FORMERR, HEADER_SIZE, NO_QUESTION, NOTIFY, NOTIMP, OPTION_COOKIE,
    OPTION_ECS, OPTION_KEEPALIVE, OPTION_PADDING, QR, QUERY, RA, RD, REFUSED, STATUS, TC, TYPES,
    UNREADABLE, UPDATE, Z, answer, header, message_id, name, opcode_flags, opt, query, question,
    read_question, rr, with_id,
)
from policytest import LIGHT, MARK, SEED, TRANSPORTS, PolicyTest, order

MUTANTS = 1000 if LIGHT else 4000

LISTED = "blocked.example"
ONE_OCTET = "b.e"  # below it fit 125 more labels
ODD = "a-1_z.example"  # octets that differ from others by the bit that tells upper from lower case
NAMES = [LISTED, ONE_OCTET, ODD, "xn--bcher-kva.example"]
FREE = "free.example"

FORWARDED, SILENCE = "forwarded", "silence"


# ---- the model -----------------------------------------------------------------------------------


def labels_of(asked):
    """The labels of a question that could be read, ASCII letters in lower case."""
    labels, at = [], 0
    while asked[at]:
        labels.append(asked[at + 1 : at + 1 + asked[at]])
        at += 1 + asked[at]
    return [bytes(o + 32 if 65 <= o <= 90 else o for o in label) for label in labels]


def is_listed(asked):
    labels = labels_of(asked)
    for listed in NAMES:
        suffix = listed.encode().split(b".")
        if labels[-len(suffix) :] == suffix:
            return True
    return False


def opts_of(message):
    """The OPT records (RFC 6891 section 6.1.1: in ADDITIONAL, owned by the root) that stand before
    the first octet that cannot be read, as their EDNS versions."""
    _, _, _, answers, authorities, additionals = struct.unpack_from("!6H", message)
    at = HEADER_SIZE + len(read_question(message))
    found = []
    try:
        for index in range(answers + authorities + additionals):
            root = message[at] == 0
            while 0 < message[at] < 64:
                at += 1 + message[at]
            if 64 <= message[at] < 192:
                return found
            at += 2 if message[at] >= 192 else 1
            rtype, _, ttl, size = struct.unpack_from("!HHIH", message, at)
            at += 10 + size
            if at > len(message):
                return found
            if root and rtype == TYPES["OPT"] and index >= answers + authorities:
                found.append(ttl >> 16 & 255)
    except (IndexError, struct.error):
        pass
    return found


def expected(message, in_scope):
    """FORWARDED, SILENCE, or the rcode of an answer by Bailiwick."""
    if len(message) < HEADER_SIZE:
        return SILENCE
    _, flags, questions = struct.unpack_from("!3H", message)
    if flags & QR:
        return SILENCE
    if flags >> 11 & 15 == DSO:
        return NOTIMP
    if not in_scope or flags >> 11 & 15 != QUERY or questions == 0:
        return FORWARDED
    asked = read_question(message)
    if asked == UNREADABLE:
        return FORMERR
    if not is_listed(asked):
        return FORWARDED
    versions = opts_of(message)
    if len(versions) > 1:
        return FORMERR
    return BADVERS if versions and versions[0] > 0 else REFUSED


# ---- the suite -----------------------------------------------------------------------------------


class EvasionTest(PolicyTest):
    ORDERS = {"IT/order.yaml": order("IT-ORDER", names=NAMES)}
    # A verdict must not hang on what the resolver is slow to say.
    CONFIG = {"upstream": {"retry-after": "60s", "timeout": "120s"}}

    def judge(self, received, message, verdict):
        """Is this what must come?"""
        if verdict == FORWARDED:
            self.assertEqual(received, answer(message, [MARK]))
            self.assertEqual(self.resolver.requests[-1].message[2:], message[2:])
            return
        got = self.parse_own(received, message)
        flags = struct.unpack_from("!H", message, 2)[0]
        self.assertEqual(got.rcode, verdict)
        copied = flags & (0x7800 | RD | CD)
        self.assertEqual(got.flags & ~15, QR | RA | copied)
        readable = read_question(message) not in (UNREADABLE, NO_QUESTION)
        header_only = verdict == NOTIMP or not readable
        self.assertEqual(got.question, b"" if header_only else read_question(message))
        self.assertEqual(got.records, [])
        if header_only:
            self.assertEqual(len(received), HEADER_SIZE)

    def try_each(self, messages, transport="udp", clients=None):
        """(label, message) pairs, one after the other on one channel for each client. What is not
        to be forwarded never reaches the resolver."""
        for client in clients or (self.italian4, self.german4):
            in_scope = client is self.italian4
            before, forwarded = len(self.resolver.requests), 0
            with getattr(client, transport)() as channel:
                for label, message in messages:
                    verdict = expected(message, in_scope)
                    with self.subTest(label, client=client.address, expected=verdict):
                        channel.send(message)
                        if verdict == SILENCE:
                            message = query("marker.example")
                            channel.send(message)
                            verdict = FORWARDED
                        forwarded += verdict == FORWARDED
                        self.judge(channel.receive(), message, verdict)
            self.assertEqual(len(self.resolver.requests) - before, forwarded)

    def try_everywhere(self, messages):
        for transport in TRANSPORTS:
            self.try_each(messages, transport)


class Spelling(EvasionTest):
    def test_case(self):
        rng = random.Random(SEED)
        spellings = [LISTED.upper(), LISTED.title(), LISTED.swapcase()]
        for _ in range(200):
            spellings.append("".join(rng.choice((c.upper(), c.lower())) for c in f"www.{LISTED}"))
        messages = [(spelling, query(spelling)) for spelling in spellings]
        self.assertEqual({expected(message, True) for _, message in messages}, {REFUSED})
        self.try_everywhere(messages)

    def test_only_letters_have_a_case(self):
        """The same bit flipped in any other octet is another name."""
        first, second = (label.encode() for label in ODD.split("."))
        messages = [("as listed", query(ODD))]
        for at, octet in enumerate(first):
            for bit in range(8):
                other = bytearray(first)
                other[at] ^= 1 << bit
                messages.append(((at, bit), query([bytes(other), second])))
        verdicts = [expected(message, True) for _, message in messages]
        self.assertEqual(verdicts.count(REFUSED), 3)  # itself, A and Z
        self.try_each(messages)

    def test_dots_within_labels(self):
        """Labels, not characters, make a name."""
        rows = {
            "the name as one label": ([b"blocked.example"], FORWARDED),
            "a label that ends like it": ([b"x.blocked", b"example"], FORWARDED),
            "below it, with dots": ([b"a.b.c", b"blocked", b"example"], REFUSED),
            "a suffix of a label": ([b"unblocked", b"example"], FORWARDED),
            "in front of another name": ([b"blocked", b"example", b"org"], FORWARDED),
            "the parent": ([b"example"], FORWARDED),
            "the root": ([], FORWARDED),
        }
        for label, (labels, verdict) in rows.items():
            self.assertEqual(expected(query(labels), True), verdict, label)
        self.try_everywhere([(label, query(labels)) for label, (labels, _) in rows.items()])

    def test_labels_of_any_octet(self):
        messages = []
        for octet in range(256):
            messages.append((octet, query([bytes([octet]), b"blocked", b"example"])))
            messages.append((octet, query([b"www", bytes([octet]), b"e"])))
        self.try_each(messages)

    def test_deep_subdomains(self):
        """Up to 127 labels, the most a name can have."""
        messages = [(depth, query(["a".encode()] * depth + [b"b", b"e"])) for depth in range(126)]
        self.assertEqual(len(read_question(messages[-1][1])), 255 + 4)
        self.assertEqual({expected(message, True) for _, message in messages}, {REFUSED})
        self.try_everywhere(messages)

    def test_long_names(self):
        """255 octets are a name, 256 are none."""
        tail = [b"blocked", b"example"]
        longest = [b"x" * 63, b"y" * 63, b"z" * 63, b"w" * (255 - 3 * 64 - 17 - 1)]
        self.assertEqual(len(name(longest + tail)), 255)
        rows = [
            ("255 octets", query(longest + tail), REFUSED),
            ("255 octets, not listed", query(longest + [b"unlisted", b"exampl"]), FORWARDED),
            ("256 octets", query([b"x" * 63] * 3 + [longest[3] + b"w"] + tail), FORMERR),
            ("256 octets, not listed", query([b"x" * 63] * 3 + [b"w" * 62]), FORMERR),
            ("128 labels", query([b"a"] * 126 + [b"b", b"e"]), FORMERR),
            ("1000 octets", query([b"x" * 63] * 16 + tail), FORMERR),
        ]
        for label, message, verdict in rows:
            self.assertEqual(expected(message, True), verdict, label)
        self.try_everywhere([(label, message) for label, message, _ in rows])


class TypesAndFlags(EvasionTest):
    def test_types_and_classes(self):
        """Every assigned type, edges, and a sample of all others."""
        rng = random.Random(SEED)
        types = {*range(0, 262), *TYPES.values(), 32767, 65279, 65280, 65534, 65535}
        types |= {rng.randrange(65536) for _ in range(400)}
        self.assertGreater(len(types), 500)
        messages = []
        for qtype in sorted(types):
            messages.append((qtype, query(LISTED, qtype)))
            messages.append((qtype, query(FREE, qtype, opt=opt())))
        for qclass in (*range(0, 6), 254, 255, 256, 32769, 65535):
            for qtype in ("A", "TXT", "ANY", "SOA", "AXFR"):
                messages.append(((qtype, qclass), query(f"www.{LISTED}", qtype, qclass=qclass)))
        self.try_each(messages)

    def test_types_over_a_stream(self):
        """In scope; AXFR and IXFR among them, which for others have a connection of their own."""
        messages = [(qtype, query(f"www.{LISTED}", qtype)) for qtype in sorted(TYPES.values())]
        self.try_each(messages, "tcp", [self.italian4])

    def test_every_flag_and_opcode(self):
        messages = []
        bits = (AA, TC, RD, RA, Z, AD, CD)
        for count in range(len(bits) + 1):
            for chosen in itertools.combinations(bits, count):
                messages.append((chosen, query(LISTED, flags=sum(chosen))))
                messages.append((chosen, query(FREE, flags=sum(chosen))))
        for rcode in range(16):
            messages.append((rcode, query(LISTED, flags=RD | rcode)))
        for opcode in range(16):
            for qname in (LISTED, FREE):
                messages.append((opcode, query(qname, flags=opcode_flags(opcode) | RD)))
            messages.append((opcode, header(5, opcode_flags(opcode))))
            messages.append((opcode, query(LISTED, flags=QR | opcode_flags(opcode))))
        self.try_everywhere(messages)

    def test_opcodes_are_forwarded_but_dso(self):
        """What the model above says, once more in words."""
        for opcode, verdict in (
            (NOTIFY, FORWARDED),
            (UPDATE, FORWARDED),
            (STATUS, FORWARDED),
            (DSO, NOTIMP),
        ):
            self.assertEqual(expected(query(LISTED, flags=opcode_flags(opcode)), True), verdict)
        zone = question(LISTED, "SOA")
        update = (
            header(9, opcode_flags(UPDATE), 1, 0, 1)
            + zone
            + rr(f"w.{LISTED}", "A", 60, b"\1\2\3\4")
        )
        notify = (
            header(9, opcode_flags(NOTIFY) | AA, 1, 1) + zone + rr(LISTED, "SOA", 60, bytes(22))
        )
        self.try_everywhere([("update", update), ("notify", notify)])


class Edns(EvasionTest):
    def test_sizes_flags_and_versions(self):
        messages = []
        for qname in (LISTED, FREE):
            for size in (0, 1, 511, 512, 513, 1232, 4096, 65535):
                for do, version in itertools.product((False, True), (0, 1, 2, 255)):
                    sent = opt(size, do=do, version=version, flags=0x1234)
                    messages.append(((qname, size, do, version), query(qname, opt=sent)))
            for rcode in (1, 16, 255):
                messages.append((rcode, query(qname, opt=opt(extended_rcode=rcode))))
        self.try_everywhere(messages)

    def test_badvers(self):
        """EDNS of a later version: BADVERS, and the version that is spoken here."""
        for version in (1, 255):
            got = self.blocked(self.italian4, query(LISTED, opt=opt(version=version, do=True)))
            (record,) = got.opts
            self.assertEqual(got.rcode, BADVERS)
            self.assertEqual(record.ttl >> 16 & 255, 0)

    def test_options(self):
        rng = random.Random(SEED)
        italy, germany = b"\0\1\x18\0\x02\x20\0", b"\0\1\x18\0\x05\x09\0"
        codes = [
            1,
            2,
            3,
            5,
            6,
            7,
            OPTION_ECS,
            9,
            OPTION_COOKIE,
            OPTION_KEEPALIVE,
            OPTION_PADDING,
            13,
            14,
            15,
            16,
            17,
            65535,
        ]
        messages = []
        for qname in (LISTED, FREE):
            for code in codes:
                for data in (b"", b"\0", bytes(8), rng.randbytes(24), bytes(500)):
                    messages.append(
                        ((qname, code, len(data)), query(qname, opt=opt(options=[(code, data)])))
                    )
            for subnet in (italy, germany):
                messages.append((qname, query(qname, opt=opt(options=[(OPTION_ECS, subnet)]))))
            everything = [(code, b"abc") for code in codes * 3]
            messages.append((qname, query(qname, opt=opt(options=everything))))
        self.try_everywhere(messages)

    def test_several_and_misplaced_opts(self):
        messages = []
        a_record = rr("x.example", "A", 60, b"\1\2\3\4")
        whole = opt(options=[(OPTION_COOKIE, bytes(8))])
        owned = rr("x", "OPT", 0, b"", rclass=1232)
        pointed = b"\xc0\x0c" + opt()[1:]
        wild_length = opt()[:-2] + b"\xff\xff"
        for qname in (LISTED, FREE):
            start = lambda *counts: header(7, RD, 1, *counts) + question(qname)
            messages += [
                ((qname, "two"), query(qname, additional=[opt(), opt()])),
                (
                    (qname, "three"),
                    query(qname, additional=[opt(), a_record, opt(version=1), opt()]),
                ),
                (
                    (qname, "two, versions 0 and 1"),
                    query(qname, additional=[opt(), opt(version=1)]),
                ),
                ((qname, "in answer"), start(1, 0, 0) + opt()),
                ((qname, "in authority"), start(0, 1, 0) + opt(version=1)),
                ((qname, "in each"), start(1, 1, 1) + opt() + opt() + opt()),
                ((qname, "not counted"), start(0, 0, 0) + opt(version=1)),
                ((qname, "behind others"), query(qname, additional=[a_record, a_record, whole])),
                ((qname, "in front"), query(qname, additional=[opt(), a_record])),
                ((qname, "owned by a name"), query(qname, additional=[owned])),
                ((qname, "owned by a pointer"), query(qname, additional=[pointed])),
                ((qname, "two, one of them owned"), query(qname, additional=[owned, opt()])),
                ((qname, "longer than the message"), query(qname, additional=[wild_length])),
                ((qname, "good, then cut"), query(qname, additional=[opt(), wild_length])),
                (
                    (qname, "option longer than the OPT"),
                    query(qname, opt=rr("", "OPT", 0, b"\0\x0a\xff\xff\1", rclass=512)),
                ),
                ((qname, "counted, absent"), start(0, 0, 1)),
                ((qname, "counted 65535 times"), start(65535, 65535, 65535) + opt()),
                (
                    (qname, "TSIG at the end"),
                    query(
                        qname,
                        additional=[opt(), rr("key.example", "TSIG", 0, bytes(40), rclass=255)],
                    ),
                ),
                (
                    (qname, "TSIG alone"),
                    query(qname, additional=[rr("key.example", "TSIG", 0, bytes(40), rclass=255)]),
                ),
                (
                    (qname, "OPT behind TSIG"),
                    query(qname, additional=[rr("key", "TSIG", 0, bytes(40), rclass=255), opt()]),
                ),
                (
                    (qname, "SIG(0)"),
                    query(qname, additional=[rr("", "SIG", 0, bytes(40), rclass=255)]),
                ),
            ]
        self.try_everywhere(messages)


class Shapes(EvasionTest):
    def test_questions(self):
        """None, several, and one that cannot be read."""
        asked = question(LISTED)
        free = question(FREE)
        pointer = struct.pack("!HH", 1, 1)
        rows = [
            ("none", header(1, RD), FORWARDED),
            ("none, but octets of one", header(1, RD) + asked, FORWARDED),
            ("none, an OPT", header(1, RD, 0, 0, 0, 1) + opt(), FORWARDED),
            ("two", header(1, RD, 2) + asked + free, FORMERR),
            ("two, the listed one second", header(1, RD, 2) + free + asked, FORMERR),
            ("two, neither listed", header(1, RD, 2) + free + free, FORMERR),
            ("65535", header(1, RD, 65535) + asked, FORMERR),
            ("a pointer to itself", header(1, RD, 1) + b"\xc0\x0c" + pointer, FORMERR),
            (
                "a label and a pointer",
                header(1, RD, 1) + b"\3www\xc0\x12" + pointer + name(LISTED),
                FORMERR,
            ),
            (
                "a pointer forwards",
                header(1, RD, 1) + b"\xc0\x12" + pointer + name(LISTED),
                FORMERR,
            ),
            (
                "the listed name, ended by a pointer",
                header(1, RD, 1) + name(LISTED)[:-1] + b"\xc0\x04" + pointer,
                FORMERR,
            ),
            ("label type 01", header(1, RD, 1) + b"\x41\x08" + name(LISTED) + pointer, FORMERR),
            ("label type 10", header(1, RD, 1) + b"\x81x" + name(LISTED) + pointer, FORMERR),
            ("no octet behind the header", header(1, RD, 1), FORMERR),
        ]
        whole = query(LISTED)
        rows += [
            (f"cut to {size}", whole[:size], FORMERR) for size in range(HEADER_SIZE, len(whole))
        ]
        for label, message, verdict in rows:
            self.assertEqual(expected(message, True), verdict, label)
        self.try_everywhere([(label, message) for label, message, _ in rows])

    def test_a_cut_question_of_a_free_name(self):
        whole = query(FREE)
        self.try_each([(size, whole[:size]) for size in range(HEADER_SIZE, len(whole))])

    def test_less_than_a_header_and_responses(self):
        messages = [(size, query(LISTED)[:size]) for size in range(HEADER_SIZE)]
        messages += [("QR", query(LISTED, flags=QR | RD)), ("QR, free", query(FREE, flags=QR))]
        self.try_everywhere(messages)

    def test_what_stands_behind_the_question(self):
        """Tails, and records in sections that a query has none in."""
        rng = random.Random(SEED)
        free_record = rr(FREE, "A", 60, b"\1\2\3\4")
        listed_record = rr(LISTED, "A", 60, b"\1\2\3\4")
        messages = []
        for qname, record in itertools.product((LISTED, FREE), (free_record, listed_record)):
            start = lambda *counts: header(7, RD, 1, *counts) + question(qname)
            messages += [
                ((qname, "tail of one"), query(qname, tail=b"\0")),
                ((qname, "tail"), query(qname, tail=rng.randbytes(100))),
                ((qname, "a long tail"), query(qname, opt=opt(), tail=rng.randbytes(3000))),
                ((qname, "another query as tail"), query(qname, tail=query(FREE))),
                ((qname, "answer"), start(1) + record),
                ((qname, "authority"), start(0, 1) + record),
                ((qname, "additional"), start(0, 0, 1) + record),
                ((qname, "all"), start(2, 2, 3) + record * 6 + opt()),
                (
                    (qname, "IXFR"),
                    header(7, 0, 1, 0, 1)
                    + question(qname, "IXFR")
                    + rr(qname, "SOA", 0, bytes(22)),
                ),
                ((qname, "counts without records"), start(3, 3, 3)),
            ]
        self.try_each(messages)
        self.try_each([each for each in messages if each[0][1] != "IXFR"], "tcp")


class Streams(EvasionTest):
    def test_split_at_each_byte(self):
        message = query(f"www.{LISTED}", opt=opt(options=[(OPTION_COOKIE, bytes(8))]))
        data = frame(message)
        with self.italian4.tcp() as stream:
            for at in range(1, len(data)):
                stream.send_bytes(data[:at])
                time.sleep(0.001)
                stream.send_bytes(data[at:])
                self.judge(stream.receive(), message, REFUSED)
            for octet in data:
                stream.send_bytes(bytes([octet]))
            self.judge(stream.receive(), message, REFUSED)

    def test_several_in_one_segment(self):
        """Listed and free ones mixed; the same of a client out of scope."""
        sent = {}
        for id in range(120):
            qname = (LISTED, FREE, f"www.{LISTED.upper()}")[id % 3]
            sent[id] = query(qname, id=id, opt=opt() if id % 2 else None)
        for client, in_scope in ((self.italian4, True), (self.german4, False)):
            with client.tcp() as stream:
                stream.send_bytes(frame(*sent.values()))
                for _ in sent:
                    received = stream.receive()
                    message = sent[message_id(received)]
                    if expected(message, in_scope) == FORWARDED:
                        self.assertEqual(received, answer(message, [MARK]))
                    else:
                        self.judge(received, message, REFUSED)

    def test_many_datagrams_at_once(self):
        sent = {id: query((LISTED, FREE)[id % 2], id=id) for id in range(100)}
        with self.italian4.udp() as channel:
            channel.send(*sent.values())
            while sent:
                received = channel.receive()
                message = sent.pop(message_id(received))
                verdict = expected(message, True)
                if verdict == FORWARDED:
                    self.assertEqual(received, answer(message, [MARK]))
                else:
                    self.judge(received, message, verdict)

    def test_the_same_question_as_somebody_elsewhere(self):
        """A German's query in flight changes nothing for the Italian who asks the same."""
        for _ in range(50):
            message = query(LISTED)
            with self.german4.udp() as german, self.italian4.udp() as italian:
                german.send(message)
                italian.send(message)
                self.assertEqual(german.receive(), answer(message, [MARK]))
                self.judge(italian.receive(), message, REFUSED)


class Mutants(EvasionTest):
    """Listed queries with random damage, against the model."""

    def bases(self):
        cookie = opt(do=True, options=[(OPTION_COOKIE, bytes(8)), (OPTION_PADDING, bytes(30))])
        shapes = [
            {"qname": LISTED},
            {"qname": f"www.{LISTED}", "qtype": "AAAA", "opt": opt()},
            {"qname": f"a.b.{LISTED}", "qtype": "TXT", "opt": cookie},
            {"qname": LISTED, "additional": [rr(FREE, "A", 60, b"\1\2\3\4"), opt(version=1)]},
            {"qname": "x.b.e", "additional": [opt(), opt()], "tail": b"tail"},
        ]
        return [query(**shape, id=0) for shape in shapes]

    @staticmethod
    def mutate(rng, message):
        octets = bytearray(message)
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            at = rng.randrange(len(octets))
            kind = rng.randrange(5)
            if kind == 0:
                octets[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                octets[at] = rng.choice((0, 1, 63, 64, 192, 255, rng.randrange(256)))
            elif kind == 2:
                octets[at:at] = rng.randbytes(rng.randint(1, 3))
            elif kind == 3 and len(octets) > HEADER_SIZE + 1:
                del octets[at : at + rng.randint(1, 3)]
            else:
                octets[2 + rng.randrange(10)] ^= 1 << rng.randrange(8)
        return bytes(octets)

    def test_mutants(self):
        rng = random.Random(SEED)
        bases = self.bases()
        messages, seen = [], {}
        for number in range(MUTANTS):
            message = with_id(self.mutate(rng, rng.choice(bases)).ljust(2, b"\0"), number)
            verdict = expected(message, True)
            seen[verdict] = seen.get(verdict, 0) + 1
            messages.append((f"SEED={SEED} {message.hex()}", message))
        print(f"# {MUTANTS} mutants, SEED={SEED}, expected in scope: {seen}", flush=True)
        self.assertEqual(set(seen), {FORWARDED, SILENCE, REFUSED, FORMERR, BADVERS, NOTIMP})
        self.try_each(messages)

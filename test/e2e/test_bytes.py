# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody outside an order is touched: whatever an out-of-scope client sends, and whatever its
resolver answers, arrives with the same bytes but for the ID. Messages are generated, valid and
invalid, and compared on both hops. SEED=number repeats a run."""

import os
import random
import struct

from dnsbytes import (
    DSO, HEADER_SIZE, NO_QUESTION, OPTION_COOKIE, OPTION_ECS, OPTION_KEEPALIVE, OPTION_PADDING, QR,
    QUERY, TYPES, UNREADABLE, header, name, opcode_flags, opt, query, read_question, rr,
)
from client import MESSAGE_MAX
from harness import GERMAN4, ITALIAN4, MILAN, SiteTest, echo

QUERIES = 10_000
UDP_PAYLOAD_MAX = 65507  # 65,535 less the headers of IPv4 and UDP
OPCODES = [opcode for opcode in range(16) if opcode != DSO]
PATIENT = {"upstream": {"retry-after": "60s", "timeout": "120s"}}


class Generator:
    """Random messages that are forwarded: at least a header, QR=0, and any opcode but DSO."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.shapes = [
            (6, self.question_alone),
            (6, self.question_with_opt),
            (2, self.question_with_records),
            (2, self.several_opts),
            (2, self.with_tail),
            (2, self.cut),
            (2, self.bad_name),
            (1, self.several_questions),
            (1, self.no_question),
            (2, self.noise),
        ]

    def message(self):
        weights, shapes = zip(*self.shapes)
        return self.rng.choices(shapes, weights)[0]()

    # ---- parts

    def bytes(self, least, most):
        return self.rng.randbytes(self.rng.randint(least, most))

    def number(self, bits=16):
        return self.rng.getrandbits(bits)

    def flags(self):
        """Any word with QR=0; mostly queries, but also every other opcode and every bit."""
        opcode = QUERY if self.rng.random() < 0.7 else self.rng.choice(OPCODES)
        return self.number() & 0x07FF | opcode_flags(opcode)

    def any_case(self, octets):
        """The same with each ASCII letter in upper or lower case. (The length of a label is never
        that of a letter's octet.)"""
        return bytes(
            octet ^ self.rng.choice((0, 32)) if bytes([octet]).isalpha() else octet
            for octet in octets
        )

    def labels(self):
        """Any octets, any case; the names of the order among them, which bind nobody here."""
        if self.rng.random() < 0.2:
            labels = self.rng.choice(MILAN["names"]).encode().split(b".")
            return [self.bytes(1, 20)] * self.rng.randint(0, 2) + list(map(self.any_case, labels))
        labels = [self.bytes(1, 63) for _ in range(self.rng.randint(0, 8))]
        while sum(len(label) + 1 for label in labels) > 254:
            labels.pop()
        return labels

    def type(self):
        return self.rng.choice((self.number(), self.rng.choice(list(TYPES.values()))))

    def question(self):
        qclass = self.rng.choice((1, 1, 1, 3, 4, 254, 255, self.number()))
        return name(self.labels()) + struct.pack("!HH", self.type(), qclass)

    def opt(self):
        """An OPT with options known and unknown, of right and of wrong length."""
        codes = (OPTION_ECS, OPTION_COOKIE, OPTION_KEEPALIVE, OPTION_PADDING, self.number())
        options = [
            (self.rng.choice(codes), self.bytes(0, 60)) for _ in range(self.rng.randint(0, 5))
        ]
        return opt(
            size=self.rng.choice((0, 512, 1232, 4096, 65535, self.number())),
            do=self.rng.random() < 0.5,
            version=self.rng.choice((0, 0, 0, 1, self.number(8))),
            extended_rcode=self.rng.choice((0, 0, self.number(8))),
            flags=self.rng.choice((0, 0, self.number(15))),
            options=options,
        )

    def record(self):
        return rr(self.labels(), self.type(), self.number(32), self.bytes(0, 80), self.number())

    def build(self, questions, records, tail=b"", counts=None):
        counts = counts or (len(questions), 0, 0, len(records))
        head = header(self.number(), self.flags(), *counts)
        return head + b"".join(questions) + b"".join(records) + tail

    # ---- shapes

    def question_alone(self):
        return self.build([self.question()], [])

    def question_with_opt(self):
        return self.build([self.question()], [self.opt()])

    def question_with_records(self):
        """Records in every section, an OPT anywhere among them."""
        records = [self.record() for _ in range(self.rng.randint(1, 6))]
        records.insert(self.rng.randint(0, len(records)), self.opt())
        split = sorted(self.rng.randint(0, len(records)) for _ in range(2))
        counts = (1, split[0], split[1] - split[0], len(records) - split[1])
        return self.build([self.question()], records, counts=counts)

    def several_opts(self):
        return self.build([self.question()], [self.opt() for _ in range(self.rng.randint(2, 4))])

    def with_tail(self):
        return self.build([self.question()], [self.opt()], tail=self.bytes(1, 600))

    def cut(self):
        whole = self.question_with_records()
        return whole[: self.rng.randint(HEADER_SIZE, len(whole) - 1)]

    def bad_name(self):
        """Compression pointers, reserved label types, names over 255 octets."""
        bad = self.rng.choice(
            (
                b"\xc0\x0c",
                b"\x03www\xc0\x0c",
                bytes([0xC0 | self.number(6), self.number(8)]),
                bytes([0x40 | self.number(6)]) + self.bytes(0, 20) + b"\0",
                b"".join(b"\x3f" + self.bytes(63, 63) for _ in range(5)) + b"\0",
            )
        )
        return self.build([bad + self.bytes(4, 4)], [self.opt()])

    def several_questions(self):
        questions = [self.question() for _ in range(self.rng.randint(2, 5))]
        return self.build(questions, [self.opt()])

    def no_question(self):
        return self.build([], [self.record() for _ in range(self.rng.randint(0, 3))])

    def noise(self):
        """A header that promises anything, and any octets behind it."""
        counts = [self.rng.choice((0, 1, 2, self.number())) for _ in range(4)]
        return self.build([], [], tail=self.bytes(0, 500), counts=counts)

    # ---- answers

    def answer(self, message, size):
        """Octets that count as an answer to this message, as many as asked for if they are
        enough: its ID, QR=1, its opcode, its question (letters in any case, RFC 4343) or none;
        all else is random, the question too if there is nothing to compare it with."""
        id, flags = struct.unpack_from("!HH", message)
        word = QR | flags & 0x7800 | self.number() & 0x07FF
        counts = [self.number() for _ in range(4)]
        asked = read_question(message)
        body = b""
        if asked == NO_QUESTION:
            counts[0] = 0
        elif asked != UNREADABLE:
            counts[0] = 1
            body = self.any_case(asked[:-4]) + asked[-4:]
        head = header(id, word, *counts) + body
        return head + self.rng.randbytes(max(0, size - len(head)))


class BytesTest(SiteTest):
    def setUp(self):
        seed = int(os.environ.get("SEED", "20220711"))
        self.generator = Generator(seed)
        self.resolver = self.upstream(script=None)

    def start_daemon(self, orders=None):
        return self.daemon(self.resolver, orders=orders, config=PATIENT)

    def exchange(self, channel, message, answer_size):
        """One query there and one answer back, each compared."""
        channel.send(message)
        request = self.resolver.next()
        self.assertEqual(request.message[2:], message[2:], "the query changed")
        answer = self.generator.answer(request.message, answer_size)
        request.reply(answer)
        self.assertEqual(channel.receive(), message[:2] + answer[2:], "the answer changed")

    def exchange_many(self, open_channel, count, largest_answer):
        """A new channel for every few: AXFR and IXFR over a stream keep theirs busy."""
        for done in range(0, count, 50):
            with open_channel() as channel:
                for _ in range(min(50, count - done)):
                    size = self.generator.rng.choice((0, 100, 512, 1232, largest_answer))
                    self.exchange(channel, self.generator.message(), size)


class GeneratedQueries(BytesTest):
    def test_udp(self):
        self.start_daemon()
        self.exchange_many(self.german4.udp, QUERIES // 2, 8000)

    def test_udp_over_ipv6(self):
        self.start_daemon()
        self.exchange_many(self.german6.udp, QUERIES // 4, 8000)

    def test_tcp(self):
        self.start_daemon()
        self.exchange_many(self.german4.tcp, QUERIES // 4, 20000)

    def test_no_order_at_all(self):
        """The same for clients anywhere when the folder of orders is empty."""
        self.start_daemon(orders={})
        self.exchange_many(self.italian4.udp, 500, 1232)

    def test_in_scope_but_not_listed(self):
        """A readable question that no order names is forwarded with everything around it."""
        self.start_daemon()
        shapes = (
            self.generator.question_alone,
            self.generator.question_with_opt,
            self.generator.question_with_records,
            self.generator.several_opts,
            self.generator.with_tail,
            self.generator.no_question,
        )
        with self.italian4.udp() as channel:
            sent = 0
            while sent < 1000:
                message = self.generator.rng.choice(shapes)()
                if not any(label.encode() in message.lower() for label in LISTED_LABELS):
                    self.exchange(channel, message, 200)
                    sent += 1


LISTED_LABELS = [listed.partition(".")[0] for listed in MILAN["names"]]


class Sizes(BytesTest):
    def test_udp_from_the_least_to_the_largest(self):
        self.start_daemon()
        sizes = [HEADER_SIZE, 13, 511, 512, 513, 1232, 1472, 1473, 4096, 16384, UDP_PAYLOAD_MAX]
        with self.german4.udp() as channel:
            for size in sizes:
                message = header(size & 0xFFFF, 0).ljust(size, b"\x5a")
                for answer_size in (HEADER_SIZE, 1472, 1473, 4096, UDP_PAYLOAD_MAX):
                    with self.subTest(query=size, answer=answer_size):
                        self.exchange(channel, message, answer_size)

    def test_tcp_from_the_least_to_the_largest(self):
        self.start_daemon()
        sizes = [HEADER_SIZE, 13, 511, 512, 513, 16384, 65534, MESSAGE_MAX]
        with self.german4.tcp() as channel:
            for size in sizes:
                message = header(size & 0xFFFF, 0).ljust(size, b"\xa5")
                for answer_size in (HEADER_SIZE, 65534, MESSAGE_MAX):
                    with self.subTest(query=size, answer=answer_size):
                        self.exchange(channel, message, answer_size)


class NotForwarded(BytesTest):
    def test_responses_and_fragments_of_headers_get_nothing(self):
        """QR=1, or shorter than a header: neither forwarded nor answered, to anyone."""
        self.start_daemon()
        whole = query("www.example")
        never = [whole[:size] for size in range(HEADER_SIZE)]
        never += [header(9, QR | opcode_flags(opcode), 1) + whole[12:] for opcode in range(16)]
        for address in (GERMAN4, ITALIAN4):
            with self.client(address).udp() as channel:
                for message in never:
                    channel.send(message)
                # What is sent next arrives next, and what it brings back is the first answer.
                self.exchange(channel, query("marker.example"), 100)
                self.assertTrue(channel.is_silent())


class Ids(SiteTest):
    def test_every_client_id_comes_back(self):
        self.daemon(self.upstream(script=echo))
        with self.german4.udp() as channel:
            for id in [*range(0, 0x10000, 97), 0xFFFF]:
                channel.send(query("www.example", id=id))
                self.assertEqual(channel.receive()[:2], struct.pack("!H", id))

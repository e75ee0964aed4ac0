# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer counts only with the right address, port, ID and question (RFC 5452): forged ones are
dropped in silence, and the true one still arrives behind them."""

import socket
import struct

from dnsbytes import (
    FORMERR, HEADER_SIZE, NOERROR, NOTIMP, NXDOMAIN, QR, RD, REFUSED, SERVFAIL, STATUS, a, answer,
    header, message_id, opcode_flags, parse, query, question, read_question, rr, with_id,
)
from harness import UPSTREAM_PORT, SiteTest

FORGED = rr("www.example", "A", 3600, a("203.0.113.66"))
TRUE = rr("www.example", "A", 300, a("192.0.2.1"))
PATIENT = {"retry-after": "60s", "timeout": "120s"}


def reply_to(message, asked, word=QR, records=(FORGED,)):
    """An answer with this message's ID and any question."""
    head = header(message_id(message), word, bool(asked), len(records))
    return head + asked + b"".join(records)


def two_questions(message):
    asked = question("www.example")
    return header(message_id(message), QR, 2, 1) + asked + asked + FORGED


# What is wrong, and such an answer to a query for www.example A IN.
WRONG = {
    "the next ID": lambda message: with_id(answer(message, [FORGED]), message_id(message) ^ 1),
    "another name": lambda message: reply_to(message, question("wwx.example")),
    "a name above": lambda message: reply_to(message, question("example")),
    "a name below": lambda message: reply_to(message, question("a.www.example")),
    "another type": lambda message: reply_to(message, question("www.example", "AAAA")),
    "another class": lambda message: reply_to(message, question("www.example", "A", 3)),
    "two questions": two_questions,
    "a cut question": lambda message: answer(message)[:-1],
    "a header alone": lambda message: answer(message)[:HEADER_SIZE],
    "less than a header": lambda message: answer(message)[: HEADER_SIZE - 1],
    "nothing": lambda message: b"",
    "a query": lambda message: message,
    "another opcode": lambda message: reply_to(
        message, question("www.example"), QR | opcode_flags(STATUS)
    ),
    "no question and NOERROR": lambda message: reply_to(message, b"", QR | NOERROR),
    "no question and NXDOMAIN": lambda message: reply_to(message, b"", QR | NXDOMAIN, ()),
}


class SpoofTest(SiteTest):
    def setUp(self):
        self.resolver = self.upstream(script=None)
        self.proxy = self.daemon(self.resolver, config={"workers": 1, "upstream": PATIENT})

    def assert_true_one_arrives(self, channel, request):
        true = answer(request.message, [TRUE])
        request.reply(true)
        self.assertEqual(channel.receive()[2:], true[2:])
        self.assertTrue(channel.is_silent(0.01))


class WrongAnswers(SpoofTest):
    def try_all(self, channel):
        for label, forge in WRONG.items():
            with self.subTest(label):
                channel.send(query("www.example"))
                request = self.resolver.next()
                request.reply(forge(request.message))
                self.assertTrue(channel.is_silent(0.1))
                self.assert_true_one_arrives(channel, request)

    def test_udp(self):
        with self.german4.udp() as channel:
            self.try_all(channel)

    def test_tcp(self):
        with self.german4.tcp() as channel:
            self.try_all(channel)

    def test_a_flood_of_wrong_ids(self):
        with self.german4.udp() as channel:
            channel.send(query("www.example"))
            request = self.resolver.next()
            forged = answer(request.message, [FORGED])
            for id in range(2000):
                if id != message_id(request.message):
                    request.reply(with_id(forged, id))
            self.assert_true_one_arrives(channel, request)

    def test_the_answer_of_another_query_in_flight(self):
        """Each has a valid ID, each question was asked, but they do not belong together."""
        with self.german4.udp() as channel:
            channel.send(query("one.example", id=1), query("two.example", id=2))
            one, two = self.resolver.next(), self.resolver.next()
            one.reply(with_id(answer(two.message, [FORGED]), message_id(one.message)))
            two.reply(with_id(answer(one.message, [FORGED]), message_id(two.message)))
            self.assertTrue(channel.is_silent(0.1))
            for request in (two, one):
                request.reply(answer(request.message, [TRUE]))
                received = parse(channel.receive())
                self.assertEqual(received.question, read_question(request.message))
                self.assertEqual(received.records[0].rdata, a("192.0.2.1"))

    def test_the_second_answer(self):
        with self.german4.udp() as channel:
            channel.send(query("www.example"))
            request = self.resolver.next()
            self.assert_true_one_arrives(channel, request)
            request.reply(answer(request.message, [FORGED]))
            self.assertTrue(channel.is_silent(0.1))


class WrongSenders(SpoofTest):
    def try_from(self, *sender):
        forger = self.site.server.socket(socket.SOCK_DGRAM, *sender)
        with forger, self.german4.udp() as channel:
            channel.send(query("www.example"))
            request = self.resolver.next()
            forger.sendto(answer(request.message, [FORGED]), request.peer)
            self.assertTrue(channel.is_silent(0.1))
            self.assert_true_one_arrives(channel, request)

    def test_another_port_of_the_server(self):
        self.try_from("127.0.0.2", 5353)

    def test_another_address(self):
        self.try_from("127.0.0.6", UPSTREAM_PORT)

    def test_another_server_that_was_not_asked(self):
        """Each server answers with the ID and question of what the other was asked."""
        self.proxy.stop()
        other = self.upstream("127.0.0.5", script=None)
        self.daemon(self.resolver, other, config={"workers": 1, "upstream": PATIENT})
        with self.german4.udp() as channel:
            channel.send(query("one.example"), query("two.example"))
            here, there = self.resolver.next(), other.next()
            here.reply(answer(there.message, [FORGED]))
            there.reply(answer(here.message, [FORGED]))
            self.assertTrue(channel.is_silent(0.1))
            for request in (here, there):
                self.assert_true_one_arrives(channel, request)


class OddButRight(SpoofTest):
    def assert_relayed(self, message, make):
        with self.german4.udp() as channel:
            channel.send(message)
            request = self.resolver.next()
            odd = make(request.message)
            request.reply(odd)
            self.assertEqual(channel.receive()[2:], odd[2:])

    def test_other_case(self):
        """A resolver may return its own spelling of the name."""
        self.assert_relayed(
            query("wWw.eXample"), lambda message: reply_to(message, question("WwW.Example"))
        )

    def test_an_absent_question_in_some_errors(self):
        for rcode in (FORMERR, NOTIMP, SERVFAIL, REFUSED):
            with self.subTest(rcode=rcode):
                self.assert_relayed(
                    query("www.example"), lambda message: reply_to(message, b"", QR | rcode, ())
                )

    def test_a_header_alone_that_promises_the_question(self):
        """NSD answers so what it cannot read."""
        self.assert_relayed(
            query("www.example"), lambda message: header(message_id(message), QR | FORMERR, 1)
        )

    def test_a_query_without_a_question(self):
        self.assert_relayed(header(5, RD), lambda message: reply_to(message, b""))

    def test_a_question_that_cannot_be_read(self):
        """There is nothing to compare: address, port and ID decide."""
        unreadable = struct.pack("!6H", 6, RD, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1"
        self.assert_relayed(unreadable, lambda message: reply_to(message, b"", QR | FORMERR, ()))

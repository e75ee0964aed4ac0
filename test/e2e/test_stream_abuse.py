# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clients that hold all the places for connections there are, in every way that costs them
little: honest ones are served all the same, those that are connected as well as those that come,
by each transport. And who reads what he has asked for gets it, however much comes at once."""

import contextlib
import itertools
import socket
import struct
import subprocess

from dnsbytes import answer, query
from harness import GERMAN4, ITALIAN4, SERVER4, silent
from http2 import CONTINUATION, DATA, HEADERS, PREFACE, SETTINGS, WINDOW_UPDATE, Http2, frame
from httpstest import POSTED
from policytest import MARK, PolicyTest, marked
from quic import Quic, begin_half_open
from test_slow_clients import HELLO
from ways import CONFIG, DIRECT, FILES, TRUSTING, Way, asking

PLACES = 40
FRESH = ("tcp", "tls", "https", "quic")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST
ENDLESS = PREFACE + frame(SETTINGS) + frame(HEADERS, 0, 1, b"") + frame(CONTINUATION, 0, 1, b"\0")
LARGE = [MARK] * 95  # 4 KB


def crowd():
    """Addresses of a /16, each a client of its own."""
    return (f"5.9.{number // 250 + 10}.{number % 250 + 1}" for number in itertools.count())


class Crowds(PolicyTest):
    FILES = FILES
    CONFIG = {**CONFIG, "workers": 1, "limits": {"tcp-connections": PLACES, "tcp-idle": "1h"}}

    def setUp(self):
        self.held = contextlib.ExitStack()
        self.addCleanup(self.held.close)
        self.addresses = crowd()
        self.before = self.proxy.status()

    def count(self, key):
        return self.proxy.status()[key] - self.before[key]

    def connect(self, transport="tcp", address=None):
        client = self.client(address or next(self.addresses))
        return self.held.enter_context(client.tcp((SERVER4, DIRECT[transport])))

    def by_tls(self, transport):
        stream = self.connect(transport)
        stream.socket = TRUSTING[transport].wrap_socket(stream.socket)
        return stream

    def ask(self, ask):
        self.assertIn(MARK, ask(query("free.example", id=0)))

    def assert_newcomers_are_served(self):
        """By a client program that nobody here has written."""
        for transport in FRESH:
            said = subprocess.run(
                ("kdig", f"@{SERVER4}", "-b", ITALIAN4, f"+{transport}", "+retry=0", "+timeout=30",
                 "free.example", "TXT"),
                capture_output=True, text=True, preexec_fn=self.site.clients.__enter__,
            ).stdout  # fmt: skip
            self.assertIn("upstream", said, transport)

    def surround(self, attack, rounds=2 * PLACES):
        """The attack so many times, with honest connections that stay, and those that come."""
        honest = [
            self.held.enter_context(asking(self.client(GERMAN4), Way(transport, DIRECT[transport])))
            for transport in FRESH
        ]
        for number in range(rounds):
            attack(number)
            if number % 10 == 0:
                for ask in honest:
                    self.ask(ask)
        self.assert_newcomers_are_served()
        for ask in honest:
            self.ask(ask)
        self.assertEqual(self.count("tcp_refused"), 0)

    def test_who_connects_and_is_silent(self):
        self.surround(lambda _: self.connect())
        self.assertGreaterEqual(self.count("tcp_reaped"), PLACES)

    def test_part_of_a_message(self):
        self.surround(lambda _: self.connect().send_bytes(b"\0\x20a"))

    def test_handshakes_that_are_not_finished(self):
        self.surround(lambda i: self.connect(("tls", "https")[i % 2]).send_bytes(HELLO[: i + 1]))

    def test_silence_behind_tls(self):
        self.surround(lambda i: self.by_tls(("tls", "https")[i % 2]))
        self.assertGreaterEqual(self.count("tcp_reaped"), PLACES)

    def test_headers_without_end(self):
        self.surround(lambda i: self.connect("http").send_bytes(ENDLESS[: -1 - i % 4]))

    def test_who_asked_once_and_stays(self):
        def attack(_):
            stream = self.connect()
            stream.send(query("free.example", id=0))
            stream.receive()

        self.surround(attack)
        self.assertGreaterEqual(self.count("tcp_reaped"), PLACES)

    def test_half_closed(self):
        def attack(number):
            stream = self.connect()
            stream.send_bytes(b"\0\x20a" if number % 2 else b"")
            stream.half_close()

        self.surround(attack)

    def test_resets(self):
        def attack(number):
            with self.client(next(self.addresses)).tcp((SERVER4, DIRECT["tcp"])) as stream:
                stream.send(*[query(f"h{i}.example") for i in range(number % 3)])
                stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

        self.surround(attack, 10 * PLACES)

    def test_quic(self):
        """First packets from one address and from many, and connections that ask nothing."""
        for _ in range(5):
            self.held.enter_context(begin_half_open(self.client(next(self.addresses)), 100))
        attack = lambda _: self.held.enter_context(Quic(self.client(next(self.addresses))))
        self.surround(attack, PLACES + 10)

    def test_who_waits_for_upstream_keeps_his_place(self):
        """While others come who do not ask."""
        self.resolver.script = silent
        self.addCleanup(setattr, self.resolver, "script", marked)
        self.resolver.requests.clear()
        waiting = []
        while len(waiting) < PLACES - 1:
            waiting.append(self.connect())
            waiting[-1].send(query("free.example", id=7))
            asked = lambda: len(self.resolver.requests) >= len(waiting)
            self.eventually(asked, f"{len(waiting)} asked")
        for _ in range(2 * PLACES):
            self.connect()
        reaped = lambda: self.count("tcp_reaped")
        self.eventually(lambda: reaped() >= 2 * PLACES - 1, lambda: f"{reaped()} reaped")
        for request in list(self.resolver.requests):
            marked(request)
        for stream in waiting:
            self.assertIn(MARK, stream.receive())


class Bursts(PolicyTest):
    """More at once than may be left unread."""

    FILES = FILES
    CONFIG = {**CONFIG, "workers": 1, "limits": {"stream-output": "64 KiB"}}
    COUNT = 90

    def setUp(self):
        self.before = self.proxy.status()["tcp_overflow"]
        self.resolver.script = lambda request: request.reply(answer(request.message, LARGE))
        self.addCleanup(setattr, self.resolver, "script", marked)

    def tearDown(self):
        self.assertEqual(self.proxy.status()["tcp_overflow"], self.before)

    def messages(self):
        return [query(f"host{i}.example", id=i) for i in range(self.COUNT)]

    def check(self, message):
        self.assertEqual(message.count(MARK), len(LARGE))

    def test_framed(self):
        for transport in ("tcp", "tls"):
            for receive_buffer in (None, 4096):
                with self.client(GERMAN4).tcp((SERVER4, DIRECT[transport]), receive_buffer) as stream:
                    if transport == "tls":
                        stream.socket = TRUSTING["tls"].wrap_socket(stream.socket)
                    stream.send(*self.messages())
                    for _ in range(self.COUNT):
                        self.check(stream.receive())

    def test_https(self):
        """By a client that opens its windows only as it reads."""
        for transport in ("http", "https"):
            with self.client(GERMAN4).tcp((SERVER4, DIRECT[transport])) as stream:
                if transport == "https":
                    stream.socket = TRUSTING["https"].wrap_socket(stream.socket)
                with Http2(stream.socket) as http:
                    wanted = [
                        http.request("POST", "/dns-query", POSTED, message)
                        for message in self.messages()
                    ]
                    for request in wanted:
                        self.check(self.read_on(http, request).body)

    @staticmethod
    def read_on(http, request):
        while request not in http.complete:
            kind, flags, stream, payload = http.read_frame()
            http.take(kind, flags, stream, payload)
            if kind == DATA and payload:
                http.frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", len(payload)))
        return http.response(request)

    def test_quic(self):
        with Quic(self.client(GERMAN4)) as connection:
            tags = [connection.send(query(f"host{i}.example", id=0)) for i in range(self.COUNT)]
            for tag in tags:
                (message,) = connection.answers(tag)
                self.check(message)


class Speakers(PolicyTest):
    FILES = FILES
    CONFIG = {
        **CONFIG, "limits": {"tcp-per-client": 3}, "trust": {**CONFIG["trust"], "ecs": ["5.9.0.0/24"]}
    }  # fmt: skip

    def test_who_speaks_for_others_is_not_one_client(self):
        """Over QUIC as over TCP; who does not is."""
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                connection = stack.enter_context(Quic(self.client(GERMAN4)))
                self.assertIn(MARK, connection.ask(query("free.example", id=0)))
            for _ in range(3):
                connection = stack.enter_context(Quic(self.client(ITALIAN4)))
                self.assertIn(MARK, connection.ask(query("free.example", id=0)))
            connection = stack.enter_context(Quic(self.client(ITALIAN4)))
            self.assertEqual(connection.event("closed"), ("application", "4"))

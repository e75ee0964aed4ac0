# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS over HTTPS against floods, slow clients and garbage: each ends its own connection, and nobody
else notices."""

import struct

from dnsbytes import answer, query
from harness import GERMAN4, ITALIAN4, SERVER4, silent
from http2 import (
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS,
    INITIAL_WINDOW_SIZE, PING, PREFACE, RST_STREAM, SETTINGS, WINDOW_UPDATE, Goaway, block_of,
    frame, request_fields,
)
from httpstest import CLEAR, FREE, POSTED, HttpsTest, target_of, verdict
from policytest import MARK, marked


class Abuse(HttpsTest):
    CONFIG = {
        **HttpsTest.CONFIG,
        "limits": {"tcp-idle": "2s", "tcp-per-client": 1000},
    }

    ROOT = block_of(request_fields("GET", "/"))
    POST = block_of(request_fields("POST", "/dns-query", POSTED))
    # Frames for ever, and how the connection ends.
    FLOODS = {
        "PING": lambda i: frame(PING, payload=bytes(8)),
        "SETTINGS": lambda i: frame(SETTINGS),
        "PRIORITY": lambda i: frame(2, 0, 2 * i + 1, bytes(5)),
        "WINDOW_UPDATE": lambda i: frame(WINDOW_UPDATE, payload=b"\0\0\0\1"),
        "rapid reset": lambda i: (
            frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, Abuse.ROOT)
            + frame(RST_STREAM, 0, 2 * i + 1, struct.pack("!I", CANCEL))
        ),
        "CONTINUATION": lambda i: (
            frame(CONTINUATION, 0, 1) if i > 0 else frame(HEADERS, END_STREAM, 1, Abuse.ROOT)
        ),
        "empty DATA": lambda i: (
            frame(DATA, 0, 1)
            if i > 0
            else frame(HEADERS, END_HEADERS, 1, Abuse.POST)
        ),
    }  # fmt: skip

    def flood(self, http, make):
        """Sends until the server has had enough; the code of its GOAWAY, None if it was lost."""
        try:
            for first in range(0, 100000, 50):
                http.send(b"".join(make(i) for i in range(first, first + 50)))
                self.assertLess(first, 50000)
        except OSError:
            pass
        return http.goaway()

    def test_floods(self):
        for label, make in self.FLOODS.items():
            with self.subTest(label), self.http(ITALIAN4) as http:
                self.assertIn(self.flood(http, make), (ENHANCE_YOUR_CALM, None), label)
            self.assert_served()

    def test_resets_of_real_queries(self):
        """What they leave behind upstream is bounded, and their answers go nowhere."""
        self.resolver.script = silent
        make = lambda i: (
            frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1,
                  block_of(request_fields("GET", target_of(query(f"h{i}.example")))))
            + frame(RST_STREAM, 0, 2 * i + 1, struct.pack("!I", CANCEL))
        )  # fmt: skip
        self.addCleanup(setattr, self.resolver, "script", marked)
        with self.http(ITALIAN4) as http:
            for i in range(300):
                http.send(make(i))
            self.resolver.script = marked
            self.assert_served()

    def test_huge_headers(self):
        with self.http(ITALIAN4) as http:
            fields = [("x", "y" * 15000)] * 8
            try:
                http.response(http.request("GET", "/", fields))
                self.fail("answered")
            except (Goaway, OSError, EOFError):
                pass
        self.assert_served()

    def test_more_streams_than_are_offered(self):
        with self.http(ITALIAN4) as http:
            http.response(http.request("GET", "/"))  # SETTINGS have been exchanged
            make = lambda i: frame(HEADERS, END_HEADERS, 2 * i + 3, self.ROOT)
            self.flood(http, make)
        self.assert_served()

    def test_a_slow_request_ends_however_busy_it_is(self):
        """And so does a connection that has nothing else."""
        with self.http(ITALIAN4) as drip, self.http(GERMAN4) as busy:
            slow = busy.request("POST", "/dns-query", POSTED, ends=False)
            stream = drip.request("POST", "/dns-query", POSTED, ends=False)

            def dripped():
                try:
                    drip.frame(DATA, 0, stream, b"x")
                    self.assertEqual(verdict(self.get(busy, query(FREE))), "forward")
                    return False
                except OSError:
                    return True

            self.eventually(dripped, "the connection that drips is closed")
            self.get(busy, query(FREE))  # busy still, if nothing ran for a while
            self.assertEqual(busy.response(slow).status, 408)

    def test_who_does_not_read(self):
        """Windows shut, or the socket not read: answers are kept only so far."""
        big = lambda request: request.reply(answer(request.message, [MARK] * 400))
        self.resolver.script = big
        self.addCleanup(setattr, self.resolver, "script", marked)
        with self.http(ITALIAN4, settings=[(INITIAL_WINDOW_SIZE, 0)]) as http:
            for i in range(60):
                http.request("GET", target_of(query(FREE)))
            self.assertNotEqual(http.goaway(), 0)  # closed
        self.resolver.script = marked
        self.assert_served()

    def test_windows_that_open_late(self):
        """A client with small windows gets all of its answers: what it does not let out yet keeps
        its own queries waiting, not its WINDOW_UPDATE."""
        self.resolver.script = lambda request: request.reply(answer(request.message, [MARK] * 40))
        self.addCleanup(setattr, self.resolver, "script", marked)
        with self.http(GERMAN4, settings=[(INITIAL_WINDOW_SIZE, 1000)]) as http:
            streams = [http.request("GET", target_of(query(f"h{i}.example"))) for i in range(100)]
            wanted = set(streams)
            while wanted:
                kind, flags, stream, payload = http.read_frame()
                http.take(kind, flags, stream, payload)
                if kind == DATA and not flags & END_STREAM and payload:
                    update = struct.pack("!I", len(payload))
                    http.frame(WINDOW_UPDATE, 0, 0, update)
                    http.frame(WINDOW_UPDATE, 0, stream, update)
                elif kind == DATA and payload:
                    http.frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", len(payload)))
                wanted -= set(http.complete)
            for stream in streams:
                self.assertEqual(verdict(http.response(stream)), "forward")

    def test_garbage(self):
        for octets in (
            b"\0" * 100, PREFACE[:-1] + b"x" * 50, PREFACE + b"\xff" * 100,
            PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, b"\xff" * 20),
            PREFACE + frame(SETTINGS) + frame(HEADERS, END_HEADERS, 2, self.ROOT),
            PREFACE + frame(SETTINGS, ACK) + frame(DATA, 0, 0, b"x"),
            b"\x16\x03\x01\x02\x00\x01",
        ):  # fmt: skip
            with self.client(ITALIAN4).tcp((SERVER4, CLEAR)) as stream:
                stream.send_bytes(octets)
                stream.half_close()
                try:
                    while stream.socket.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        self.assert_served()

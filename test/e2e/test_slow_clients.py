# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends an octet now and then, on each layer that a stream has: each is given up in time,
however he keeps it busy, and honest clients are served meanwhile. (A PROXY header before TLS, and
streams of QUIC, are in their own suites.)"""

import time

from dnsbytes import query
from harness import GERMAN4, ITALIAN4, SERVER6
from http2 import HEADERS, PREFACE, SETTINGS, frame
from policytest import MARK, PolicyTest
from proxytest import GERMAN_PROXY, proxied, tlv
from ways import CONFIG, DIRECT, FILES, INSIDE, TRUSTING, Way, asking

MESSAGE = b"\xff\xff" + bytes(65535)
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
PROXY = proxied(ITALIAN4, "tcp", tlv(4, bytes(400)))
BLOCK = frame(HEADERS, 0, 1, bytes(16000))
# Layer: where it is, the transport whose TLS is ready, what comes at once, and what comes slowly.
LAYERS = {
    "a message": (DIRECT["tcp"], None, b"", MESSAGE),
    "a handshake of TLS": (DIRECT["tls"], None, b"", HELLO),
    "a message in TLS": (DIRECT["tls"], "tls", b"", MESSAGE),
    "a PROXY header in TLS": (INSIDE["tls"], "tls", b"", PROXY),
    "a PROXY header in TLS of HTTPS": (INSIDE["https"], "https", b"", PROXY),
    "the preface": (DIRECT["https"], "https", b"", PREFACE + BLOCK),
    "a header block": (DIRECT["https"], "https", PREFACE + frame(SETTINGS), BLOCK),
    "a header block without TLS": (DIRECT["http"], None, PREFACE + frame(SETTINGS), BLOCK),
    "a request behind a PROXY header": (
        INSIDE["https"], "https", proxied(ITALIAN4, "tcp") + PREFACE + frame(SETTINGS), BLOCK
    ),
    "a message behind a PROXY header": (INSIDE["tls"], "tls", proxied(ITALIAN4, "tcp"), MESSAGE),
}  # fmt: skip
HONEST = [Way("tcp", DIRECT["tcp"]), Way("tls", DIRECT["tls"]), Way("https", DIRECT["https"])]


class SlowClients(PolicyTest):
    FILES = FILES
    CONFIG = {**CONFIG, "workers": 1, "limits": {"tcp-idle": "3s"}}

    def open(self, port, transport, at_once):
        """A proxy's, since proxies are who may begin with PROXY headers."""
        stream = self.client(GERMAN_PROXY).tcp((SERVER6, port))
        self.addCleanup(stream.close)
        if transport:
            stream.socket = TRUSTING[transport].wrap_socket(stream.socket)
        stream.send_bytes(at_once)
        return stream

    def test_an_octet_now_and_then(self):
        slow = {
            label: (self.open(port, transport, at_once), iter(octets))
            for label, (port, transport, at_once, octets) in LAYERS.items()
        }
        rounds = 0

        def all_ended():
            nonlocal rounds
            for label, (stream, octets) in list(slow.items()):
                try:
                    stream.send_bytes(bytes([next(octets)]))
                except OSError:
                    del slow[label]
            way = HONEST[rounds % len(HONEST)]
            with asking(self.client(GERMAN4), way) as ask:
                self.assertIn(MARK, ask(query("free.example", id=0)))
            rounds += 1
            time.sleep(0.05)
            return not slow

        self.eventually(all_ended, lambda: f"given up: {list(slow)}")
        self.assertGreater(rounds, 1)

# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of DNS over QUIC that does as it is told (quic_client.c), and the certificates it takes.

    with quic(site.client("2.32.0.1")) as connection:
        connection.ask(query("www.example", id=0))           one stream: its only answer
        tag = connection.send(message)                       a query with FIN; answers(tag) waits
        connection.send_bytes(octets, fin=False)
        connection.rebind("2.32.0.2")
        connection.event("closed")                           the next event of that kind
    Quic(client, session=session)                        what event("session") told another
"""

import contextlib
import os
import subprocess

from client import DEADLINE, frame
from harness import BUILD

PROGRAM = BUILD / "test" / "quic_client"
PORT = 853


def certificate(folder, name="dns.example"):
    """The keys `certificate` and `key` of a listener: a new pair in the folder."""
    pair = {"certificate": folder / "certificate.pem", "key": folder / "key.pem"}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        + ["-keyout", pair["key"], "-out", pair["certificate"]],
        check=True,
        capture_output=True,
    )
    return {key: str(path) for key, path in pair.items()}


class Quic:
    """One connection of a Client (client.py), through its handshake unless alpn is refused."""

    def __init__(self, client, server=None, alpn="doq", session=None):
        host, port = server or (client.server[0], PORT)
        with client.namespace:
            self.process = subprocess.Popen(
                [PROGRAM, client.address, host, str(port), alpn, *([session] if session else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                bufsize=1,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            )
        self.tags = 0
        self.events = []  # that nobody has asked for yet
        self.received = {}  # {tag: octets}
        self.ended = set()  # tags with FIN

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it did not read any more
            self.process.stdin.close()
        self.process.stdout.close()

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def send_bytes(self, octets, tag=None, fin=False):
        if tag is None:
            tag = self.tags = self.tags + 1
        if octets or fin:
            self.tell("send", tag, *([octets.hex()] if octets else []), *(["fin"] if fin else []))
        return tag

    def send(self, message):
        return self.send_bytes(frame(message), fin=True)

    def cancel(self, tag):
        self.tell("cancel", tag)

    def rebind(self, address):
        self.tell("rebind", address)
        self.event("rebound")

    def mute(self):
        self.tell("mute")

    def ask(self, message):
        (answer,) = self.answers(self.send(message))
        return answer

    def answers(self, tag):
        """All answers on a stream, which ends with FIN; EOFError if it does not."""
        while tag not in self.ended:
            if not self._next() or any(event[0] == "closed" for event in self.events):
                raise EOFError(f"no end of stream {tag}: {self.events}")
        data, messages = self.received.pop(tag, b""), []
        while data:
            end = 2 + int.from_bytes(data[:2], "big")
            if len(data) < end:
                raise EOFError(f"stream {tag} ended within a message")
            messages.append(data[2:end])
            data = data[end:]
        return messages

    def event(self, kind):
        """The words behind the next event of this kind; what comes meanwhile is kept."""
        while True:
            for event in self.events:
                if event[0] == kind:
                    self.events.remove(event)
                    return event[1:]
            if not self._next():
                raise EOFError(f"no {kind}: {self.events}")

    def has(self, kind):
        return any(event[0] == kind for event in self.events)

    def _next(self):
        line = self.process.stdout.readline()
        words = line.split()
        if not words:
            return False
        if words[0] == "data":
            tag = int(words[1])
            self.received[tag] = self.received.get(tag, b"") + bytes.fromhex(words[2])
        elif words[0] == "fin":
            self.ended.add(int(words[1]))
        else:
            self.events.append(tuple(words))
        return True


@contextlib.contextmanager
def begin_half_open(client, count):
    """Begins that many handshakes and answers nothing, for as long as it is told what comes."""
    with client.namespace:
        process = subprocess.Popen(
            [PROGRAM, client.address, client.server[0], str(PORT), "half-open", str(count)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
        )
    with process:
        yield process
        process.kill()


def half_open(client, count):
    """How many packets came back of that many that are a Retry, how many others, and how many
    octets in all."""
    with begin_half_open(client, count) as process:
        _, retries, _, others, _, octets = process.communicate(timeout=DEADLINE)[0].split()
    return int(retries), int(others), int(octets)

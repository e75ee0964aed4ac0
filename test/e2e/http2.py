# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/2 frame by frame, over a connected socket: what a client may send, and what none should.

    http = Http2(socket)                          sends the preface
    stream = http.request("GET", "/dns-query?dns=...")
    http.response(stream).status, .headers, .body
    http.frame(PING, payload=bytes(8))            any frame

Header blocks are written without compression; those that come are read by libnghttp2's inflater.
"""

import ctypes
import struct
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

(DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)  # fmt: skip
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, PROTOCOL_ERROR, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 8, 11
INITIAL_WINDOW_SIZE = 4


class Response(NamedTuple):
    status: int
    headers: dict
    body: bytes


class Reset(Exception):
    """The server reset the stream; args: error code."""


class Goaway(Exception):
    """The server ended the connection; args: error code."""


class _Field(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.POINTER(ctypes.c_uint8)), ("value", ctypes.POINTER(ctypes.c_uint8)),
        ("name_size", ctypes.c_size_t), ("value_size", ctypes.c_size_t), ("flags", ctypes.c_uint8),
    ]  # fmt: skip


class _Inflater:
    FINAL, EMIT = 1, 2

    def __init__(self):
        self.library = ctypes.CDLL("libnghttp2.so.14")
        self.library.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.pointer = ctypes.c_void_p()
        assert self.library.nghttp2_hd_inflate_new(ctypes.byref(self.pointer)) == 0

    def fields(self, block):
        found = []
        while True:
            field, flags = _Field(), ctypes.c_int()
            used = self.library.nghttp2_hd_inflate_hd2(
                self.pointer, ctypes.byref(field), ctypes.byref(flags), block,
                ctypes.c_size_t(len(block)), 1,
            )  # fmt: skip
            assert used >= 0, used
            block = block[used:]
            if flags.value & self.EMIT:
                runs = (field.name, field.name_size), (field.value, field.value_size)
                found.append(tuple(ctypes.string_at(*run).decode("latin-1") for run in runs))
            if flags.value & self.FINAL:
                self.library.nghttp2_hd_inflate_end_headers(self.pointer)
                return found

    def close(self):
        self.library.nghttp2_hd_inflate_del(self.pointer)


def integer(value, bits, first=0):
    """RFC 7541 section 5.1."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    octets = [first | limit]
    value -= limit
    while value >= 128:
        octets.append(value % 128 + 128)
        value //= 128
    return bytes(octets + [value])


def block_of(fields):
    """Each field a literal without indexing (RFC 7541 section 6.2.2)."""
    text = lambda value: integer(len(value), 7) + value
    encode = lambda value: value if isinstance(value, bytes) else value.encode("latin-1")
    return b"".join(b"\0" + text(encode(name)) + text(encode(value)) for name, value in fields)


class Http2:
    def __init__(self, socket, settings=()):
        self.socket = socket
        self.next_stream = 1
        self.unread = b""
        self.inflater = _Inflater()
        self.partial = {}  # by stream: [headers, body]
        self.complete = {}
        self.send(PREFACE)
        self.frame(SETTINGS, payload=b"".join(struct.pack("!HI", *each) for each in settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.inflater.close()
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def frame(self, kind, flags=0, stream=0, payload=b""):
        self.send(frame(kind, flags, stream, payload))

    def request(self, method, target, fields=(), body=None, ends=True):
        """The stream; the body is sent in one frame, or none."""
        stream = self.next_stream
        self.next_stream += 2
        self.headers(stream, request_fields(method, target, fields), body is None and ends)
        if body is not None:
            self.frame(DATA, END_STREAM if ends else 0, stream, body)
        return stream

    def headers(self, stream, fields, ends=True):
        """As many frames as it takes."""
        block = block_of(fields)
        pieces = [block[at : at + 16384] for at in range(0, len(block), 16384)]
        for index, piece in enumerate(pieces):
            flags = END_HEADERS if index == len(pieces) - 1 else 0
            if index == 0:
                self.frame(HEADERS, flags | (END_STREAM if ends else 0), stream, piece)
            else:
                self.frame(CONTINUATION, flags, stream, piece)

    def response(self, stream):
        """Waits for it; Reset or Goaway if it does not come, EOFError if the server hangs up."""
        while stream not in self.complete:
            self.take(*self.read_frame())
        got = self.complete.pop(stream)
        if isinstance(got, Exception):
            raise got
        return got

    def read_frame(self):
        """(type, flags, stream, payload)"""
        head = self._read(9)
        size = int.from_bytes(head[:3], "big")
        return head[3], head[4], int.from_bytes(head[5:], "big"), self._read(size)

    def goaway(self):
        """The error code of the GOAWAY that comes sooner or later."""
        try:
            while True:
                kind, _, _, payload = self.read_frame()
                if kind == GOAWAY:
                    return int.from_bytes(payload[4:8], "big")
        except (ConnectionError, EOFError):
            return None

    def _read(self, count):
        while len(self.unread) < count:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError("the server hung up")
            self.unread += got
        octets, self.unread = self.unread[:count], self.unread[count:]
        return octets

    def take(self, kind, flags, stream, payload):
        if kind == HEADERS:
            assert flags & END_HEADERS
            self.partial[stream] = [dict(self.inflater.fields(payload)), b""]
        elif kind == DATA:
            self.partial[stream][1] += payload
        elif kind == RST_STREAM:
            self.complete.setdefault(stream, Reset(int.from_bytes(payload, "big")))
        elif kind == GOAWAY:
            raise Goaway(int.from_bytes(payload[4:8], "big"))
        elif kind == SETTINGS and not flags & ACK:
            self.frame(SETTINGS, ACK)
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            headers, body = self.partial.pop(stream)
            self.complete[stream] = Response(int(headers[":status"]), headers, body)


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def request_fields(method, target, fields=()):
    pseudo = (":method", method), (":scheme", "https"), (":authority", "dns.example")
    return [*pseudo, (":path", target), *fields]

# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: an address of the client network, with datagrams and streams of raw bytes.

    italian = site.client("2.32.0.1")
    answer = italian.ask(query("www.example"))                  one datagram there and back
    answer = italian.ask(query("www.example"), transport="tcp")
    socket = italian.udp(); socket.send(message); socket.receive()
    stream = italian.tcp(); stream.send(first, second); stream.receive()
"""

import socket
import struct
import time

DEADLINE = 60.0  # of anything that should happen at once: long, for machines that do much else
SILENCE = 0.4  # how long nothing must come, where an answer would be there in a millisecond
MESSAGE_MAX = 65535


def frame(*messages):
    """Messages as a stream carries them (RFC 1035 section 4.2.2)."""
    return b"".join(struct.pack("!H", len(message)) + message for message in messages)


def eventually(condition, what, deadline=DEADLINE):
    """Polls until condition() is true and returns what it returned."""
    end = time.monotonic() + deadline
    while not (outcome := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {deadline} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return outcome


class Client:
    def __init__(self, namespace, address, server):
        """server is where it asks when nothing else is said: (address, port)."""
        self.namespace = namespace
        self.address = address
        self.server = server

    def udp(self, server=None, port=0):
        return Datagrams(self, server or self.server, port)

    def tcp(self, server=None, receive_buffer=None):
        return Stream(self, server or self.server, receive_buffer)

    def ask(self, message, transport="udp", server=None):
        with getattr(self, transport)(server) as channel:
            channel.send(message)
            return channel.receive()


class Channel:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def is_silent(self, seconds=SILENCE):
        """Nothing comes, not even an end."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(DEADLINE)


class Datagrams(Channel):
    """A connected datagram socket: answers from any address but the one asked never arrive."""

    def __init__(self, client, server, port):
        self.socket = client.namespace.socket(socket.SOCK_DGRAM, client.address, port)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(server)

    def send(self, *messages):
        for message in messages:
            self.socket.send(message)

    def receive(self):
        return self.socket.recv(MESSAGE_MAX)


class Stream(Channel):
    def __init__(self, client, server, receive_buffer=None):
        self.socket = client.namespace.socket(socket.SOCK_STREAM, client.address)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        try:
            self.socket.connect(server)
        except OSError:
            self.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *messages):
        self.send_bytes(frame(*messages))

    def send_bytes(self, data):
        self.socket.sendall(data)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def receive(self):
        """One message. EOFError if the peer ended the stream before a whole one."""
        (length,) = struct.unpack("!H", self.receive_bytes(2))
        return self.receive_bytes(length)

    def receive_bytes(self, count):
        data = b""
        while len(data) < count:
            got = self.socket.recv(count - len(data))
            if not got:
                raise EOFError(f"stream ended after {len(data)} of {count} octets")
            data += got
        return data

    def ends(self):
        """Waits for the peer to close; false if it sends something instead."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

# SPDX-License-Identifier: GPL-3.0-or-later
"""A resolver that does exactly as told, over UDP and TCP: for what a real one would never do, and
for seeing the very bytes that arrive.

    upstream = ScriptedUpstream(site.server, "127.0.0.2")         answers everything (echo)
    upstream = ScriptedUpstream(site.server, "127.0.0.2", script=None)
    request = upstream.next()                                       the test answers by hand
    request.reply(answer(request.message))

A script is called with each Request on the upstream's own thread: `echo`, `silent`, or any
function. It can be exchanged at any time: upstream.script = silent. With script=None requests wait
for next().
"""

import functools
import queue
import selectors
import socket
import threading

from client import DEADLINE, MESSAGE_MAX, frame
from dnsbytes import HEADER_SIZE, answer


UPSTREAM_PORT = 5300  # not 53: that is taken at every address by a wildcard listener


class Request:
    """One query as it arrived, and the way back."""

    def __init__(self, message, transport, peer, channel):
        self.message = message
        self.transport = transport
        self.peer = peer  # (address, port) that asked: over UDP, Bailiwick's own source port
        self.channel = channel  # the socket it came by; over TCP one per connection

    def reply(self, *messages):
        if self.transport == "tcp":
            self.channel.sendall(frame(*messages))
            return
        for message in messages:
            self.channel.sendto(message, self.peer)

    def hang_up(self):
        """Ends the TCP connection it came by."""
        self.channel.shutdown(socket.SHUT_RDWR)


def echo(request):
    if len(request.message) >= HEADER_SIZE:
        request.reply(answer(request.message))


def silent(_request):
    pass


class ScriptedUpstream:
    def __init__(
        self, namespace, address, port=UPSTREAM_PORT, *, script=echo, transports=("udp", "tcp")
    ):
        self.server = (address, port)
        self.script = script
        self.requests = []  # all of them, in order of arrival
        self.connections = 0  # TCP connections accepted so far
        self._waiting = queue.Queue()
        self._streams = set()  # TCP connections open now
        self._failure = None
        self._selector = selectors.DefaultSelector()
        self._stop, stopped = socket.socketpair()
        self._register(stopped, None)
        if "udp" in transports:
            self._register(namespace.socket(socket.SOCK_DGRAM, address, port), self._on_datagram)
        if "tcp" in transports:
            listener = namespace.socket(socket.SOCK_STREAM, address, port)
            listener.listen(1024)
            self._register(listener, self._on_connection)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def next(self, deadline=DEADLINE):
        """The oldest request that next() has not returned yet."""
        try:
            return self._waiting.get(timeout=deadline)
        except queue.Empty:
            raise TimeoutError(f"no query reached {self.server} in {deadline} s") from None

    def forget(self):
        """Drops what has arrived so far."""
        self.requests.clear()
        while not self._waiting.empty():
            self._waiting.get()

    def hang_up(self):
        """Ends all TCP connections."""
        for connection in list(self._streams):
            connection.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self._stop.close()
        self._thread.join(DEADLINE)
        if self._failure:
            raise self._failure

    def _register(self, channel, callback):
        self._selector.register(channel, selectors.EVENT_READ, callback)

    def _run(self):
        try:
            while True:
                for key, _ in self._selector.select():
                    if key.data is None:
                        return
                    key.data(key.fileobj)
        except Exception as error:  # of a script: told to who stops it
            self._failure = error
        finally:
            for key in list(self._selector.get_map().values()):
                key.fileobj.close()
            self._selector.close()

    def _on_datagram(self, channel):
        message, peer = channel.recvfrom(MESSAGE_MAX)
        self._arrived(Request(message, "udp", peer[:2], channel))

    def _on_connection(self, listener):
        connection, peer = listener.accept()
        connection.settimeout(DEADLINE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self._streams.add(connection)
        self._register(connection, functools.partial(self._on_stream, peer[:2], bytearray()))

    def _on_stream(self, peer, unread, connection):
        try:
            data = connection.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            self._streams.remove(connection)
            connection.close()
            return
        unread += data
        while len(unread) >= 2 and len(unread) >= (end := 2 + int.from_bytes(unread[:2], "big")):
            message = bytes(unread[2:end])
            del unread[:end]
            self._arrived(Request(message, "tcp", peer, connection))

    def _arrived(self, request):
        self.requests.append(request)
        if self.script is None:
            self._waiting.put(request)
            return
        try:
            self.script(request)
        except OSError:
            pass  # the asker has gone away

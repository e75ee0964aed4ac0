# SPDX-License-Identifier: GPL-3.0-or-later
"""dnstap read back: files of Frame Streams, and the messages in them, by an eye of its own. The
schema is dnstap.proto of dnstap.info.

    for event in events(path.read_bytes()):
        event.type, event.policy, event.response
    with Capture(site, folder) as capture:      fstrm_capture, as a receiver
        Daemon(..., config={"dnstap": {"socket": str(capture.socket)}})
"""

import socket
import struct
import subprocess
from typing import NamedTuple

from harness import Process

CLIENT_QUERY, CLIENT_RESPONSE = 5, 6
PROTOCOLS = {1: "udp", 2: "tcp", 3: "tls", 4: "https", 7: "quic"}
MATCHES = {1: "QNAME", 2: "CLIENT_IP", 3: "RESPONSE_IP"}
ACTIONS = {1: "NXDOMAIN", 2: "NODATA", 3: "PASS", 4: "DROP", 5: "TRUNCATE", 6: "LOCAL_DATA"}
CONTENT = b"protobuf:dnstap.Dnstap"


class Policy(NamedTuple):
    rule: str
    action: str | None
    match: str | None
    value: bytes | None


class Event(NamedTuple):
    type: int
    identity: str
    protocol: str | None
    client: str
    port: int | None
    server: tuple
    query_time: float
    response_time: float | None
    query: bytes | None
    response: bytes | None
    policy: Policy | None
    http: int | None


def payloads(content):
    """The data frames of a file that began and ended in good order, or (a crash, a full disk) only
    began."""
    at, began = 0, False
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        at += 4
        if size == 0:
            (size,) = struct.unpack_from(">I", content, at)
            control = content[at + 4 : at + 4 + size]
            (kind,) = struct.unpack_from(">I", control)
            began = {2: True, 3: False}[kind]
            assert kind == 3 or control[12:] == CONTENT, control
            at += 4 + size
            continue
        assert began and at + size <= len(content), (at, size, len(content))
        yield content[at : at + size]
        at += size


def varint(octets, at):
    value = shift = 0
    while True:
        value |= (octets[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if octets[at - 1] < 128:
            return value, at


def fields(octets):
    """{number: value} of one message of Protocol Buffers; none may come twice."""
    found, at = {}, 0
    while at < len(octets):
        key, at = varint(octets, at)
        number, wire = key >> 3, key & 7
        assert number not in found, number
        if wire == 0:
            found[number], at = varint(octets, at)
        elif wire == 5:
            (found[number],) = struct.unpack_from("<I", octets, at)
            at += 4
        else:
            assert wire == 2, wire
            size, at = varint(octets, at)
            found[number] = octets[at : at + size]
            at += size
    assert at == len(octets)
    return found


def address(octets):
    family = {4: socket.AF_INET, 16: socket.AF_INET6}
    return None if octets is None else socket.inet_ntop(family[len(octets)], octets)


def time_of(message, seconds):
    if seconds not in message:
        return None
    return message[seconds] + message[seconds + 1] / 1e9


def policy_of(octets):
    if octets is None:
        return None
    policy = fields(octets)
    assert policy[1] == b"order", policy
    return Policy(
        policy[2].decode(), ACTIONS.get(policy.get(3)), MATCHES.get(policy.get(4)), policy.get(5)
    )


def event(octets):
    outer = fields(octets)
    assert outer[15] == 1 and outer[2].startswith(b"bailiwick "), outer
    message = fields(outer[14])
    assert message[2] == {4: 1, 16: 2}[len(message[4])], "socket_family"
    return Event(
        type=message[1],
        identity=outer[1].decode(),
        protocol=PROTOCOLS.get(message.get(3)),
        client=address(message[4]),
        port=message.get(6),
        server=(address(message.get(5)), message.get(7)),
        query_time=time_of(message, 8),
        response_time=time_of(message, 12),
        query=message.get(10),
        response=message.get(14),
        policy=policy_of(message.get(15)),
        http=message.get(16),
    )


def events(content):
    return [event(payload) for payload in payloads(content)]


def read_by_others(path):
    """The lines of dnstap-read, and how many frames fstrm_dump finds."""
    read = subprocess.run(["dnstap-read", path], capture_output=True, text=True, check=True)
    dumped = subprocess.run(["fstrm_dump", path], capture_output=True, text=True, check=True)
    return read.stdout.splitlines(), dumped.stderr.count("Data frame (")


class Capture(Process):
    """fstrm_capture, which writes what it is told into a file."""

    name = "fstrm_capture"
    exit_statuses = (0,)

    def __init__(self, site, folder):
        super().__init__(site)
        self.socket, self.file = folder / "tap.sock", self.folder / "queries.tap"
        self.launch("fstrm_capture", "-t", CONTENT, "-u", self.socket, "-w", self.file)

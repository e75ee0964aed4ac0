# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suites about true clients share: PROXY headers and ECS options as bytes, right and wrong,
peers that are trusted with them, and verdicts that say where a client was taken to be.

    self.through(ITALIAN_PROXY, proxied("5.9.0.1"), query(LISTED))      the answer behind a header
    verdict(received)                                                   "block" or "forward"
"""

import socket
import struct

from client import frame
from dnsbytes import EDE_CENSORED, OPTION_ECS, REFUSED, opt, parse, query
from harness import SERVER4, SERVER6
from policytest import MARK, SMALL, PolicyTest, order, small_database

PROXIED = 8053  # the port of listeners that require PROXY headers
ITALIAN_PROXY, GERMAN_PROXY = "2.32.9.9", "2a01:4f8::9"
ITALIAN_ECS, GERMAN_ECS = "2.32.8.8", "5.9.8.8"
NOWHERE = "203.0.113.7"

LOCAL, PROXY = 0, 1
UNSPEC, INET, INET6, UNIX = range(4)
TRANSPORT = {"udp": 2, "tcp": 1}
PROXY_MAX = 512  # octets behind the first 16

LISTED, UNKNOWN, FREE = "listed.example", "unknown.example", "free.example"

CONFIG = {
    **SMALL,
    "listen": [
        {"address": SERVER4, "port": 53},
        {"address": SERVER6, "port": 53},
        {"address": SERVER4, "port": PROXIED, "proxy-protocol": "yes"},
        {"address": "::", "port": PROXIED, "proxy-protocol": "yes"},
    ],
    "trust": {
        # The last is where programs on the server's own machine ask from.
        "proxy-protocol": [ITALIAN_PROXY, GERMAN_PROXY, SERVER4],
        "ecs": [ITALIAN_ECS, GERMAN_ECS],
    },
    "limits": {"tcp-per-client": 3},
}
ORDERS = {
    "IT/listed.yaml": order("IT-LISTED", names=[LISTED], except_networks=["2.32.77.0/25"]),
    "IT/unknown.yaml": order("IT-UNKNOWN", names=[UNKNOWN], include_unknown="yes"),
}


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def header_of(rest, *, command=PROXY, family=UNSPEC, transport=0, length=None):
    """A header, right or wrong; rest is what stands behind its first 16 octets."""
    size = len(rest) if length is None else length
    start = b"\r\n\r\n\0\r\nQUIT\n"
    return start + struct.pack("!BBH", 0x20 | command, family << 4 | transport, size) + rest


def proxied(source, how="udp", tlvs=b""):
    """The header that speaks for a client."""
    ipv6 = ":" in source
    pack = lambda text: socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, text)
    ends = pack(source) + pack(SERVER6 if ipv6 else SERVER4) + struct.pack("!HH", 4242, 53)
    family = INET6 if ipv6 else INET
    return header_of(ends + tlvs, family=family, transport=TRANSPORT[how])


def ecs(network, source, *, scope=0, family=None, octets=None):
    """The data of an ECS option: the address cut to whole octets."""
    ipv6 = ":" in network
    packed = socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, network)
    octets = (source + 7) // 8 if octets is None else octets
    family = (2 if ipv6 else 1) if family is None else family
    return struct.pack("!HBB", family, source, scope) + packed[:octets]


def with_ecs(qname, *options, **keys):
    return query(qname, opt=opt(options=[(OPTION_ECS, data) for data in options]), **keys)


def verdict(received):
    """block, forward, or what else came."""
    if MARK in received:
        return "forward"
    got = parse(received)
    reason = got.ede[0] if got.ede else EDE_CENSORED
    return "block" if (got.rcode, reason) == (REFUSED, EDE_CENSORED) else got.rcode


class ProxyTest(PolicyTest):
    ORDERS = ORDERS
    CONFIG = CONFIG
    FILES = {"country.mmdb": small_database()}

    def proxied_server(self, address):
        return (SERVER6 if ":" in address else SERVER4, PROXIED)

    def through(self, proxy, header, message, how="udp"):
        """The answer to a message that the proxy sends behind a header."""
        with getattr(self.client(proxy), how)(self.proxied_server(proxy)) as channel:
            if how == "udp":
                channel.send(header + message)
            else:
                channel.send_bytes(header + frame(message))
            return channel.receive()

    def count(self, counter):
        return self.proxy.status()[counter]

    def assert_silent(self, proxy, datagram, counter):
        """Nothing comes back, and it is counted."""
        before = self.count(counter)
        with self.client(proxy).udp(self.proxied_server(proxy)) as channel:
            channel.send(datagram)
            self.eventually(lambda: self.count(counter) == before + 1, counter)
            self.assertTrue(channel.is_silent(0.05))

    def assert_closed(self, proxy, octets, counter):
        before = self.count(counter)
        with self.client(proxy).tcp(self.proxied_server(proxy)) as stream:
            stream.send_bytes(octets)
            self.assertTrue(stream.ends())
        self.eventually(lambda: self.count(counter) == before + 1, counter)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way by which a query can come: each transport, directly and behind proxies that tell who
asks, as one function from message to answer.

    with asking(site.client("2.32.0.1"), Way("https", 443)) as ask:
        answer = ask(message)
    with asking(proxy, Way("tls", INSIDE["tls"], within=True), proxied("2.32.0.1", "tcp")) as ask:
        ...

CONFIG and FILES are of a daemon that takes all of them at SERVER4 and SERVER6, and trusts
ITALIAN_PROXY and GERMAN_PROXY with everything.
"""

import contextlib
from typing import NamedTuple

from harness import SERVER4, SERVER6
from http2 import Http2
from httpstest import POSTED, target_of
from mmdb import mmdb
from policytest import BUILT, NETWORKS, SMALL
from proxytest import GERMAN_PROXY, ITALIAN_PROXY
from quic import Quic
from tls import certificate, context

# Ports by transport; http is HTTP/2 without TLS.
DIRECT = {"udp": 53, "tcp": 53, "tls": 853, "https": 443, "http": 8080, "quic": 853}
BEFORE = {"udp": 8053, "tcp": 8053, "tls": 8853, "https": 8443, "http": 8081}  # PROXY comes first
INSIDE = {"tls": 8854, "https": 8444}  # PROXY comes inside TLS
TRUSTING = {"tls": context(alpn=["dot"]), "https": context(alpn=["h2"])}
PAIR = {"certificate": "chain.pem", "key": "key.pem"}
FILES = {
    **dict(zip(PAIR.values(), certificate())),
    "country.mmdb": mmdb(NETWORKS | {"89.186.32.0/19": "SM"}, built=BUILT),
}


class Way(NamedTuple):
    transport: str
    port: int
    within: bool = False  # a PROXY header stands inside TLS
    method: str = "POST"


def listener(address, transport, port, proxy):
    kind = {"http": "https"}.get(transport, transport)
    more = {"http": {"tls": "no"}, "udp": {}, "tcp": {}}.get(transport, PAIR)
    return {
        "address": address, "port": port, "transport": kind, "proxy-protocol": proxy, **more
    }  # fmt: skip


LISTENERS = [
    listener(address, transport, port, proxy)
    for address in (SERVER4, SERVER6)
    for ports, proxy in ((DIRECT, "no"), (BEFORE, "yes"), (INSIDE, "inside-tls"))
    for transport, port in ports.items()
]
TRUST = ("proxy-protocol", "forwarded-for", "ecs")
CONFIG = {
    **SMALL,
    "listen": LISTENERS,
    "trust": {key: [ITALIAN_PROXY, GERMAN_PROXY] for key in TRUST},
}


@contextlib.contextmanager
def asking(client, way, header=b""):
    """ask(message, fields=()) for one connection of the client, opened by a PROXY header if there
    is one; fields are headers of an HTTP request, and nothing elsewhere."""
    server = (client.server[0], way.port)
    opened = {"udp": datagrams, "quic": streams_of_quic}.get(way.transport, stream)
    with opened(client, server, way, header) as ask:
        yield ask


@contextlib.contextmanager
def datagrams(client, server, _way, header):
    with client.udp(server) as channel:

        def ask(message, fields=()):
            channel.send(header + message)
            return channel.receive()

        yield ask


@contextlib.contextmanager
def streams_of_quic(client, server, _way, _header):
    with Quic(client, server) as connection:
        yield lambda message, fields=(): connection.ask(message)


@contextlib.contextmanager
def stream(client, server, way, header):
    with client.tcp(server) as channel:
        if header and not way.within:
            channel.send_bytes(header)
        if way.transport in TRUSTING:
            channel.socket = TRUSTING[way.transport].wrap_socket(channel.socket)
        if header and way.within:
            channel.send_bytes(header)
        with requests(channel, way) as ask:
            yield ask


@contextlib.contextmanager
def requests(channel, way):
    """Over a stream that is ready for them."""

    def framed(message, fields=()):
        channel.send(message)
        return channel.receive()

    if way.transport not in ("https", "http"):
        yield framed
        return
    with Http2(channel.socket) as http:

        def ask(message, fields=()):
            posted = ("/dns-query", [*POSTED, *fields], message)
            got = (target_of(message), fields, None)
            target, headers, body = posted if way.method == "POST" else got
            response = http.response(http.request(way.method, target, headers, body))
            assert response.status == 200, response
            return response.body

        yield ask

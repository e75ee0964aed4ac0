# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suites about DNS over HTTPS share: a daemon that listens for it with TLS and without,
connections to it, and requests.

    class Something(HttpsTest):
        def test_it(self):
            with self.https(ITALIAN4) as http:
                self.assertEqual(verdict(self.get(http, query(LISTED, opt=opt()))), "block")
"""

import base64

from dnsbytes import EDE_CENSORED, REFUSED, parse, query
from harness import GERMAN4, GERMAN6, SERVER4, SERVER6
from http2 import Http2
from policytest import MARK, SMALL, PolicyTest, order, small_database
from tls import NAME, certificate, context

CLEAR = 8080  # the port of listeners behind a terminator of TLS
TYPE = "application/dns-message"
POSTED = [("content-type", TYPE)]
LISTED, UNKNOWN, FREE, DROPPED = "listed.example", "unknown.example", "free.example", "gone.example"
ITALIAN_PROXY, GERMAN_PROXY = "2.32.9.9", "2a01:4f8::9"

ORDERS = {
    "IT/listed.yaml": order("IT-LISTED", names=[LISTED]),
    "IT/unknown.yaml": order("IT-UNKNOWN", names=[UNKNOWN], include_unknown="yes"),
    "IT/nodata.yaml": order("IT-NODATA", names=["nodata.example"], action="nodata"),
    "IT/drop.yaml": order("IT-DROP", names=[DROPPED], action="drop"),
}


def encoded(message):
    return base64.urlsafe_b64encode(message).rstrip(b"=").decode()


def target_of(message):
    return f"/dns-query?dns={encoded(message)}"


def verdict(response):
    if MARK in response.body:
        return "forward"
    got = parse(response.body)
    reason = got.ede[0] if got.ede else EDE_CENSORED
    return "block" if (got.rcode, reason) == (REFUSED, EDE_CENSORED) else got.rcode


class HttpsTest(PolicyTest):
    ORDERS = ORDERS
    CERTIFICATE = certificate(address=SERVER4)
    FILES = {
        "country.mmdb": small_database(), "chain.pem": CERTIFICATE[0], "key.pem": CERTIFICATE[1]
    }  # fmt: skip
    TLS = {"transport": "https", "certificate": "chain.pem", "key": "key.pem"}
    CONFIG = {
        **SMALL,
        "workers": 1,
        "listen": [
            {"address": SERVER4, "port": 53},
            {"address": SERVER4, "port": CLEAR, "transport": "https", "tls": "no"},
            {"address": SERVER6, "port": CLEAR, "transport": "https", "tls": "no"},
            {"address": SERVER4, "port": 443, **TLS},
            {"address": SERVER6, "port": 443, **TLS},
        ],
        "trust": {"forwarded-for": [ITALIAN_PROXY, GERMAN_PROXY, SERVER4, "198.51.100.0/24"]},
    }

    @staticmethod
    def server_for(address, port=CLEAR):
        return (SERVER6 if ":" in address else SERVER4, port)

    def http(self, address=GERMAN4, settings=(), receive_buffer=None):
        """A connection without TLS."""
        stream = self.client(address).tcp(self.server_for(address), receive_buffer)
        return Http2(stream.socket, settings)

    def https(self, address=GERMAN4, trusted=None):
        stream = self.client(address).tcp(self.server_for(address, 443))
        trusting = context(trusted or self.CERTIFICATE[0], alpn=["h2"])
        secured = trusting.wrap_socket(stream.socket, server_hostname=NAME)
        self.assertEqual(secured.selected_alpn_protocol(), "h2")
        return Http2(secured)

    def get(self, http, message, fields=()):
        return http.response(http.request("GET", target_of(message), fields))

    def post(self, http, message, fields=()):
        return http.response(http.request("POST", "/dns-query", [*POSTED, *fields], message))

    def assert_served(self):
        """An honest client, with a connection of its own."""
        with self.http(GERMAN6) as http:
            self.assertEqual(verdict(self.get(http, query(FREE))), "forward")

    def count(self, counter):
        return self.proxy.status()[counter]

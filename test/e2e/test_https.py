# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS over HTTPS (RFC 8484): requests right and wrong, who asks behind proxies, and real peers."""

import contextlib
import itertools
import re
import socket
import ssl
import struct
import subprocess

from client import DEADLINE, eventually
from dnsbytes import (
    NOERROR, NOTIMP, OPTION_PADDING, REFUSED, SERVFAIL, answer, opt, parse, query, rr,
)
from harness import (
    GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, SERVER4, SERVER4_OTHER, Process, silent,
)
from http2 import CANCEL, DATA, END_STREAM, GOAWAY, NO_ERROR, WINDOW_UPDATE, Reset
from httpstest import (
    CLEAR, DROPPED, FREE, GERMAN_PROXY, ITALIAN_PROXY, LISTED, POSTED, TYPE, UNKNOWN, HttpsTest,
    target_of, verdict,
)
from policytest import MARK, marked
from tls import NAME, certificate, context

LARGEST = 65535


class Requests(HttpsTest):
    def test_the_query_is_forwarded_and_the_answer_comes_back(self):
        """Both unchanged, whatever the method, and with TLS or without."""
        message = query(FREE, opt=opt(options=[(65001, b"x" * 900)]), id=0, tail=b"tail")
        for connect, ask in itertools.product((self.http, self.https), (self.get, self.post)):
            self.resolver.requests.clear()
            with connect() as http:
                response = ask(http, message)
            self.assertEqual(response.status, 200)
            self.assertEqual(response.body, answer(message, [MARK]))
            self.assertEqual(response.headers["content-type"], TYPE)
            self.assertEqual(response.headers["content-length"], str(len(response.body)))
            self.assertEqual(response.headers["cache-control"], "private, max-age=86400")
            self.assertEqual([one.message[2:] for one in self.resolver.requests], [message[2:]])

    def test_the_verdict_is_that_of_every_transport(self):
        clients = {ITALIAN4: "block", ITALIAN6: "block", GERMAN4: "forward", GERMAN6: "forward"}
        for address, expected in clients.items():
            for connect, ask in itertools.product((self.http, self.https), (self.get, self.post)):
                with connect(address) as http:
                    response = ask(http, query(LISTED, opt=opt()))
                self.assertEqual((response.status, verdict(response)), (200, expected), address)

    def test_how_long_an_answer_may_be_kept(self):
        """Never by others than its client: each country may get another."""
        cases = {
            LISTED: "no-store", "nodata.example": "private, max-age=60",
            FREE: "private, max-age=86400",
        }  # fmt: skip
        with self.http(ITALIAN4) as http:
            for qname, expected in cases.items():
                response = self.get(http, query(qname))
                self.assertEqual(response.headers["cache-control"], expected, qname)

    def test_the_largest_messages(self):
        message = query(FREE, opt=opt())
        message += bytes(LARGEST - len(message))
        self.resolver.script = lambda request: request.reply(
            request.message[:2] + b"\x81" + request.message[3:]
        )
        self.addCleanup(setattr, self.resolver, "script", marked)
        for connect in (self.http, self.https):
            with connect() as http:
                # More than one frame may hold, and all of a window.
                stream = http.request("POST", "/dns-query", POSTED, ends=False)
                for at in range(0, LARGEST, 16384):
                    piece = message[at : at + 16384]
                    http.frame(DATA, END_STREAM if at + 16384 >= LARGEST else 0, stream, piece)
                http.frame(WINDOW_UPDATE, payload=struct.pack("!I", 1 << 20))
                http.frame(WINDOW_UPDATE, stream=stream, payload=struct.pack("!I", 1 << 20))
                self.assertEqual(http.response(stream).body[3:], message[3:])

    ERRORS = [
        ("POST", "/", POSTED, b"", 404),
        ("GET", "/", (), None, 404),
        ("GET", "/dns-query/", (), None, 404),
        ("GET", target_of(query(FREE)).replace("dns-query", "resolve"), (), None, 404),
        ("HEAD", target_of(query(FREE)), (), None, 405),
        ("PUT", "/dns-query", POSTED, query(FREE), 405),
        ("OPTIONS", "/dns-query", (), None, 405),
        ("GET", "/dns-query", (), None, 400),
        ("GET", "/dns-query?dns=", (), None, 400),
        ("GET", target_of(query(FREE)) + "==", (), None, 400),
        ("GET", target_of(query(FREE)) + "&dns=AAAA", (), None, 400),
        ("GET", target_of(answer(query(FREE))), (), None, 400),
        ("GET", target_of(query(FREE)), [("accept", "application/dns-json")], None, 406),
        ("POST", "/dns-query", (), query(FREE), 415),
        ("POST", "/dns-query", [("content-type", "application/json")], b"{}", 415),
        ("POST", "/dns-query", POSTED, b"short", 400),
        ("POST", "/dns-query", [*POSTED, ("content-length", str(LARGEST + 1))], None, 413),
        ("GET", target_of(query(FREE)), [("x", "y" * 16384)], None, 431),
        ("GET", "/dns-query?dns=" + "A" * 20000, (), None, 431),
    ]

    def test_errors(self):
        """Each with a sentence, and none ends the connection."""
        before = {name: self.count(name) for name in ("https_not_found", "https_bad")}
        for connect in (self.http, self.https):
            with connect() as http:
                for method, target, fields, body, status in self.ERRORS:
                    ends = status != 413  # its body never comes
                    response = http.response(http.request(method, target, fields, body, ends))
                    label = (method, target[:60], status)
                    self.assertEqual(response.status, status, label)
                    self.assertEqual(response.headers["content-type"], "text/plain", label)
                    self.assertEqual(response.headers["cache-control"], "no-store", label)
                    self.assertEqual(response.body == b"", method == "HEAD", label)
                    allowed = "GET, POST" if status == 405 else None
                    self.assertEqual(response.headers.get("allow"), allowed, label)
                self.assertEqual(verdict(self.get(http, query(FREE))), "forward")
        lost = sum(status == 404 for *_, status in self.ERRORS)
        self.assertEqual(self.count("https_not_found") - before["https_not_found"], 2 * lost)
        wrong = len(self.ERRORS) - lost
        self.assertEqual(self.count("https_bad") - before["https_bad"], 2 * wrong)

    def test_a_body_beyond_its_limit(self):
        with self.http() as http:
            http.response(http.request("GET", "/"))  # SETTINGS have been exchanged
            stream = http.request("POST", "/dns-query", POSTED, ends=False)
            for _ in range(4):
                http.frame(DATA, 0, stream, bytes(16384))
            self.assertEqual(http.response(stream).status, 413)
            self.assertEqual(verdict(self.get(http, query(FREE))), "forward")

    def test_an_order_that_drops(self):
        """The stream ends without an answer; the connection goes on."""
        with self.http(ITALIAN4) as http:
            for _ in range(120):  # more than may be open at once
                with self.assertRaises(Reset) as reset:
                    self.get(http, query(DROPPED))
                self.assertEqual(reset.exception.args, (CANCEL,))
            self.assertEqual(verdict(self.get(http, query(LISTED))), "block")

    def test_a_transfer_is_refused(self):
        """An answer is one message here."""
        with self.http() as http:
            for qtype in ("AXFR", "IXFR"):
                self.resolver.requests.clear()
                self.assertEqual(parse(self.get(http, query(FREE, qtype)).body).rcode, NOTIMP)
                self.assertEqual(self.resolver.requests, [])

    def test_answers_to_padded_queries_are_padded(self):
        """So that a block is not visible by its size, and the resolver sees no padding."""
        message = query(LISTED, opt=opt(options=[(OPTION_PADDING, bytes(30))]))
        sizes = set()
        self.resolver.script = lambda request: request.reply(
            answer(request.message, [MARK], additional=[opt()])
        )
        self.addCleanup(setattr, self.resolver, "script", marked)
        for address in (ITALIAN4, GERMAN4):
            with self.https(address) as http:
                self.resolver.requests.clear()
                sizes.add(len(self.post(http, message).body))
                self.assertNotIn(bytes(30), b"".join(one.message for one in self.resolver.requests))
        self.assertEqual(sizes, {468})

    def test_many_at_once_are_answered_as_they_are_there(self):
        self.resolver.script = None
        self.addCleanup(setattr, self.resolver, "script", marked)
        self.resolver.forget()
        with self.http() as http:
            streams = {}
            for i in range(100):
                message = query(f"host{i}.example", id=0)
                streams[http.request("GET", target_of(message))] = message
            requests = [self.resolver.next() for _ in streams]
            for request in reversed(requests):
                marked(request)
            for stream, message in streams.items():
                self.assertEqual(http.response(stream).body, answer(message, [MARK]))

    def test_http_1_gets_a_sentence_or_an_alert(self):
        with self.german4.tcp((SERVER4, CLEAR)) as stream:
            stream.send_bytes(b"GET / HTTP/1.1\r\nHost: dns.example\r\n\r\n")
            self.assertEqual(stream.receive_bytes(12), b"HTTP/1.1 505")
        other = context(self.CERTIFICATE[0], alpn=["http/1.1"])
        with self.german4.tcp((SERVER4, 443)) as stream:
            with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                other.wrap_socket(stream.socket, server_hostname=NAME)

    def test_upstream_gives_nothing(self):
        self.resolver.script = silent
        self.addCleanup(setattr, self.resolver, "script", marked)
        self.proxy.stop()
        self.proxy.write_config({"upstream": {"timeout": "300ms", "retry-after": "100ms"}})
        self.proxy.start()
        with self.http() as http:
            response = self.get(http, query(FREE))
        self.assertEqual(parse(response.body).rcode, SERVFAIL)
        self.assertEqual(response.headers["cache-control"], "no-store")

    def test_certificates_are_reloaded(self):
        """A connection goes on with the one it began with."""
        fresh = certificate(address=SERVER4)
        self.addCleanup(self.proxy.reload)
        with self.https() as before:
            for path, old, new in zip(("chain.pem", "key.pem"), self.CERTIFICATE, fresh):
                self.addCleanup(self.proxy.write, path, old)
                self.proxy.write(path, new)
            self.proxy.reload()
            self.assertEqual(verdict(self.get(before, query(FREE))), "forward")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.https()
        with self.https(trusted=fresh[0]) as after:
            self.assertEqual(verdict(self.get(after, query(FREE))), "forward")

    def test_the_daemon_stops_when_what_has_come_is_answered(self):
        self.resolver.script = None
        self.addCleanup(setattr, self.resolver, "script", marked)
        self.resolver.forget()
        with self.http() as http:
            stream = http.request("GET", target_of(query(FREE)))
            request = self.resolver.next()
            self.proxy.signal(15)
            while (got := http.read_frame())[0] != GOAWAY:
                http.take(*got)
            self.assertEqual(int.from_bytes(got[3][4:8], "big"), NO_ERROR)
            marked(request)
            self.assertEqual(verdict(http.response(stream)), "forward")
        self.proxy.wait()  # a second signal would meet it without its handlers
        self.proxy.stop()
        self.proxy.start()

    def test_the_daemon_stops_when_windows_have_let_all_out(self):
        """What the client's window keeps back is still sent as it opens."""
        self.resolver.script = None
        self.addCleanup(setattr, self.resolver, "script", marked)
        self.resolver.forget()
        with self.http() as http:
            streams = [http.request("GET", target_of(query(FREE))) for _ in range(3)]
            requests = [self.resolver.next() for _ in streams]
            self.proxy.signal(15)
            while http.read_frame()[0] != GOAWAY:
                pass
            for request in requests:
                request.reply(answer(request.message) + bytes(40000))
            wanted = set(streams)
            while wanted:
                kind, flags, stream, payload = http.read_frame()
                http.take(kind, flags, stream, payload)
                if kind == DATA and payload:
                    with contextlib.suppress(OSError):  # that was all: the daemon has gone
                        http.frame(WINDOW_UPDATE, 0, 0, struct.pack("!I", len(payload)))
                wanted -= set(http.complete)
        self.proxy.wait()  # a second signal would meet it without its handlers
        self.proxy.stop()
        self.proxy.start()

    def test_an_end_in_the_middle_of_a_handshake(self):
        with self.german4.tcp((SERVER4, 443)) as silent:
            silent.send_bytes(b"\x16\x03\x01")  # of a record that never ends
            self.eventually(lambda: self.proxy.status()["connections"] > 0, "it is accepted")
            self.proxy.stop()  # its exit status is that of an orderly end
            self.assertTrue(silent.ends())
        self.proxy.start()


class Forwarded(HttpsTest):
    """Whom trusted proxies name; both of them are in a country of their own."""

    X, F = "x-forwarded-for", "forwarded"
    CASES = [
        ([(X, ITALIAN4)], "block"),
        ([(X, GERMAN4)], "forward"),
        ([(X, f"{ITALIAN6}")], "block"),
        ([(X, f"[{ITALIAN6}]:443")], "block"),
        ([(X, f"{ITALIAN4}:4711")], "block"),
        ([(F, f"for={ITALIAN4};proto=https")], "block"),
        ([(F, f'for="[{ITALIAN6}]:4711"')], "block"),
        ([(F, f'for="{GERMAN4}:1"')], "forward"),
        # The right-most that is not trusted; what stands before it is a lie, or may be.
        ([(X, f"{GERMAN4}, {ITALIAN4}")], "block"),
        ([(X, f"{ITALIAN4}, {GERMAN4}")], "forward"),
        ([(X, f"{GERMAN4}, {ITALIAN4}, 198.51.100.7")], "block"),
        ([(X, GERMAN4), (X, ITALIAN4)], "block"),
        ([(X, ITALIAN4), ("accept", "*/*"), (X, GERMAN4), (X, "198.51.100.7")], "forward"),
        ([(X, f"lies, {ITALIAN4}")], "block"),
        ([(F, f'for={GERMAN4}, for={ITALIAN4}, for="[{GERMAN_PROXY}]"')], "block"),
        # Both agree.
        ([(F, f"for={ITALIAN4}"), (X, ITALIAN4)], "block"),
        # Nobody knows, or the proxy says nothing: its own country is nobody's.
        ([(X, "unknown")], "forward"),
        ([(F, "for=_hidden")], "forward"),
        ([], "forward"),
        # Who asks cannot be read, or is told twice.
        ([(X, "client.example")], 400),
        ([(X, "")], 400),
        ([(X, f"{ITALIAN4}, 2.32.0.256")], 400),
        ([(F, f"for={ITALIAN4}:80")], 400),
        ([(F, ITALIAN4)], 400),
        ([(F, f"for={GERMAN4}"), (X, ITALIAN4)], 400),
        ([(F, f'for={GERMAN4};x="'), (X, ITALIAN4)], 400),
    ]

    def said(self, http, fields, qname=LISTED):
        response = self.get(http, query(qname, opt=opt()), fields)
        return verdict(response) if response.status == 200 else response.status

    def test_trusted_proxies_say_who_asks(self):
        """Each request of a connection may have another client."""
        for connect, proxy in itertools.product(
            (self.http, self.https), (ITALIAN_PROXY, GERMAN_PROXY)
        ):
            with connect(proxy) as http:
                for fields, expected in self.CASES:
                    self.assertEqual(self.said(http, fields), expected, (fields, proxy))

    def test_who_is_not_told_is_in_no_country(self):
        with self.http(ITALIAN_PROXY) as http:
            for fields in ([], [(self.X, "unknown")], [(self.F, "proto=https")]):
                self.assertEqual(self.said(http, fields, UNKNOWN), "block")
                self.assertEqual(self.said(http, fields, LISTED), "forward")

    def test_nobody_else_is_believed(self):
        """Whatever he writes, also where it would be an error of a proxy."""
        for connect in (self.http, self.https):
            for address, expected in ((ITALIAN4, "block"), (GERMAN6, "forward")):
                with connect(address) as http:
                    for fields, _ in self.CASES:
                        self.assertEqual(self.said(http, fields), expected, (fields, address))

    def test_trailers_say_nothing(self):
        message = query(LISTED)
        with self.http(ITALIAN_PROXY) as http:
            fields = [*POSTED, (self.X, ITALIAN4)]
            stream = http.request("POST", "/dns-query", fields, message, ends=False)
            http.headers(stream, [(self.X, GERMAN4)])
            self.assertEqual(verdict(http.response(stream)), "block")

    def test_octets_that_no_field_may_have(self):
        """Such a request is malformed; it is not as if the field were not there."""
        with self.http(ITALIAN_PROXY) as http:
            with self.assertRaises(Reset):
                self.said(http, [(self.X, f"{GERMAN4}\x01, {ITALIAN4}")])
            self.assertEqual(self.said(http, [(self.X, ITALIAN4)]), "block")

    def test_allow_is_about_the_client(self):
        self.addCleanup(self.proxy.reload)
        self.addCleanup(self.proxy.write_config, {"allow": ["0.0.0.0/0", "::/0"]})
        self.proxy.write_config({"allow": [ITALIAN_PROXY, GERMAN4]})
        self.proxy.reload()
        with self.http(ITALIAN_PROXY) as http:
            said = lambda who: parse(self.get(http, query(FREE), [(self.X, who)]).body).rcode
            self.assertEqual(said(ITALIAN4), REFUSED)
            self.assertEqual(said(GERMAN4), NOERROR)

    def test_trust_is_what_is_in_force(self):
        with self.http(ITALIAN_PROXY) as http:
            self.assertEqual(self.said(http, [(self.X, GERMAN4)]), "forward")
            self.addCleanup(self.proxy.reload)
            self.addCleanup(self.proxy.write_config, {"trust": self.CONFIG["trust"]})
            self.proxy.write_config({"trust": {"forwarded-for": [GERMAN_PROXY]}})
            self.proxy.reload()
            eventually(lambda: self.said(http, [(self.X, GERMAN4)]) == "block", "trust withdrawn")

    def test_connections_of_proxies_are_not_counted_as_one_clients(self):
        self.addCleanup(self.proxy.start)
        self.proxy.stop()
        self.proxy.write_config({"limits": {"tcp-per-client": 2}})
        self.proxy.start()
        self.addCleanup(self.proxy.stop)
        self.addCleanup(self.proxy.write_config, {"limits": {"tcp-per-client": 100}})
        for _ in range(4):
            http = self.http(ITALIAN_PROXY)
            self.addCleanup(http.close)
            self.assertEqual(self.said(http, [(self.X, ITALIAN4)]), "block")


class Terminator(Process):
    """HAProxy takes TLS off, and names the client in a header of its own."""

    name = "haproxy"
    exit_statuses = (0, 143, -15)

    def __init__(self, site, pem):
        super().__init__(site)
        self.server = (SERVER4_OTHER, 443)
        (self.folder / "both.pem").write_text(pem)
        (self.folder / "haproxy.cfg").write_text(
            f"""\
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
listen doh
    bind {SERVER4_OTHER}:443 ssl crt both.pem alpn h2,http/1.1
    http-request del-header forwarded
    option forwardfor
    server daemon {SERVER4}:{CLEAR} source {SERVER4} proto h2
"""
        )
        self.launch("haproxy", "-db", "-q", "-f", str(self.folder / "haproxy.cfg"))


class DnsdistClient(Process):
    """dnsdist asks by HTTPS for clients of plain DNS."""

    name = "dnsdist"

    def __init__(self, site):
        super().__init__(site)
        self.server = (SERVER4_OTHER, 5353)
        (self.folder / "dnsdist.conf").write_text(
            f"""\
setLocal("{SERVER4_OTHER}:5353")
addACL("0.0.0.0/0")
newServer{{address="{SERVER4}:443", source="{SERVER4}", tls="openssl", dohPath="/dns-query",
           subjectName="dns.example", validateCertificates=false, addXForwardedHeaders=true,
           checkInterval=1, checkName="{FREE}."}}
setSecurityPollSuffix("")
"""
        )

    def start(self):
        conf = str(self.folder / "dnsdist.conf")
        self.launch("dnsdist", "--supervised", "--disable-syslog", "-C", conf)
        self.wait_for_answer(self.server, query(FREE), NOERROR)


class Peers(HttpsTest):
    def run_client(self, *command):
        with self.site.clients:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=DEADLINE, cwd=self.proxy.folder
            )

    def test_kdig(self):
        for how, (client, expected) in itertools.product(
            ("+https", "+https-get"), ((ITALIAN4, "REFUSED"), (GERMAN4, "NOERROR"))
        ):
            said = self.run_client("kdig", "-b", client, f"@{SERVER4}", how, "+padding", LISTED)
            self.assertEqual(re.findall(r"status: ([A-Z]+)", said.stdout), [expected], said)

    def test_curl_asks_where_a_host_is(self):
        """--doh-url; that nobody listens there does not matter."""
        self.resolver.script = lambda request: request.reply(
            answer(request.message, [rr("host.example", "A", 60, socket.inet_aton("192.0.2.77"))])
        )
        self.addCleanup(setattr, self.resolver, "script", marked)
        said = self.run_client(
            "curl", "-sv", "--interface", GERMAN4, "--doh-url", "https://dns.example/dns-query",
            "--resolve", f"dns.example:443:{SERVER4}", "--cacert", "chain.pem",
            "--connect-timeout", "0.5", "http://host.example:9/",
        )  # fmt: skip
        self.assertIn("192.0.2.77", said.stderr, said)

    def test_dnsdist(self):
        """It names its client in X-Forwarded-For."""
        dnsdist = DnsdistClient(self.site)
        self.addCleanup(dnsdist.stop)
        dnsdist.start()
        for client, expected in ((self.italian4, REFUSED), (self.german4, NOERROR)):
            received = client.ask(query(LISTED), server=dnsdist.server)
            self.assertEqual(parse(received).rcode, expected)

    def test_haproxy_terminates_tls(self):
        haproxy = Terminator(self.site, "".join(self.CERTIFICATE))
        self.addCleanup(haproxy.stop)
        self.proxy.write("query", query(LISTED))
        ask = lambda client, *more: self.run_client(
            "curl", "-s", "--interface", client, "--cacert", "chain.pem", "--resolve",
            f"dns.example:443:{SERVER4_OTHER}", "-H", f"content-type: {TYPE}", "--data-binary",
            "@query", "-o", "got", *more, "https://dns.example/dns-query",
        ).returncode  # fmt: skip
        self.eventually(lambda: ask(GERMAN4) == 0, "haproxy answers")
        lies = ("-H", f"x-forwarded-for: {GERMAN4}", "-H", f"forwarded: for={GERMAN4}")
        for version in ("--http2", "--http1.1"):
            for client, expected in ((ITALIAN4, REFUSED), (GERMAN4, NOERROR)):
                self.assertEqual(ask(client, version, *lies), 0)
                got = (self.proxy.folder / "got").read_bytes()
                self.assertEqual(parse(got).rcode, expected, (version, client))

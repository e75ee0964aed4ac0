# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS over TLS (RFC 7858): real clients, the options of the hop, certificates that come and go
under load, and what slow, broken and greedy clients come to while honest ones are served."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time

from client import frame
from dnsbytes import (
    EDE_CENSORED, NOERROR, OPTION_KEEPALIVE, OPTION_PADDING, REFUSED, answer, message_id, opt,
    parse, query,
)
from harness import GERMAN4, ITALIAN4, SERVER4, SiteTest, echo
from policytest import SMALL, small_database
from tls import NAME, PORT, TlsStream, certificate, context

LISTED = "www.kickasstorrents.to"
# Nothing is asked of the resolver twice, however slow the machine is.
PATIENT = {"retry-after": "60s", "timeout": "120s"}
BLOCK = 468  # octets that padded answers are a multiple of (RFC 8467)
LISTEN = [
    {"address": SERVER4, "port": 53},
    {"address": SERVER4, "port": PORT, "transport": "tls", "certificate": "cert.pem",
     "key": "key.pem"},
]  # fmt: skip


class TlsTest(SiteTest):
    def start(self, pair=None, script=echo, limits=None, workers=2, **options):
        self.pair = pair or certificate()
        self.resolver = self.upstream(script=script)
        self.proxy = self.daemon(
            self.resolver,
            files={
                "cert.pem": self.pair[0], "key.pem": self.pair[1], "country.mmdb": small_database()
            },
            config={
                **SMALL, "listen": LISTEN, "workers": workers, "limits": limits or {},
                "upstream": PATIENT,
            },
            **options,
        )

    def tls(self, address=GERMAN4, pair=None, session=None, **options):
        trusted = context((pair or self.pair)[0]) if session is None else self.sessions
        return TlsStream(self.client(address), (SERVER4, PORT), trusted, session, **options)

    def ask(self, message, address=GERMAN4):
        with self.tls(address) as stream:
            stream.send(message)
            return stream.receive()

    def assert_served(self):
        self.assertEqual(parse(self.ask(query("www.example"))).rcode, NOERROR)

    def run_client(self, *command, input=""):
        """A program on the client's side; what it says."""
        with self.site.clients:
            done = subprocess.run(
                command, input=input, capture_output=True, text=True, timeout=60
            )
        return done.stdout + done.stderr


class Service(TlsTest):
    def setUp(self):
        self.start()

    def kdig(self, *options, address=GERMAN4):
        ca = self.proxy.folder / "cert.pem"
        return self.run_client(
            "kdig", "-b", address, f"@{SERVER4}", f"+tls-ca={ca}", "+timeout=5", "+retry=0",
            *options,
        )  # fmt: skip

    def test_kdig(self):
        said = self.kdig(f"+tls-hostname={NAME}", "www.example")
        self.assertIn("status: NOERROR", said)
        self.assertIn("TLS1.3", said)
        said = self.kdig(f"+tls-hostname={NAME}", LISTED, "+edns", address=ITALIAN4)
        self.assertIn("status: REFUSED", said)
        self.assertIn("EDE: 16 (Censored)", said)
        said = self.kdig("+tls-hostname=other.example", "www.example")
        self.assertNotIn("status:", said)

    def test_openssl(self):
        at = ("openssl", "s_client", "-connect", f"{SERVER4}:{PORT}")
        for version, said in (("tls1_2", "New, TLSv1.2"), ("tls1_3", "New, TLSv1.3")):
            self.assertIn(said, self.run_client(*at, f"-{version}", "-alpn", "dot"))
        old = (*at, "-cipher", "ALL:@SECLEVEL=0", "-tls1_1")
        self.assertIn("alert protocol version", self.run_client(*old))
        self.assertIn("no application protocol", self.run_client(*at, "-alpn", "h2"))
        self.assertIn("New, TLSv1", self.run_client(*at))

    def test_verdicts_are_those_of_tcp(self):
        for address, client in ((ITALIAN4, self.italian4), (GERMAN4, self.german4)):
            for qname in (LISTED, "www.example"):
                message = query(qname, opt=opt(), id=7)
                self.assertEqual(self.ask(message, address), client.ask(message, "tcp"))
        got = parse(self.ask(query(LISTED, opt=opt()), ITALIAN4))
        self.assertEqual((got.rcode, got.ede[0]), (REFUSED, EDE_CENSORED))

    def test_options_of_the_hop(self):
        """A block and an answer of upstream are alike in size, and nobody behind sees who padded."""
        self.resolver.script = lambda request: request.reply(
            answer(request.message, additional=[opt(options=[(OPTION_PADDING, bytes(9))])])
        )
        options = [(OPTION_KEEPALIVE, b""), (OPTION_PADDING, bytes(50))]
        for address, qname in ((ITALIAN4, LISTED), (GERMAN4, LISTED)):
            received = self.ask(query(qname, opt=opt(options=options)), address)
            self.assertEqual(len(received), BLOCK)
            self.assertIn((OPTION_KEEPALIVE, b"\x01\x2c"), parse(received).options)
        (request,) = self.resolver.requests
        self.assertEqual(request.message[2:], query(LISTED, opt=opt())[2:])

    def test_without_options_of_the_hop_bytes_are_unchanged(self):
        for message in (
            query("www.example", id=1),
            query("www.example", id=2, opt=opt(options=[(65001, b"\x0b\x0c")])),
            query("www.example", id=3, tail=b"\x0c\x00tail"),
        ):
            self.assertEqual(self.ask(message), answer(message))
            self.assertEqual(self.resolver.requests[-1].message[2:], message[2:])

    def test_many_queries_on_one_connection(self):
        messages = [query(f"host{i}.example", id=i) for i in range(1000)]
        with self.tls() as stream:
            stream.send(*messages)
            received = {message_id(stream.receive()) for _ in messages}
        self.assertEqual(received, set(range(1000)))

    def test_an_octet_a_record(self):
        with self.tls() as stream:
            for octet in frame(query("www.example", id=9)):
                stream.send_bytes(bytes([octet]))
            self.assertEqual(message_id(stream.receive()), 9)

    def test_the_end_of_the_daemon_is_told(self):
        with self.tls() as idle:
            idle.send(query("www.example"))
            idle.receive()
            self.proxy.stop()
            self.assertTrue(idle.ends())

    def test_dnsperf(self):
        names = self.proxy.folder / "names"
        names.write_text("".join(f"host{i}.example A\n" for i in range(100)))
        said = self.run_client(
            "dnsperf", "-m", "dot", "-s", SERVER4, "-a", GERMAN4, "-d", str(names), "-n", "10",
            "-c", "10",
        )  # fmt: skip
        self.assertIn("Queries completed:    1000 (100.00%)", said)


class Transfers(TlsTest):
    MESSAGES = 40

    def test_a_zone_is_relayed_to_who_reads_slowly_too(self):
        """Far more than may be left unread: the transfer waits for its client."""
        asked = query("example", "AXFR", id=21)
        zone = [answer(asked) + bytes([i]) * 50000 for i in range(self.MESSAGES)]
        self.start(
            script=lambda request: request.reply(
                *(request.message[:2] + message[2:] for message in zone)
            ),
            limits={"tcp-idle": "1s"},  # after which a transfer is over, and the daemon may end
        )
        for receive_buffer in (None, 4096):
            with self.tls(receive_buffer=receive_buffer) as stream:
                stream.send(asked)
                time.sleep(0.2)
                self.assertEqual([stream.receive() for _ in zone], zone)
        self.assertEqual(self.proxy.status()["tcp_overflow"], 0)


class Certificates(TlsTest):
    def serial(self, stream):
        return stream.socket.getpeercert(binary_form=True)

    def put(self, certificate_text=None, key=None):
        if certificate_text is not None:
            self.proxy.write("cert.pem", certificate_text)
        if key is not None:
            self.proxy.write("key.pem", key)

    def errors(self):
        return [error["file"].rpartition("/")[2] for error in self.proxy.status()["errors"]]

    def test_a_reload_under_load(self):
        """Connections go on with the certificate they began with; none fails."""
        self.start(limits={"tcp-idle": "1h"})
        first, second = self.pair, certificate()
        failures = []
        stop = threading.Event()
        self.addCleanup(stop.set)

        def ask_on():
            while not stop.is_set():
                try:
                    with TlsStream(self.client(GERMAN4), (SERVER4, PORT), context()) as stream:
                        stream.send(query("www.example", id=5))
                        assert message_id(stream.receive()) == 5
                except Exception as error:  # whatever it is, it fails the test
                    failures.append(error)

        threads = [threading.Thread(target=ask_on) for _ in range(2)]
        for thread in threads:
            thread.start()
        with self.tls() as before:
            for pair in (second, first, second):
                self.put(*pair)
                self.proxy.reload()
                with self.tls(pair=pair) as after:
                    after.send(query("www.example"))
                    after.receive()
            before.send(query("www.example", id=6))
            self.assertEqual(message_id(before.receive()), 6)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def resumes(self, session):
        with self.tls(session=session) as stream:
            stream.send(query("www.example"))
            stream.receive()
            return stream.socket.session_reused

    def test_sessions_are_resumed_after_a_reload(self):
        self.start()
        self.sessions = context()
        with TlsStream(self.client(GERMAN4), (SERVER4, PORT), self.sessions) as stream:
            stream.send(query("www.example"))
            stream.receive()
            session = stream.socket.session
        self.assertTrue(self.resumes(session))
        self.put(*certificate())
        self.proxy.reload()
        self.assertTrue(self.resumes(session))
        status = self.proxy.status()
        self.assertEqual((status["tls_accepted"], status["tls_resumed"]), (3, 2))
        self.proxy.stop()
        self.proxy.start()
        self.assertFalse(self.resumes(session))

    def test_a_bad_pair_keeps_the_last_good_one(self):
        self.start()
        other = certificate()
        for part, bad in (("key.pem", other[1]), ("cert.pem", "no certificate"), ("key.pem", "")):
            self.proxy.write(part, bad)
            done = self.proxy.tool("reload")
            self.assertEqual(done.returncode, 1)
            self.assertIn(part, done.stdout + done.stderr)
            self.assertEqual(self.errors(), [part])
            self.assert_served()
            self.put(*self.pair)
            self.proxy.reload()
            self.assertEqual(self.errors(), [])
        self.assert_served()

    def test_a_start_without_a_key(self):
        """Others are served, this listener nobody, until it is mended."""
        self.start(start=False)
        (self.proxy.folder / "key.pem").rename(self.proxy.folder / "away.pem")
        self.proxy.start()
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, NOERROR)
        self.assertEqual(self.errors(), ["key.pem"])
        with self.assertRaises(OSError):
            self.tls()
        self.assertEqual(self.proxy.status()["tls_accepted"], 0)
        (self.proxy.folder / "away.pem").rename(self.proxy.folder / "key.pem")
        self.proxy.reload()
        self.assert_served()

    def warned(self):
        """Do both the running daemon and a check tell that the certificate ends soon?"""
        said = self.proxy.tool("check").stdout, str(self.proxy.status()["warnings"])
        return ["the certificate ends at" in each for each in said]

    def test_check(self):
        self.start(certificate(days=5))
        self.assertEqual(self.warned(), [True, True])
        self.assert_served()
        self.put(*certificate(days=90))
        self.proxy.reload()
        self.assertEqual(self.warned(), [False, False])
        self.proxy.write("key.pem", certificate()[1])
        done = self.proxy.tool("check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("key.pem: is not the key of the certificate in", done.stdout)

    def test_keys_are_never_kept(self):
        self.start()
        self.put(*certificate())
        self.proxy.reload()
        kept = [path for path in (self.proxy.folder / "state").rglob("*") if path.is_file()]
        self.assertTrue(kept)
        for path in kept:
            self.assertNotIn(b"PRIVATE KEY", path.read_bytes())


class Abuse(TlsTest):
    def plain(self, address="5.9.7.1"):
        return self.client(address).tcp((SERVER4, PORT))

    def failed(self):
        """Without what the harness itself tried to see that it runs."""
        return self.proxy.status()["tls_handshake_failed"] - 1

    def test_slow_handshakes(self):
        """A byte now and then does not prolong one; who is honest is served meanwhile."""
        self.start(limits={"tcp-idle": "2s"})
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(self.plain(f"5.9.7.{i + 1}")) for i in range(20)]
            for at in range(len(hello)):
                for stream in slow:
                    with contextlib.suppress(OSError):
                        stream.send_bytes(hello[at : at + 1])
                self.assert_served()
                if self.failed() == len(slow):
                    break
                time.sleep(0.05)
            for stream in slow:
                self.assertTrue(stream.ends())
        self.assert_served()

    def test_half_open_handshakes(self):
        """However many wait, the next honest client is served: the oldest gives way."""
        self.start(limits={"tcp-connections": 40}, workers=1)
        with contextlib.ExitStack() as stack:
            for i in range(100):
                stack.enter_context(self.plain(f"5.9.8.{i + 1}"))
            self.assert_served()
            self.assertGreaterEqual(self.failed(), 80)
            self.assertEqual(self.proxy.status()["tcp_refused"], 0)

    def test_what_is_not_tls(self):
        self.start()
        for octets in (
            b"GET / HTTP/1.1\r\n\r\n",
            frame(query("www.example")),
            b"\x16\x03\x01\xff\xff" + bytes(65535),
            b"\x80\x2e\x01\x03\x01" + bytes(50),
            bytes(100_000),
        ):
            with self.plain() as stream:
                with contextlib.suppress(OSError):
                    stream.send_bytes(octets)
                    stream.socket.shutdown(socket.SHUT_WR)
                    while stream.socket.recv(4096):
                        pass
        self.assertEqual(self.resolver.requests, [])
        self.assert_served()

    def test_records_that_are_no_records(self):
        """In a connection whose handshake was honest."""
        self.start()
        for octets in (b"\x17\x03\x03\xff\xff" + bytes(65535), bytes(64), b"\x17\x03\x03\x00\x00" * 99):
            with self.tls() as stream:
                bare = socket.socket(fileno=stream.socket.detach())
                with bare, contextlib.suppress(OSError):
                    bare.sendall(octets)
                    bare.shutdown(socket.SHUT_WR)
                    while bare.recv(4096):
                        pass
        self.assert_served()

    def test_renegotiation(self):
        self.start()
        said = self.run_client(
            "openssl", "s_client", "-connect", f"{SERVER4}:{PORT}", "-tls1_2", input="R\n"
        )
        self.assertIn("RENEGOTIATING", said)
        self.assertIn("no renegotiation", said)
        self.assert_served()

    def test_a_client_that_does_not_read(self):
        """It is closed; who reads is served."""
        script = lambda request: request.reply(
            answer(request.message) + bytes(60000 - len(request.message))
        )
        self.start(script=script, limits={"tcp-idle": "2s", "stream-output": "256 KiB"})
        with self.tls("5.9.7.1", receive_buffer=4096) as stream:
            with contextlib.suppress(OSError):
                stream.send(*[query(f"host{i}.example", id=i) for i in range(100)])
            self.assert_served()
            self.eventually(lambda: self.clients_left() == 0, "it was closed")
        self.assert_served()

    def clients_left(self):
        """Connections of that client that the daemon still has."""
        with self.site.server:
            said = subprocess.run(
                ("ss", "-Htn", "state", "established", "dst", "5.9.7.1"),
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
        return len(said.splitlines())

    def test_idle_connections_are_told_goodbye(self):
        self.start(limits={"tcp-idle": "1s"})
        with self.tls() as stream:
            stream.send(query("www.example"))
            stream.receive()
            self.assertTrue(stream.ends())

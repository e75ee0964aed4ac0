# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS over QUIC (RFC 9250): the verdicts of every other transport; streams, errors and limits; and
that nobody takes a connection, or a country, to where he is not."""

import contextlib
import os
import signal
import subprocess
import threading
import time

from client import frame
from dnsbytes import NOTIMP, REFUSED, SERVFAIL, answer, opt, parse, query, read_question
from harness import SERVER4, SERVER4_OTHER, SiteTest, echo, silent
from policytest import LIGHT, SMALL, marked, order, small_database
from quic import PORT, Quic, certificate, half_open

NO_ERROR, PROTOCOL_ERROR, EXCESSIVE_LOAD = "0", "2", "4"
ORDERS = {
    "IT/refused.yaml": order("IT-REFUSED", names=["refused.example"]),
    "IT/nxdomain.yaml": order("IT-NX", action="nxdomain", names=["nx.example"]),
    "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.example"]),
    "IT/address.yaml": order(
        "IT-ADDRESS", action="address", addresses=["192.0.2.80"], names=["address.example"]
    ),
    "IT/cname.yaml": order("IT-CNAME", action="cname", target="to.example.", names=["cname.example"]),
}


class QuicTest(SiteTest):
    """A daemon for each test, listening everywhere by UDP, TCP and QUIC."""

    def start(self, script=marked, config=None, **options):
        self.folder = self.site.new_folder("pki")
        self.pair = certificate(self.folder)
        self.resolver = self.upstream(script=script)
        both = ("0.0.0.0", "::")
        listen = [{"address": address} for address in both]
        listen += [{"address": address, "transport": ["quic"], **self.pair} for address in both]
        options = {"orders": ORDERS, **options, "files": {"country.mmdb": small_database()}}
        self.proxy = self.daemon(
            self.resolver, config={"listen": listen, **SMALL, **(config or {})}, **options
        )
        return self.proxy

    def quic(self, client, **options):
        connection = Quic(client, **options)
        self.addCleanup(connection.__exit__)
        return connection

    def connected(self, client, **options):
        connection = self.quic(client, **options)
        connection.event("connected")
        return connection

    def confirmed(self, client):
        """A connection that the server is known to have taken: it has answered a query."""
        connection = self.connected(client)
        self.assert_served(connection)
        return connection

    def assert_served(self, connection, qname="www.example"):
        self.assertEqual(parse(connection.ask(query(qname, id=0))).rcode, 0)

    def assert_closed(self, connection, kind, code):
        self.assertEqual(connection.event("closed")[:2], (kind, code))


class Verdicts(QuicTest):
    def test_the_same_as_over_other_transports(self):
        self.start()
        names = ("www.example", "refused.example", "www.nx.example", "address.example")
        options = (None, opt(), opt(size=4096, do=True))
        for client in (self.italian4, self.italian6, self.german4, self.german6):
            connection = self.connected(client)
            for qname in (*names, "cname.example"):
                for qtype in ("A", "TXT"):
                    for option in options:
                        message = query(qname, qtype, id=0, opt=option)
                        with self.subTest(client=client.address, name=qname, type=qtype):
                            self.assertEqual(connection.ask(message), client.ask(message, "tcp"))

    def test_kdig(self):
        self.start(script=lambda request: request.reply(answer(request.message, additional=[opt()])))

        def kdig(*words):
            with self.site.clients:
                return subprocess.run(
                    ["kdig", f"@{SERVER4}", "-b", "2.32.0.1", *words, "+retry=0", "+time=20"],
                    capture_output=True, text=True).stdout

        trusting = (f"+tls-ca={self.pair['certificate']}", "+tls-hostname=dns.example", "+quic")
        other = (f"+tls-ca={self.pair['certificate']}", "+tls-hostname=other.example", "+quic")
        self.assertIn("status: REFUSED", kdig(*trusting, "refused.example"))
        self.assertIn("status: NOERROR", kdig(*trusting, "www.example"))
        self.assertNotIn("status", kdig(*other, "www.example"))
        # Padded, a block is as long as any other answer.
        self.assertIn("Received 468 B", kdig(*trusting, "refused.example", "+padding=128"))
        self.assertIn("Received 468 B", kdig(*trusting, "www.example", "+padding=128"))

    def test_answers_leave_from_the_address_asked(self):
        self.start()
        self.assert_served(self.connected(self.german4, server=(SERVER4_OTHER, PORT)))

    def test_dropped(self):
        """Nothing comes on the stream; the connection goes on, however often that happens."""
        self.start()
        connection = self.connected(self.italian4)
        for _ in range(150):
            connection.send(query("drop.example", id=0))
        for _ in range(5):
            self.assert_served(connection)
        self.assertEqual(self.proxy.status()["by_order"]["IT-DROP"], 150)
        self.assertFalse(connection.ended - {151, 152, 153, 154, 155})

    def test_no_answer_from_upstream(self):
        self.start(script=silent, config={"upstream": {"timeout": "1s", "retry-after": "500ms"}})
        received = parse(self.connected(self.german4).ask(query("www.example", id=0)))
        self.assertEqual(received.rcode, SERVFAIL)

    def test_transfers_are_refused(self):
        self.start()
        connection = self.connected(self.german4)
        self.assertEqual(parse(connection.ask(query("example", "AXFR", id=0))).rcode, NOTIMP)
        connection = self.connected(self.italian4)
        received = parse(connection.ask(query("refused.example", "AXFR", id=0)))
        self.assertEqual(received.rcode, REFUSED)


class Streams(QuicTest):
    def test_answers_come_as_they_are_there(self):
        self.start(script=None)
        connection = self.connected(self.german4)
        tags = {}
        for i in range(50):
            message = query(f"host{i}.example", id=0)
            tags[read_question(message)] = connection.send(message)
        requests = [self.resolver.next() for _ in tags]
        for request in reversed(requests):
            request.reply(answer(request.message))
            (received,) = connection.answers(tags[read_question(request.message)])
            self.assertEqual(read_question(received), read_question(request.message))

    def test_more_streams_than_there_may_be_at_once(self):
        self.start()
        connection = self.connected(self.german4)
        tags = [connection.send(query(f"host{i}.example", id=0)) for i in range(500)]
        for tag in tags:
            self.assertEqual(len(connection.answers(tag)), 1)

    def test_a_query_in_pieces(self):
        self.start()
        connection = self.connected(self.german4)
        data = frame(query("www.example", id=0))
        tag = connection.send_bytes(data[:1])
        for octet in data[1:]:
            connection.send_bytes(bytes([octet]), tag)
        self.assert_served(connection)
        self.assertEqual(len(self.resolver.requests), 1)  # not before FIN
        connection.send_bytes(b"", tag, fin=True)
        self.assertEqual(len(connection.answers(tag)), 1)

    def test_long_answers(self):
        long = lambda request: request.reply(answer(request.message) + b"\x77" * 60000)
        self.start(script=long)
        connection = self.connected(self.german4)
        tags = [connection.send(query(f"host{i}.example", id=0)) for i in range(3)]
        for tag in tags:
            (received,) = connection.answers(tag)
            self.assertGreater(len(received), 60000)

    def test_cancelled(self):
        """The answer to a cancelled query is nobody's; its place is free again when it has come."""
        self.start(script=None)
        connection = self.connected(self.german4)
        cancelled = [connection.send(query("www.example", id=0)) for _ in range(90)]
        requests = [self.resolver.next() for _ in cancelled]
        for tag in cancelled:
            connection.cancel(tag)
        other = connection.send(query("other.example", id=0))
        requests.append(self.resolver.next())
        for request in requests:
            request.reply(answer(request.message))
        self.assertEqual(len(connection.answers(other)), 1)
        self.resolver.script = echo
        for tag in [connection.send(query("www.example", id=0)) for _ in range(200)]:
            self.assertEqual(len(connection.answers(tag)), 1)

    def test_in_flight_table_full(self):
        """Queries wait in their connection, and none is lost."""
        self.start(script=None, config={"workers": 1, "limits": {"in-flight": 16}})
        connection = self.connected(self.german4)
        tags = [connection.send(query(f"host{i}.example", id=0)) for i in range(40)]
        first = [self.resolver.next() for _ in range(16)]
        with self.assertRaises(TimeoutError):
            self.resolver.next(deadline=0.3)
        self.resolver.script = echo
        for request in first:
            request.reply(answer(request.message))
        for tag in tags:
            self.assertEqual(len(connection.answers(tag)), 1)


class Errors(QuicTest):
    def setUp(self):
        self.start(config={"limits": {"tcp-idle": "1s"}})

    def test_what_the_protocol_forbids(self):
        message = query("www.example", id=0)
        keepalive = query("www.example", id=0, opt=opt(options=[(11, b"")]))
        wrong = {
            "an ID": frame(query("www.example", id=7)),
            "two queries on a stream": frame(message, message),
            "an end too early": frame(message)[:-1],
            "nothing at all": b"",
            "less than an ID": frame(b"\0"),
            "edns-tcp-keepalive": frame(keepalive),
        }
        for what, octets in wrong.items():
            with self.subTest(what):
                connection = self.connected(self.german4)
                connection.send_bytes(octets, fin=True)
                self.assert_closed(connection, "application", PROTOCOL_ERROR)

    def test_another_protocol(self):
        connection = self.quic(self.german4, alpn="h3")
        self.assert_closed(connection, "transport", str(0x100 + 120))  # no_application_protocol

    def test_another_version(self):
        first = bytes([0xC0]) + b"\x1a\x2a\x3a\x4a" + b"\x08destined\x06source"
        with self.german4.udp((SERVER4, PORT)) as channel:
            channel.send(first.ljust(1199, b"\0"))  # too short to be answered
            self.assertTrue(channel.is_silent(0.2))
            channel.send(first.ljust(1200, b"\0"))
            received = channel.receive()
        self.assertEqual(received[1:5], bytes(4))
        self.assertEqual(received[5:], b"\x06source\x08destined\x00\x00\x00\x01")

    def test_idle_connections_are_closed(self):
        never_used, used = self.connected(self.german4), self.connected(self.german4)
        self.assert_served(used)
        self.assert_closed(used, "application", NO_ERROR)
        self.assert_closed(never_used, "application", NO_ERROR)

    def test_an_octet_now_and_then_is_idle(self):
        connection = self.connected(self.german4)
        tag = connection.send_bytes(b"\xff\xff")

        def closed():
            with contextlib.suppress(BrokenPipeError):
                connection.send_bytes(b"\0", tag)
                time.sleep(0.1)
                return connection.process.poll() is not None
            return True

        self.eventually(closed, "the connection is closed")
        self.assert_closed(connection, "application", NO_ERROR)

    def test_a_connection_that_waits_for_its_answer_is_not_idle(self):
        self.resolver.script = None
        connection = self.connected(self.german4)
        tag = connection.send(query("www.example", id=0))
        request = self.resolver.next()
        time.sleep(2)
        request.reply(answer(request.message))
        self.assertEqual(len(connection.answers(tag)), 1)

    def test_a_connection_that_is_gone(self):
        """What still comes for it gets a stateless reset."""
        connection = self.confirmed(self.german4)
        connection.rebind("5.9.0.99")  # so that it does not hear of its end
        time.sleep(1.5)  # the connection's time of idleness is over
        connection.rebind("5.9.0.1")
        connection.send(query("www.example", id=0))
        self.assertEqual(connection.event("closed"), ("reset",))


class Workers(QuicTest):
    def test_more_and_fewer(self):
        """A connection stays with its worker; one whose worker goes is told so."""
        proxy = self.start(config={"workers": 2})
        connections = [self.confirmed(self.italian4) for _ in range(8)]

        def set_workers(count):
            proxy.write_config({"workers": count})
            proxy.reload()
            self.eventually(lambda: proxy.status()["workers"] == count, f"{count} workers")

        for count in (3, 2):
            set_workers(count)
            for connection in connections:
                connection.rebind("2.32.0.1")
                self.assert_served(connection)
        set_workers(1)
        served = 0
        for connection in connections:
            try:
                self.assert_served(connection)
                served += 1
            except (EOFError, BrokenPipeError):
                self.assert_closed(connection, "application", NO_ERROR)
        self.assertEqual(proxy.status()["connections"], served)
        self.confirmed(self.italian4)

    def test_an_address_goes(self):
        proxy = self.start(config={"workers": 2})
        connections = [self.confirmed(self.italian4), self.confirmed(self.italian6)]
        proxy.write_config({"listen": proxy.config["listen"][:-1]})
        proxy.reload()
        self.assert_closed(connections[1], "application", NO_ERROR)
        self.assert_served(connections[0])

    def test_an_address_goes_and_comes_back(self):
        """Sockets that still owe an answer do not stand in the way of those that follow them."""
        proxy = self.start(script=None, config={"workers": 2})
        owed = self.connected(self.italian4)
        owed.send(query("www.example", id=0))
        request = self.resolver.next()
        self.resolver.script = marked
        listen = proxy.config["listen"]
        proxy.write_config({"listen": listen[:-2]})
        proxy.reload()
        answer = threading.Timer(0.5, marked, [request])
        answer.start()
        self.addCleanup(answer.join)
        proxy.write_config({"listen": listen})
        proxy.reload()
        answer.join()
        self.assert_closed(owed, "application", NO_ERROR)
        for connection in [self.confirmed(self.italian4) for _ in range(8)]:
            self.assert_served(connection)


class Addresses(QuicTest):
    def test_another_port(self):
        """Which is another worker's, were it not for the connection ID."""
        self.start(config={"workers": 2})
        connection = self.confirmed(self.italian4)
        for _ in range(8):
            connection.rebind("2.32.0.1")
            self.assertEqual(parse(connection.ask(query("refused.example", id=0))).rcode, REFUSED)

    def test_another_address(self):
        """Nobody takes a connection to another country, be it in or out of an order."""
        self.start()
        for home, away in (("2.32.0.1", "5.9.0.1"), ("5.9.0.1", "2.32.0.1")):
            connection = self.confirmed(self.client(home))
            connection.rebind(away)
            before = self.proxy.status()
            tag = connection.send(query("refused.example", id=0))
            self.eventually(
                lambda: self.proxy.status()["quic_stray"] > before["quic_stray"], "it is dropped"
            )
            self.assertEqual(self.proxy.status()["queries"], before["queries"])
            connection.rebind(home)
            (received,) = connection.answers(tag)
            blocked = parse(received).rcode == REFUSED
            self.assertEqual(blocked, home == "2.32.0.1")


class Limits(QuicTest):
    def test_half_open_handshakes(self):
        """Who floods with first packets makes all others show their addresses; they are served."""
        limits = {"tcp-idle": "6s", "tcp-per-client": 1000}  # one client comes again and again
        self.start(config={"workers": 1, "limits": limits})

        def with_retry():  # unless the machine is so slow that the flood is forgotten by then
            retries, others, _ = half_open(self.client("5.9.0.66"), 150)
            self.assertGreaterEqual(retries, 86)
            self.assertGreater(others, 0)
            connection = self.connected(self.italian4)
            return connection if connection.has("retry") else None

        connection = self.eventually(with_retry, "who comes has to show his address")
        self.assertEqual(parse(connection.ask(query("refused.example", id=0))).rcode, REFUSED)

        def without_retry():
            connection = self.connected(self.german4)
            connection.tell("close")  # or these would be more than tcp-per-client at last
            return not connection.has("retry")

        self.eventually(without_retry, "half-open handshakes are given up")

    def test_nobody_is_sent_much_who_has_not_shown_his_address(self):
        """At most three times what came from there, all repetitions included (RFC 9000 section 8.1)."""
        self.start()
        retries, others, octets = half_open(self.client("5.9.0.66"), 1)
        self.assertEqual(retries, 0)
        self.assertGreater(others, 0)
        self.assertLessEqual(octets, 3 * 1200)

    def test_connections_of_one_client(self):
        self.start(config={"limits": {"tcp-per-client": 3}})
        kept = [self.connected(self.german4) for _ in range(3)]
        for connection in kept:
            self.assert_served(connection)
        beyond = self.connected(self.german4)
        self.assert_closed(beyond, "application", EXCESSIVE_LOAD)
        self.assert_served(self.connected(self.client("5.9.0.2")))
        with self.german4.tcp() as stream:
            self.assertTrue(stream.ends(), "QUIC and TCP count together")
        self.assertEqual(self.proxy.status()["quic_refused"], 1)

    def test_a_client_that_does_not_read(self):
        long = lambda request: request.reply(answer(request.message) + b"\x77" * 60000)
        self.start(script=None, config={"limits": {"tcp-idle": "5s"}})
        connection = self.connected(self.german4)
        for i in range(20):
            connection.send(query(f"host{i}.example", id=0))
        requests = [self.resolver.next() for _ in range(20)]
        connection.mute()
        for request in requests:
            long(request)
        self.eventually(lambda: self.proxy.status()["tcp_overflow"] == 1, "it was closed")
        self.resolver.script = echo
        self.assert_served(self.connected(self.client("5.9.0.2")))

    def test_garbage(self):
        """Whatever comes, honest clients are served meanwhile."""
        self.start(config={"workers": 1})
        connection = self.connected(self.italian4)
        long_header = bytes([0xC3]) + b"\0\0\0\x01" + b"\x08destined\x06source"
        with self.client("5.9.0.66").udp((SERVER4, PORT)) as flood:
            for i in range(300 if LIGHT else 3000):
                flood.send(b"", os.urandom(20), os.urandom(1200), b"\x40" + os.urandom(60))
                flood.send(long_header + os.urandom(1300), long_header[: i % 20 + 1])
                if i % 100 == 0:
                    self.assert_served(connection)
        self.assert_served(self.connected(self.german4))


class Life(QuicTest):
    def test_sessions_are_resumed(self):
        """At every worker, and after a reload; a session takes nobody's country elsewhere."""
        self.start()
        (session,) = self.confirmed(self.german4).event("session")
        resumed = lambda client: self.quic(client, session=session).event("connected")
        for _ in range(6):
            self.assertEqual(resumed(self.german4), ("resumed",))
        certificate(self.folder)
        self.proxy.reload()
        connection = self.quic(self.italian4, session=session)
        self.assertEqual(connection.event("connected"), ("resumed",))
        self.assertEqual(parse(connection.ask(query("refused.example", id=0))).rcode, REFUSED)
        self.proxy.stop()
        self.proxy.start()
        self.assertEqual(resumed(self.german4), ())

    def test_stop(self):
        """Answers that are due still come, and then the end."""
        self.start()
        connection, unused = self.confirmed(self.german4), self.confirmed(self.german4)
        self.resolver.script = None
        tag = connection.send(query("www.example", id=0))
        request = self.resolver.next()
        self.proxy.signal(signal.SIGTERM)
        self.assert_closed(unused, "application", NO_ERROR)
        request.reply(answer(request.message))
        self.assertEqual(len(connection.answers(tag)), 1)
        self.assert_closed(connection, "application", NO_ERROR)
        self.assertEqual(self.proxy.wait(), 0)

    def test_certificates_are_reloaded(self):
        self.start()
        before = self.connected(self.german4)

        def is_served(folder, hostname):
            with self.site.clients:
                done = subprocess.run(
                    ["kdig", f"@{SERVER4}", f"+tls-ca={folder}/certificate.pem",
                     f"+tls-hostname={hostname}", "+quic", "+retry=0", "www.example"],
                    capture_output=True, text=True)
            return "status: NOERROR" in done.stdout

        self.assertTrue(is_served(self.folder, "dns.example"))
        certificate(self.folder, "new.example")
        self.proxy.reload()
        self.assertTrue(is_served(self.folder, "new.example"))
        self.assertFalse(is_served(self.folder, "dns.example"))
        (self.folder / "key.pem").write_text("no key\n")
        self.assertNotEqual(self.proxy.tool("reload").returncode, 0)
        self.assertTrue(is_served(self.folder, "new.example"), "the last good pair stays")
        self.assert_served(before)

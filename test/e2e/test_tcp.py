# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams, of clients and towards upstreams (RFC 7766): framing, pipelining, limits, and what
happens when a side closes, stalls or runs out of something."""

import contextlib
import socket
import struct
import time

from client import frame
from dnsbytes import (
    EDE_NETWORK_ERROR, QR, SERVFAIL, TYPES, answer, header, message_id, name, opt, parse, query,
    read_question, rr,
)
from harness import GERMAN4, GERMAN6, SERVER4, Daemon, Nsd, SiteTest, echo, silent
from policytest import SMALL, small_database

PATIENT = {"upstream": {"retry-after": "60s", "timeout": "120s"}}


def padded_answer(message, size):
    """An answer of exactly this many octets."""
    whole = answer(message)
    return whole + b"\x77" * (size - len(whole))


class TcpTest(SiteTest):
    """With a database that is loaded in an instant."""

    def daemon(self, *upstreams, files=None, config=None, **options):
        files = {"country.mmdb": small_database(), **(files or {})}
        return super().daemon(*upstreams, files=files, config={**SMALL, **(config or {})}, **options)


class Framing(TcpTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.message = query("www.example", opt=opt(), id=0x1234)

    def setUp(self):
        self.resolver = self.upstream()
        self.daemon(self.resolver, config=PATIENT)

    def test_split_at_each_byte(self):
        data = frame(self.message)
        with self.german4.tcp() as stream:
            for at in range(1, len(data)):
                stream.send_bytes(data[:at])
                time.sleep(0.002)
                stream.send_bytes(data[at:])
                self.assertEqual(message_id(stream.receive()), 0x1234, at)

    def test_one_byte_at_a_time(self):
        with self.german4.tcp() as stream:
            for octet in frame(self.message, self.message):
                stream.send_bytes(bytes([octet]))
            for _ in range(2):
                self.assertEqual(message_id(stream.receive()), 0x1234)

    def test_several_queries_in_one_segment_and_a_part_of_the_next(self):
        messages = [query(f"host{i}.example", id=i) for i in range(20)]
        data = frame(*messages)
        with self.german4.tcp() as stream:
            stream.send_bytes(data[:-7])
            received = {message_id(stream.receive()) for _ in range(19)}
            self.assertTrue(stream.is_silent())
            stream.send_bytes(data[-7:])
            received.add(message_id(stream.receive()))
        self.assertEqual(received, set(range(20)))

    def test_messages_that_get_no_answer_do_not_end_the_stream(self):
        short = [b"", b"\x12", self.message[:11]]
        response = header(5, QR, 1) + self.message[12:]
        with self.german4.tcp() as stream:
            stream.send(*short, response, self.message)
            self.assertEqual(message_id(stream.receive()), 0x1234)
            self.assertTrue(stream.is_silent())
        self.assertEqual(len(self.resolver.requests), 1)

    def test_a_message_cut_by_the_end_of_the_stream_is_dropped(self):
        with self.german4.tcp() as stream:
            stream.send_bytes(frame(self.message) + frame(self.message)[:-1])
            stream.half_close()
            self.assertEqual(message_id(stream.receive()), 0x1234)
            self.assertTrue(stream.ends())
        self.assertEqual(len(self.resolver.requests), 1)


class Pipelining(TcpTest):
    def setUp(self):
        self.resolver = self.upstream(script=None)
        self.proxy = self.daemon(self.resolver, config=PATIENT)

    def ask_for(self, count):
        """Queries with IDs and names of their own, in one segment."""
        return [query(f"host{i}.example", id=i) for i in range(count)]

    def assert_answers(self, stream, messages):
        """An answer to each, in whatever order."""
        waiting = {message_id(message): read_question(message) for message in messages}
        while waiting:
            received = stream.receive()
            self.assertEqual(read_question(received), waiting.pop(message_id(received)))

    def test_answers_come_as_they_are_there(self):
        """Out of order: the last one asked is answered first."""
        messages = self.ask_for(50)
        with self.german4.tcp() as stream:
            stream.send(*messages)
            requests = [self.resolver.next() for _ in messages]
            by_name = {read_question(request.message): request for request in requests}
            for message in reversed(messages):
                request = by_name[read_question(message)]
                request.reply(answer(request.message))
                received = stream.receive()
                self.assertEqual(received[:2], message[:2])
                self.assertEqual(read_question(received), read_question(message))

    def test_more_queries_than_may_wait_at_once(self):
        """Those beyond stay unread until there is room; none is lost."""
        messages = self.ask_for(2000)
        self.resolver.script = echo
        with self.german4.tcp() as stream:
            stream.send(*messages)
            self.assert_answers(stream, messages)

    def test_one_id_twice_on_a_stream(self):
        names = ("one.example", "other.example")
        with self.german4.tcp() as stream:
            stream.send(*(query(qname, id=7) for qname in names))
            requests = [self.resolver.next() for _ in names]
            self.assertEqual(len({request.message[:2] for request in requests}), 2)
            for request in reversed(requests):
                request.reply(answer(request.message))
                received = stream.receive()
                self.assertEqual(message_id(received), 7)
                self.assertEqual(read_question(received), read_question(request.message))

    def test_half_close(self):
        """The client has said all; what it is owed still comes, and then the end."""
        messages = self.ask_for(10)
        with self.german4.tcp() as stream:
            stream.send(*messages)
            stream.half_close()
            for _ in messages:
                request = self.resolver.next()
                self.assertTrue(stream.is_silent(0.02))
                request.reply(answer(request.message))
                stream.receive()
            self.assertTrue(stream.ends())

    def test_a_client_that_is_gone_takes_nothing_with_it(self):
        gone = self.german4.tcp()
        gone.send(*self.ask_for(20))
        requests = [self.resolver.next() for _ in range(20)]
        gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
        with self.german4.tcp() as stream:
            stream.send(query("www.example", id=99))
            requests.append(self.resolver.next())
            for request in requests:
                request.reply(answer(request.message))
            received = stream.receive()
            self.assertEqual(message_id(received), 99)
            self.assertTrue(stream.is_silent())

    def test_in_flight_table_full(self):
        """Streams are not read while the table is full, so nothing of theirs is lost."""
        self.proxy.stop()
        self.daemon(
            self.resolver,
            config={**PATIENT, "workers": 1, "limits": {"in-flight": 16}},
        )
        messages = self.ask_for(40)
        with self.german4.tcp() as stream:
            stream.send(*messages)
            first = [self.resolver.next() for _ in range(16)]
            with self.assertRaises(TimeoutError):
                self.resolver.next(deadline=0.5)
            self.resolver.script = echo
            for request in first:
                request.reply(answer(request.message))
            self.assert_answers(stream, messages)


class ClientLimits(TcpTest):
    def start(self, limits, script=echo, workers=2, **options):
        self.resolver = self.upstream(script=script)
        config = {**PATIENT, "limits": limits, "workers": workers}
        return self.daemon(self.resolver, config=config, **options)

    def is_served(self, stream):
        with contextlib.suppress(OSError, EOFError):
            stream.send(query("www.example", id=3))
            return message_id(stream.receive()) == 3
        return False

    def test_idle_streams_are_closed(self):
        self.start({"tcp-idle": "1s"})
        with self.german4.tcp() as never_used, self.german4.tcp() as used:
            self.assertTrue(self.is_served(used))
            self.assertTrue(used.ends())
            self.assertTrue(never_used.ends())

    def test_a_byte_now_and_then_is_idle(self):
        """Only a complete query counts, not octets of one that never ends."""
        self.start({"tcp-idle": "1s"})
        with self.german4.tcp() as stream:
            stream.send_bytes(b"\xff\xff")

            def closed():
                with contextlib.suppress(OSError):
                    stream.send_bytes(b"\0")
                    time.sleep(0.1)
                    return not stream.is_silent(0.01)
                return True

            self.eventually(closed, "the stream is closed")

    def test_a_stream_that_waits_for_its_answer_is_not_idle(self):
        self.start({"tcp-idle": "1s"}, script=None)
        with self.german4.tcp() as stream:
            stream.send(query("www.example", id=8))
            request = self.resolver.next()
            self.assertTrue(stream.is_silent(3))
            request.reply(answer(request.message))
            self.assertEqual(message_id(stream.receive()), 8)

    def test_streams_of_one_client(self):
        self.start({"tcp-per-client": 3})
        streams = [self.german4.tcp() for _ in range(3)]
        for stream in streams:
            self.assertTrue(self.is_served(stream))
        with self.german4.tcp() as beyond:
            self.assertFalse(self.is_served(beyond))
        with self.client("5.9.0.2").tcp() as other:
            self.assertTrue(self.is_served(other))
        streams.pop().close()
        self.eventually(lambda: self.can_be_served(self.german4), "a place is free again")
        for stream in streams:
            self.assertTrue(self.is_served(stream))
            stream.close()

    def can_be_served(self, client):
        with client.tcp() as stream:
            return self.is_served(stream)

    def test_one_ipv6_client_is_a_64(self):
        self.start({"tcp-per-client": 2})
        near, far = self.client("2a01:4f8::dead:beef"), self.client("2a01:4f8:0:1::1")
        with self.german6.tcp() as one, near.tcp() as two:
            self.assertTrue(self.is_served(one))
            self.assertTrue(self.is_served(two))
            self.assertFalse(self.can_be_served(near))
            self.assertTrue(self.can_be_served(far))

    def test_streams_of_all_clients(self):
        """With all places taken, who asked longest ago gives way."""
        daemon = self.start({"tcp-connections": 10}, workers=1)
        clients = [self.client(f"5.9.1.{i}") for i in range(10)]
        streams = [client.tcp() for client in clients]
        for stream in streams[3:] + streams[:3]:
            self.assertTrue(self.is_served(stream))
        self.assertTrue(self.can_be_served(self.german4))
        self.assertTrue(streams.pop(3).ends())
        for stream in streams:
            self.assertTrue(self.is_served(stream))
            stream.close()
        self.assertEqual(daemon.status()["tcp_reaped"], 1)

    def test_a_client_that_does_not_read(self):
        """What it leaves unread is limited; it is closed, and nobody else notices."""
        script = lambda request: request.reply(padded_answer(request.message, 60000))
        daemon = self.start({"stream-output": "256 KiB"}, script)
        with self.german4.tcp(receive_buffer=4096) as stream:
            messages = [query(f"host{i}.example", id=i) for i in range(400)]
            with contextlib.suppress(ConnectionError):
                stream.send(*messages)
            self.eventually(lambda: daemon.status()["tcp_overflow"] == 1, "it was closed")
            received = 0
            with contextlib.suppress(ConnectionError, EOFError):
                while received < len(messages):
                    stream.receive()
                    received += 1
            self.assertLess(received, len(messages))
        with self.client("5.9.0.2").tcp() as other:
            self.assertTrue(self.is_served(other))

    def test_out_of_descriptors(self):
        """Accepting pauses without spinning; who is served stays served; it recovers by itself."""
        daemon = self.start(
            {"tcp-per-client": 1000}, prefix=("prlimit", "--nofile=256:256", "--")
        )
        streams = [self.client(f"5.9.{i // 200}.{i % 200 + 1}").tcp() for i in range(400)]
        served, waiting = [], []
        for stream in streams:
            stream.send(query("www.example", id=3))
        self.eventually(lambda: len(self.resolver.requests) > 20, "some are served")
        time.sleep(1)
        for stream in streams:
            (waiting if stream.is_silent(0.001) else served).append(stream)
        self.assertGreater(len(waiting), 0, "the limit was not reached")
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, 0)
        self.assertEqual(daemon.tool("status").returncode, 0)
        used = daemon.cpu_seconds()
        time.sleep(2)
        self.assertLess(daemon.cpu_seconds() - used, 1.0, "it spins")
        for stream in served:
            self.assertEqual(message_id(stream.receive()), 3)
            self.assertTrue(self.is_served(stream))
            stream.close()
        # Those that were never accepted have their turn now, as others leave.
        for stream in waiting:
            self.assertEqual(message_id(stream.receive()), 3)
            stream.close()


class UpstreamStreams(TcpTest):
    def test_connections_are_reused(self):
        resolver = self.upstream()
        self.daemon(resolver, config=PATIENT)
        for i in range(100):
            with self.client(f"5.9.2.{i + 1}").tcp() as stream:
                stream.send(query("www.example", id=i))
                self.assertEqual(message_id(stream.receive()), i)
        self.assertEqual(len(resolver.requests), 100)
        self.assertLessEqual(resolver.connections, 16)

    def test_a_connection_that_the_server_has_closed(self):
        """The next query opens another one."""
        resolver = self.upstream()
        self.daemon(resolver, config={"workers": 1})
        for i in range(20):
            self.assertEqual(parse(self.german4.ask(query("www.example"), "tcp")).rcode, 0)
            resolver.hang_up()

    def test_a_server_that_closes_after_every_answer(self):
        def answer_and_close(request):
            echo(request)
            request.hang_up()

        self.daemon(self.upstream(script=answer_and_close), config={"workers": 1})
        for i in range(50):
            answered = parse(self.german4.ask(query(f"host{i}.example"), "tcp"))
            self.assertEqual(answered.rcode, 0)

    def test_a_connection_that_breaks_before_the_answer(self):
        """Asked again on a new connection, without the client's help."""
        resolver = self.upstream(script=None)
        self.daemon(resolver, config=PATIENT)
        with self.german4.tcp() as stream:
            stream.send(query("www.example", id=5))
            resolver.next().hang_up()
            request = resolver.next()
            request.reply(answer(request.message))
            self.assertEqual(message_id(stream.receive()), 5)

    def test_a_server_that_takes_no_connections(self):
        self.daemon(self.upstream(transports=("udp",)))
        answered = parse(self.german4.ask(query("www.example", opt=opt()), "tcp"))
        self.assertEqual((answered.rcode, answered.ede[0]), (SERVFAIL, EDE_NETWORK_ERROR))

    def test_one_that_takes_none_and_one_that_does(self):
        dead, alive = self.upstream(transports=("udp",)), self.upstream(address="127.0.0.5")
        self.daemon(dead, alive, config={"upstream": {"balance": "first"}})
        for _ in range(5):
            self.assertEqual(parse(self.german4.ask(query("www.example"), "tcp")).rcode, 0)
        self.assertEqual(len(alive.requests), 5)

    def test_only_streams_carry_what_came_by_a_stream(self):
        resolver = self.upstream()
        self.daemon(resolver)
        for transport in ("udp", "tcp", "udp", "tcp"):
            self.german4.ask(query("www.example"), transport)
            self.assertEqual(resolver.requests[-1].transport, transport)


class Transfers(TcpTest):
    RECORDS = 20_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lines = ["example. 300 SOA ns hostmaster 7 3600 600 86400 300", "example. 300 NS ns"]
        lines += [f"host{i}.example. 300 TXT \"{'x' * (i % 200)}\"" for i in range(cls.RECORDS)]
        cls.nsd = Nsd(cls.site, zones={"example.": "\n".join(lines) + "\n"})
        cls.proxy = Daemon(cls.site, [cls.nsd])

    @staticmethod
    def question(qtype):
        """AXFR, or IXFR with an old serial, which this server answers with the whole zone."""
        if qtype == "AXFR":
            return query("example", "AXFR", id=21)
        soa = name("ns") + name("hostmaster") + struct.pack("!5L", 1, 3600, 600, 86400, 300)
        asked = name("example") + struct.pack("!HH", TYPES["IXFR"], 1)
        return header(21, 0, 1, 0, 1) + asked + rr("example", "SOA", 300, soa)

    def receive_transfer(self, stream):
        """All messages of one: the SOA record ends it when it comes again."""
        messages = []
        while len(messages) < 2 or parse(messages[-1]).records[-1].type != TYPES["SOA"]:
            messages.append(stream.receive())
        return messages

    def ask_transfer(self, client, qtype):
        with client.tcp() as stream:
            stream.send(self.question(qtype))
            return self.receive_transfer(stream)

    def test_every_message_is_the_servers(self):
        for qtype in ("AXFR", "IXFR"):
            direct = self.ask_transfer(self.site.beside(self.nsd.server), qtype)
            self.assertGreater(len(direct), 20)
            for client in (self.german4, self.italian6):
                with self.subTest(qtype=qtype, client=client.address):
                    self.assertEqual(self.ask_transfer(client, qtype), direct)

    def test_other_queries_on_the_same_stream(self):
        """They are answered while the transfer goes on, and after it."""
        with self.german4.tcp() as stream:
            stream.send(self.question("AXFR"), query("host1.example", "TXT", id=22))
            messages = []
            while len({message_id(message) for message in messages}) < 2:
                messages.append(stream.receive())
            self.assertEqual({message_id(message) for message in messages}, {21, 22})
            transferred = [message for message in messages if message_id(message) == 21]
            while len(transferred) < 2 or parse(transferred[-1]).records[-1].type != TYPES["SOA"]:
                transferred.append(stream.receive())
            stream.send(query("host2.example", "TXT", id=23))
            self.assertEqual(message_id(stream.receive()), 23)

    def test_a_client_that_reads_slowly_gets_all_of_it(self):
        """The transfer waits for its client; no limit on unread output ends it."""
        direct = self.ask_transfer(self.site.beside(self.nsd.server), "AXFR")
        with self.german4.tcp(receive_buffer=4096) as stream:
            stream.send(self.question("AXFR"))
            time.sleep(1)
            received = []
            for _ in direct:
                received.append(stream.receive())
                time.sleep(0.01)
        self.assertEqual(received, direct)

    def test_many_transfers_at_once(self):
        direct = self.ask_transfer(self.site.beside(self.nsd.server), "AXFR")
        streams = [self.client(f"5.9.3.{i + 1}").tcp() for i in range(20)]
        for stream in streams:
            stream.send(self.question("AXFR"))
        for stream in streams:
            self.assertEqual(self.receive_transfer(stream), direct)
            stream.close()


class TransferEnds(TcpTest):
    """Transfers by a scripted server, which stops where no real one would."""

    def setUp(self):
        self.resolver = self.upstream(script=None)
        self.daemon(self.resolver, config=PATIENT)

    def start_transfer(self, stream):
        stream.send(query("example", "AXFR", id=31))
        request = self.resolver.next()
        self.assertEqual(request.transport, "tcp")
        request.reply(answer(request.message))
        self.assertEqual(message_id(stream.receive()), 31)
        return request

    def test_a_connection_of_its_own(self):
        with self.german4.tcp() as stream:
            transfer = self.start_transfer(stream)
            stream.send(query("www.example", id=32))
            other = self.resolver.next()
            self.assertIsNot(other.channel, transfer.channel)
            other.reply(answer(other.message))
            self.assertEqual(message_id(stream.receive()), 32)

    def test_messages_without_a_question(self):
        """Inside a transfer only the first must repeat it (RFC 5936 section 2.2)."""
        with self.german4.tcp() as stream:
            transfer = self.start_transfer(stream)
            record = rr("example", "TXT", 60, b"\x03abc")
            bare = header(message_id(transfer.message), QR, 0, 1) + record
            transfer.reply(bare, bare)
            for _ in range(2):
                self.assertEqual(stream.receive()[2:], bare[2:])

    def test_the_server_closes(self):
        """Its end is the client's end: a part must not look like the whole."""
        with self.german4.tcp() as stream:
            transfer = self.start_transfer(stream)
            transfer.hang_up()
            self.assertTrue(stream.ends())

    def test_the_client_closes(self):
        with self.german4.tcp() as stream:
            transfer = self.start_transfer(stream)

        def broken():
            try:
                transfer.reply(padded_answer(transfer.message, 60000))
            except OSError:
                return True

        self.eventually(broken, "the connection towards the server is closed too")

    def test_the_server_says_nothing(self):
        self.resolver.script = silent
        self.daemon(
            self.resolver,
            config={
                "listen": [{"address": SERVER4, "port": 5353}],
                "upstream": {"timeout": "1s"},
            },
        )
        with self.german4.tcp(server=(SERVER4, 5353)) as stream:
            stream.send(query("example", "AXFR", id=33, opt=opt()))
            answered = parse(stream.receive())
            self.assertEqual((answered.id, answered.rcode), (33, SERVFAIL))
            self.assertEqual(answered.ede[0], EDE_NETWORK_ERROR)

    def test_by_udp_it_is_a_query_like_any_other(self):
        for client in (self.client(GERMAN4), self.client(GERMAN6)):
            with client.udp() as channel:
                channel.send(query("example", "IXFR", id=34))
                request = self.resolver.next()
                self.assertEqual(request.transport, "udp")
                request.reply(answer(request.message))
                self.assertEqual(message_id(channel.receive()), 34)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers behind: which of them is asked, when another one is, how their health is followed,
how their names become addresses, and what a client gets when none of them answers."""

from dnsbytes import (
    CD, EDE_NETWORK_ERROR, NOERROR, QR, RA, RD, REFUSED, SERVFAIL, TYPES, UPDATE, a, answer,
    header, message_id, opcode_flags, opt, parse, query, question, read_question, rr,
)
from harness import UPSTREAM_PORT, SiteTest, echo, silent

OTHER = "127.0.0.5"
LONG = {"retry-after": "60s", "timeout": "120s"}


class Balance(SiteTest):
    def start(self, balance):
        self.one, self.other = self.upstream(script=None), self.upstream(OTHER, script=None)
        self.daemon(
            self.one, self.other, config={"workers": 1, "upstream": {**LONG, "balance": balance}}
        )

    def ask_without_waiting(self, count):
        with self.german4.udp() as channel:
            already = len(self.one.requests) + len(self.other.requests)
            for _ in range(count):
                channel.send(query("www.example"))
            self.eventually(
                lambda: len(self.one.requests) + len(self.other.requests) == already + count,
                "all queries have arrived",
            )

    def test_first(self):
        self.start("first")
        self.ask_without_waiting(50)
        self.assertEqual(len(self.one.requests), 50)

    def test_least_outstanding(self):
        self.start("least-outstanding")
        self.ask_without_waiting(40)
        self.assertEqual(len(self.one.requests), 20)
        for request in self.other.requests:
            request.reply(answer(request.message))
        self.eventually(lambda: self.outstanding() == {20, 0}, "the answers were taken")
        self.ask_without_waiting(20)
        self.assertEqual(len(self.one.requests), 20)
        self.assertEqual(len(self.other.requests), 40)

    def outstanding(self):
        (daemon,) = self.site.running
        return {server["outstanding"] for server in daemon.status()["upstreams"]}

    def test_client_hash(self):
        """A client stays with its server; the clients are spread over all of them."""
        self.start("client-hash")
        self.one.script = self.other.script = echo
        shares = {self.one: 0, self.other: 0}
        for i in range(64):
            with self.client(f"5.9.4.{i + 1}").udp() as channel:
                before = {server: len(server.requests) for server in shares}
                for _ in range(3):
                    channel.send(query("www.example"))
                    channel.receive()
            counts = {server: len(server.requests) - before[server] for server in shares}
            self.assertEqual(sorted(counts.values()), [0, 3])
            for server, count in counts.items():
                shares[server] += count // 3
        self.assertGreater(min(shares.values()), 8)


class Retry(SiteTest):
    def start(self, retry_after="200ms", timeout="60s"):
        self.one, self.other = self.upstream(script=None), self.upstream(OTHER, script=None)
        settings = {"balance": "first", "retry-after": retry_after, "timeout": timeout}
        self.daemon(self.one, self.other, config={"upstream": settings})

    def test_the_next_server_is_asked_too(self):
        self.start()
        with self.german4.udp() as channel:
            channel.send(query("www.example", id=9))
            first, second = self.one.next(), self.other.next()
            self.assertEqual(first.message[2:], second.message[2:])
            second.reply(answer(second.message, [rr("www.example", "A", 5, a("192.0.2.2"))]))
            self.assertEqual(parse(channel.receive()).records[0].rdata, a("192.0.2.2"))
            first.reply(answer(first.message))
            self.assertTrue(channel.is_silent(), "the second answer was sent too")

    def test_the_first_valid_answer_wins(self):
        """Having asked the next one does not end the wait for the first."""
        self.start()
        with self.german4.udp() as channel:
            channel.send(query("www.example", id=9))
            first, second = self.one.next(), self.other.next()
            first.reply(answer(first.message, rcode=REFUSED))
            self.assertEqual(parse(channel.receive()).rcode, REFUSED)
            second.reply(answer(second.message))
            self.assertTrue(channel.is_silent())

    def test_what_is_never_asked_twice(self):
        """An opcode other than QUERY, a message without a question, and what came by a stream."""
        self.start(timeout="2s")
        update = header(1, opcode_flags(UPDATE), 1) + question("example", "SOA")
        for message, transport in (
            (update, "udp"),
            (header(2, RD), "udp"),
            (query("www.example"), "tcp"),
        ):
            answered = parse(self.german4.ask(message, transport))
            self.assertEqual((answered.id, answered.rcode), (message_id(message), SERVFAIL))
        self.assertEqual(len(self.one.requests), 3)
        self.assertEqual(self.other.requests, [])

    def test_a_port_where_nobody_listens(self):
        listening = self.upstream(OTHER)
        self.daemon(
            ("127.0.0.99", UPSTREAM_PORT), listening, config={"upstream": {"balance": "first"}}
        )
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, NOERROR)


class Unanswered(SiteTest):
    def setUp(self):
        self.daemon(
            self.upstream(script=silent),
            config={"upstream": {"retry-after": "100ms", "timeout": "400ms"}},
        )

    def test_servfail_with_the_reason(self):
        for client in (self.german4, self.italian6):
            for transport in ("udp", "tcp"):
                message = query("www.Example", "MX", flags=RD | CD, opt=opt(do=True))
                answered = parse(client.ask(message, transport))
                self.assertEqual(answered.id, message_id(message))
                self.assertEqual(answered.question, read_question(message))
                self.assertEqual(answered.flags, QR | RD | RA | CD | SERVFAIL)
                self.assertEqual(answered.records, [])
                self.assertEqual(answered.ede[0], EDE_NETWORK_ERROR)
                self.assertEqual(answered.opts[0].ttl, 0x8000, "DO is copied")

    def test_without_opt_there_is_none(self):
        answered = parse(self.german4.ask(query("www.example")))
        self.assertEqual((answered.rcode, answered.opts), (SERVFAIL, []))

    def test_a_question_that_cannot_be_read(self):
        """Out of scope it was forwarded; nobody answered, so it gets SERVFAIL like any other."""
        for message in (
            header(7, RD, 2) + question("one.example") + question("two.example"),
            header(7, RD, 1) + b"\xc0\x0c\0\1\0\1",
            header(7, RD),
        ):
            reply = self.german4.ask(message)
            self.assertEqual(parse(reply[:4] + bytes(8)).rcode, SERVFAIL)
            self.assertEqual(message_id(reply), 7)


class InFlight(SiteTest):
    def test_full(self):
        """The newest query is dropped and counted; what waits is answered, and there is room."""
        resolver = self.upstream(script=None)
        daemon = self.daemon(
            resolver, config={"workers": 1, "limits": {"in-flight": 16}, "upstream": LONG}
        )
        with self.german4.udp() as channel:
            channel.send(*(query(f"host{i}.example", id=i) for i in range(40)))
            requests = [resolver.next() for _ in range(16)]
            self.eventually(lambda: daemon.status()["dropped"] == 24, "24 are dropped")
            for request in requests:
                request.reply(answer(request.message))
            answered = {message_id(channel.receive()) for _ in requests}
            self.assertEqual(answered, set(range(16)))
            self.assertTrue(channel.is_silent())
            channel.send(query("www.example", id=99))
            request = resolver.next()
            request.reply(answer(request.message))
            self.assertEqual(message_id(channel.receive()), 99)


class Health(SiteTest):
    CHECK = {"name": "probe.example", "type": "SOA", "interval": "100ms", "down-after": 2,
             "up-after": 2}  # fmt: skip

    def start(self, one, other, **options):
        """Options are the other one's."""
        self.one = self.upstream(script=one)
        self.other = self.upstream(OTHER, script=other, **options)
        settings = {**LONG, "balance": "first", "health-check": self.CHECK}
        self.proxy = self.daemon(self.one, self.other, config={"upstream": settings})

    def wait_for_health(self, *expected):
        health = lambda: tuple(server["up"] for server in self.proxy.status()["upstreams"])
        self.eventually(lambda: health() == expected, lambda: f"{health()} is {expected}")

    @staticmethod
    def only_for_clients(request):
        if read_question(request.message) != question("probe.example", "SOA"):
            echo(request)

    def ask(self):
        return parse(self.german4.ask(query("www.example"))).rcode

    def asked(self, server):
        """How often it was asked for clients, probes aside."""
        probe = question("probe.example", "SOA")
        return sum(read_question(request.message) != probe for request in server.requests)

    def test_down_and_up_again(self):
        self.start(echo, echo)
        self.wait_for_health(True, True)
        self.ask()
        self.assertEqual((self.asked(self.one), self.asked(self.other)), (1, 0))
        self.one.script = silent
        self.wait_for_health(False, True)
        # One that is down is not waited for: retry-after is a minute here.
        for _ in range(5):
            self.assertEqual(self.ask(), NOERROR)
        self.assertEqual((self.asked(self.one), self.asked(self.other)), (1, 5))
        self.one.script = echo
        self.wait_for_health(True, True)
        self.ask()
        self.assertEqual((self.asked(self.one), self.asked(self.other)), (2, 5))

    def test_what_is_asked(self):
        self.start(echo, echo)
        probe = self.eventually(lambda: self.one.requests, "a probe")[0]
        self.assertEqual(read_question(probe.message), question("probe.example", "SOA"))

    def test_a_port_where_nobody_listens(self):
        self.start(echo, echo)
        self.one.stop()
        self.wait_for_health(False, True)
        self.assertEqual(self.ask(), NOERROR)

    def test_streams_avoid_it_too(self):
        self.start(silent, echo)
        self.wait_for_health(False, True)
        self.assertEqual(parse(self.german4.ask(query("www.example"), "tcp")).rcode, NOERROR)
        self.assertEqual(self.asked(self.one), 0)

    def test_with_every_server_down_all_are_used(self):
        self.start(self.only_for_clients, self.only_for_clients)
        self.wait_for_health(False, False)
        self.assertEqual(self.ask(), NOERROR)
        self.assertEqual(self.asked(self.one), 1)

    def test_a_refused_stream_turns_to_one_that_is_down_at_last(self):
        """The checks are behind the times: who is up has just died, and who is down is back."""
        self.start(self.only_for_clients, echo, transports=("udp",))
        self.wait_for_health(False, True)
        self.assertEqual(parse(self.german4.ask(query("www.example"), "tcp")).rcode, NOERROR)


class Names(SiteTest):
    """An upstream that is given by name."""

    def setUp(self):
        self.address = "127.0.0.2"
        self.names = self.upstream("127.0.0.9", 5300, script=self.resolve)
        self.one, self.other = self.upstream(), self.upstream(OTHER)

    def resolve(self, request):
        if self.address is None:
            request.reply(answer(request.message, rcode=SERVFAIL))
        elif read_question(request.message)[-4:-2] == b"\0\1":
            record = rr("resolver.test", "A", 1, a(self.address))
            request.reply(answer(request.message, [record]))
        else:
            request.reply(answer(request.message))

    def start(self):
        settings = {
            "bootstrap": [{"address": "127.0.0.9", "port": 5300}],
            "retry-after": "100ms",
            "timeout": "300ms",
        }
        self.proxy = self.daemon(("resolver.test", UPSTREAM_PORT), config={"upstream": settings})

    def ask(self):
        return parse(self.german4.ask(query("www.example"))).rcode

    def is_used(self, server):
        before = len(server.requests)
        self.ask()
        return len(server.requests) > before

    def test_an_address_changes_and_the_lookup_fails(self):
        self.start()
        self.eventually(lambda: self.is_used(self.one), "the first address is used")
        self.address = OTHER
        self.eventually(lambda: self.is_used(self.other), "the new address is used")
        self.assertFalse(self.is_used(self.one))
        self.address = None
        already = len(self.names.requests)
        self.eventually(lambda: len(self.names.requests) > already + 2, "lookups go on")
        self.assertTrue(self.is_used(self.other), "the last address is kept")
        self.address = "127.0.0.2"
        self.eventually(lambda: self.is_used(self.one), "a lookup succeeds again")

    def test_a_name_that_has_no_address_yet(self):
        self.address = None
        self.start()
        self.assertEqual(self.ask(), SERVFAIL)
        self.address = "127.0.0.2"
        self.eventually(lambda: self.ask() == NOERROR, "it is answered once the name has one")

    def test_an_address_changes_while_other_servers_are_looked_up(self):
        """The servers of the configuration before do not stay in use."""
        self.start()
        self.eventually(lambda: self.is_used(self.one), "the address is used")
        third = self.upstream("127.0.0.7")

        def change_meanwhile(request):
            if b"\5later" in request.message:
                self.address = OTHER  # no answer
            else:
                self.resolve(request)

        self.names.script = change_meanwhile
        hosts = ("127.0.0.7", "later.test")
        servers = [{"address": host, "port": UPSTREAM_PORT} for host in hosts]
        self.proxy.write_config({"upstream": {"servers": servers}})
        self.proxy.reload()
        self.assertEqual(self.address, OTHER)
        self.eventually(lambda: self.is_used(third), "the server that is configured is used")

    def test_new_servers_that_have_no_address_yet(self):
        """The servers before stay in use, and nobody waits for the new ones."""
        self.start()
        self.eventually(lambda: self.is_used(self.one), "the address is used")
        self.address = None
        servers = [{"address": "resolver.test", "port": UPSTREAM_PORT + 1}]
        moved = self.upstream(OTHER, UPSTREAM_PORT + 1)
        self.proxy.write_config({"upstream": {"servers": servers}})
        self.proxy.reload()
        self.assertEqual(self.ask(), NOERROR)
        self.assertTrue(self.is_used(self.one))
        self.address = OTHER
        self.eventually(lambda: self.is_used(moved), "the new server is used once it is known")
        self.assertFalse(self.is_used(self.one))


class Randomness(SiteTest):
    def test_ports_and_ids(self):
        """What an off-path attacker would have to guess (RFC 5452)."""
        resolver = self.upstream()
        self.daemon(resolver, config={"workers": 1})
        with self.german4.udp() as channel:
            for _ in range(1000):
                channel.send(query("www.example", id=0))
                channel.receive()
            first = {request.peer[1] for request in resolver.requests}
            self.assertGreaterEqual(len(first), 8)
            ids = [message_id(request.message) for request in resolver.requests]
            self.assertGreater(len(set(ids)), 900)
            self.assertEqual(len({id >> 12 for id in ids}), 16, "all of the range is used")
            steps = {later - earlier & 0xFFFF for earlier, later in zip(ids, ids[1:])}
            self.assertGreater(len(steps), 900, "no constant step")

            def renewed():
                channel.send(query("www.example", id=0))
                channel.receive()
                return resolver.requests[-1].peer[1] not in first

            self.eventually(renewed, "a new source port")

    def test_streams_have_random_ids_too(self):
        resolver = self.upstream()
        self.daemon(resolver, config={"workers": 1})
        with self.german4.tcp() as stream:
            for _ in range(200):
                stream.send(query("www.example", id=0))
                stream.receive()
        ids = {message_id(request.message) for request in resolver.requests}
        self.assertGreater(len(ids), 180)


class AnyResolver(SiteTest):
    def test_unbound_behind(self):
        """A real resolver's answers, by every way."""
        data = [f"host{i}.example. 300 TXT \"{'x' * 200}\"" for i in range(20)]
        data += ["big.example. 300 TXT " + " ".join(f'"{"y" * 250}"' for _ in range(8))]
        self.daemon(self.unbound(data=data))
        for client in (self.german4, self.italian4, self.german6, self.italian6):
            with client.udp() as channel:
                for i in range(20):
                    channel.send(query(f"host{i}.example", "TXT", opt=opt()))
                    answered = parse(channel.receive())
                    self.assertEqual(answered.records[0].type, TYPES["TXT"])
            cut = parse(client.ask(query("big.example", "TXT")))
            self.assertEqual((cut.flags & 0x0200, cut.records), (0x0200, []))
            whole = parse(client.ask(query("big.example", "TXT"), "tcp"))
            self.assertEqual(len(whole.records[0].rdata), 8 * 251)

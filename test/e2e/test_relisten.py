# SPDX-License-Identifier: GPL-3.0-or-later
"""What is listened on, by how many workers, and which servers are asked changes under load: nothing
that was received is lost, what stays stays, and what cannot be had leaves everything as it was."""

import concurrent.futures
import json
import socket

from client import Client, eventually
from dnsbytes import NOERROR, NXDOMAIN, REFUSED, SERVFAIL, parse, query
from harness import GERMAN4, ITALIAN4, SERVER4, SERVER4_OTHER, merged, yaml_text
from load import Load
from policytest import marked, order
from reloadtest import ReloadTest
from upstream import silent

WILDCARDS = [{"address": "0.0.0.0", "port": 53}, {"address": "::", "port": 53}]


def on(address, **keys):
    return {"address": address, "port": 53, **keys}


def servers(*upstreams):
    return {"servers": [dict(zip(("address", "port"), each.server)) for each in upstreams]}


class RelistenTest(ReloadTest):
    def set(self, changes, *options):
        """Other settings, and a reload; what it says on standard error."""
        self.proxy.write("forwarder.conf", yaml_text(merged(self.proxy.config, changes)))
        return self.proxy.tool("reload", *options)

    def assert_set(self, changes):
        done = self.set(changes)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def load(self, *options):
        """Queries for two names, one of them blocked."""
        return Load(self.site, ["www.example", "one.example"], *options)

    def flows(self, queries=500):
        before = self.proxy.status()["queries"]
        self.eventually(lambda: self.proxy.status()["queries"] > before + queries, "load arrives")

    def assert_none_lost(self, load):
        load.end()
        self.assertEqual(load.lost, 0, load.report)

    def workers(self):
        return self.proxy.status()["workers"]


class Workers(RelistenTest):
    def test_more_and_fewer_under_load(self):
        """Neither a datagram nor a connection is lost, and no count."""
        proxy = self.run_daemon(config={"workers": 2})
        load = self.load("-q", "200", "-c", "40")
        before = 0
        for workers in (4, 1, 3, 2):
            self.flows()
            self.assert_set({"workers": workers})
            self.eventually(lambda: self.workers() == workers, f"{workers} workers")
            queries = proxy.status()["queries"]
            self.assertGreater(queries, before)
            before = queries
        self.assert_none_lost(load)
        self.assertEqual(proxy.status()["receive_drops"], 0)

    def test_connections(self):
        """Those of a worker that goes end in order; all others stay."""
        self.run_daemon(config={"workers": 4})
        streams = [self.german4.tcp() for _ in range(24)]
        for number, stream in enumerate(streams):
            stream.send(query("www.example", id=number))
            self.assertEqual(parse(stream.receive()).rcode, NOERROR)
        self.assert_set({"workers": 1})
        for number, stream in enumerate(streams):
            stream.send(query("www.example", id=number))
        self.eventually(lambda: self.workers() == 1, "one worker")
        answered = 0
        for stream in streams:
            try:
                answered += parse(stream.receive()).rcode == NOERROR
            except (OSError, EOFError):
                pass
        self.assertGreater(answered, 0)


class Listen(RelistenTest):
    def test_an_address_comes_and_goes(self):
        self.run_daemon(config={"listen": [on(SERVER4)]})
        other = Client(self.site.clients, ITALIAN4, (SERVER4_OTHER, 53))
        load = self.load("-q", "100", "-c", "20")
        self.flows()
        self.assert_set({"listen": [on(SERVER4), on(SERVER4_OTHER)]})
        for transport in ("udp", "tcp"):
            self.assertTrue(parse(other.ask(query("one.example"), transport)).rcode)
        stream = other.tcp()
        self.assert_set({"listen": [on(SERVER4)]})
        self.assertTrue(stream.ends())
        self.eventually(lambda: self.refuses(other), "the address is left")
        self.assert_none_lost(load)

    def refuses(self, client):
        try:
            client.tcp().close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # its listener closed while it was on its way in
        return False

    def test_an_address_becomes_a_wildcard_under_load(self):
        """The more specific socket is out of the way at once, not when its last answer has left."""
        self.run_daemon(config={"listen": [on(SERVER4)]})
        load = self.load("-q", "100", "-c", "20")
        for listen in (WILDCARDS, [on(SERVER4)]):
            self.flows()
            self.assert_set({"listen": listen})
        self.flows()
        self.assert_none_lost(load)

    def test_what_waits_upstream_is_answered_by_a_listener_that_goes(self):
        slow = self.upstream("127.0.0.9", script=None)
        listen = [on(SERVER4), on(SERVER4_OTHER)]
        self.run_daemon(config={"listen": listen, "upstream": servers(slow)})
        other = Client(self.site.clients, GERMAN4, (SERVER4_OTHER, 53))
        datagrams, stream = other.udp(), other.tcp()
        datagrams.send(query("www.example", id=1))
        stream.send(query("www.example", id=2))
        waiting = [slow.next(), slow.next()]
        self.assert_set({"listen": [on(SERVER4)]})
        # An order does not wait for that, and a socket at the same address does.
        self.proxy.write_order("DE/new.yaml", order("DE-NEW", names=["new.example"]))
        self.assert_set({"listen": [on(SERVER4)]})
        self.assertEqual(parse(self.german4.ask(query("new.example"))).rcode, REFUSED)
        with concurrent.futures.ThreadPoolExecutor() as aside:
            back = aside.submit(self.set, {"listen": listen, "block": {"action": "nxdomain"}})
            self.eventually(lambda: self.proxy.status()["generation"] == 3, "the order's")
            for request in waiting:
                marked(request)
            for channel, number in ((datagrams, 1), (stream, 2)):
                answer = parse(channel.receive())
                self.assertEqual((answer.id, answer.rcode), (number, NOERROR))
            self.assertTrue(stream.ends())
            self.assertEqual((back.result().returncode, back.result().stderr), (0, ""))
        self.assertEqual(parse(other.ask(query("new.example"))).rcode, NXDOMAIN)

    def test_a_port_that_is_taken_changes_nothing(self):
        proxy = self.run_daemon(config={"listen": [on(SERVER4)]})
        with self.site.server:
            taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind((SERVER4_OTHER, 53))
        self.addCleanup(taken.close)
        changes = {
            "listen": [on("127.0.0.1"), on(SERVER4_OTHER)],
            "block": {"action": "nxdomain"},
        }
        done = self.set(changes)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr,
            rf"{proxy.conf}:\d+:\d+: cannot listen on {SERVER4_OTHER} port 53 \(udp\): Addr",
        )
        self.assertEqual(len(proxy.status()["errors"]), 1)
        self.assertTrue(self.refuses(self.site.beside(("127.0.0.1", 53))))
        self.assertEqual(parse(self.italian4.ask(query("one.example"))).rcode, 3)  # the rest applies
        self.set({"listen": [on(SERVER4), on(SERVER4_OTHER)]}, "--strict")
        self.assertEqual(parse(self.italian4.ask(query("one.example"))).rcode, 3)
        taken.close()
        self.assert_set(changes)
        self.eventually(lambda: self.refuses(self.italian4), "the address is left")
        self.assertEqual(proxy.status()["errors"], [])


class Upstreams(RelistenTest):
    def test_servers_come_and_go_under_load(self):
        second = self.upstream("127.0.0.9", script=marked)
        self.run_daemon()
        named = {"a": self.resolver, "b": second}
        load = self.load("-q", "50", "-c", "10")
        for names in ("b", "ab", "a"):
            self.flows(200)
            self.assert_set({"upstream": servers(*(named[name] for name in names))})
            self.assertEqual(len(self.proxy.status()["upstreams"]), len(names))
        self.assert_none_lost(load)
        self.assertNotIn("SERVFAIL", load.codes)

    def test_a_query_waits_for_a_server_that_is_gone(self):
        slow = self.upstream("127.0.0.9", script=None)
        self.run_daemon(config={"upstream": servers(slow)})
        with self.german4.udp() as datagrams, self.german4.tcp() as stream:
            for channel in (datagrams, stream):
                channel.send(query("www.example"))
            waiting = [slow.next(), slow.next()]
            self.assert_set({"upstream": servers(self.resolver)})
            self.assert_free("two.example")
            for request in waiting:
                marked(request)
            for channel in (datagrams, stream):
                self.assertEqual(parse(channel.receive()).rcode, NOERROR)

    def test_how_servers_are_asked(self):
        proxy = self.run_daemon(config={"upstream": {"timeout": "8s"}})
        self.resolver.script, before = silent, self.resolver.script
        self.addCleanup(setattr, self.resolver, "script", before)
        self.assert_set({"upstream": {"timeout": "500ms", "retry-after": "100ms"}})
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, SERVFAIL)
        done = self.set({"upstream": {"servers": [
            {"address": "127.0.0.9", "port": 853, "transport": "tls", "tls-name": "a.example"}],
            "tls-ca": "nowhere.pem"}})  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r":\d+:\d+: upstream stays as it is: upstream.tls-ca ")
        self.assertEqual(len(proxy.status()["upstreams"]), 1)

    def assert_recorded(self, expected):
        """In the audit record, by whom and in this order."""
        text = lambda server: f"{server[0]}:{server[1]}"

        def drains():
            lines = self.proxy.tool("audit", "show", "--json").stdout.splitlines()
            seen = [each for each in map(json.loads, lines) if each["event"].endswith("drain")]
            return seen if len(seen) >= len(expected) else None

        seen = eventually(drains, "the record of all")
        self.assertEqual([(each["event"], each["upstream"], each["force"]) for each in seen],
                         [(event, text(server), force) for event, server, force in expected])  # fmt: skip
        self.assertEqual({each["asked"][0]["user"] for each in seen}, {"root"})
        said = self.proxy.tool("audit", "show").stdout
        self.assertRegex(said, rf"  undrain +{text(expected[-1][1])} +root \(uid 0, process \d+\)")
        self.assertEqual(self.proxy.tool("audit", "verify").returncode, 0)

    def all_drained(self):
        return any("every server is drained" in each["warning"]
                   for each in self.proxy.status()["warnings"])  # fmt: skip

    def test_drain(self):
        second = self.upstream("127.0.0.9", script=marked)
        proxy = self.run_daemon(config={"upstream": servers(self.resolver, second)})
        name = f"{second.server[0]}:{second.server[1]}"
        self.assertRegex(proxy.tool("upstream").stdout, rf"ADDRESS .*\n(.*\n)*{name} +up ")
        self.assertRegex(proxy.tool("upstream", "drain", name).stdout, rf"{name} +drained ")
        for again in (False, True):  # also after a reload that changes upstream
            second.forget()
            for _ in range(20):
                self.assert_free("two.example")
            self.assertTrue(next(each["drained"] for each in proxy.status()["upstreams"]
                                 if each["address"] == name))  # fmt: skip
            if not again:
                self.assert_set({"upstream": {"retry-after": "900ms"}})
        refused = proxy.tool("upstream", "drain", self.resolver.server[0])
        self.assertEqual(refused.returncode, 1)
        self.assertIn("no other server is up and not drained", refused.stderr)
        forced = proxy.tool("upstream", "drain", "--force", self.resolver.server[0])
        self.assertEqual(forced.returncode, 0, forced.stderr)
        self.assertEqual(parse(self.german4.ask(query("www.example"))).rcode, SERVFAIL)
        self.assertTrue(self.all_drained())
        self.assertEqual(proxy.tool("upstream", "undrain", self.resolver.server[0]).returncode, 0)
        self.assertFalse(self.all_drained())
        self.assert_set({"upstream": servers(second)})  # who drained it may have forgotten
        self.assertTrue(self.all_drained())
        self.assert_set({"upstream": servers(self.resolver, second)})
        self.assert_free("two.example")
        self.assertRegex(proxy.tool("upstream", "undrain", name).stdout, rf"{name} +up ")
        for word in ("192.0.2.99", "nobody", "127.0.0.9:1"):
            self.assertEqual(proxy.tool("upstream", "drain", word).returncode, 1, word)
        self.assertEqual(proxy.tool("upstream", "drain").returncode, 2)
        first, second = self.resolver.server, second.server
        proxy.stop()  # all is written
        self.assert_recorded([("drain", second, False), ("drain", first, True),
                              ("undrain", first, False), ("undrain", second, False)])  # fmt: skip

# SPDX-License-Identifier: GPL-3.0-or-later
"""dnstap: what is told of which queries, to a socket and to a file, read back by dnstap-read,
fstrm_dump, the operator's tool and an eye of the tests' own; and that nobody who asks notices when
nobody reads it, or the disk is full."""

import collections
import contextlib
import json
import socket
import struct
import time

from dnsbytes import a, answer, read_name, name as wire_name, opt, parse, query, rr
from dnstap import CLIENT_QUERY, CLIENT_RESPONSE, CONTENT, Capture, events, read_by_others
from harness import ITALIAN4, SERVER4, SiteTest
from policytest import SMALL, marked, order, small_database

import ways
from proxytest import ITALIAN_PROXY, proxied

ORDERS = {
    "IT/refused.yaml": order("REFUSED", names=["refused.example"]),
    "IT/nxdomain.yaml": order("NXDOMAIN", action="nxdomain", names=["nxdomain.example"]),
    "IT/nodata.yaml": order("NODATA", action="nodata", names=["nodata.example"]),
    "IT/drop.yaml": order("DROP", action="drop", names=["drop.example"], aliases="yes"),
    "IT/address.yaml": order(
        "ADDRESS", action="address", addresses=["192.0.2.80"], names=["address.example"]
    ),
    "IT/cname.yaml": order("CNAME", action="cname", target="told.example", names=["cname.example"]),
    "IT/alias.yaml": order("ALIAS", action="nodata", names=["alias.example"], aliases="yes"),
    "IT/answer.yaml": order("ANSWER", answers=["203.0.113.0/28"]),
    "IT/shadow.yaml": order("SHADOW", action="shadow", names=["shadow.example"]),
}  # fmt: skip
ONE = {"IT/one.yaml": order("ONE", names=["one.example"])}


def resolve(request):
    """to-alias leads to an alias of an order, to-drop too, to-address to an address of one."""
    name, _ = read_name(request.message, 12)
    alias = lambda to: answer(request.message, [rr(name, "CNAME", 60, wire_name(to))])
    scripts = {
        "to-alias.example": lambda: alias("www.alias.example"),
        "to-drop.example": lambda: alias("drop.example"),
        "to-address.example": lambda: answer(request.message, [rr(name, "A", 60, a("203.0.113.7"))]),
    }
    if name in scripts:
        request.reply(scripts[name]())
    else:
        marked(request)


def name_of(event):
    return parse(event.query or event.response).question[:-4]


class DnstapTest(SiteTest):
    def start(self, tap, script=resolve, **options):
        self.resolver = self.upstream(script=script)
        given = {"orders": ORDERS, "files": {"country.mmdb": small_database()}, **options}
        given["config"] = {**SMALL, **given.get("config", {}), "dnstap": {"identity": "here", **tap}}
        self.proxy = self.daemon(self.resolver, **given)
        self.tap = self.proxy.folder / "queries.tap"

    def lost(self):
        return self.proxy.status()["dnstap_lost"]

    def eventually_written(self, count):
        self.eventually(lambda: self.proxy.status()["dnstap_written"] >= count, f"{count} written")

    def ask(self, count, qname="one.example"):
        with self.italian4.udp() as channel:
            for _ in range(count):
                channel.send(query(qname))
                channel.receive()

    def told(self):
        """All that was told, once the daemon has ended: {question: [query, response]}."""
        self.proxy.stop()
        found = collections.defaultdict(list)
        for event in events(self.tap.read_bytes()):
            found[name_of(event)].append(event)
        return found


class Blocked(DnstapTest):
    def test_by_every_way(self):
        self.start(
            {"file": "queries.tap"},
            config=ways.CONFIG,
            files=ways.FILES,
            orders=ONE,
        )
        asked, began = {}, time.time()
        for client in (self.italian4, self.italian6):
            for transport, port in ways.DIRECT.items():
                with ways.asking(client, ways.Way(transport, port)) as ask:
                    label = f"{transport}-{len(asked)}"
                    message = query(f"{label}.one.example", opt=opt(), id=0)
                    asked[message] = (client, transport, port, ask(message))
        with ways.asking(self.german4, ways.Way("udp", 53)) as ask:
            ask(query("german.one.example"))
        told = self.told()
        self.assertEqual(len(told), len(asked), "what is not blocked was told")
        for message, (client, transport, port, received) in asked.items():
            with self.subTest(transport, client=client.address):
                first, second = told.pop(parse(message).question[:-4])
                self.assertEqual((first.type, second.type), (CLIENT_QUERY, CLIENT_RESPONSE))
                for event in (first, second):
                    self.assertEqual(event.identity, "here")
                    self.assertEqual(event.client, client.address)
                    self.assertGreater(event.port, 0)
                    self.assertEqual(event.server, (client.server[0], port))
                    self.assertEqual(event.protocol, {"http": "https"}.get(transport, transport))
                    self.assertEqual(event.http, 2 if event.protocol == "https" else None)
                    self.assertTrue(began - 1 <= event.query_time <= time.time() + 1)
                    value = wire_name("one.example")
                    self.assertEqual(event.policy, ("ONE", None, "QNAME", value))
                self.assertEqual(first.query[12:30], message[12:30])
                self.assertEqual(second.response[12:30], received[12:30])
                self.assertGreaterEqual(second.response_time, second.query_time)

    def test_the_policy_says_what_was_done(self):
        self.start({"file": "queries.tap"})
        rows = {
            "www.refused.example": ("REFUSED", None, "QNAME", wire_name("refused.example")),
            "nxdomain.example": ("NXDOMAIN", "NXDOMAIN", "QNAME", wire_name("nxdomain.example")),
            "a.nodata.example": ("NODATA", "NODATA", "QNAME", wire_name("nodata.example")),
            "drop.example": ("DROP", "DROP", "QNAME", wire_name("drop.example")),
            "address.example": ("ADDRESS", "LOCAL_DATA", "QNAME", wire_name("address.example")),
            "cname.example": ("CNAME", "LOCAL_DATA", "QNAME", wire_name("cname.example")),
            "to-alias.example": ("ALIAS", "NODATA", None, wire_name("alias.example")),
            "to-drop.example": ("DROP", "DROP", None, wire_name("drop.example")),
            "to-address.example": ("ANSWER", None, "RESPONSE_IP", bytes([203, 0, 113, 0])),
        }
        for qname in rows:
            with self.italian4.udp() as channel:
                channel.send(query(qname))
                if "drop" not in qname:
                    channel.receive()
        for qname in ("shadow.example", "free.example"):
            self.italian4.ask(query(qname))
        self.eventually_written(16)
        told = self.told()
        self.assertEqual(set(told), {wire_name(qname) for qname in rows})
        for qname, expected in rows.items():
            with self.subTest(qname):
                first, *rest = told[wire_name(qname)]
                self.assertEqual(first.type, CLIENT_QUERY)
                answered = [] if "drop" in qname else [CLIENT_RESPONSE]
                self.assertEqual([event.type for event in rest], answered)
                for event in (first, *rest):
                    self.assertEqual(event.policy, expected)
        lines, frames = read_by_others(self.tap)
        self.assertEqual((len(lines), frames), (16, 16), lines)
        self.assertRegex("\n".join(lines), rf"CQ {ITALIAN4}:\d+ -> {SERVER4}:53 UDP \d+b www.refused.example")


class All(DnstapTest):
    def test_everybody_is_told(self):
        self.start({"file": "queries.tap", "queries": "all"})
        for client in (self.german4, self.italian6):
            for transport in ("udp", "tcp"):
                client.ask(query(f"{transport}.free.example"), transport)
        for qname in ("refused.example", "shadow.example", "to-alias.example"):
            self.italian4.ask(query(qname))
        told = self.told()
        free = told[wire_name("udp.free.example")] + told[wire_name("tcp.free.example")]
        self.assertEqual({event.client for event in free}, {self.german4.address, self.italian6.address})
        self.assertEqual([event.policy for event in free], 8 * [None])
        responses = [event.response for event in free if event.type == CLIENT_RESPONSE]
        self.assertTrue(len(responses) == 4 and all(b"\x08upstream" in each for each in responses))
        policies = lambda qname: [event.policy and event.policy[:2] for event in told[wire_name(qname)]]
        self.assertEqual(policies("refused.example"), 2 * [("REFUSED", None)])
        self.assertEqual(policies("shadow.example"), [("SHADOW", "PASS"), None])
        self.assertEqual(policies("to-alias.example"), [None, ("ALIAS", "NODATA")])
        self.assertEqual([len(each) for each in told.values()].count(2), 3, "a query told twice")
        self.proxy.write_order("IT/draft.yaml", order("DRAFT", status="suspended", names=["free.example"]))
        done = self.proxy.tool("impact", "--json", "--queries", self.tap, "DRAFT")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["queries"], result["would_block"]), (7, 2))


    def test_transfers(self):
        rows = {  # of the query and the response: with a policy, if any
            ("blocked", "free.example"): [],
            ("blocked", "to-address.example"): 2 * [("ANSWER", None)],
            ("all", "free.example"): [None, None],
            ("all", "to-address.example"): [None, ("ANSWER", None)],
        }
        for queries in ("blocked", "all"):
            self.start({"file": "queries.tap", "queries": queries})
            for qname in ("free.example", "to-address.example"):
                self.italian4.ask(query(qname, "AXFR"), "tcp")
            self.resolver.stop()  # which ends transfers too
            told = self.told()
            for qname in ("free.example", "to-address.example"):
                found = told[wire_name(qname)]
                policies = [event.policy and event.policy[:2] for event in found]
                self.assertEqual(policies, rows[queries, qname], (queries, qname))
                self.assertTrue(all(event.protocol == "tcp" and event.port for event in found))

    def test_a_client_behind_a_proxy(self):
        header = proxied(ITALIAN4, "udp")
        self.start({"file": "queries.tap"}, config=ways.CONFIG, files=ways.FILES, orders=ONE)
        proxy = self.client(ITALIAN_PROXY)
        with ways.asking(proxy, ways.Way("udp", ways.BEFORE["udp"]), header) as ask:
            ask(query("one.example"))
        with ways.asking(proxy, ways.Way("https", 443)) as ask:
            ask(query("one.example", id=0), [("x-forwarded-for", ITALIAN4)])
        events = self.told()[wire_name("one.example")]
        self.assertEqual([event.client for event in events], 4 * [ITALIAN4])
        self.assertEqual({(event.protocol, event.port is None) for event in events},
                         {("udp", False), ("https", True)})


def agreed(receiver):
    """A connection on which the daemon has begun to tell: others it has given up meanwhile."""
    ready, accept, start = (
        bytes(7) + b"\x22" + struct.pack(">III", kind, 1, len(CONTENT)) + CONTENT
        for kind in (4, 1, 2)
    )
    while True:
        connection, _ = receiver.accept()
        with contextlib.suppress(ConnectionError):
            connection.send(accept)
            got = b""
            while part := connection.recv(len(ready + start) - len(got)):
                got += part
                if got == ready + start:
                    return connection
        connection.close()


class Receivers(DnstapTest):
    def test_a_receiver_comes_goes_and_comes_back(self):
        self.start({"socket": "tap.sock"}, orders=ONE)
        self.proxy.wait_for_log("dnstap: not written")
        self.ask(3)  # kept until somebody wants it
        for told in (3, 7):
            capture = Capture(self.site, self.proxy.folder)
            self.ask(told - 3)
            self.proxy.wait_for_log("dnstap: written again")
            self.eventually_written(2 * told)
            capture.stop()
            self.assertEqual(len(events(capture.file.read_bytes())), {3: 6, 7: 8}[told])
        self.assertEqual(self.lost(), 0)
        capture = Capture(self.site, self.proxy.folder)
        self.ask(1)
        self.eventually_written(16)
        self.proxy.stop()  # says goodbye, so that the file is whole
        capture.stop()
        self.assertEqual(len(events(capture.file.read_bytes())), 2)

    def test_a_receiver_that_hangs(self):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as receiver:
            path = self.site.new_folder("receiver") / "tap.sock"
            receiver.bind(str(path))
            receiver.listen()
            self.start({"socket": str(path), "queries": "all"}, orders=ONE)
            with contextlib.closing(agreed(receiver)):
                began = time.monotonic()
                with self.german4.tcp() as channel:
                    while time.monotonic() - began < 20 and self.lost() == 0:
                        for _ in range(10):
                            channel.send(*(200 * [query("x" * 60 + ".free.example")]))
                            for _ in range(200):
                                channel.receive()
                self.assertGreater(self.lost(), 0)
            self.ask(1)
        self.proxy.stop()  # nobody waits for the receiver

    def test_a_receiver_of_something_else(self):
        path = self.site.new_folder("receiver") / "tap.sock"
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as receiver:
            receiver.bind(str(path))
            receiver.listen()
            self.start({"socket": str(path)}, orders=ONE)
            for reply in (
                b"\0\0\0\0\0\0\0\x10\0\0\0\1\0\0\0\1\0\0\0\4text",
                b"\0\0\0\0\xff\xff\xff\xff",
                b"HTTP/1.1 400 Bad Request\r\n\r\n",
                b"",
            ):
                connection, _ = receiver.accept()
                with contextlib.closing(connection), contextlib.suppress(ConnectionError):
                    connection.send(reply)
            self.ask(2)
        self.assertEqual(self.proxy.status()["dnstap_written"], 0)


class Files(DnstapTest):
    def test_rotation(self):
        self.start({"file": "queries.tap"}, orders=ONE)
        self.ask(1)
        self.eventually_written(2)
        self.proxy.reload()
        self.ask(1)
        self.eventually_written(4)
        first = self.proxy.folder / "first.tap"
        self.tap.rename(first)
        self.proxy.reload()
        self.eventually(self.tap.exists, "a new file")
        self.ask(3)
        self.proxy.stop()
        self.assertEqual(len(events(first.read_bytes())), 4)
        self.assertEqual(len(events(self.tap.read_bytes())), 6)
        self.assertEqual(self.tap.stat().st_mode & 0o777, 0o640)
        self.proxy.start()
        self.eventually(lambda: len(self.told_before()) == 6, "what a start finds is moved away")
        self.proxy.stop()
        self.assertEqual(events(self.tap.read_bytes()), [])

    def told_before(self):
        before = self.tap.with_name("queries.tap.old")
        return events(before.read_bytes()) if before.exists() else []

    def test_what_is_no_file_is_left_alone(self):
        self.start({"file": "queries.tap"}, orders=ONE, start=False)
        self.tap.symlink_to("elsewhere")
        self.proxy.start()
        self.proxy.wait_for_log("is there, and is no regular file")
        self.ask(1)
        self.proxy.stop()
        self.assertTrue(self.tap.is_symlink())
        self.assertFalse((self.proxy.folder / "elsewhere").exists())

    def test_a_full_disk(self):
        full = 128 * 1024
        self.start({"file": "queries.tap"}, orders=ONE, prefix=("prlimit", f"--fsize={full}"))
        while self.lost() == 0:
            self.ask(100)
        self.proxy.wait_for_log("dnstap: not written")
        self.tap.rename(self.tap.with_name("full.tap"))
        self.proxy.reload()
        self.ask(2)
        self.proxy.wait_for_log("dnstap: written again")
        whole = self.tap.with_name("full.tap").read_bytes()
        self.assertLessEqual(len(whole), full)
        self.eventually_written(len(events(whole)) + 4)
        self.proxy.stop()
        self.assertEqual(len(events(self.tap.read_bytes())), 4)

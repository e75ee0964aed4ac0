# SPDX-License-Identifier: GPL-3.0-or-later
"""Before it bites: what a reload would change, what an order would have blocked, and lists that
shrank."""

import json
import socket
import struct

from dnsbytes import REFUSED, parse, query
from harness import Process, Unbound, merged, yaml_text
from policytest import BROKEN, SMALL, PolicyTest, order, small_database


def lists(file):
    return [{"file": file, "format": "names"}]


class Before(PolicyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy.stop()

    def run_daemon(self, orders, files=None, config=None, **options):
        self.proxy = self.daemon(
            self.resolver,
            orders=orders,
            files={"country.mmdb": small_database(), **(files or {})},
            config=merged(SMALL, config or {}),
            **options,
        )
        if options.get("start", True):
            self.proxy.wait_until_kept()  # diff compares with what is under state
        return self.proxy

    def lines(self, *words, status=0, **options):
        """The objects that a command prints with --json."""
        done = self.proxy.tool(*words, "--json", **options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def is_blocked(self, qname):
        return parse(self.italian4.ask(query(qname))).rcode == REFUSED


class Diff(Before):
    def test_nothing(self):
        self.run_daemon({"IT/one.yaml": order("ONE", names=["one.example"])})
        self.assertEqual(self.lines("diff"), [])
        self.assertEqual(self.proxy.tool("diff").stdout, "a reload would change nothing\n")

    def test_new_gone_and_changed(self):
        daemon = self.run_daemon(
            {
                "IT/one.yaml": order("ONE", names=["a.example", "b.example"]),
                "DE/two.yaml": order("TWO", names=["two.example"]),
                "IT/three.yaml": order("THREE", names=["x.example"], lists=lists("three.txt")),
                "IT/same.yaml": order("SAME", names=["same.example"]),
            },
            {"orders/IT/three.txt": "1.example\n2.example\n!3.2.example\n"},
        )
        daemon.write_order(
            "IT/one.yaml",
            order("ONE", names=["b.example", "c.example"], exact=["d.example"], scope=["IT", "SM"]),
        )
        daemon.remove_order("DE/two.yaml")
        daemon.write("orders/IT/three.txt", "1.example\n2.example\n4.example\n")
        daemon.write_order("FR/new.yaml", order("NEW", status="suspended", names=["n.example"]))
        found = {line.get("id", line["change"]): line for line in self.lines("diff")}
        self.assertEqual(set(found), {"ONE", "TWO", "THREE", "NEW", "countries"})
        one = found["ONE"]
        self.assertEqual(one["change"], "changed")
        self.assertEqual(one["fields"], {"scope": [["IT"], ["IT", "SM"]]})
        self.assertEqual((one["names_added"], one["names_removed"]), (2, 1))
        self.assertEqual(sorted(one["added"]), ["=d.example", "c.example"])
        self.assertEqual(one["removed"], ["a.example"])
        self.assertEqual((found["TWO"]["change"], found["TWO"]["removed"]), ("gone", ["two.example"]))
        self.assertEqual(found["THREE"]["fields"], {})
        self.assertEqual(found["THREE"]["added"], ["4.example"])
        self.assertEqual(found["THREE"]["removed"], ["!3.2.example"])
        self.assertEqual((found["NEW"]["change"], found["NEW"]["in_force"]), ("new", False))
        self.assertEqual(found["NEW"]["names_before"], 0)
        self.assertEqual(
            found["countries"], {"change": "countries", "bound": ["SM"], "free": ["DE"]}
        )
        text = daemon.tool("diff").stdout
        for line in (
            "changed  ONE  IT/one.yaml  in force\n",
            '    scope: ["IT"] -> ["IT","SM"]\n',
            "    names: 2 added, 1 removed, 3 now\n",
            "    + c.example\n",
            "gone     TWO  DE/two.yaml  in force\n",
            "new      NEW  FR/new.yaml  not in force\n",
            "countries bound from now on: SM\n",
            "countries bound no more: DE\n",
        ):
            self.assertIn(line, text)
        daemon.reload()
        self.assertEqual(self.lines("diff"), [])

    def test_files_that_would_fail(self):
        daemon = self.run_daemon(
            {"IT/one.yaml": order("ONE", names=["one.example"], lists=lists("one.txt"))},
            {"orders/IT/one.txt": "".join(f"{i}.example\n" for i in range(10))},
        )
        daemon.write_order("IT/two.yaml", BROKEN)
        daemon.write("orders/IT/one.txt", "1.example\n")
        found = self.lines("diff", status=1)
        self.assertEqual([line["change"] for line in found], ["error"] * len(found))
        self.assertEqual(
            {(line["file"].rpartition("/")[2], line["line"]) for line in found},
            {("two.yaml", 2), ("one.txt", 0)},
        )
        # A place is said as far as there is one.
        text = daemon.tool("diff").stdout
        self.assertIn("two.yaml:2:", text)
        self.assertIn("one.txt: ", text)

    def test_without_the_state_folder_only_counts_are_known(self):
        daemon = self.run_daemon({"IT/one.yaml": order("ONE", names=["a.example"])})
        daemon.write_config({"state": "elsewhere"})
        daemon.write_order("IT/one.yaml", order("ONE", names=["a.example", "b.example"]))
        (line,) = self.lines("diff")
        self.assertEqual((line["names_before"], line["names_after"]), (1, 2))
        self.assertIsNone(line["names_added"])
        self.assertNotIn("added", line)
        self.assertIn("which, is not known", daemon.tool("diff").stdout)
        daemon.write_order("IT/one.yaml", BROKEN)
        (line,) = self.lines("diff", status=1)
        self.assertEqual(line["change"], "error")  # and not that the order is gone

    def test_no_daemon(self):
        daemon = self.run_daemon({"IT/one.yaml": order("ONE", names=["a.example"])})
        daemon.stop()
        done = daemon.tool("diff")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("is bailiwickd running?", done.stderr)


class Shrink(Before):
    def test_a_list_that_shrank(self):
        daemon = self.run_daemon(
            {"IT/one.yaml": order("ONE", lists=lists("one.txt"))},
            {"orders/IT/one.txt": "".join(f"{i}.example\n" for i in range(10))},
        )
        daemon.write("orders/IT/one.txt", "1.example\n")
        done = daemon.tool("reload")
        self.assertEqual(done.returncode, 1)
        self.assertIn("one.txt: names 1, of 10 that are in force", done.stderr)
        self.assertTrue(self.is_blocked("9.example"))
        done = daemon.tool("check")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("one.txt: warning: names 1, of 10 that were last in force", done.stdout)
        daemon.reload("--accept-shrink")
        self.assertFalse(self.is_blocked("9.example"))
        self.assertTrue(self.is_blocked("1.example"))
        daemon.wait_until_kept()  # check compares with what is under state
        self.assertNotIn("shrink", daemon.tool("check").stdout)


def packet(source, message, port=53, tcp=False):
    """An Ethernet frame with a query in it, from an IPv4 or IPv6 address."""
    if tcp:
        body = struct.pack("!HHIIBBHHH", 4000, port, 1, 1, 0x50, 0x18, 512, 0, 0)
        body += struct.pack("!H", len(message)) + message
    else:
        body = struct.pack("!HHHH", 4000, port, 8 + len(message), 0) + message
    protocol = 6 if tcp else 17
    if ":" in source:
        ip = struct.pack("!IHBB", 6 << 28, len(body), protocol, 64)
        ip += socket.inet_pton(socket.AF_INET6, source) + bytes(16)
        return bytes(12) + b"\x86\xdd" + ip + body
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0)
    return bytes(12) + b"\x08\x00" + ip + socket.inet_aton(source) + bytes(4) + body


def capture(*packets):
    """A file of libpcap's format, version 2.4."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for each in packets:
        out += struct.pack("<IIII", 0, 0, len(each), len(each)) + each
    return out


def frames(*payloads, kind=b"protobuf:dnstap.Dnstap"):
    """A file of Frame Streams."""
    start = struct.pack(">III", 2, 1, len(kind)) + kind
    stop = struct.pack(">I", 3)
    framed = lambda octets: struct.pack(">I", len(octets)) + octets
    return b"".join(
        (bytes(4), framed(start), *map(framed, payloads), bytes(4), framed(stop))
    )


def tapped(address, message):
    """A CLIENT_QUERY, as a dnstap message; nothing in it is longer than 127 octets."""
    octets = lambda number, value: bytes([number << 3 | 2, len(value)]) + value
    inner = b"\x08\x05" + octets(4, socket.inet_aton(address)) + octets(10, message)
    return octets(14, inner) + b"\x78\x01"


TAPPED = tapped("2.32.0.1", query("one.example"))


class Tap(Process):
    """fstrm_capture, which writes what a server tells it of queries into a file."""

    name = "fstrm_capture"
    exit_statuses = (0,)

    def __init__(self, site, folder):
        super().__init__(site)
        self.socket, self.file = folder / "socket", folder / "queries.tap"
        self.launch(
            "fstrm_capture", "-ddddd", "-t", "protobuf:dnstap.Dnstap", "-u", self.socket, "-w", self.file
        )  # fmt: skip


class TappingUnbound(Unbound):
    def __init__(self, site, tap):
        config = f"""\
    interface: 192.0.2.54@5300
    interface: 2001:db8::54@5300
    access-control: ::0/0 allow
dnstap:
    dnstap-enable: yes
    dnstap-socket-path: "{tap.socket}"
    dnstap-bidirectional: yes
    dnstap-log-client-query-messages: yes
    dnstap-log-client-response-messages: yes
"""
        super().__init__(site, data=["www.one.example. 300 A 192.0.2.80"], config=config)

    @staticmethod
    def server_of(client):
        return ("2001:db8::54" if ":" in client.address else "192.0.2.54", 5300)


class Impact(Before):
    QUERIES = (
        "# ADDRESS NAME [TYPE] [COUNT], NAME [COUNT], COUNT NAME\n"
        "2.32.0.1 www.one.example\n"
        "2.32.0.1 www.one.example AAAA 2\n"
        "2.32.0.2 www.one.example 3\n"
        "2.32.0.2 one.example\n"
        "2.32.0.2 other.example 10\n"
        "5.9.0.1 one.example 4\n"
        "one.example 5\n"
        "     7 one.example\n"
        "free.one.example\n"
    )

    def setUp(self):
        self.run_daemon(
            {
                "IT/one.yaml": order(
                    "ONE", status="suspended", names=["one.example"], **{"except": ["free.one.example"]}
                ),
                "IT/later.yaml": order(
                    "LATER", names=["one.example"], effective="2099-01-01T00:00:00Z"
                ),
            },
            {"queries.txt": self.QUERIES},
            start=False,
        )
        self.queries = self.proxy.folder / "queries.txt"

    def impact(self, *words, **options):
        (line,) = self.lines("impact", "--queries", self.queries, *words, **options)
        return line

    def test_counts(self):
        result = self.impact("ONE")
        self.assertEqual((result["queries"], result["would_block"]), (34, 19))
        self.assertEqual((result["clients"], result["names_blocked"]), (2, 2))
        self.assertEqual(
            result["countries"],
            [
                {"queries": 13, "would_block": 12, "country": "-"},
                {"queries": 17, "would_block": 7, "clients": 2, "country": "IT"},
                {"queries": 4, "country": "DE"},
            ],
        )
        self.assertEqual(
            result["names"],
            [
                {"matched": "one.example", "queries": 13, "clients": 1, "name": "one.example"},
                {"matched": "one.example", "queries": 6, "clients": 2, "name": "www.one.example"},
            ],
        )
        text = self.proxy.tool("impact", "--queries", self.queries, "ONE").stdout
        self.assertIn("ONE would have blocked 19 of 34 queries, of 2 clients, for 2 names", text)
        self.assertRegex(text, r"  IT +17 +7 +2\n")
        self.assertNotIn("2.32.0", text)

    def test_an_order_that_is_still_to_come(self):
        result = self.impact("LATER")
        self.assertEqual(result["judged_at"], "2099-01-01T00:00:00Z")
        self.assertEqual(result["would_block"], 20)

    def test_a_file_that_is_not_placed_yet(self):
        self.proxy.write("drafts/new.yaml", yaml_text(order("NEW", lists=lists("new.txt"))))
        self.proxy.write("drafts/new.txt", "=one.example\n")
        draft = self.proxy.folder / "drafts/new.yaml"
        done = self.proxy.tool("impact", "--queries", self.queries, draft)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--country says which folder it is meant for", done.stderr)
        self.assertEqual(self.impact("--country", "IT", draft)["would_block"], 13)
        self.assertEqual(self.impact("--country", "DE", draft)["would_block"], 16)
        placed = self.proxy.folder / "orders/IT/one.yaml"
        self.assertEqual(self.impact(placed)["would_block"], 19)
        self.proxy.write("drafts/new.txt", "com\n")
        done = self.proxy.tool("impact", "--queries", self.queries, "--country", "IT", draft)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("drafts/new.txt:1:1: ", done.stderr)

    def test_a_capture(self):
        one, other = query("www.one.example"), query("other.example")
        answer = one[:2] + b"\x80" + one[3:]
        self.proxy.write(
            "queries.txt",
            capture(
                packet("2.32.0.1", one),
                packet("2.32.0.1", one, tcp=True),
                packet("2001:b07::1", one),
                packet("2.32.0.1", other),
                packet("5.9.0.1", one),
                packet("2.32.0.1", one, port=5353),
                packet("2.32.0.1", answer),
                packet("2.32.0.1", one[:20]),
                b"\x00",
            ),
        )
        result = self.impact("ONE")
        self.assertEqual(
            (result["queries"], result["would_block"], result["clients"]), (5, 3, 2)
        )

    def test_dnstap_of_a_resolver(self):
        """What Unbound told fstrm_capture, of queries and of answers; each query counts once."""
        tap = Tap(self.site, self.site.new_folder("tap"))
        self.addCleanup(tap.stop)
        unbound = TappingUnbound(self.site, tap)
        self.addCleanup(unbound.stop)
        one, other = "www.one.example", "other.example"
        for address, qname, transport in (
            ("2.32.0.1", one, "udp"), ("2.32.0.1", one, "tcp"), ("2.32.0.7", one, "udp"),
            ("2001:b07::1", one, "udp"), ("2.32.0.1", other, "udp"), ("5.9.0.1", one, "udp"),
        ):  # fmt: skip
            client = self.client(address)
            client.ask(query(qname), transport, unbound.server_of(client))
        # Two for each query, those that waited for Unbound included.
        self.eventually(lambda: tap.log().count("data frame") >= 14, "what Unbound tells")
        unbound.stop()
        tap.stop()
        self.proxy.write("queries.txt", tap.file.read_bytes())
        result = self.impact("ONE")
        self.assertGreaterEqual(result["queries"], 7)
        self.assertEqual((result["would_block"], result["clients"]), (4, 3))
        self.assertEqual(
            {row["country"]: row["queries"] for row in result["countries"] if row["country"] in ("IT", "DE")},
            {"IT": 5, "DE": 1},
        )
        self.assertEqual([row["name"] for row in result["names"]], [one])

    def test_dnstap_of_answers_alone(self):
        answered = TAPPED.replace(b"\x08\x05", b"\x08\x06")
        other = TAPPED.replace(b"\x08\x05", b"\x08\x03")
        for file, count in (
            (frames(answered, answered, other), 2),
            (frames(answered, TAPPED, answered, other), 1),
            (frames(TAPPED) + frames(TAPPED, TAPPED), 3),
        ):
            self.proxy.write("queries.txt", file)
            result = self.impact("ONE")
            self.assertEqual((result["queries"], result["would_block"]), (count, count))
        self.proxy.write("queries.txt", frames(other))
        done = self.proxy.tool("impact", "--queries", self.queries, "ONE")
        self.assertEqual(done.returncode, 0)
        self.assertIn("no message of CLIENT_QUERY or CLIENT_RESPONSE is in it", done.stderr)

    def test_what_is_not_read(self):
        for content, said in (
            (frames()[:-3], "frame 1: the file ends within a frame"),
            (frames(b"x" * 9, kind=b"text"), "frame 1: the stream holds something else than dnstap"),
            (capture(packet("2.32.0.1", query("one.example")))[:-3], "packet 1: "),
            (capture()[:20] + b"\x93\x00\x00\x00", "packets of link type 147 are not read"),
        ):
            with self.subTest(said):
                self.proxy.write("queries.txt", content)
                done = self.proxy.tool("impact", "--queries", self.queries, "ONE")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(said, done.stderr)
        self.proxy.write("queries.txt", frames(b"no dnstap", TAPPED, b"\x07"))
        done = self.proxy.tool("impact", "--json", "--queries", self.queries, "ONE")
        self.assertEqual(done.returncode, 1)
        self.assertIn("queries.txt: frame 1: this is no dnstap message", done.stderr)
        self.assertIn("queries.txt: frame 3: this is no dnstap message", done.stderr)
        result = json.loads(done.stdout)
        self.assertEqual((result["would_block"], result["unreadable_lines"]), (1, 2))
        self.proxy.write("queries.txt", "one.example\na..b\none.example 0\n")
        result = self.impact("ONE", status=1)
        self.assertEqual((result["would_block"], result["unreadable_lines"]), (1, 2))

    def test_what_is_wrong_is_told_once(self):
        self.proxy.write_order("IT/warned.yaml", order("WARNED", names=["a.example", "a.example"]))
        for named in "WARNED", self.proxy.folder / "orders/IT/warned.yaml":
            done = self.proxy.tool("impact", "--queries", self.queries, named)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("a.example is given twice"), 1, done.stderr)

    def test_wrong_usage(self):
        for words, status, said in (
            (("ONE",), 2, "--queries FILE is missing"),
            (("--queries", self.queries), 2, "an operand is missing"),
            (("--queries", "/nonexistent", "ONE"), 1, "/nonexistent: No such file"),
            (("--queries", self.queries, "NONE"), 1, "neither a file nor the id of an order"),
        ):
            done = self.proxy.tool("impact", *words)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertIn(said, done.stderr)

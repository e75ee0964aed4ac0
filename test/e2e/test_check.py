# SPDX-License-Identifier: GPL-3.0-or-later
"""`bailiwick check` and `bailiwickd --check`: everything is read, every problem is told, not only
the first, and each with its place."""

import os
import re
import subprocess

from harness import BUILD, DEADLINE, Daemon, SiteTest, sanitized, sanitizer_options
from policytest import SMALL, small_database

FAILED = 1  # exit status

GOOD = "id: {}\nauthority: Court\nissued: 2022-07-11\nnames: [x.example]\n"

# What stands below GOOD, and line and column of each problem.
MISTAKES = {
    "unknown-key": ("nams: [a.example]\n", ["5:1"]),
    "key-twice": ("names: [b.example]\n", ["5:1"]),
    "tag": ("title: !!str x\n", ["5:8"]),
    "anchor-and-alias": ("title: &a x\nreference: *a\n", ["5:8", "6:12"]),
    "second-document": ("---\nid: x\n", ["5:1"]),
    "no-yaml": ("title: [\n", ["6:1"]),
    "tab": ("\ttitle: x\n", ["5:1"]),
    "nul": ('title: "a\\0b"\n', ["5:8"]),
    "list-for-text": ("title: [x]\n", ["5:8"]),
    "text-for-list": ("exact: x.example\n", ["5:8"]),
    "wrong-date": ("effective: 2022-13-01\n", ["5:12"]),
    "bare-date": ("effective: 2022-08-10\n", ["5:12"]),
    "zone": ("timezone: Mars/Olympus\nuntil: 2022-08-10\n", ["5:11"]),
    "ends-first": ("effective: 2023-01-01T00:00:00Z\nuntil: 2022-01-01T00:00:00Z\n", ["6:8"]),
    "status": ("status: pending\n", ["5:9"]),
    "scope-without-folder": ("scope: [DE]\n", ["5:8"]),
    "scope-no-country": ("scope: [IT, XX, YY]\n", ["5:13", "5:17"]),
    "scope-small": ("scope: it\n", ["5:8"]),
    "network": ("except-networks: [192.0.2.0/24, nonsense]\n", ["5:33"]),
    "network-bits": ("except-networks: [192.0.2.1/24]\n", ["5:19"]),
    "action": ("action: block\n", ["5:9"]),
    "no-addresses": ("action: address\n", ["5:9"]),
    "needless-addresses": ("action: refused\naddresses: [192.0.2.1]\n", ["6:12"]),
    "bad-address": ("action: address\naddresses: [192.0.2.1, x]\n", ["6:24"]),
    "long-message": (f"message: {'x' * 201}\n", ["5:10"]),
    "disclose": ("disclose: maybe\n", ["5:11"]),
    "include-unknown": ("include-unknown: 1\n", ["5:18"]),
    "url": ("exact: [y.example, 'http://x.example/']\n", ["5:20"]),
    "name-is-address": ("exact: [192.0.2.1]\n", ["5:9"]),
    "empty-label": ("exact:\n  - good.example\n  - a..example\n", ["7:5"]),
    "empty-name": ("exact: ['']\n", ["5:9"]),
    "top-level": ("exact: [com]\n", ["5:9"]),
    "public-suffix": ("exact: [co.uk]\n", ["5:9"]),
    "widely-used": ("exact: [fastly.net, www.fastly.net]\n", ["5:9"]),
    "root": ("exact: ['.']\n", ["5:9"]),
    "wildcard": ("exact: ['*.x.example']\n", ["5:9"]),
    "protected": ("exact: [protected.example]\n", ["5:9"]),
    "below-protected": ("exact: [b.protected.example]\n", ["5:9"]),
    "above-protected": ("exact: [example.net]\n", ["5:9"]),
    "list-without-format": ("lists: [{file: good.txt}]\n", ["5:9"]),
    "list-format": ("lists: [{file: good.txt, format: zone}]\n", ["5:34"]),
    "list-key": ("lists: [{file: good.txt, format: names, nam: x}]\n", ["5:41"]),
    "received": ("received: yesterday\n", ["5:11"]),
    "review": ("review: soon\n", ["5:9"]),
    "several": ("status: x\naction: y\nscope: z\nnope: 1\n", ["5:9", "6:9", "7:8", "8:1"]),
    "no-target": ("action: cname\n", ["5:9"]),
    "needless-target": ("target: x.example\n", ["5:9"]),
    "own-target": ("action: cname\ntarget: a.x.example\n", ["6:9"]),
    "language": ("message: {en: x, EN: y, e_n: z}\n", ["5:18", "5:25"]),
    "item-dates": ("exact: [{name: y.example, until: 2026-01-01, nom: x}]\n", ["5:34", "5:46"]),
    "label": ("any-tld: [a.b, com]\n", ["5:11", "5:16"]),
    "wide-answers": ("answers: [203.0.113.7/32, 203.0.0.0/16]\n", ["5:27"]),
    "protected-answers": ("answers: [198.51.100.0/24]\n", ["5:11"]),
    "aliases": ("aliases: all\n", ["5:10"]),
    "windows": ("windows: [{days: [sat], from: 24:00, to: 1:00}]\n", ["5:10", "5:31", "5:42"]),
    "history": ("history: [{at: today, by: x, what: y}]\n", ["5:16"]),
    # What this build does not support is an error that says so.
    "no-subdivision": ("scope: [IT, US-CA]\n", ["5:13"]),
}

# Whole files, and the problems in them.
ODD_ORDERS = {
    "IT/empty.yaml": ("", [""]),
    "IT/a-list.yaml": ("- a\n", ["1:1"]),
    "IT/only-id.yaml": ("id: only\n", ["1:1"] * 3),
    "IT/no-name.yaml": ("id: n\nauthority: x\nissued: 2022-01-01\n", ["1:1"]),
    "IT/bad-id.yaml": (GOOD.format("a b"), ["1:5"]),
    "IT/list-fails.yaml": (
        GOOD.format("list-fails") + "lists: [{file: wide.txt, format: names, on-error: fail}]\n",
        ["5:16"],
    ),
    "IT/list-bad.yaml": (
        GOOD.format("list-bad") + "lists: [{file: bad.txt, format: names}]\n",
        ["5:16"],
    ),
}

CONFIG_MISTAKES = """\
listen:
  - address: 999.0.0.1
  - {address: 127.0.0.1, port: 70000}
  - {address: 127.0.0.1, transport: [udp, sctp]}
  - {address: 127.0.0.1, transport: tls}
workers: many
allow: [192.0.2.0/24, x]
upstream:
  servers: []
  balance: best
  retry-after: soon
  timeout: 8
  nope: 1
geo:
  max-age: -1d
  country-field: city
orders: orders
block:
  action: shadow
  ttl: 8d
  contact: nobody
resolver-arpa: maybe
trust: {ecs: [192.0.2.1/24]}
limits: {tcp-idle: 1ms, in-flight: x}
log: {level: loud}
colour: blue
"""
CONFIG_PLACES = (
    "2:14 3:32 4:43 5:5 6:10 7:23 9:12 10:12 11:16 12:12 13:3 15:12 15:3 16:18 19:11 20:8 21:12 "
    "22:16 23:15 24:20 24:36 25:14 26:1"
).split()


class Errors(SiteTest):
    def prepare(self, orders=None, files=None, config=None):
        """A daemon that is not started: its files alone."""
        files = {
            "country.mmdb": small_database(),
            "protected.txt": "# kept\nprotected.example\nwww.example.net\n",
            "networks.txt": "198.51.100.53 # kept\n",
            **(files or {}),
        }
        block = {"protected-names": "protected.txt", "protected-networks": "networks.txt"}
        config = {**SMALL, "block": block, **(config or {})}
        return Daemon(
            self.site,
            [("127.0.0.2", 53)],
            start=False,
            orders=orders or {},
            files=files,
            config=config,
        )

    def check(self, files):
        """(exit status, {path: places}, last line); the same from both programs."""
        done = files.tool("check")
        with self.site.server:
            other = subprocess.run(
                [*sanitized(BUILD / "bailiwickd"), "--check", "--config", str(files.conf)],
                capture_output=True, text=True, timeout=DEADLINE,
                env={**os.environ, **sanitizer_options(files.folder)},
            )  # fmt: skip
        self.assertEqual((other.returncode, other.stdout), (done.returncode, done.stdout))
        *lines, last = done.stdout.splitlines()
        places = {}
        for line in lines:
            path, place = re.match(
                rf"{re.escape(str(files.folder))}/([^:]+)(?::([\d:]+))?: \S", line
            ).groups()
            places.setdefault(path, []).append((place or "", "warning: " in line))
        return done.returncode, places, last

    @staticmethod
    def errors(places):
        return {
            path: sorted(place for place, is_warning in found if not is_warning)
            for path, found in places.items()
            if any(not is_warning for _, is_warning in found)
        }

    def test_every_mistake_of_an_order_is_told_with_its_place(self):
        self.maxDiff = None
        orders = {
            f"IT/{label}.yaml": GOOD.format(label) + text for label, (text, _) in MISTAKES.items()
        }
        expected = {
            f"orders/IT/{label}.yaml": sorted(places) for label, (_, places) in MISTAKES.items()
        }
        for path, (text, places) in ODD_ORDERS.items():
            orders[path] = text
            if places:
                expected[f"orders/{path}"] = sorted(places)
        lists = {
            "orders/IT/good.txt": "good.example\n",
            "orders/IT/wide.txt": "good.example\ncom\n",
            "orders/IT/bad.txt": "good.example\n\n# c\na..b.example\n  http://x/ # d\n=com\n",
        }
        expected["orders/IT/wide.txt"] = ["2:1"]
        expected["orders/IT/bad.txt"] = ["4:1", "5:3"]
        status, places, last = self.check(self.prepare(orders, lists))
        self.assertEqual(status, FAILED)
        self.assertEqual(self.errors(places), expected)
        self.assertIn(("6:2", True), places["orders/IT/bad.txt"])  # left out, counted and reported
        self.assertTrue(last.startswith(f"{sum(map(len, expected.values()))} errors, "), last)
        self.assertTrue(last.endswith(" 0 orders, 0 names"), last)

    def test_folders(self):
        good = {
            path: GOOD.format(id).replace("x.example", f"x{id}.example")
            for id, path in enumerate(
                (
                    "IT/a.yaml",
                    "IT/b.yml",
                    "IT/deep/er/c.yaml",
                    "EU/d.yaml",
                    "EEA/e.yaml",
                    "XK/f.yaml",
                )
            )
        }
        passed_over = {"IT/.hidden.yaml": "x", "IT/old.yaml~": "x", ".git/x.yaml": "x"}
        bad = {
            "XX/x.yaml": GOOD.format("xx"),
            "it/x.yaml": GOOD.format("it"),
            "stray.yaml": GOOD.format("stray"),
            "US-CA/x.yaml": GOOD.format("us"),
        }
        files = self.prepare({**good, **passed_over}, {"orders/IT/readme.txt": "x"})
        status, places, last = self.check(files)
        self.assertEqual((status, places), (0, {"orders/IT/readme.txt": [("", True)]}))
        self.assertEqual(last, "0 errors, 1 warning, 6 orders, 6 names")
        for path, text in bad.items():
            files.write_order(path, text)
        status, places, last = self.check(files)
        self.assertEqual(status, FAILED)
        self.assertEqual(
            set(self.errors(places)),
            {"orders/XX", "orders/it", "orders/stray.yaml", "orders/US-CA/x.yaml"},
        )

    def test_one_id_in_two_files(self):
        files = self.prepare({"IT/a.yaml": GOOD.format("same"), "DE/b.yaml": GOOD.format("same")})
        status, places, last = self.check(files)
        self.assertEqual(status, FAILED)
        self.assertEqual(set(places), {"orders/IT/a.yaml"})
        self.assertIn("1 error, 0 warnings, 1 order", last)

    def test_every_mistake_of_the_configuration(self):
        files = self.prepare()
        files.write("forwarder.conf", CONFIG_MISTAKES)
        status, places, _ = self.check(files)
        self.assertEqual(status, FAILED)
        self.assertEqual(self.errors(places), {"forwarder.conf": sorted(CONFIG_PLACES)})
        files.write_order("IT/one.yaml", GOOD.format("one") + "nope: 1\n")
        status, places, last = self.check(files)
        self.assertEqual(
            self.errors(places),
            {"forwarder.conf": sorted(CONFIG_PLACES), "orders/IT/one.yaml": ["5:1"]},
        )
        self.assertIn("; orders were judged with the defaults of what is wrong", last)
        for command in (
            ["status"],
            ["reload"],
            ["orders"],
            ["country", "2.32.0.1"],
            ["test", "2.32.0.1", "x"],
            ["test", "--live", "2.32.0.1", "x"],
        ):
            done = files.tool(*command)
            self.assertEqual(done.returncode, FAILED)
            self.assertIn(f"{files.conf}:2:14: ", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_configuration_that_is_none(self):
        for text, place in (
            ("", ""),
            ("listen: [\n", "2:1"),
            ("- x\n", "1:1"),
            ("a: &b c\n", "1:4"),
            ("listen: x\n---\n", "2:1"),
        ):
            files = self.prepare()
            files.write("forwarder.conf", text)
            status, places, last = self.check(files)
            self.assertEqual(status, FAILED)
            self.assertIn("; orders were not read", last)
            self.assertIn((place, False), places["forwarder.conf"], text)
        files.conf.unlink()
        status, places, _ = self.check(files)
        self.assertEqual((status, set(places)), (FAILED, {"forwarder.conf"}))

    def test_other_files(self):
        rows = [
            (
                "overrides.csv",
                b"2.32.0.0/12,IT\nx,IT\n5.9.0.0/16,XX\n5.9.0.1/16,DE\n",
                ["2:1", "3:12", "4:1"],
            ),
            ("overrides.csv", b"", [""]),
            ("protected.txt", b"a.example\na..b\n", ["2:1"]),
            ("networks.txt", b"192.0.2.0/24\n192.0.2.1/24\n", ["2:1"]),
            ("country.mmdb", b"no database", [""]),
            ("country.mmdb", b"", [""]),
            ("cookie-secret", b"short", [""]),
        ]
        config = {
            "geo": {**SMALL["geo"], "overrides": "overrides.csv"},
            "block": {
                "protected-names": "protected.txt",
                "protected-networks": "networks.txt",
                "cookie-secret": "cookie-secret",
            },
        }
        for path, content, expected in rows:
            with self.subTest(path):
                good = {
                    "overrides.csv": "# none\n",
                    "cookie-secret": "0" * 32,
                    "protected.txt": "a.example\n",
                    "networks.txt": "192.0.2.0/24\n",
                }
                status, places, _ = self.check(
                    self.prepare(files={**good, path: content}, config=config)
                )
                self.assertEqual(status, FAILED)
                self.assertLessEqual(set(expected), set(self.errors(places)[path]))
        status, places, last = self.check(self.prepare(files=good, config=config))
        self.assertEqual((status, places, last), (0, {}, "0 errors, 0 warnings, 0 orders, 0 names"))

    def test_warnings(self):
        """A review that is due, an order that has ended, an old database, nodata for nxdomain, names
        that another order blocks, and designated resolvers: told with their place, and no error."""
        orders = {
            "IT/review.yaml": GOOD.format("review") + "review: 2020-01-01\n",
            "IT/ended.yaml": GOOD.format("ended") + "until: 2020-01-01T00:00:00Z\n",
            "IT/free.yaml": GOOD.format("free") + "action: nxdomain\nexcept: [a.x.example]\n",
            "IT/wide.yaml": GOOD.format("wide") + "lists: [{file: wide.txt, format: names}]\n",
        }
        files = self.prepare(
            orders,
            {"orders/IT/wide.txt": "good.example\ncom\nprotected.example\n"},
            {"geo": {"database": "country.mmdb", "max-age": "1h"}, "resolver-arpa": "forward"},
        )
        status, places, last = self.check(files)
        self.assertEqual(status, 0)
        self.assertEqual(len(places.pop("forwarder.conf")), 1)
        self.assertEqual(
            {path: [place for place, _ in found] for path, found in places.items()},
            {
                "orders/IT/review.yaml": ["5:9"],
                "orders/IT/ended.yaml": ["5:8"],
                "orders/IT/free.yaml": ["6:9"],
                "orders/IT/wide.txt": ["2:1", "3:1"],
                "orders/IT/wide.yaml": [""],
                "country.mmdb": [""],
            },
        )
        self.assertTrue(last.startswith("0 errors, 8 warnings, 4 orders"), last)

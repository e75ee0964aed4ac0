# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's tool: what it prints, its exit statuses, and that every error says where."""

import hashlib
import json
import os
import subprocess

from harness import BUILD, DEADLINE, MILAN, Daemon, SiteTest, sanitized
from policytest import SMALL, PolicyTest, order, small_database

FORWARDED, FAILED, MISUSED, BLOCKED = 0, 1, 2, 3  # exit statuses

TEST_KEYS = (
    "address country network source name type time verdict order matched action ede why"
).split()
LIVE_KEYS = (
    "generation loaded file sha256 order_loaded ticket reads_answer link ede_text structured_error"
).split()
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class ToolTest(PolicyTest):
    CONFIG = {**SMALL, "geo": {**SMALL["geo"], "overrides": "overrides.csv"}}
    FILES = {
        "country.mmdb": small_database(),
        "overrides.csv": "5.9.7.0/24,IT\n2.32.8.0/24,\n",
        "orders/IT/list.txt": "listed.example\n!free.listed.example\n",
    }
    ORDERS = {
        "IT/milano.yaml": MILAN,
        "IT/a-shadow.yaml": order("IT-SHADOW", action="shadow", names=["shadow.example"]),
        "IT/list.yaml": order(
            "IT-LIST", action="nxdomain", lists=[{"file": "list.txt", "format": "names"}]
        ),
        "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.example"]),
        "IT/address.yaml": order(
            "IT-ADDRESS", action="address", addresses=["192.0.2.80"], exact=["address.example"]
        ),
        "IT/unknown.yaml": order("IT-UNKNOWN", include_unknown="yes", names=["unknown.example"]),
        "DE/coming.yaml": order(
            "DE-COMING", names=["kickasstorrents.to"], effective="2999-01-01T00:00:00Z"
        ),
        "EU/eu.yaml": order(
            "EU-1",
            names=["eu.example"],
            except_networks=["2.32.5.0/24"],
            status="active",
            title="A title",
            until="2999-12-31T00:00:00Z",
        ),
    }

    def ask(self, *arguments, status=None, **options):
        done = self.proxy.tool(*arguments, **options)
        if status is not None:
            self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def ask_json(self, *arguments, status=None):
        done = self.ask(*arguments, status=status)
        self.assertEqual(done.stdout.count("\n"), 1, done)
        return json.loads(done.stdout)


class Test(ToolTest):
    # address, name, type: verdict, order, matched name, action, EDE
    ROWS = {
        ("2.32.0.1", "www.kickasstorrents.to", "A"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
        ("2001:b07::1", "KICKASSTORRENTS.TO.", "TYPE65280"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
        ("::ffff:2.32.0.1", "kickasstorrents.to", "AAAA"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
        ("2002:220:1::1", "kickasstorrents.to", "A"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
        ("5.9.7.1", "kickasstorrents.to", "A"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
        ("2.32.0.1", "a.listed.example", "A"): (
            "block",
            "IT-LIST",
            "listed.example",
            "nxdomain",
            16,
        ),
        ("2.32.0.1", "listed.example", "A"): ("block", "IT-LIST", "listed.example", "nodata", 16),
        ("2.32.0.1", "drop.example", "A"): ("block", "IT-DROP", "drop.example", "drop", None),
        ("2.32.0.1", "address.example", "A"): (
            "block",
            "IT-ADDRESS",
            "address.example",
            "address",
            4,
        ),
        ("9.9.9.9", "unknown.example", "A"): (
            "block",
            "IT-UNKNOWN",
            "unknown.example",
            "refused",
            16,
        ),
        ("192.88.99.1", "unknown.example", "A"): (
            "block",
            "IT-UNKNOWN",
            "unknown.example",
            "refused",
            16,
        ),
        ("90.0.0.1", "eu.example", "A"): ("block", "EU-1", "eu.example", "refused", 16),
        ("2.32.0.1", "w.shadow.example", "A"): (
            "shadow",
            "IT-SHADOW",
            "shadow.example",
            "shadow",
            None,
        ),
        ("2.32.0.1", "listed.example", "DS"): ("forward", None, None, None, None),
        ("2.32.0.1", "free.listed.example", "A"): ("forward", None, None, None, None),
        ("2.32.0.1", "x.address.example", "A"): ("forward", None, None, None, None),
        ("2.32.5.1", "eu.example", "A"): ("forward", None, None, None, None),
        ("2.32.8.1", "kickasstorrents.to", "A"): ("forward", None, None, None, None),
        ("5.9.0.1", "kickasstorrents.to", "A"): ("forward", None, None, None, None),
        ("9.9.9.9", "kickasstorrents.to", "A"): ("forward", None, None, None, None),
        ("2.32.0.1", "www.example", "A"): ("forward", None, None, None, None),
        ("2.32.0.1", ".", "NS"): ("forward", None, None, None, None),
        ("2.32.0.1", r"a\.b.kickasstorrents.to", "A"): (
            "block",
            "IT-MI-2022-07-11",
            "kickasstorrents.to",
            "refused",
            16,
        ),
    }
    STATUS = {"block": BLOCKED, "forward": FORWARDED, "shadow": FORWARDED}

    def test_verdicts_and_exit_statuses(self):
        for question, expected in self.ROWS.items():
            with self.subTest(question):
                got = self.ask_json("test", "--json", *question, status=self.STATUS[expected[0]])
                keys = ("verdict", "order", "matched", "action", "ede")
                self.assertEqual(tuple(got[key] for key in keys), expected)
                self.assertEqual(list(got), TEST_KEYS + LIVE_KEYS)
                self.assertEqual(got["type"], question[2])
                self.assertTrue(got["why"])

    def test_the_example_of_the_specification(self):
        got = self.ask_json(
            "test", "--json", "--at", "2026-01-01T00:00:00Z", "2.32.0.1", "www.kickasstorrents.to"
        )
        expected = {
            "address": "2.32.0.1", "country": "IT", "network": "2.32.0.0/12", "source": "database",
            "name": "www.kickasstorrents.to", "type": "A", "time": "2026-01-01T00:00:00Z",
            "verdict": "block", "order": "IT-MI-2022-07-11", "matched": "kickasstorrents.to",
            "action": "refused", "ede": 16,
        }  # fmt: skip
        self.assertEqual({key: got[key] for key in expected}, expected)

    def test_where_an_address_is(self):
        rows = {
            "2.32.0.1": ("IT", "2.32.0.0/12", "database"),
            "5.9.7.1": ("IT", "5.9.7.0/24", "override"),
            "2.32.8.1": (None, "2.32.8.0/24", "override"),
            "9.9.9.9": (None, None, "none"),
            "2002:220:1::1": ("IT", "2.32.0.0/12", "database"),
            "2001::1": (None, None, "none"),
        }
        for address, expected in rows.items():
            got = self.ask_json("test", "--json", address, "www.example", status=FORWARDED)
            self.assertEqual((got["country"], got["network"], got["source"]), expected)

    def test_the_record_of_an_answer(self):
        """Generation, file, its SHA-256 and when it was loaded."""
        for live in ((), ("--live",)):
            got = self.ask_json("test", "--json", *live, "2.32.0.1", "listed.example")
            path = self.proxy.folder / "orders" / got["file"]
            self.assertEqual(got["file"], "IT/list.yaml")
            self.assertEqual(got["sha256"], hashlib.sha256(path.read_bytes()).hexdigest())
            for key in ("loaded", "order_loaded"):
                self.assertRegex(got[key], f"^{INSTANT}$")
            self.assertGreaterEqual(got["generation"], 1)
            forwarded = self.ask_json("test", "--json", *live, "2.32.0.1", "www.example")
            self.assertEqual([forwarded[key] for key in LIVE_KEYS[2:6]], [None] * 4)

    def test_for_a_person(self):
        """Where, how that is known, every order that names it, why it binds or not, the answer."""
        digest = lambda path: hashlib.sha256(
            (self.proxy.folder / "orders" / path).read_bytes()
        ).hexdigest()
        done = self.ask("test", "2.32.0.1", "www.kickasstorrents.to", status=BLOCKED)
        for part in (
            "IT", "2.32.0.0/12", "database", "2026-01-01T00:00:00Z", "Test-Country",
            "IT-MI-2022-07-11 of Tribunale di Milano: binds", "2022-08-09T22:00:00Z",
            "DE-COMING of Court of Examples: is not yet in force (from 2999-01-01T00:00:00Z)",
            "block", "REFUSED", "EDE 16 (Censored)", "IT/milano.yaml", digest("IT/milano.yaml"),
            "DE/coming.yaml", digest("DE/coming.yaml"),
        ):  # fmt: skip
            self.assertIn(part, done.stdout)
        rows = {
            ("5.9.7.1", "www.example"): ("override", "5.9.7.0/24", "none names it", "forward"),
            ("5.9.0.1", "listed.example"): (
                "the client's country is not in its scope (IT)",
                "unchanged",
            ),
            ("2.32.5.1", "eu.example"): ("the client's network is excepted",),
            ("2.32.0.1", "a.free.listed.example"): ("an exception of the order covers the name",),
            ("2.32.0.1", "listed.example", "DNSKEY"): ("names below stay free",),
            ("2.32.0.1", "shadow.example"): ("shadow", "would block"),
            ("2.32.0.1", "drop.example"): ("none, the query is dropped",),
            ("2.32.0.1", "address.example"): ("192.0.2.80", "EDE 4 (Forged Answer)"),
            ("2.32.0.1", "x.listed.example"): ("NXDOMAIN", "SOA"),
            ("9.9.9.9", "www.example"): ("in no known country",),
        }
        for question, parts in rows.items():
            done = self.ask("test", *question)
            for part in parts:
                self.assertIn(part, done.stdout, question)

    def test_at(self):
        """Dates are midnight UTC; times need an offset."""
        rows = {
            "2022-08-09": ("forward", "2022-08-09T00:00:00Z"),
            "2022-08-09T21:59:59Z": ("forward", "2022-08-09T21:59:59Z"),
            "2022-08-09T22:00:00Z": ("block", "2022-08-09T22:00:00Z"),
            "2022-08-10T00:00:00+02:00": ("block", "2022-08-09T22:00:00Z"),
            "2022-08-10": ("block", "2022-08-10T00:00:00Z"),
        }
        for at, expected in rows.items():
            for live in ((), ("--live",)):
                got = self.ask_json(
                    "test", "--json", *live, "--at", at, "2.32.0.1", "limetorrents.pro"
                )
                self.assertEqual((got["verdict"], got["time"]), expected)
        done = self.ask(
            "test", "--at", "2022-08-09", "5.9.0.1", "limetorrents.pro", status=FORWARDED
        )
        self.assertIn("2022-08-09T00:00:00Z", done.stdout)

    def test_live_equals_offline(self):
        for question in self.ROWS:
            here = self.ask("test", "--json", "--at", "2026-01-01", *question)
            live = self.ask("test", "--json", "--at", "2026-01-01", "--live", *question)
            self.assertEqual(here.returncode, live.returncode)
            here, live = (json.loads(each.stdout) for each in (here, live))
            self.assertEqual(
                {key: here[key] for key in TEST_KEYS}, {key: live[key] for key in TEST_KEYS}
            )
            self.assertEqual((here["file"], here["sha256"]), (live["file"], live["sha256"]))

    def test_live_is_what_is_in_force(self):
        """Not what lies on the disk."""
        other = self.daemon(
            self.resolver,
            orders={"IT/x.yaml": MILAN},
            files={"country.mmdb": small_database()},
            config={**SMALL, "listen": [{"address": "127.0.0.9", "port": 5399}]},
        )
        other.remove_order("IT/x.yaml")
        question = ("2.32.0.1", "kickasstorrents.to")
        self.assertEqual(other.tool("test", *question).returncode, FORWARDED)
        self.assertEqual(other.tool("test", "--live", *question).returncode, BLOCKED)
        other.reload()
        self.assertEqual(other.tool("test", "--live", *question).returncode, FORWARDED)


class Batch(ToolTest):
    LINES = "".join(f"{' '.join(question)}\n" for question in Test.ROWS)

    def test_a_batch_answers_each_line(self):
        path = self.proxy.folder / "batch"
        path.write_text("# a comment\n\n" + self.LINES.replace("\n", "  \r\n"))
        for source, options in (("-", {"input": self.LINES}), (path, {})):
            done = self.ask(
                "test", "--json", "--batch", source, "--at", "2026-01-01", status=0, **options
            )
            got = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(
                [each["verdict"] for each in got], [row[0] for row in Test.ROWS.values()]
            )
            self.assertEqual(
                [each["type"] for each in got], [question[2] for question in Test.ROWS]
            )
            for each in got:
                self.assertEqual(list(each), TEST_KEYS + LIVE_KEYS)
                self.assertEqual(each["time"], "2026-01-01T00:00:00Z")

    def test_the_text_of_a_batch(self):
        done = self.ask(
            "test",
            "--batch",
            "-",
            status=0,
            input="2.32.0.1 Kickasstorrents.TO\n9.9.9.9 example MX\n",
        )
        self.assertEqual(
            done.stdout,
            "2.32.0.1 IT kickasstorrents.to A block IT-MI-2022-07-11\n"
            "9.9.9.9 - example MX forward -\n",
        )

    def test_bad_lines(self):
        """Each is told with its place, the others are answered, and the status is 1."""
        bad = [
            "x example",
            "2.32.0.1",
            "2.32.0.1 a b c",
            "2.32.0.1 a..b",
            "2.32.0.1 http://x/",
            "2.32.0.1 x NOTYPE",
            "2.32.0.0/12 x",
            "2.32.0.1 \0 A",
        ]
        path = self.proxy.folder / "bad"
        path.write_text("".join(f"{line}\n2.32.0.1 x.example\n" for line in bad))
        done = self.ask("test", "--batch", path, status=FAILED)
        self.assertEqual(done.stdout, "2.32.0.1 IT x.example A forward -\n" * len(bad))
        errors = [line for line in done.stderr.splitlines() if "warning: " not in line]
        self.assertEqual(len(errors), len(bad), errors)
        for index, error in enumerate(errors):
            self.assertTrue(error.startswith(f"{path}:{2 * index + 1}:"), error)

    def test_a_batch_that_cannot_be_read(self):
        for path in (self.proxy.folder / "absent", self.proxy.folder):
            done = self.ask("test", "--batch", path, status=FAILED)
            self.assertIn(str(path), done.stderr)

    def test_a_line_without_an_end(self):
        done = self.ask("test", "--batch", "-", status=0, input="2.32.0.1 kickasstorrents.to")
        self.assertEqual(done.stdout.count("block"), 1)
        self.assertEqual(self.ask("test", "--batch", "-", status=0, input="").stdout, "")


class Country(ToolTest):
    ROWS = {
        "2.32.0.1": ("2.32.0.1", "IT", "2.32.0.0/12", "database"),
        "::ffff:2.32.0.1": ("2.32.0.1", "IT", "2.32.0.0/12", "database"),
        "2001:0B07:0:0::1": ("2001:b07::1", "IT", "2001:b07::/32", "database"),
        "5.9.7.255": ("5.9.7.255", "IT", "5.9.7.0/24", "override"),
        "2.32.8.0": ("2.32.8.0", None, "2.32.8.0/24", "override"),
        "81.2.69.1": ("81.2.69.1", "GB", "81.2.69.0/24", "database"),  # UK reads as GB
        "46.99.0.1": ("46.99.0.1", "XK", "46.99.0.0/16", "database"),
        "192.88.99.1": ("192.88.99.1", None, "192.88.99.0/24", "database"),  # EU is no country
        "9.9.9.9": ("9.9.9.9", None, None, "none"),
        "2002:509:701::": ("2002:509:701::", "IT", "5.9.7.0/24", "override"),
        "2001:0:220:1::": ("2001:0:220:1::", None, None, "none"),  # Teredo
        "64:ff9b::220:1": ("64:ff9b::220:1", None, None, "none"),  # NAT64
        "64:ff9b:1::1": ("64:ff9b:1::1", None, None, "none"),
        "2002:909:909::": ("2002:909:909::", None, None, "none"),
    }

    def test_json(self):
        done = self.ask("country", "--json", *self.ROWS, status=0)
        got = [json.loads(line) for line in done.stdout.splitlines()]
        keys = ("address", "country", "network", "source")
        self.assertEqual(
            [tuple(each[key] for key in keys) for each in got], list(self.ROWS.values())
        )

    def test_for_a_person(self):
        lines = self.ask("country", *self.ROWS, status=0).stdout.splitlines()
        for line, (address, country, network, source) in zip(lines, self.ROWS.values()):
            self.assertIn(address, line)
            self.assertIn(country or "no known country", line)
            self.assertIn(network or "no network", line)
            self.assertIn(source if source != "none" else "", line)
        self.assertIn("2026-01-01T00:00:00Z", lines[-1])

    def test_no_address(self):
        for word in ("x", "2.32.0.0/12", "2.32.0", "", "2.32.0.1 ", "fe80::1%lo"):
            done = self.ask("country", "2.32.0.1", word, status=MISUSED)
            self.assertEqual(done.stdout, "")


class Orders(ToolTest):
    def test_json(self):
        done = self.ask("orders", "--json", status=0)
        got = {each["id"]: each for each in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(set(got), {each["id"] for each in self.ORDERS.values()})
        for path, keys in self.ORDERS.items():
            each = got[keys["id"]]
            self.assertEqual(each["file"], path)
            digest = hashlib.sha256((self.proxy.folder / "orders" / path).read_bytes()).hexdigest()
            self.assertEqual(each["sha256"], digest)
            self.assertEqual(each["authority"], keys["authority"])
            self.assertEqual(each["action"], keys.get("action", "refused"))
            self.assertEqual(each["in_force"], keys["id"] != "DE-COMING")
            self.assertEqual(each["scope"], [path.split("/")[0]])
        self.assertEqual(got["EU-1"]["until"], "2999-12-31T00:00:00Z")
        self.assertEqual(got["IT-MI-2022-07-11"]["names"], 3)
        (listed,) = got["IT-LIST"]["lists"]
        self.assertEqual((listed["file"], listed["names"]), ("list.txt", 2))

    def test_by_country(self):
        """Orders whose scope holds it, groups too."""
        rows = {
            "IT": {each["id"] for each in self.ORDERS.values()} - {"DE-COMING"},
            "DE": {"DE-COMING", "EU-1"},
            "FR": {"EU-1"},
            "US": set(),
        }
        for code, expected in rows.items():
            for option in (["--country", code], [f"--country={code}"]):
                done = self.ask("orders", "--json", *option, status=0)
                self.assertEqual(
                    {json.loads(line)["id"] for line in done.stdout.splitlines()}, expected
                )
        for word in ("it", "XX", "ITA", "", "EU "):
            self.ask("orders", "--country", word, status=MISUSED)

    def test_for_a_person(self):
        lines = self.ask("orders", status=0).stdout.splitlines()
        self.assertEqual(len(lines), 1 + len(self.ORDERS))
        for path, keys in self.ORDERS.items():
            (line,) = [line for line in lines if f"{keys['id']} " in line]
            self.assertIn(path, line)
            self.assertIn(keys.get("action", "refused"), line)


class Usage(SiteTest):
    """Wrong usage is status 2, said on standard error, with nothing on standard output."""

    def files_alone(self):
        """Of a daemon that is not started."""
        return Daemon(
            self.site,
            [("127.0.0.2", 53)],
            start=False,
            files={"country.mmdb": small_database()},
            config=SMALL,
        )

    def run_program(self, program, *arguments):
        return subprocess.run(
            [*sanitized(BUILD / program), *arguments],
            capture_output=True, text=True, timeout=DEADLINE, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def test_wrong_usage_of_the_tool(self):
        rows = """

            nonsense
            --nonsense
            --config
            --config f
            --config f nonsense
            --config f --strict reload
            --json status
            help nonsense
            test
            test 2.32.0.1
            test 2.32.0.1 x A more
            test x x.example
            test 2.32.0.1 a..b
            test 2.32.0.1 http://x/
            test 2.32.0.1 x NOTYPE
            test --at
            test --at yesterday 2.32.0.1 x
            test --at 2026-02-30 2.32.0.1 x
            test --at 2026-01-01T00:00:00 2.32.0.1 x
            test --json=yes 2.32.0.1 x
            test --strict 2.32.0.1 x
            test -j 2.32.0.1 x
            test --batch
            test --batch - 2.32.0.1 x
            test --batch - --live
            country
            country x
            country --live 2.32.0.1
            orders x
            orders --country it
            check x
            check --json
            status x
            status --config
            reload x
            reload --json
            audit export --from yesterday
        """
        rows = [line.split() for line in rows.splitlines()[1:-1]]
        for words in rows:
            with self.subTest(words):
                done = self.run_program("bailiwick", *words)
                self.assertEqual((done.returncode, done.stdout), (MISUSED, ""))
                self.assertRegex(done.stderr, r"\Abailiwick: [^\n]+; see 'bailiwick [^\n]+'\n\Z")

    def test_a_command_that_lacks_the_one_below_it(self):
        for words in (["audit"], ["order"], ["order", "--config", "f"]):
            done = self.run_program("bailiwick", *words)
            self.assertEqual((done.returncode, done.stdout), (MISUSED, ""))
            self.assertIn(f"{words[0]}: a command is expected; see", done.stderr)

    def test_wrong_usage_of_the_daemon(self):
        for words in (["x"], ["--nonsense"], ["--config"], ["--check", "x"], ["-z"]):
            done = self.run_program("bailiwickd", *words)
            self.assertEqual((done.returncode, done.stdout), (MISUSED, ""), words)
            self.assertTrue(done.stderr)

    def test_help_and_version(self):
        rows = [["--help"], ["help"], ["--version"]]
        rows += [["--config", "f", *words] for words in rows]
        rows += [["help", command] for command in "test country orders check status reload".split()]
        rows += [
            [command, "--help"] for command in "test country orders check status reload".split()
        ]
        for words in rows:
            done = self.run_program("bailiwick", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertTrue(done.stdout)
        for words in (["--help"], ["--version"]):
            done = self.run_program("bailiwickd", *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def test_without_a_daemon(self):
        files = self.files_alone()
        for words in (
            ["status"],
            ["status", "--json"],
            ["reload"],
            ["test", "--live", "2.32.0.1", "x"],
        ):
            done = files.tool(*words)
            self.assertEqual((done.returncode, done.stdout), (FAILED, ""), words)
            self.assertIn("control.sock", done.stderr)
            # The same, with the configuration before the command; behind it another one counts.
            before = [f"--config={files.conf}", *words]
            self.assertEqual(self.run_program("bailiwick", *before).stderr, done.stderr)
            both = ["--config", "none", *words, "--config", files.conf]
            self.assertEqual(self.run_program("bailiwick", *both).stderr, done.stderr)
        self.assertEqual(files.tool("test", "2.32.0.1", "kickasstorrents.to").returncode, BLOCKED)

    def test_a_reader_that_goes_away(self):
        files = self.files_alone()
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as output:
            program = sanitized(BUILD / "bailiwick")
            done = subprocess.run(
                [*program, "country", "--config", str(files.conf), "2.32.0.1"],
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                timeout=DEADLINE,
            )
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("standard output", done.stderr)

    def test_a_disk_that_is_full(self):
        files = self.files_alone()
        for program, *words in (
            ("bailiwick", "--version"),
            ("bailiwick", "check", "--config", files.conf),
            ("bailiwickd", "--version"),
            ("bailiwickd", "--help"),
            ("bailiwickd", "--check", "--config", files.conf),
        ):
            with open("/dev/full", "wb") as output:
                done = subprocess.run(
                    [*sanitized(BUILD / program), *map(str, words)],
                    stdout=output,
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=DEADLINE,
                )
            self.assertEqual(done.returncode, FAILED, (program, words))
            self.assertIn(f"{program}: standard output: ", done.stderr)

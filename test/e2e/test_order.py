# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an order from the operator's tool: a file is changed in place, whole or not at all, and
what it says is in force at once, in its country and nowhere else."""

import fcntl
import gzip
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

from dnsbytes import REFUSED, opt, query
from harness import BUILD, Daemon, sanitized, sanitizer_options
from policytest import LIGHT, SEED, SMALL, PolicyTest, order, small_database

DONE, FAILED, MISUSED = 0, 1, 2
REASON = ("--reason", "decision 12/2026")
MILANO = """\
# The first one.
id: IT-1
authority: Tribunale di Milano   # the court
issued: 2022-07-11
names:       # each name
  - first.example   # the site itself

  # mirrors
  - mirror.example
"""
LISTED = """\
id: IT-2
authority: Tribunale di Roma
issued: 2022-07-11
except: [fine.sites.example]
allow-wide: [github.io]
lists:
  - {file: lists/it.txt, format: names}   # grows
  - {file: lists/hosts.txt, format: hosts}
  - {file: lists/packed.txt.gz, format: names}
"""
LIST = "# the sites\nsites.example\n=alone.example   # by itself\n!free.example"
FLOW = "{id: IT-FLOW, authority: x, issued: 2022-07-11, names: [flow.example]}\n"


class OrderTest(PolicyTest):
    CONFIG = SMALL
    FILES = {"country.mmdb": small_database()}

    def setUp(self):
        self.proxy.write_order("IT/milano.yaml", MILANO)
        self.proxy.write_order("IT/flow.yaml", FLOW)
        self.proxy.write_order("DE/de.yaml", order("DE-1", names=["de.example"]))
        self.proxy.write_order("EU/eu.yaml", order("EU-1", names=["eu.example"]))
        self.proxy.reload()

    def tearDown(self):
        for path in self.orders.rglob("*.*"):
            path.unlink()

    @property
    def orders(self):
        return self.proxy.folder / "orders"

    def text(self, path="IT/milano.yaml"):
        return (self.orders / path).read_text()

    def order(self, *words, status=DONE, **options):
        """bailiwick order WORDS; the CompletedProcess."""
        done = self.proxy.tool("order", *words, **options)
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        return done

    def assert_blocked_in_italy_alone(self, name):
        answer = self.blocked(self.italian4, query(name, opt=opt()))
        self.assertEqual(answer.rcode, REFUSED)
        self.assert_forwarded(self.german4, query(name))

    def assert_free(self, name):
        self.assert_forwarded(self.italian4, query(name))

    def assert_history(self, what, reason=None, path="IT/milano.yaml"):
        last = self.text(path).splitlines()[-1]
        self.assertIn(what, last)
        self.assertRegex(last, r"\{at: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, by: \S+, what: ")
        if reason:
            self.assertIn(reason, last)


class Life(OrderTest):
    def test_add_and_remove(self):
        self.assert_free("www.later.example")
        done = self.order("add", "IT-1", "later.example", "mirror.example", "!fine.later.example")
        self.assertEqual(
            done.stdout,
            "later.example: added\nmirror.example: already in the order\n"
            "!fine.later.example: added\n",
        )
        self.assert_blocked_in_italy_alone("www.later.example")
        self.assert_free("fine.later.example")
        self.assert_history("add later.example, !fine.later.example")
        kept = [line for line in self.text().splitlines() if line in MILANO.splitlines()]
        self.assertEqual(kept, MILANO.splitlines())
        done = self.order("remove", "IT-1", "LATER.example.", "nowhere.example", status=FAILED)
        self.assertEqual(done.stdout, "LATER.example.: removed\nnowhere.example: not in the order\n")
        self.assert_free("www.later.example")

    def test_suspend_resume_lift(self):
        self.assert_blocked_in_italy_alone("first.example")
        self.order("suspend", "IT-1", *REASON)
        self.assert_free("first.example")
        self.assert_history("suspend", REASON[1])
        again = self.order("suspend", "IT-1", *REASON)
        self.assertEqual(again.stdout, "IT-1: suspended already\n")
        self.order("resume", "IT-1", *REASON, "--by", "the clerk")
        self.assert_blocked_in_italy_alone("first.example")
        self.assertIn("by: the clerk", self.text())
        self.order("lift", "IT-1", *REASON)
        self.assert_free("first.example")
        before = self.text()
        for words in (["resume", "IT-1", *REASON], ["suspend", "IT-1", *REASON]):
            self.assertIn("a new decision needs a new order", self.order(*words, status=FAILED).stderr)
        self.order("add", "IT-1", "x.example", status=FAILED)
        self.assertEqual(self.text(), before)

    def test_emergency(self):
        self.order("suspend", "IT-FLOW", *REASON)
        done = self.order("suspend", "--all", "--country", "IT", *REASON)
        self.assertEqual(done.stdout, "IT-FLOW: suspended already\nIT-1: suspended\n")
        self.assertIn("EU-1 binds clients in IT too and is not changed", done.stderr)
        self.assertNotIn("DE-1", done.stderr)
        self.assert_free("first.example")
        done = self.order("resume", "--all", "--country", "IT", *REASON)
        self.assertIn("IT-FLOW: stays suspended", done.stdout)
        self.assert_blocked_in_italy_alone("first.example")
        self.assert_free("flow.example")
        self.order("lift", "IT-FLOW", *REASON)
        done = self.order("suspend", "--all", "--country", "IT", *REASON)
        self.assertEqual(done.stdout, "IT-FLOW: stays lifted\nIT-1: suspended\n")
        done = self.order("lift", "--all", "--country", "IE", *REASON, status=FAILED)
        self.assertIn("no order lies in the folder of IE", done.stderr)

    def test_new(self):
        words = ["new", "--country", "IT", "--id", "IT-2", "--authority", 'Corte: "d\'Appello"']
        dates = ["--timezone", "Europe/Rome", "--effective", "2022-08-10", "--issued", "2022-07-11"]
        self.order(*words, *dates, "b\u00fccher.example", "=only.example", "!no.b\u00fccher.example")
        self.assert_blocked_in_italy_alone("xn--bcher-kva.example")
        self.assert_blocked_in_italy_alone("only.example")
        self.assert_free("www.only.example")
        self.assert_free("no.xn--bcher-kva.example")
        before = self.text("IT/IT-2.yaml")
        self.order(*words, "x.example", status=FAILED)
        for id in ("DE-1", "IT-1", "a b", "x" * 65):
            self.order("new", "--country", "FR", "--id", id, "--authority", "x", "x.example",
                       status=FAILED)  # fmt: skip
        for id in (".hidden", "../x"):
            self.order("new", "--country", "IT", "--id", id, "--authority", "x", "x.example",
                       status=MISUSED)  # fmt: skip
        self.assertEqual(self.text("IT/IT-2.yaml"), before)
        self.assertFalse((self.orders / "FR").exists())
        self.assertEqual(list((self.orders / "IT").glob(".*")), [])

    def test_every_layout(self):
        self.order("add", "IT-FLOW", "more.example")
        self.assertTrue(self.text("IT/flow.yaml").startswith(FLOW[:-3] + ", more.example], history"))
        self.assert_blocked_in_italy_alone("more.example")

    def test_what_is_not_valid_changes_nothing(self):
        rows = {
            ("add", "IT-1", "com"): r"milano.yaml:10:5: com is a top-level domain",
            ("add", "IT-1", "a..b", "x.example"): r"a\.\.b: there is an empty label",
            ("remove", "IT-FLOW", "flow.example"): r"this order blocks nothing",
            ("add", "IT-9", "x.example"): r"no order has the id IT-9",
            ("suspend", "IT-1", "--reason", "a\nb"): r"one line without control characters",
            ("suspend", "IT-1", "--reason", "a" * 2000): r"at most 1000",
        }
        for words, expected in rows.items():
            done = self.order(*words, status=FAILED)
            self.assertRegex(done.stderr, expected)
        self.assertEqual((self.text(), self.text("IT/flow.yaml")), (MILANO, FLOW))

    def test_a_file_with_an_error(self):
        """It cannot be changed until it is mended, but by what mends it."""
        self.proxy.write_order("IT/milano.yaml", MILANO + "  - com\n")
        self.assertIn("milano.yaml:10:5: com", self.order("add", "IT-1", "x.example", status=FAILED).stderr)
        self.order("remove", "IT-1", "com")
        self.proxy.write_order("DE/de.yaml", "id: [\n")
        done = self.order("add", "IT-1", "x.example")
        self.assertIn("1 error stands in other files", done.stderr)
        self.assert_blocked_in_italy_alone("x.example")

    def test_an_id_twice(self):
        self.proxy.write_order("DE/de.yaml", order("IT-1", names=["de.example"]))
        self.assertIn("mend that first", self.order("add", "IT-1", "x.example", status=FAILED).stderr)

    def test_misuse(self):
        for words in (
            [], ["x"], ["add", "IT-1"], ["suspend", "IT-1"], ["suspend", *REASON],
            ["suspend", "IT-1", "--all", "--country", "IT", *REASON],
            ["suspend", "--all", *REASON], ["suspend", "--all", "--country", "it", *REASON],
            ["add", "IT-1", "x.example", "--title", "x"], ["ingest", "--order", "IT-1"],
            ["new", "--country", "IT", "--id", "x", "x.example"],
        ):  # fmt: skip
            self.order(*words, status=MISUSED)


class Files(OrderTest):
    """Whatever happens meanwhile, a file is the old one or the new one."""

    def test_mode_owner_and_link(self):
        outside = self.proxy.folder / "outside.yaml"
        outside.write_text(MILANO)
        outside.chmod(0o604)
        os.chown(outside, 4711, 4712)
        link = self.orders / "IT/milano.yaml"
        link.unlink()
        link.symlink_to(outside)
        self.order("add", "IT-1", "x.example")
        self.assertTrue(link.is_symlink())
        self.assertIn("x.example", outside.read_text())
        state = outside.stat()
        self.assertEqual((state.st_mode & 0o777, state.st_uid, state.st_gid), (0o604, 4711, 4712))

    def test_many_at_once(self):
        names = [f"n{number}.example" for number in range(10 if LIGHT else 50)]
        outcomes = []
        add = lambda name: outcomes.append(self.proxy.tool("order", "add", "IT-1", name))
        threads = [threading.Thread(target=add, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([done.stderr for done in outcomes if done.returncode != DONE], [])
        self.assertEqual(set(names) - set(re.findall(r"^  - (\S+)$", self.text(), re.M)), set())
        for name in random.Random(SEED).sample(names, 5):
            self.assert_blocked_in_italy_alone(name)

    def test_who_has_to_wait_says_so(self):
        """For whom, and not for ever; a command that gives up has changed nothing."""
        before = self.text()
        held = os.open(self.orders, os.O_RDONLY)
        self.addCleanup(os.close, held)
        fcntl.flock(held, fcntl.LOCK_EX)
        holder = rf"/orders: process {os.getpid()} \(\S+\)"
        for wait in ("0", "1"):
            done = self.order("add", "--wait", wait, "IT-1", "x.example", status=FAILED)
            *waits, gives_up = done.stderr.splitlines()
            self.assertRegex(gives_up, rf"{holder} still has .*: nothing was changed; ")
            self.assertEqual((self.text(), done.stdout, len(waits)), (before, "", int(wait)))
        with self.site.server:
            waiting = subprocess.Popen(
                [*sanitized(BUILD / "bailiwick"), "order", "lift", "--config", str(self.proxy.conf),
                 *REASON, "IT-1"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                env={**os.environ, **sanitizer_options(self.proxy.folder)},
            )  # fmt: skip
        said = waiting.stderr.readline()
        self.assertRegex(said, rf"{holder} is changing orders; waiting for it, at most 60 s")
        self.assertEqual(self.text(), before)
        fcntl.flock(held, fcntl.LOCK_UN)
        self.assertEqual((waiting.communicate()[1], waiting.returncode), ("", DONE))
        self.assertIn("status: lifted", self.text())
        for wait in ("-1", "x", "1s", "99999", ""):
            self.order("add", f"--wait={wait}", "IT-1", "x.example", status=MISUSED)

    def test_killed_at_any_point(self):
        generator = random.Random(SEED)
        command = [*sanitized(BUILD / "bailiwick"), "order", "ingest", "--order", "IT-1",
                   "--config", str(self.proxy.conf), "--tickets"]  # fmt: skip
        killed = 0
        for round in range(5 if LIGHT else 25):
            tickets = self.proxy.folder / "tickets"
            tickets.write_text("".join(f"r{round}-{number}.example\n" for number in range(400)))
            before = self.text()
            process = subprocess.Popen(
                [*command, str(tickets)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **sanitizer_options(self.proxy.folder)},
            )
            time.sleep(generator.uniform(0, 0.06))
            process.kill()
            output = process.communicate()[0].decode()
            killed += process.returncode == -signal.SIGKILL
            after = self.text()
            if after == before:
                self.assertNotIn("processed", output)
            else:
                self.assertEqual(after.count(f"  - r{round}-"), 400)
                self.assertIn("what: ingest 400 names", after.splitlines()[-1])
        self.assertGreater(killed, 0)
        self.order("add", "IT-1", "last.example")
        self.assertEqual(list((self.orders / "IT").glob(".*")), [], "what kills left behind")
        self.assert_blocked_in_italy_alone("last.example")

    def test_full_disk(self):
        small = self.proxy.folder / "orders/IT"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.proxy.write_order("IT/milano.yaml", MILANO)
        names = "".join(f"{'x' * 60}{number}.example\n" for number in range(1000))
        done = self.order("ingest", "--order", "IT-1", "--tickets", "-", input=names, status=FAILED)
        self.assertEqual(done.stdout.count(": refused: cannot write: No space left on device\n"), 1000)
        self.assertEqual(self.text(), MILANO)
        self.assertEqual([path.name for path in small.iterdir()], ["milano.yaml"])
        self.order("add", "IT-1", "x.example")
        for path in small.iterdir():
            path.unlink()

    def test_folder_that_cannot_be_written(self):
        read_only = self.proxy.folder / "orders/IT"
        subprocess.run(["mount", "--bind", read_only, read_only], check=True)
        self.addCleanup(subprocess.run, ["umount", read_only], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", read_only], check=True)
        try:
            done = self.order("add", "IT-1", "x.example", status=FAILED)
        finally:
            subprocess.run(["mount", "-o", "remount,bind,rw", read_only], check=True)
        self.assertIn("Read-only file system", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.text(), MILANO)

    def test_without_a_daemon(self):
        files = Daemon(self.site, [self.resolver], orders={"IT/a.yaml": MILANO}, files=self.FILES,
                       config=self.CONFIG, start=False)  # fmt: skip
        done = files.tool("order", "add", "IT-1", "x.example")
        self.assertEqual(done.returncode, DONE, done.stderr)
        self.assertIn("no daemon runs", done.stderr)


class Ingest(OrderTest):
    TICKETS = """\
# from the platform
one.example,4711
=two.example,"47,12"
www.first.example
ONE.example.,4713
com
a b
later.example,4714,2999-01-01T00:00:00Z,2999-02-01T00:00:00Z
eu.example,4715
!x.example
"""
    ANSWERS = [
        "one.example: processed",
        "=two.example: processed",
        "www.first.example: already blocked",
        "ONE.example.: already blocked",
        "com: refused: com is a top-level domain, and allow-wide does not list it",
        r"a b: refused: .*",
        "later.example: processed",
        "eu.example: already blocked by EU-1",
        "!x.example: refused: an exception is no ticket; see 'bailiwick order add'",
    ]

    def test_each_line_is_answered(self):
        done = self.order("ingest", "--order", "IT-1", "--tickets", "-", input=self.TICKETS,
                          status=FAILED)  # fmt: skip
        for line, expected in zip(done.stdout.splitlines(), self.ANSWERS, strict=True):
            self.assertRegex(line, f"^{expected}$")
        self.assert_blocked_in_italy_alone("www.one.example")
        self.assert_blocked_in_italy_alone("two.example")
        self.assert_free("later.example")
        for item in ('  - {name: one.example, ticket: "4711"}', '  - {name: two.example, ticket: "47,12"}'):
            self.assertIn(item, self.text().splitlines())
        self.assert_history("ingest 4 names")

    def test_json(self):
        done = self.order("ingest", "--order", "IT-1", "--tickets", "-", "--json", input=self.TICKETS,
                          status=FAILED)  # fmt: skip
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(
            answers[0],
            {"line": 2, "name": "one.example", "ticket": "4711", "result": "processed",
             "order": "IT-1", "why": None},
        )  # fmt: skip
        self.assertEqual(
            [(each["result"], each["order"]) for each in answers[1:9:2]],
            [("processed", "IT-1"), ("already blocked", "IT-1"), ("refused", None),
             ("already blocked", "EU-1")],
        )  # fmt: skip

    def test_a_thousand(self):
        names = [f"n{number}.example" for number in range(1000)]
        tickets = self.proxy.folder / "tickets"
        tickets.write_text("".join(f"{name},{index}\n" for index, name in enumerate(names)))
        done = self.order("ingest", "--order", "IT-1", "--tickets", tickets)
        self.assertEqual(done.stdout, "".join(f"{name}: processed\n" for name in names))
        before = self.text()
        for name in random.Random(SEED).sample(names, 10):
            self.assert_blocked_in_italy_alone(name)
        again = self.order("ingest", "--order", "IT-1", "--tickets", tickets)
        self.assertEqual(again.stdout, "".join(f"{name}: already blocked\n" for name in names))
        self.assertEqual(self.text(), before)

    def test_orders_that_take_none(self):
        self.order("lift", "IT-1", *REASON)
        done = self.order("ingest", "--order", "IT-1", "--tickets", "-", input="x.example\n",
                          status=FAILED)  # fmt: skip
        self.assertEqual(done.stdout, "x.example: refused: the order is lifted\n")
        done = self.order("ingest", "--order", "NO", "--tickets", "-", input="x\n", status=FAILED)
        self.assertEqual(done.stdout, "")
        self.order("ingest", "--order", "IT-1", "--tickets", "nowhere", status=FAILED)

    def test_too_large_for_a_file(self):
        label = "x" * 58
        names = "".join(f"{number}{label}.{label}.{label}.example\n" for number in range(22500))
        before = self.text()
        done = self.order("ingest", "--order", "IT-1", "--tickets", "-", input=names, status=FAILED)
        self.assertEqual(done.stdout.count(": refused: would be larger than 4194304"), 22500)
        self.assertIn("large sets of names belong in lists", done.stderr)
        self.assertEqual(self.text(), before)


class IngestList(OrderTest):
    """Names that go into a list of the order: two files change, and no name without its history."""

    def setUp(self):
        super().setUp()
        self.write("IT/lists/it.txt", LIST)
        self.write("IT/lists/hosts.txt", "0.0.0.0 hosts.example\n")
        self.write("IT/lists/packed.txt.gz", gzip.compress(b"packed.example\n"))
        self.proxy.write_order("IT/roma.yaml", LISTED)
        self.proxy.reload()

    def write(self, path, text):
        path = self.orders / path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def ingest(self, tickets, *words, list="lists/it.txt", status=DONE):
        return self.order("ingest", "--order", "IT-2", "--list", list, "--tickets", "-", *words,
                          input=tickets, status=status)  # fmt: skip

    def assert_untouched(self, text=LISTED, list=LIST):
        self.assertEqual(self.text("IT/roma.yaml"), text)
        self.assertEqual(self.text("IT/lists/it.txt"), list)

    def test_each_line_is_answered(self):
        tickets = {
            "one.example,4711": "processed",
            "=two.example,\"47;\"\"12\"": "processed",
            "bücher.example": "processed",
            "github.io": "processed",
            "www.sites.example": "already blocked",
            "=alone.example": "already blocked",
            "alone.example": "processed",
            "x.free.example": "refused: the order excepts this name",
            "fine.sites.example": "refused: the order excepts this name",
            "ONE.example.": "already blocked",
            "packed.example": "already blocked",
            "hosts.example": "processed",
            "eu.example": "already blocked by EU-1",
            "com": "refused: com is a top-level domain, and allow-wide does not list it",
            "a b": "refused: .*",
            "later.example,1,2999-01-01T00:00:00Z": "refused: a list holds names without dates of their own",
            "!x.example": "refused: an exception is no ticket; see 'bailiwick order add'",
        }  # fmt: skip
        done = self.ingest("".join(f"{line}\n" for line in tickets), status=FAILED)
        for line, (ticket, expected) in zip(done.stdout.splitlines(), tickets.items(), strict=True):
            self.assertRegex(line, f"^{re.escape(ticket.split(',')[0])}: {expected}$")
        self.assertEqual(
            self.text("IT/lists/it.txt"),
            LIST + "\none.example,4711\n=two.example,\"47;\"\"12\"\nbücher.example\ngithub.io\n"
            "alone.example\nhosts.example\neu.example\n",
        )
        self.assert_history("ingest 7 names into lists/it.txt", path="IT/roma.yaml")
        self.assertEqual(self.text("IT/roma.yaml").split("history:")[0], LISTED)
        for name in ("www.one.example", "two.example", "xn--bcher-kva.example", "sites.example"):
            self.assert_blocked_in_italy_alone(name)
        for name in ("later.example", "x.free.example", "fine.sites.example"):
            self.assert_free(name)
        before = self.text("IT/roma.yaml"), self.text("IT/lists/it.txt")
        self.ingest("one.example\nbücher.example\n")
        self.assert_untouched(*before)

    def test_lists_that_take_none(self):
        for name, why in {
            "lists/hosts.txt": "is not of format names",
            "lists/packed.txt.gz": "is packed",
            "lists/other.txt": "names no list lists/other.txt",
            "../IT/lists/it.txt": "names no list",
        }.items():
            with self.subTest(name):
                done = self.ingest("x.example\n", list=name, status=FAILED)
                self.assertRegex(done.stdout, f"^x.example: refused: .*{why}")
                self.assert_untouched()

    def test_a_list_of_another_order_too(self):
        (self.orders / "DE/linked.txt").symlink_to("../IT/lists/it.txt")
        lists = [{"file": "linked.txt", "format": "names"}]
        self.proxy.write_order("DE/other.yaml", order("DE-2", lists=lists))
        done = self.ingest("x.example\n", status=FAILED)
        self.assertIn("refused: DE/other.yaml names this list too", done.stdout)
        self.assert_untouched()

    def test_first_names_of_an_empty_list(self):
        self.write("IT/lists/it.txt", "# none yet\r\n")
        self.ingest("one.example\ntwo.example\n")
        self.assertEqual(
            (self.orders / "IT/lists/it.txt").read_bytes(), b"# none yet\r\none.example\r\ntwo.example\r\n"
        )
        self.assert_blocked_in_italy_alone("two.example")

    def test_what_only_the_last_good_version_holds(self):
        """A list lost its names: what it held is blocked until it is mended, and is asked for anew."""
        self.write("IT/lists/it.txt", "gone.example\n")
        self.proxy.reload("--accept-shrink")
        self.proxy.wait_until_kept()
        self.write("IT/lists/it.txt", "# none yet\n")
        done = self.ingest("gone.example\nhosts.example\n")
        self.assertEqual(done.stdout, "gone.example: processed\nhosts.example: processed\n")
        self.assert_blocked_in_italy_alone("www.gone.example")

    def test_a_list_with_an_error(self):
        self.write("IT/lists/it.txt", "good.example\nnot a name\n")
        done = self.ingest("x.example\n", status=FAILED)
        self.assertIn("IT/lists/it.txt:2:", done.stderr)
        self.assertIn("x.example: refused: ", done.stdout)
        self.assert_untouched(list="good.example\nnot a name\n")

    def test_more_than_an_order_file_holds(self):
        names = [f"{'x' * 55}{number}.example" for number in range(1000 if LIGHT else 70000)]
        done = self.ingest("".join(f"{name}\n" for name in names))
        self.assertEqual(done.stdout, "".join(f"{name}: processed\n" for name in names))
        self.assert_blocked_in_italy_alone(names[-1])

    def test_full_disk(self):
        small = self.orders / "IT/lists"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.write("IT/lists/it.txt", LIST)
        names = "".join(f"{'x' * 60}{number}.example\n" for number in range(1000))
        done = self.ingest(names, status=FAILED)
        self.assertEqual(done.stdout.count(": refused: cannot write: No space left on device\n"), 1000)
        self.assert_untouched()
        self.assertEqual([path.name for path in small.iterdir()], ["it.txt"])

    def test_killed_at_any_point(self):
        generator = random.Random(SEED)
        command = [*sanitized(BUILD / "bailiwick"), "order", "ingest", "--order", "IT-2",
                   "--list", "lists/it.txt", "--config", str(self.proxy.conf), "--tickets"]  # fmt: skip
        killed = 0
        for round in range(5 if LIGHT else 25):
            tickets = self.proxy.folder / "tickets"
            tickets.write_text("".join(f"r{round}-{number}.example\n" for number in range(400)))
            before = self.text("IT/lists/it.txt")
            entries = self.text("IT/roma.yaml").count("what: ingest")
            process = subprocess.Popen(
                [*command, str(tickets)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **sanitizer_options(self.proxy.folder)},
            )
            time.sleep(generator.uniform(0, 0.06))
            process.kill()
            output = process.communicate()[0].decode()
            killed += process.returncode == -signal.SIGKILL
            added = self.text("IT/lists/it.txt")[len(before) :].count(f"r{round}-")
            told = self.text("IT/roma.yaml").count("what: ingest") - entries
            self.assertIn((added, told), [(0, 0), (0, 1), (400, 1)])
            if added == 0:
                self.assertNotIn("processed", output)
        self.assertGreater(killed, 0)

    def test_what_a_crash_between_the_files_leaves(self):
        entry = "{at: 2026-01-01T00:00:00Z, by: x, what: ingest 1 name into lists/it.txt}"
        self.proxy.write_order("IT/roma.yaml", f"{LISTED}history:\n  - {entry}\n")
        self.proxy.reload()
        self.assert_blocked_in_italy_alone("sites.example")
        self.assert_free("late.example")
        self.assertEqual(self.ingest("late.example\n").stdout, "late.example: processed\n")
        self.assert_blocked_in_italy_alone("late.example")
        self.assertEqual(self.text("IT/roma.yaml").count("what: ingest 1 name"), 2)

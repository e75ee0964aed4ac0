# SPDX-License-Identifier: GPL-3.0-or-later
"""Files change under a running daemon: no query is lost, no verdict wrong, and what cannot be read
leaves what was good in force, through restarts and crashes."""

import contextlib
import json
import pathlib
import random
import shutil
import signal
import socket

from client import eventually
from dnsbytes import REFUSED, parse, query
from harness import Daemon, merged, yaml_text
from mmdb import mmdb
from policytest import BROKEN, LIGHT, SEED, database_of_another_kind, order, small_database
from reloadtest import ReloadTest


class Reload(ReloadTest):
    def test_sighup(self):
        proxy = self.run_daemon()
        generation = proxy.status()["generation"]
        proxy.write_order("IT/two.yaml", order("IT-TWO", names=["two.example"]))
        proxy.remove_order("IT/one.yaml")
        proxy.signal(signal.SIGHUP)
        self.eventually(lambda: self.is_blocked("two.example"), "the new order binds")
        self.assert_free("one.example")
        self.assertEqual(proxy.status()["generation"], generation + 1)

    def test_the_tool_returns_when_the_new_set_is_in_force(self):
        """Whatever worker gets the next query."""
        proxy = self.run_daemon(config={"workers": 4})
        for round in range(5 if LIGHT else 20):
            names = [f"r{round}.example"]
            proxy.write_order("IT/one.yaml", order("IT-ONE", names=names))
            done = proxy.reload()
            number = proxy.status()["generation"]
            self.assertRegex(done.stdout, rf"\Ageneration {number} in force since \d{{4}}-")
            for _ in range(8):  # each from a port of its own
                self.assert_blocked(*names)
            self.assert_free(f"r{round - 1}.example")

    def test_a_change_of_a_list_alone(self):
        """The order file is the same; what it names is not."""
        listed = order("IT-ONE", lists=[{"file": "sub/list.txt", "format": "names"}])
        proxy = self.run_daemon({"IT/one.yaml": listed}, {"orders/IT/sub/list.txt": "a.example\n"})
        self.assert_blocked("a.example")
        proxy.write("orders/IT/sub/list.txt", "b.example\n")
        proxy.reload()
        self.assert_blocked("b.example")
        self.assert_free("a.example")

    def test_a_folder_that_is_swapped(self):
        """`orders` may be a symbolic link; it is resolved once a load."""
        proxy = self.run_daemon(config={"orders": "current"}, start=False)
        for name in ("first", "second"):
            text = yaml_text(order("IT-ONE", names=[f"{name}.example"]))
            proxy.write(f"{name}/IT/one.yaml", text)
        (proxy.folder / "current").symlink_to("first")
        proxy.start()
        self.assert_blocked("first.example")
        (proxy.folder / "next").symlink_to("second")
        (proxy.folder / "next").rename(proxy.folder / "current")
        proxy.reload()
        self.assert_blocked("second.example")
        self.assert_free("first.example")

    def test_a_slip_in_one_order_stalls_no_other(self):
        proxy = self.run_daemon(
            {
                "IT/one.yaml": order("IT-ONE", names=["one.example"]),
                "IT/two.yaml": order("IT-TWO", names=["two.example"]),
            }
        )
        proxy.wait_until_kept()  # the tool reads what is kept
        proxy.write_order(
            "IT/one.yaml", {**order("IT-ONE", names=["other.example", "http://x/"]), "nope": 1}
        )
        proxy.write_order("IT/two.yaml", order("IT-TWO", names=["changed.example"]))
        proxy.write_order("IT/new.yaml", BROKEN)
        problems = [
            ("orders/IT/new.yaml", 2, 1),
            ("orders/IT/one.yaml", 4, 24),
            ("orders/IT/one.yaml", 5, 1),
        ]
        since = None
        for _ in range(3):  # named until it is mended, since the first time
            told = self.refused_reload()
            for path, line, column in problems:
                self.assertIn(f"{proxy.folder}/{path}:{line}:{column}: ", told)
            self.assert_exactly(problems)
            self.assert_blocked("one.example", "changed.example")
            self.assert_free("other.example", "two.example")
            since = since or [error["since"] for error in proxy.status()["errors"]]
            self.assertEqual([error["since"] for error in proxy.status()["errors"]], since)
        # Which version binds is told, too.
        digest = json.loads(proxy.tool("test", "--json", "2.32.0.1", "one.example").stdout)
        live = json.loads(proxy.tool("test", "--json", "--live", "2.32.0.1", "one.example").stdout)
        self.assertEqual((live["verdict"], live["file"]), ("block", "IT/one.yaml"))
        self.assertEqual(digest["sha256"], live["sha256"])
        proxy.wait_for_log(live["sha256"])
        proxy.write_order("IT/one.yaml", order("IT-ONE", names=["other.example"]))
        proxy.remove_order("IT/new.yaml")
        proxy.reload()
        self.assert_exactly([])
        self.assert_blocked("other.example")
        self.assert_free("one.example")

    def test_strict(self):
        """All or nothing."""
        proxy = self.run_daemon()
        proxy.reload("--strict")
        before = proxy.status()["generation"]
        proxy.write_order("IT/good.yaml", order("IT-GOOD", names=["good.example"]))
        proxy.write_order("IT/bad.yaml", BROKEN)
        told = self.refused_reload("--strict")
        self.assertIn(f"{proxy.folder}/orders/IT/bad.yaml:2:1: ", told)
        self.assertEqual(proxy.status()["generation"], before)
        self.assert_exactly([("orders/IT/bad.yaml", 2, 1)])
        self.assert_free("good.example")
        self.refused_reload()
        self.assert_blocked("good.example", "one.example")
        proxy.remove_order("IT/bad.yaml")
        proxy.reload("--strict")
        self.assert_exactly([])

    def test_lists_and_overrides_keep_their_last_good_version(self):
        listed = order("IT-LIST", lists=[{"file": "list.txt", "format": "names"}])
        proxy = self.run_daemon(
            {"IT/list.yaml": listed},
            {"orders/IT/list.txt": "a.example\n", "overrides.csv": "5.9.7.0/24,IT\n"},
            {"geo": {"database": "country.mmdb", "overrides": "overrides.csv"}},
        )
        overridden = self.client("5.9.7.1")
        proxy.write("orders/IT/list.txt", "b.example\nhttp://x/\n")
        proxy.write("overrides.csv", "5.9.7.0/24,DE\nx,IT\n")
        told = self.refused_reload()
        for place in ("orders/IT/list.txt:2:1: ", "overrides.csv:2:1: "):
            self.assertIn(f"{proxy.folder}/{place}", told)
        for _ in range(2):
            self.assert_blocked("a.example")
            self.assert_free("b.example")
            self.assertTrue(self.is_blocked("a.example", overridden))
            (proxy.folder / "orders/IT/list.txt").unlink(missing_ok=True)
            (proxy.folder / "overrides.csv").unlink(missing_ok=True)
            self.refused_reload()
        self.assertEqual(
            {path for path, *_ in self.errors()},
            {"orders/IT/list.txt", "orders/IT/list.yaml", "overrides.csv"},
        )

    def test_the_database_keeps_its_last_good_version(self):
        proxy = self.run_daemon()
        path = proxy.folder / "country.mmdb"
        good = path.read_bytes()
        moved = mmdb({"2.32.0.0/12": "DE", "5.9.0.0/16": "IT"})
        for label, content in (
            ("empty", b""),
            ("noise", b"\x5a" * 5000),
            ("cut", good[:-100]),
            ("cut more", good[: len(good) // 2]),
            ("another kind", database_of_another_kind()),
            ("none", None),
        ):
            with self.subTest(label):
                if content is None:
                    path.unlink()
                else:
                    path.write_bytes(content)
                self.assertIn(f"{path}: ", self.refused_reload())
                self.assert_exactly([("country.mmdb", 0, 0)])
                self.assert_blocked("one.example")
                self.assertFalse(self.is_blocked("one.example", self.german4))
        path.write_bytes(moved)
        proxy.reload()
        self.assert_exactly([])
        self.assert_free("one.example")
        self.assertTrue(self.is_blocked("one.example", self.german4))

    def test_a_broken_configuration_keeps_the_one_before(self):
        """Orders are read all the same, by the configuration that is in force."""
        proxy = self.run_daemon()
        good = proxy.conf.read_text()
        rows = [
            (good + "colour: blue\n", (good.count("\n") + 1, 1)),
            (good.replace("country.mmdb", "absent.mmdb") + "nope: 1\n", (good.count("\n") + 1, 1)),
            (BROKEN, (2, 1)),
            ("", (0, 0)),
        ]
        for number, (text, place) in enumerate(rows):
            names = [f"r{number}.example"]
            proxy.write("forwarder.conf", text)
            proxy.write_order("IT/one.yaml", order("IT-ONE", names=names))
            self.assertFalse(self.control({"command": "reload"})["ok"])
            self.assert_blocked(*names)
            (error,) = self.control({"command": "status"})["result"]["errors"]
            self.assertEqual(error["file"], str(proxy.conf))
            self.assertEqual((error["line"], error["column"]), place)
            self.assertIn(f"{proxy.conf}:{place[0]}:{place[1]}: " if place[0] else "", proxy.log())
        proxy.write("forwarder.conf", good)
        proxy.reload()
        self.assert_exactly([])

    def test_what_only_a_start_can_change_is_told(self):
        """Against what runs, at each reload, until it is put back."""
        proxy = self.run_daemon()
        good = proxy.conf.read_text()
        for key, change in {"limits": {"limits": {"in-flight": 9}}, "state": {"state": "s"}}.items():
            proxy.write("forwarder.conf", yaml_text(merged(proxy.config, change)))
            for _ in range(2):
                self.assertRegex(
                    proxy.reload().stderr,
                    rf"{proxy.conf}:\d+:\d+: warning: {key} has changed: that takes effect at the next",
                )
            self.assertTrue(self.is_blocked("one.example", self.italian6))
            proxy.write("forwarder.conf", good)
            self.assertNotIn("has changed", proxy.reload().stderr)

    def test_settings_that_a_reload_changes(self):
        proxy = self.run_daemon()
        proxy.write_config({"block": {"action": "nodata", "ttl": "9s"}})
        proxy.reload()
        (soa,) = parse(self.italian4.ask(query("one.example"))).section("authority")
        self.assertEqual(soa.ttl, 9)
        proxy.write("protected.txt", "one.example\n")
        proxy.write_config({"block": {"protected-names": "protected.txt"}})
        self.refused_reload()
        self.assert_free("one.example")  # not even its last good version may block that

    def test_a_last_good_version_leaves_what_has_become_protected(self):
        """And blocks the rest as before; no restart changes that."""
        wide = order("IT-WIDE", names=["wide.example"], any_tld=["zzbrand"])
        proxy = self.run_daemon({"IT/wide.yaml": wide}, {"protected.txt": "# none yet\n"},
                                {"block": {"protected-names": "protected.txt"}})
        self.assert_blocked("wide.example", "zzbrand.com", "zzbrand.net")
        proxy.wait_until_kept()
        proxy.write_order("IT/wide.yaml", BROKEN)
        proxy.write("protected.txt", "zzbrand.net\n")
        self.assertNotIn("last good version is not used", self.refused_reload())
        for again in (lambda: None, self.refused_reload, self.restart):
            again()
            self.assert_blocked("wide.example", "zzbrand.com")
            self.assert_free("zzbrand.net")

    def test_nothing_is_lost_while_a_list_is_loaded(self):
        """Every query that comes meanwhile gets its right answer, from one set or the next."""
        listed = [f"n{i}.example" for i in range(5000 if LIGHT else 30000)]
        lines = "".join(f"{name}\n" for name in listed)
        entry = {"id": "ONE", "authority": "A", "issued": "2026-01-01",
                 "lists": [{"file": "list.txt", "format": "names"}]}
        proxy = self.run_daemon({"IT/one.yaml": entry}, {"orders/IT/list.txt": lines})
        rng, asked = random.Random(SEED), 0
        with self.italian4.udp() as channel:
            for round in range(3 if LIGHT else 6):
                proxy.write("orders/IT/list.txt", lines + f"r{round}.example\n")
                proxy.signal(signal.SIGHUP)
                while not self.is_blocked(f"r{round}.example"):
                    blocked = {id: rng.random() < 0.5 for id in range(32)}
                    for id, is_listed in blocked.items():
                        name = rng.choice(listed)
                        channel.send(query(name if is_listed else f"free-{name}", id=id))
                    answers = [parse(channel.receive()) for _ in blocked]
                    self.assertEqual({each.id: each.rcode == REFUSED for each in answers}, blocked)
                    asked += len(answers)
        self.assertGreater(asked, 0)
        self.assertEqual((proxy.status()["dropped"], proxy.status()["servfail"]), (0, 0))

    def test_a_query_keeps_its_generation(self):
        """Asked before a reload and answered after it: the answer still comes."""
        proxy = self.run_daemon()
        self.resolver.script = None
        try:
            with self.italian4.udp() as channel:
                message = query("slow.example")
                channel.send(message)
                request = self.resolver.next()
                proxy.write_order("IT/one.yaml", order("IT-ONE", names=["slow.example"]))
                for _ in range(3):
                    proxy.reload()
                self.assert_blocked("slow.example")
                request.reply(request.message[:2] + b"\x81\x80" + request.message[4:])
                self.assertEqual(channel.receive(), message[:2] + b"\x81\x80" + message[4:])
        finally:
            self.resolver.script = type(self).script

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script = staticmethod(cls.resolver.script)


class Restart(ReloadTest):
    def test_a_start_with_a_broken_order_serves_its_last_good_version(self):
        proxy = self.run_daemon(
            {"IT/one.yaml": order("IT-ONE", lists=[{"file": "list.txt", "format": "names"}])},
            {"orders/IT/list.txt": "one.example\n"},
        )
        first = json.loads(proxy.tool("test", "--json", "--live", "2.32.0.1", "one.example").stdout)
        for change in (
            lambda: proxy.write_order("IT/one.yaml", BROKEN),
            lambda: (proxy.folder / "orders/IT/list.txt").unlink(),
            lambda: proxy.write_order("IT/one.yaml", order("IT-ONE", names=["..", "new.example"])),
        ):
            self.restart(change)
            self.assert_blocked("one.example")
            self.assert_free("new.example")
            self.assertTrue(self.errors())
            self.refused_reload()
            live = json.loads(
                proxy.tool("test", "--json", "--live", "2.32.0.1", "one.example").stdout
            )
            for key in ("order", "file", "sha256", "order_loaded"):
                self.assertEqual(live[key], first[key])
        proxy.wait_for_log(first["sha256"])
        proxy.write_order("IT/one.yaml", order("IT-ONE", names=["new.example"]))
        proxy.reload()
        self.assert_blocked("new.example")
        self.assert_free("one.example")
        self.restart()
        self.assert_blocked("new.example")
        self.assert_exactly([])

    def test_a_deleted_order_goes_away_and_stays_away(self):
        proxy = self.run_daemon(
            {
                "IT/one.yaml": order("IT-ONE", names=["one.example"]),
                "IT/two.yaml": order("IT-TWO", names=["two.example"]),
            }
        )
        proxy.remove_order("IT/one.yaml")
        proxy.reload()
        self.assert_free("one.example")
        self.assert_blocked("two.example")
        self.restart()
        self.assert_free("one.example")
        # Nor does it come back in the place of a file that is broken from its first day.
        self.restart(lambda: proxy.write_order("IT/one.yaml", BROKEN))
        self.assert_free("one.example")
        proxy.remove_order("IT/one.yaml")
        self.restart(lambda: proxy.remove_order("IT/two.yaml"))  # while nobody looked
        self.assert_free("one.example", "two.example")
        self.assert_exactly([])
        self.assertEqual(proxy.status()["orders"], 0)

    def test_a_renamed_order(self):
        """The same id under another name, or in another folder."""
        proxy = self.run_daemon()
        for path in ("IT/renamed.yaml", "IT/deep/er.yml"):
            there = proxy.folder / "orders" / path
            there.parent.mkdir(exist_ok=True)
            next((proxy.folder / "orders").rglob("*.y*ml")).rename(there)
            proxy.reload()
            self.assert_blocked("one.example")
            self.assertEqual(proxy.status()["orders"], 1)
        self.restart()
        self.assert_blocked("one.example")

    def test_a_start_with_a_broken_database(self):
        overrides = {"geo": {"database": "country.mmdb", "overrides": "overrides.csv"}}
        proxy = self.run_daemon(files={"overrides.csv": "5.9.7.0/24,IT\n"}, config=overrides)
        path = proxy.folder / "country.mmdb"
        for change in (
            lambda: path.write_bytes(b"noise"),
            lambda: path.unlink(),
            lambda: proxy.write("overrides.csv", "x\n"),
        ):
            self.restart(change)
            self.assert_blocked("one.example")
            self.assertFalse(self.is_blocked("one.example", self.german4))
            self.assertTrue(self.is_blocked("one.example", self.client("5.9.7.1")))
            self.assertIn(("country.mmdb", 0, 0), self.errors())
        self.assertIn(("overrides.csv", 1, 1), self.errors())
        proxy.stop()
        shutil.rmtree(proxy.folder / "state")
        self.assertEqual(proxy.run_to_end(), 1)
        self.assertIn(str(path), proxy.log())

    def test_a_start_that_cannot_be(self):
        """Nothing is left half-done: no socket opens, and the next start finds all as it was."""
        proxy = self.run_daemon()
        good = proxy.conf.read_text()
        proxy.stop()
        for text in ("", BROKEN, good + "colour: blue\n", good.replace("127.0.0.2", "127.0.0.999")):
            proxy.write("forwarder.conf", text)
            self.assertEqual(proxy.run_to_end(), 1)
            self.assertIn(f"{proxy.conf}:", proxy.log())
            self.assertIn('reason="the configuration has errors"', proxy.log().splitlines()[-1])
        proxy.write("forwarder.conf", good)
        proxy.start()
        self.assert_blocked("one.example")

    def test_two_daemons_on_one_control_socket(self):
        """The second refuses to start, and the first goes on as if nothing had been."""
        proxy = self.run_daemon()
        second = Daemon(
            self.site, [self.resolver], start=False, files={"country.mmdb": small_database()},
            config={
                "geo": {"database": "country.mmdb"},
                "control": str(proxy.folder / "control.sock"),
                "listen": [{"address": "127.0.0.9", "port": 5399}],
            },
        )  # fmt: skip
        self.assertEqual(second.run_to_end(), 1)
        self.assertRegex(second.log(), rf"{second.conf}:\d+:\d+: /\S+: another bailiwickd holds it")
        self.assertEqual(proxy.status()["generation"], 1)
        self.assert_blocked("one.example")
        proxy.kill()  # leaves its socket behind, which keeps nobody from starting
        self.assertTrue((proxy.folder / "control.sock").exists())
        second.start()
        self.assertEqual(second.status()["generation"], 1)
        second.stop()

    def test_two_daemons_on_one_port(self):
        """The second does not take a part of the queries: it tells which port, and where it says so."""
        proxy = self.run_daemon()
        second = Daemon(
            self.site, [self.resolver], start=False, files={"country.mmdb": small_database()},
            config={"geo": {"database": "country.mmdb"}},
        )  # fmt: skip
        for listen, told in (([{"address": "::"}], "::"), ([{"address": "127.0.0.9"}], "127.0.0.9")):
            second.write_config({"listen": listen})
            self.assertEqual(second.run_to_end(), 1)
            self.assertRegex(
                second.log(),
                rf"{second.conf}:\d+:\d+: cannot listen on {told} port 53 \(udp\): Address already in "
                "use: another process has this port",
            )
        self.assert_blocked("one.example")
        proxy.kill()
        second.start()
        second.stop()

    def test_signals_before_it_is_ready(self):
        """SIGHUP is a reload as soon as that can be; SIGTERM is the end at once."""
        proxy = self.run_daemon()
        for number in (signal.SIGHUP, signal.SIGTERM):
            proxy.stop()
            proxy._launch()
            # From then on it is the daemon's own code that runs.
            self.eventually(lambda: self.holds_hangups(proxy), "SIGHUP is held")
            proxy.signal(number)
            if number == signal.SIGHUP:
                self.eventually(lambda: "number=2 " in proxy.log(), "a second generation")
                self.assert_blocked("one.example")
            else:
                self.assertIn(proxy._ended(), (0, -number))

    @staticmethod
    def holds_hangups(daemon):
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        if "bailiwickd" not in status:
            return False  # what becomes it
        words = dict(line.split(":\t", 1) for line in status.splitlines())
        return (int(words["SigBlk"], 16) | int(words["SigCgt"], 16)) & 1 << (signal.SIGHUP - 1)

    def test_the_control_socket(self):
        """Mode 0660; gone after an orderly end."""
        proxy = self.run_daemon()
        path = proxy.folder / "control.sock"
        self.assertEqual(path.stat().st_mode & 0o7777, 0o660)
        for request in (
            b"",
            b"nonsense\n",
            b"{}\n",
            b'{"command":"status"',
            b'{"command":"nope"}\n',
            b"x" * 100000,
        ):
            with socket.socket(socket.AF_UNIX) as channel, contextlib.suppress(
                BrokenPipeError, ConnectionResetError
            ):
                channel.connect(str(path))
                channel.sendall(request)
                channel.shutdown(socket.SHUT_WR)
                channel.recv(65536)
        self.assertEqual(proxy.status()["generation"], 1)
        proxy.stop()
        self.assertFalse(path.exists())

# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit record: what it says of a known course of things, whom it says that asked, what damage,
crashes and full disks leave in it; and counts of blocks that outlive the daemon."""

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time

from client import eventually
from dnsbytes import query
from harness import REPOSITORY
from policytest import BROKEN, LIGHT, SEED, order
from reloadtest import ReloadTest

# What the manual tells a stranger to do.
MANUAL = (REPOSITORY / "forwarder/man/bailiwickd.8").read_text()
[BY_HAND] = re.findall(r"^(last=.*?)^\.Ed$", MANUAL, re.M | re.S)


class Audit(ReloadTest):
    def file(self):
        return self.proxy.folder / "state/audit/00000001.jsonl"

    def lines(self):
        """Of the record; none where nothing is written yet."""
        return self.file().read_text().splitlines() if self.file().exists() else []

    def records(self):
        return [json.loads(line) for line in self.lines()]

    def wait_for(self, event, count=1):
        """The last record of an event, once there are so many: they are written in the background."""
        seen = lambda: [each for each in self.records() if each["event"] == event]
        return eventually(
            lambda: len(seen()) >= count and seen()[-1], lambda: f"{count} records of {event}"
        )

    def verify(self, status, *options):
        done = self.proxy.tool("audit", "verify", "--json", *options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout), done.stderr

    def show(self, *options, status=0):
        done = self.proxy.tool("audit", "show", "--json", "--order", "IT-ONE", *options)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def at(self, when, status=0):
        (answer,) = self.show("--at", when, status=status)
        return answer

    def edit(self, *options, **more):
        self.proxy.write_order("IT/one.yaml", order("IT-ONE", names=["one.example"], **more))
        self.proxy.reload(*options)

    def test_a_known_history(self):
        proxy = self.run_daemon()
        self.edit(title="edited")
        self.edit(title="edited", status="suspended")
        self.edit(title="edited", until="2020-01-01T00:00:00Z")
        proxy.write_order("IT/one.yaml", BROKEN)
        proxy.signal(signal.SIGHUP)
        self.wait_for("generation", 5)
        proxy.remove_order("IT/one.yaml")
        proxy.reload()
        proxy.stop()
        history = self.show()
        self.assertEqual(
            [each["event"] for each in history],
            ["start", "loaded", "changed", "suspended", "resumed", "failed", "removed", "stop"],
        )
        askers = [each["asked"] and each["asked"][0]["by"] for each in history]
        self.assertEqual(askers[1:4] + askers[5:7], ["start", "control", "control", "SIGHUP", "control"])
        (asked,) = history[2]["asked"]
        self.assertEqual((asked["uid"], asked["user"]), (0, "root"))
        digests = [each["order"] and each["order"]["sha256"] for each in history]
        self.assertEqual(digests[4], digests[5], "the last good version")
        self.assertEqual(len(set(digests[1:5])), 4)
        answer = self.at(history[-2]["time"])  # of that second the last
        self.assertFalse(answer["in_force"])
        summary, _ = self.verify(0)
        self.assertEqual((summary["faults"], summary["gaps"]), (0, 0))
        failure = self.wait_for("failure")
        self.assertTrue(failure["file"].endswith("orders/IT/one.yaml"))
        self.verify(0, "--head", summary["hash"])
        self.verify(1, "--head", "0" * 64)

    def by_hand(self):
        done = subprocess.run(
            ["bash", "-ec", BY_HAND], cwd=self.file().parent, capture_output=True, text=True
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_in_force_at_a_time(self):
        proxy = self.run_daemon(
            {
                "IT/one.yaml": order(
                    "IT-ONE", names=["one.example"], scope=["IT", "SM"], effective="2020-01-01T00:00:00Z"
                )
            }
        )
        loaded = self.wait_for("order")["time"]
        answer = self.at(loaded)
        self.assertIs(answer["in_force"], True)
        self.assertEqual((answer["from"], answer["to"]), (loaded, None))
        self.assertEqual(answer["scope"], ["IT", "SM"])
        self.assertEqual(answer["asked"], [{"by": "start"}])
        self.assertEqual(answer["uncertain"], [])
        self.assertIsNone(self.at("2020-02-01")["in_force"], "before the record")
        proxy.stop()
        end = self.records()[-1]["time"]
        self.assertIs(self.at("2999-01-01")["in_force"], False)
        self.assertEqual(self.at("2999-01-01")["from"], end)

    def test_items_with_dates(self):
        names = ["one.example", {"name": "two.example", "effective": "2999-01-01T00:00:00Z"},
                 {"name": "three.example", "until": "2999-01-01T00:00:00Z"}]  # fmt: skip
        proxy = self.run_daemon({"IT/one.yaml": order("IT-ONE", names=names)})
        loaded = self.wait_for("order")["time"]
        items = {each["names"][0]: each for each in self.at(loaded)["items"]}
        self.assertEqual({name: each["in_force"] for name, each in items.items()},
                         {"two.example": False, "three.example": True})  # fmt: skip
        self.assertEqual(items["two.example"]["effective"], "2999-01-01T00:00:00Z")
        said = proxy.tool("audit", "show", "--order", "IT-ONE", "--at", loaded).stdout
        self.assertRegex(said, r"item +two\.example: not in force, from 2999-01-01T00:00:00Z to the")

    def test_damage_is_told(self):
        proxy = self.run_daemon()
        self.edit(title="edited")
        proxy.stop()
        whole = self.file().read_bytes()
        self.assertEqual(self.by_hand(), "")
        rng = random.Random(SEED)
        for at in rng.sample(range(len(whole) - 1), 12):
            if whole[at] == 0x0A:
                continue
            damaged = bytearray(whole)
            damaged[at] ^= 1 << rng.randrange(8)
            if damaged[at] == 0x0A:
                continue
            self.file().write_bytes(damaged)
            summary, said = self.verify(1)
            line = whole[:at].count(b"\n") + 1
            self.assertEqual(said.count("\n"), 1, said)
            self.assertIn(f"/audit/00000001.jsonl:{line}: this line ", said)
            self.assertFalse(summary["cut_short"])
        changed = whole.replace(b'"edited"', b'"edits"')
        self.file().write_bytes(changed)
        self.assertEqual(self.by_hand().count("\n"), 2)  # it, and its successor
        self.file().write_bytes(whole[:-20])
        summary, said = self.verify(1)
        self.assertTrue(summary["cut_short"])
        self.assertIn("ends in the middle of a line", said)
        # Records tell whole seconds: what follows is not to end in the one in which all began.
        second = int(time.time())
        self.eventually(lambda: int(time.time()) != second, "the next second begins")
        proxy.start()  # which tells of it, and goes on
        proxy.stop()
        self.assertTrue(self.file().read_bytes().startswith(whole[:-20] + b"\n"))
        summary, said = self.verify(0)
        self.assertEqual(summary["half_lines"], 1)
        self.assertIn("note: half a line", said)
        loaded = [each for each in self.records_but_torn() if each["event"] == "order"]
        answer = self.at(loaded[0]["time"])
        self.assertIs(answer["in_force"], True)
        self.file().write_bytes(self.file().read_bytes() + bytes(4096))  # as a power cut may
        summary, said = self.verify(1)
        self.assertIn("of 4096 octets, of which 4096 are zero", said)
        proxy.start()
        proxy.stop()
        summary, said = self.verify(0)
        self.assertEqual((summary["half_lines"], summary["zero_octets"]), (2, 4096))
        self.assertIn("are zero, left by a power cut: several records may be missing here", said)

    def records_but_torn(self):
        """Of a file with half a line in it."""
        return [json.loads(line) for line in self.lines() if line.endswith("}")]

    def test_killed_in_the_middle_of_reloads(self):
        proxy = self.run_daemon()
        self.wait_for_start(1)
        rng = random.Random(SEED)
        for round in range(1 if LIGHT else 3):
            self.edit(title=f"round {round}")
            killer = threading.Timer(rng.random() / 20, proxy.signal, [signal.SIGKILL])
            killer.start()
            for number in range(10):
                proxy.write_order(
                    "IT/one.yaml",
                    order("IT-ONE", names=["one.example"], title=f"{round} {number}"),
                )
                if proxy.tool("reload").returncode != 0:
                    break
            killer.join()
            proxy.kill()
            self.verify_after_a_crash()
            proxy.start()
            self.wait_for_start(round + 2)
        # While it runs: the second in which it is stopped ends with that.
        last = lambda: self.records_but_torn()[-1]["time"]
        eventually(lambda: self.at(last())["in_force"], "the order is in force again")
        proxy.stop()
        summary, _ = self.verify(0)
        self.assertEqual(summary["gaps"], 0)

    def verify_after_a_crash(self):
        """All is as it was written, but perhaps for the very end."""
        done = self.proxy.tool("audit", "verify", "--json")
        summary = json.loads(done.stdout)
        self.assertEqual(summary["faults"], int(summary["cut_short"]), done.stderr)

    def wait_for_start(self, count):
        """Until so many starts are on record, and what the last one put in force."""

        def recorded():
            events = [each["event"] for each in self.records_but_torn()]
            last = "".join(event + " " for event in events).rpartition("start ")[2]
            return events.count("start") == count and "generation" in last

        eventually(recorded, "the record of the start")

    def warnings(self):
        return [
            each["warning"]
            for each in self.proxy.status()["warnings"]
            if each["file"].endswith("/state/audit")
        ]

    def refused(self, why, *options):
        """What verify does not call whole, and says why."""
        summary, said = self.verify(1, *options)
        self.assertRegex(said, why)
        self.assertFalse(summary["ok"])
        self.assertEqual(summary["faults"], 0, "no line of it is wrong")

    def test_files_that_are_put_away(self):
        proxy = self.run_daemon()
        proxy.stop()
        noted, _ = self.verify(0)
        away = proxy.folder / "away"
        away.mkdir()
        self.file().rename(away / self.file().name)
        subprocess.run(["gzip", away / self.file().name], check=True)
        self.refused("there are no records")
        self.verify(0, str(away))
        proxy.start()
        proxy.stop()
        live = self.file().parent
        self.assertEqual([each.name for each in live.iterdir()], ["00000002.jsonl"])
        self.refused(rf"records 1 to {noted['last']} are not here")
        self.refused("not behind the one with the hash", "--after", "0" * 64)
        rest, _ = self.verify(0, "--after", noted["hash"])
        self.assertEqual((rest["first"], rest["prev"]), (noted["last"] + 1, noted["hash"]))
        whole, _ = self.verify(0, str(away), str(live))
        self.assertEqual((whole["first"], whole["gaps"]), (1, 0))
        history = self.show(str(away), str(live))
        self.assertEqual([each["event"] for each in history].count("start"), 2)
        self.assertEqual(self.show()[0]["event"], "start")

    def test_what_is_gone_is_missed(self):
        """Whole lines at the end, or all of them: no line that is left tells of that."""
        proxy = self.run_daemon()
        self.assert_blocked("one.example")
        proxy.stop()
        whole = self.file().read_bytes()
        self.file().write_bytes(whole[: whole[:-1].rindex(b"\n") + 1])
        self.refused(r"audit\.head: the record had come to record \d+, hash \w+, which is not here")
        proxy.start()
        proxy.stop()
        summary, _ = self.verify(0)
        self.assertEqual(summary["gaps"], 1, "which tells of it for good")
        (proxy.folder / "state/audit.head").write_text("nonsense")
        self.refused("audit.head: is not as it was written")
        (proxy.folder / "state/audit.head").unlink()
        self.file().unlink()
        proxy.start()
        proxy.stop()
        self.verify(0)
        counts = sqlite3.connect(proxy.folder / "state/blocks.sqlite")
        counts.execute("UPDATE blocked SET hour = 3600")
        counts.commit()
        self.refused("blocks were counted at 1970-01-01T01:00:00Z, before the first record")

    def test_a_full_disk(self):
        """Serving goes on, and the gap is in the record."""
        proxy = self.run_daemon()
        state = proxy.folder / "state"
        proxy.stop()
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state]
        subprocess.run(mount, check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", state], check=True)
        proxy.start()
        self.wait_for("generation")
        proxy.wait_until_kept()
        filler = state / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass
        for number in range(5):  # its last page has room for some
            self.edit(title=f"{number} " + 60 * "x")
        self.assert_blocked("one.example")
        (warning,) = eventually(self.warnings, "a warning")
        self.assertIn("No space left on device", warning)
        self.assertGreater(proxy.status()["audit"]["gap"]["lost"], 0)
        filler.unlink()
        self.edit(title="there is room again")
        eventually(lambda: self.warnings() == [], "the end of the gap")
        proxy.stop()
        summary, said = self.verify(0)
        self.assertEqual(summary["gaps"], 1, said)
        (gap,) = [each for each in self.records_but_torn() if each["event"] == "gap"]
        self.assertTrue(self.at(gap["from"])["uncertain"])

    def blocked(self, *options):
        done = self.proxy.tool("audit", "export", "--json", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        total = {}
        for row in rows:
            key = (row["order"], row["country"])
            total[key] = total.get(key, 0) + row["blocked"]
        return total, done.stdout

    def test_counts_outlive_the_daemon(self):
        """Of a crash the last minute is lost, and nothing counts twice."""
        proxy = self.run_daemon(
            {"EU/all.yaml": order("EU-ALL", names=["one.example"], include_unknown="yes")}
        )
        clients = (self.italian4, self.german4)
        for number in range(7):
            clients[number % 2].ask(query("one.example"))
        self.restart()
        self.assertEqual(self.blocked()[0], {("EU-ALL", "IT"): 4, ("EU-ALL", "DE"): 3})
        clients[0].ask(query("one.example"))
        proxy.reload()
        proxy.kill()
        proxy.start()
        clients[1].ask(query("one.example"))
        proxy.stop()
        total, export = self.blocked()
        self.assertIn(total[("EU-ALL", "IT")], (4, 5), "a timer may just have stored it")
        self.assertEqual(total[("EU-ALL", "DE")], 4)
        ours, theirs = proxy.folder / "ours.json", proxy.folder / "theirs.json"
        ours.write_text(export)
        source = json.loads(export.splitlines()[0])["source"]
        theirs.write_text(export.replace(source, 32 * "0"))
        merged, _ = self.blocked("--merge", ours, theirs, ours)
        self.assertEqual(merged, {key: 2 * count for key, count in total.items()})

    def hang(self):
        """From now on the disk hangs behind each record that is written."""
        last, mark = self.records()[-1]["seq"], self.proxy.folder / "state/audit.head"
        eventually(lambda: mark.read_text().startswith(f"{last} "), "the mark is written")
        os.mkfifo(f"{mark}.new")
        return f"{mark}.new"

    def locked(self):
        """Somebody else's hold on the counts, which are there."""
        self.restart()
        database = sqlite3.connect(self.proxy.folder / "state/blocks.sqlite", isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN EXCLUSIVE")
        return database

    def asked_to_end(self):
        """It says for what it waits."""
        self.proxy.signal(signal.SIGTERM)
        return self.proxy.wait_for_log("waiting for the disk")

    def test_the_end_waits_for_the_record(self):
        proxy = self.run_daemon()
        self.wait_for("generation")
        pipe = self.hang()
        proxy.reload()
        self.assertIn("events=2 blocks=0", self.asked_to_end())
        disk = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # it has its octets now
        self.assertEqual(proxy._ended(), 0)
        os.close(disk)
        self.assertEqual([each["event"] for each in self.records()][-2:], ["generation", "stop"])
        self.assertNotIn("lost", proxy.log())

    def test_the_end_waits_for_the_counts(self):
        proxy = self.run_daemon()
        self.assert_blocked("one.example")
        database = self.locked()
        self.assert_blocked("one.example")
        self.assertIn(" blocks=1 ", self.asked_to_end())
        database.rollback()
        self.assertEqual(proxy._ended(), 0)
        self.assertEqual(self.blocked()[0], {("IT-ONE", "IT"): 2})
        self.assertNotIn("lost", proxy.log())

    def test_a_second_signal_ends_at_once_and_says_what_is_lost(self):
        proxy = self.run_daemon()
        self.assert_blocked("one.example")
        self.locked()
        self.assert_blocked("one.example")
        self.wait_for("generation", 2)
        self.hang()
        proxy.reload()
        self.assertIn("events=2 blocks=1", self.asked_to_end())
        proxy.signal(signal.SIGINT)
        self.assertEqual(proxy._ended(), 0)
        self.assertIn("audit: the end of the record is lost events=2 records=0", proxy.log())
        self.assertIn("blocks: counts are lost blocks=1", proxy.log())
        self.assertNotEqual(self.records()[-1]["event"], "stop")

    def test_no_address_of_a_client(self):
        proxy = self.run_daemon()
        self.assert_blocked("one.example")
        proxy.stop()
        kept = [path for path in (proxy.folder / "state").rglob("*") if path.is_file()]
        self.assertTrue([path for path in kept if path.name == "blocks.sqlite"])
        for path in kept:
            self.assertNotIn(self.italian4.address.encode(), path.read_bytes(), path)

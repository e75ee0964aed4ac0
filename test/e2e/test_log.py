# SPDX-License-Identifier: GPL-3.0-or-later
"""The log as JSON, changed by a reload, and as fields in a real systemd journal."""

import datetime
import json
import pathlib
import signal
import subprocess

from harness import SiteTest
from policytest import BROKEN, SMALL, order, small_database

ORDERS = {"IT/one.yaml": order("ONE", names=["one.example"])}
WRAPPER = str(pathlib.Path(__file__).with_name("journal.py"))


class Log(SiteTest):
    def start(self, config, **options):
        return self.daemon(
            self.upstream(),
            orders=ORDERS,
            files={"country.mmdb": small_database()},
            config={**SMALL, **config},
            **options,
        )

    def test_json(self):
        proxy = self.start({"log": {"format": "json"}})
        proxy.write_order("IT/broken.yaml", BROKEN)
        self.assertEqual(proxy.tool("reload").returncode, 1)
        proxy.stop()
        objects = [json.loads(line) for line in proxy.log().splitlines()]
        for each in objects:
            self.assertEqual(list(each)[:4], ["time", "level", "module", "message"])
            instant = datetime.datetime.fromisoformat(each["time"])
            self.assertEqual(instant.utcoffset(), datetime.timedelta(0))
        loaded = next(each for each in objects if each["message"] == "order loaded")
        self.assertEqual((loaded["id"], loaded["level"]), ("ONE", "info"))
        broken = next(each for each in objects if each["level"] == "error")
        self.assertIn("orders/IT/broken.yaml:2:1: ", broken["text"])

    def test_a_reload_changes_format_and_level(self):
        proxy = self.start({})
        proxy.write_config({"log": {"format": "json"}})
        proxy.reload()
        proxy.wait_for_log('"message":"generation in force","number":"2"')
        proxy.write_config({"log": {"format": "text", "level": "error"}})
        proxy.reload()
        proxy.write_config({"log": {"format": "xml"}})
        proxy.signal(signal.SIGHUP)
        line = proxy.wait_for_log("error load: problem")
        self.assertIn("forwarder.conf:10:15: format needs one of text, json, not 'xml'", line)
        proxy.stop()
        self.assertRegex(proxy.log(), "^(warning|info) [a-z]+: ")
        self.assertNotIn("info server: stopped", proxy.log())

    def test_the_journal(self):
        folder = self.site.new_folder("journal")
        proxy = self.start(
            {"log": {"format": "json"}}, prefix=("unshare", "--mount", WRAPPER, str(folder))
        )
        command = ["journalctl", "--no-pager", "-o", "json", "-D", str(folder)]

        def events():
            done = subprocess.run(command, capture_output=True, text=True)
            objects = [json.loads(line) for line in done.stdout.splitlines()]
            return {each["BAILIWICK_EVENT"]: each for each in objects if "BAILIWICK_EVENT" in each}

        self.eventually(lambda: "ready" in events(), "the journal has it")
        loaded = events()["order loaded"]
        self.assertEqual(loaded["PRIORITY"], "6")
        self.assertEqual(loaded["BAILIWICK_MODULE"], "orders")
        self.assertEqual(loaded["BAILIWICK_ID"], "ONE")
        self.assertRegex(loaded["MESSAGE"], "^orders: order loaded id=ONE sha256=[0-9a-f]{64} file=")
        self.assertEqual(loaded["SYSLOG_IDENTIFIER"], "bailiwickd")
        proxy.stop()

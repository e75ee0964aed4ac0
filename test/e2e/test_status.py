# SPDX-License-Identifier: GPL-3.0-or-later
"""`bailiwick status`: what the daemon says of itself, and that it counts what was asked."""

from dnsbytes import header, opt, query
from harness import MILAN
from policytest import SMALL, PolicyTest, order, small_database

INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Status(PolicyTest):
    CONFIG = SMALL
    FILES = {"country.mmdb": small_database()}
    ORDERS = {
        "IT/milano.yaml": MILAN,
        "IT/shadow.yaml": order("IT-SHADOW", action="shadow", names=["shadow.example"]),
        "IT/drop.yaml": order("IT-DROP", action="drop", names=["drop.example"]),
        "IT/unknown.yaml": order("IT-UNKNOWN", include_unknown="yes", names=["unknown.example"]),
        "DE/coming.yaml": order(
            "DE-COMING", names=["kickasstorrents.to"], effective="2999-01-01T00:00:00Z"
        ),
    }

    KEYS = (
        "version started generation loaded errors warnings orders orders_in_force names geo "
        "upstreams workers queries forwarded blocked would_block answered servfail formerr dropped "
        "receive_drops by_order by_country"
    ).split()

    def test_keys(self):
        status = self.proxy.status()
        self.assertEqual([key for key in status if key in self.KEYS], self.KEYS)
        for key in ("started", "loaded"):
            self.assertRegex(status[key], f"^{INSTANT}$")
        self.assertEqual(status["geo"]["build"], "2026-01-01T00:00:00Z")
        self.assertTrue(status["geo"]["database"].endswith("country.mmdb"))
        self.assertEqual(status["geo"]["overrides"], None)
        self.assertEqual((status["errors"], status["warnings"]), ([], []))
        self.assertEqual(
            (status["orders"], status["orders_in_force"], status["workers"]), (5, 4, 2)
        )
        self.assertEqual(status["names"], 7)
        (upstream,) = status["upstreams"]
        self.assertEqual(upstream, {"address": "127.0.0.2:5300", "up": True, "outstanding": 0})

    def test_counters(self):
        """What was asked is what is counted, by whatever worker."""
        before = self.proxy.status()
        refused, shadow, free = (
            query(each) for each in ("kickasstorrents.to", "shadow.example", "free.example")
        )
        unreadable = header(1, 0, 2)
        bad = query("kickasstorrents.to", opt=opt(version=1))
        for client in (self.italian4, self.italian6):
            for transport, times in (("udp", 5), ("tcp", 3)):
                for _ in range(times):
                    for message in (refused, free, shadow, unreadable, bad):
                        client.ask(message, transport)
        for _ in range(4):
            self.german4.ask(refused)
            self.client("9.9.9.9").ask(query("unknown.example"))
        with self.italian4.udp() as channel:
            channel.send(query("drop.example"), free[:7])
            self.assertTrue(channel.is_silent(0.1))
        expected = {
            "queries": 16 * 5 + 8 + 2, "forwarded": 16 * 2 + 4, "answered": 16 * 2 + 4,
            "blocked": 16 * 2 + 4 + 1, "would_block": 16, "formerr": 32, "servfail": 0,
            "dropped": 1,
        }  # fmt: skip
        after = self.proxy.status()
        self.assertEqual({key: after[key] - before[key] for key in expected}, expected)
        difference = lambda key: {
            each: count - before[key].get(each, 0) for each, count in after[key].items()
        }
        self.assertEqual(
            difference("by_order"), {"IT-MI-2022-07-11": 32, "IT-DROP": 1, "IT-UNKNOWN": 4}
        )
        countries = {
            code: (count["queries"], count["blocked"])
            for code, count in after["by_country"].items()
        }
        self.assertEqual(countries, {"IT": (81, 33), "DE": (4, 0), "unknown": (4, 4)})

    def test_for_a_person(self):
        text = self.proxy.tool("status").stdout
        for part in (
            "generation",
            "country.mmdb",
            "2026-01-01T00:00:00Z",
            "127.0.0.2:5300",
            "queries",
        ):
            self.assertIn(part, text)

    def test_counts_outlive_generations(self):
        self.italian4.ask(query("kickasstorrents.to"))
        before = self.proxy.status()
        for _ in range(3):
            self.proxy.reload()
            self.italian4.ask(query("kickasstorrents.to"))
        self.proxy.reload()
        after = self.proxy.status()
        self.assertEqual(after["generation"], before["generation"] + 4)
        self.assertEqual(after["blocked"], before["blocked"] + 3)
        before["by_order"]["IT-MI-2022-07-11"] += 3
        self.assertEqual(after["by_order"], before["by_order"])

# SPDX-License-Identifier: GPL-3.0-or-later
"""`bailiwick status`: what the daemon says of itself, and that it counts what was asked."""

import signal

from dnsbytes import header, opt, query
from harness import MILAN, SERVER4, SERVER6, SiteTest
from policytest import SMALL, PolicyTest, order, small_database

INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Listeners(SiteTest):
    LISTEN = [
        {"address": SERVER4, "port": 53}, {"address": SERVER6, "port": 53, "transport": ["udp"]}
    ]  # fmt: skip

    def start(self, receive_buffer, **options):
        return self.daemon(
            self.upstream(),
            files={"country.mmdb": small_database()},
            config={**SMALL, "listen": self.LISTEN, "limits": {"receive-buffer": receive_buffer}},
            **options,
        )

    def listeners(self, daemon):
        return {
            (each.pop("transport"), each.pop("address")): each
            for each in daemon.status()["listeners"]
        }

    def test_drops_are_told_apart(self):
        """What came while nobody read: queries by UDP at one address."""
        daemon = self.start("64 KiB")
        buffer = {"receive_buffer": 65536, "drops": 0}
        expected = {
            ("udp", f"{SERVER4}:53"): buffer,
            ("tcp", f"{SERVER4}:53"): {"waiting": 0, "drops": 0},
            ("udp", f"[{SERVER6}]:53"): buffer,
        }
        self.assertEqual(self.listeners(daemon), expected)
        self.assertEqual(daemon.status()["warnings"], [])
        daemon.signal(signal.SIGSTOP)
        for _ in range(8):
            with self.italian6.udp() as channel:
                channel.send(*[query("kickasstorrents.to") + bytes(1000)] * 100)
        daemon.signal(signal.SIGCONT)
        found = self.listeners(daemon)
        dropped = found.pop(("udp", f"[{SERVER6}]:53"))["drops"]
        self.assertGreater(dropped, 0)
        self.assertEqual(daemon.status()["receive_drops"], dropped)
        self.assertEqual(found, {key: expected[key] for key in found})
        self.assertRegex(daemon.tool("status").stdout, rf"\[{SERVER6}\]:53 +udp +65536 +- +{dropped}\n")

    def test_a_buffer_that_is_not_granted(self):
        """It serves, and says what to raise."""
        without = ("setpriv", "--bounding-set=-net_admin", "--")
        daemon = self.start("1024 MiB", prefix=without)
        daemon.wait_for_log("receive buffer is short")
        told = [each["warning"] for each in daemon.status()["warnings"]]
        self.assertEqual(len(told), 2, told)
        for line, address in zip(told, (SERVER4, SERVER6)):
            self.assertIn(f"{address}", line)
            self.assertIn("net.core.rmem_max", line)
        self.assertEqual(self.german4.ask(query("www.example", id=7))[:2], b"\0\7")


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
        self.assertEqual(
            upstream,
            {"address": "127.0.0.2:5300", "up": True, "drained": False, "outstanding": 0},
        )

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

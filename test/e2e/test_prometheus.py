# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Prometheus scrapes a daemon: its answers agree with what was asked. promtool finds nothing
to say of the metrics; the alerts that are shipped fire when they should, and every expression of the
board finds what it asks for."""

import json
import subprocess

from dnsbytes import REFUSED, parse, query
from harness import MILAN, REPOSITORY, SiteTest
from prometheus import ALERTS, BOARD, METRICS_PORT, Prometheus, http, panels

BLOCKED = "kickasstorrents.to"
REVIEWED = {**MILAN, "id": "IT-reviewed", "review": "2023-01-01", "names": ["other.example"]}
CONFIG = {"metrics": {"port": METRICS_PORT}, "geo": {"max-age": "3650d"}}


def promtool(*arguments, **options):
    return subprocess.run(
        ["promtool", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


class Scraped(SiteTest):
    def setUp(self):
        orders = {"IT/milan.yaml": MILAN, "IT/reviewed.yaml": REVIEWED}
        self.daemon = self.daemon(self.upstream(), orders=orders, config=CONFIG)
        self.prometheus = self._started(Prometheus(self.site))

    def assert_becomes(self, expression, expected):
        self.eventually(
            lambda: self.prometheus.value(expression) == expected,
            lambda: f"{expression} is {expected}, not {self.prometheus.value(expression)}",
        )

    def firing(self):
        alerts = self.prometheus.ask("alerts")["alerts"]
        return {(each["labels"]["alertname"], each["state"]) for each in alerts}

    def test_it_knows_what_was_asked(self):
        self.assert_becomes('up{job="bailiwick"}', 1)  # what is asked now is a rise
        for _ in range(3):
            self.assertEqual(parse(self.italian4.ask(query(BLOCKED))).rcode, REFUSED)
        for number in range(5):
            self.german4.ask(query(f"free{number}.example"))
        self.assert_becomes('sum(bailiwick_answers_total{rcode!="NOTIMP"})', 8)
        for expression, expected in {
            'bailiwick_answers_total{transport="udp",rcode="REFUSED"}': 3,
            'bailiwick_answers_total{transport="udp",rcode="NOERROR"}': 5,
            'bailiwick_order_blocked_total{order="IT-MI-2022-07-11"}': 3,
            'bailiwick_order_blocked_total{order="IT-reviewed"}': 0,
            'bailiwick_country_blocked_total{country="IT"}': 3,
            "sum(bailiwick_upstream_answers_total)": 5,
            "bailiwick_upstream_latency_seconds_count": 5,
            "histogram_quantile(1, bailiwick_upstream_latency_seconds_bucket) <= bool 8.388608": 1,
            'bailiwick_orders{state="in_force"}': 2,
            "bailiwick_reload_successful": 1,
        }.items():
            with self.subTest(expression=expression):
                self.assertEqual(self.prometheus.value(expression), expected)
        self.assertEqual(len(self.prometheus.ask("targets")["activeTargets"]), 1)
        self.boards_expressions_find_something()
        self.alerts_fire()

    def boards_expressions_find_something(self):
        """All but one for what there is none of here."""
        absent = "Only counted (shadow) by order"
        find = lambda expression: self.prometheus.ask("query", query=expression)["result"]
        for panel in panels():
            for expression, _ in panel.targets:
                with self.subTest(panel=panel.title, expression=expression):
                    if panel.title == absent:
                        self.assertEqual(find(expression), [])
                    else:
                        self.eventually(lambda: find(expression), "something is found")

    def alerts_fire(self):
        """Each one in the state that its cause has brought it to; how long it takes from there to
        firing is promtool's to test."""
        self.eventually(
            lambda: ("BailiwickOrderPastReview", "firing") in self.firing(), "the review is past"
        )
        self.assertEqual({name for name, _ in self.firing()}, {"BailiwickOrderPastReview"})
        self.daemon.write_order("IT/broken.yaml", "id: [")
        self.assertEqual(self.daemon.tool("reload").returncode, 1)
        self.eventually(
            lambda: ("BailiwickReloadFailing", "pending") in self.firing(), "a load has failed"
        )


class Shipped(SiteTest):
    def test_promtool_has_nothing_to_say_of_the_metrics(self):
        self.daemon(self.upstream(), config=CONFIG)
        self.italian4.ask(query(BLOCKED))
        _, text = http(self.site, METRICS_PORT, b"GET /metrics HTTP/1.0\r\n\r\n")
        done = promtool("check", "metrics", input=text)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_alerts(self):
        done = promtool("check", "rules", "--lint-fatal", ALERTS)
        self.assertEqual(done.returncode, 0, done.stdout)
        done = promtool("test", "rules", REPOSITORY / "test" / "e2e" / "alerts_test.yml")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_board(self):
        """What Grafana looks for: unique ids, a place and a source of data for each panel."""
        board = json.loads(BOARD.read_text())
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        cells = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            own = {
                (place["x"] + x, place["y"] + y)
                for x in range(place["w"])
                for y in range(place["h"])
            }
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertFalse(cells & own, panel["title"])
            cells |= own
            for target in panel.get("targets", ()):
                self.assertEqual(target["datasource"]["uid"], "${datasource}")
        self.assertEqual({each["name"] for each in board["templating"]["list"]},
                         {"datasource", "instance"})

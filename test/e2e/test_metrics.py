# SPDX-License-Identifier: GPL-3.0-or-later
"""What /metrics tells agrees with what was asked and with the manual, and nobody keeps others from
asking. A real Prometheus is in test_prometheus.py."""

import re

from client import DEADLINE
from dnsbytes import BADVERS, NOERROR, REFUSED, SERVFAIL, answer, opt, parse, query
from harness import MILAN, SiteTest
from policytest import marked
from prometheus import METRICS_PORT, connect, http, samples
from test_manual import Page
from upstream import silent

BLOCKED = "kickasstorrents.to"

SHADOW = {
    "id": "IT-shadow",
    "authority": "Tribunale",
    "issued": "2022-07-11",
    "timezone": "Europe/Rome",
    "review": "2023-01-01",
    "action": "shadow",
    "names": ["shadowed.example"],
}


class MetricsTest(SiteTest):
    def watched(self, *upstreams, **options):
        config = {"metrics": {"port": METRICS_PORT}, **options.pop("config", {})}
        return self.daemon(*upstreams, config=config, **options)

    def connect(self):
        return connect(self.site, METRICS_PORT)

    def http(self, request):
        return http(self.site, METRICS_PORT, request)

    def scrape(self):
        head, body = self.http(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn("200 OK", head)
        self.assertIn("Content-Type: text/plain; version=0.0.4", head)
        return body

    def metrics(self):
        return samples(self.scrape())


class Numbers(MetricsTest):
    def test_they_agree_with_what_was_asked(self):
        upstream = self.upstream()
        daemon = self.watched(upstream, orders={"IT/milan.yaml": MILAN, "IT/shadow.yaml": SHADOW})
        before = self.metrics()
        for _ in range(3):
            self.assertEqual(parse(self.italian4.ask(query(BLOCKED))).rcode, REFUSED)
        for number in range(5):
            self.german4.ask(query(f"free{number}.example"))
        self.italian4.ask(query("shadowed.example"))
        with self.italian4.tcp() as channel:
            channel.send(query(BLOCKED))
            channel.receive()
            self.assertEqual(self.metrics()["bailiwick_connections", 'transport="tcp"'], 1)
        after = self.metrics()
        rise = lambda name, labels="": after[name, labels] - before.get((name, labels), 0)
        server = f'server="127.0.0.2:{upstream.server[1]}",transport="dns"'
        for (name, labels), expected in {
            ("bailiwick_queries_total", 'transport="udp"'): 9,
            ("bailiwick_queries_total", 'transport="tcp"'): 1,
            ("bailiwick_answers_total", 'transport="udp",rcode="REFUSED"'): 3,
            ("bailiwick_answers_total", 'transport="udp",rcode="NOERROR"'): 6,
            ("bailiwick_answers_total", 'transport="tcp",rcode="REFUSED"'): 1,
            ("bailiwick_own_latency_seconds_count", 'transport="udp"'): 9,
            ("bailiwick_own_latency_seconds_bucket", 'transport="tcp",le="+Inf"'): 1,
            ("bailiwick_country_queries_total", 'country="IT"'): 5,
            ("bailiwick_country_blocked_total", 'country="IT"'): 4,
            ("bailiwick_country_queries_total", 'country="DE"'): 5,
            ("bailiwick_country_blocked_total", 'country="DE"'): 0,
            ("bailiwick_order_blocked_total", 'order="IT-MI-2022-07-11"'): 4,
            ("bailiwick_order_would_block_total", 'order="IT-shadow"'): 1,
            ("bailiwick_blocked_total", ""): 4,
            ("bailiwick_forwarded_total", ""): 6,
            ("bailiwick_upstream_queries_total", server): 6,
            ("bailiwick_upstream_answers_total", server): 6,
            ("bailiwick_upstream_timeouts_total", server): 0,
            ("bailiwick_upstream_latency_seconds_count", server): 6,
            ("bailiwick_receive_drops_total", 'listener="0.0.0.0:53",transport="udp"'): 0,
        }.items():
            with self.subTest(metric=name, labels=labels):
                self.assertEqual(rise(name, labels), expected)
        self.assertEqual(after["bailiwick_upstream_up", server], 1)
        self.assertEqual(after["bailiwick_orders", 'state="in_force"'], 2)
        self.assertEqual(after["bailiwick_orders_past_review", ""], 1)
        self.assertEqual(after["bailiwick_in_flight", ""], 0)
        status = daemon.status()
        for name in ("forwarded", "blocked", "would_block", "dropped", "answered"):
            self.assertEqual(after[f"bailiwick_{name}_total", ""], status[name], name)

    def test_who_does_not_answer(self):
        upstream = self.upstream(script=silent)
        self.watched(upstream, config={"upstream": {"timeout": "300ms", "retry-after": "100ms"}})
        self.assertEqual(parse(self.german4.ask(query("slow.example"))).rcode, SERVFAIL)
        found = self.metrics()
        server = f'server="127.0.0.2:{upstream.server[1]}",transport="dns"'
        self.assertEqual(found["bailiwick_upstream_timeouts_total", server], 1)
        self.assertEqual(found["bailiwick_upstream_answers_total", server], 0)
        self.assertEqual(found["bailiwick_servfail_total", ""], 1)
        self.assertEqual(found["bailiwick_answers_total", 'transport="udp",rcode="SERVFAIL"'], 1)

    def test_rcodes(self):
        """Those that stand in the OPT, made here and by upstream; a transfer is one answer."""
        later = lambda request: request.reply(
            answer(request.message, additional=[opt(extended_rcode=1)])
        )
        upstream = self.upstream(script=later)
        self.watched(upstream, orders={"IT/milan.yaml": MILAN},
                     config={"upstream": {"timeout": "300ms"}})  # fmt: skip
        for client, name in ((self.italian4, BLOCKED), (self.german4, "free.example")):
            self.assertEqual(parse(client.ask(query(name, opt=opt(version=1)))).rcode, BADVERS)
        for script, rcode in ((marked, NOERROR), (silent, SERVFAIL)):
            upstream.script = script
            with self.german4.tcp() as channel:
                channel.send(query("free.example", "AXFR"))
                self.assertEqual(parse(channel.receive()).rcode, rcode)
        found = self.metrics()
        for transport, rcode, expected in (
            ("udp", "BADVERS", 2), ("udp", "NOERROR", 0), ("tcp", "NOERROR", 1), ("tcp", "SERVFAIL", 1),
        ):  # fmt: skip
            labels = f'transport="{transport}",rcode="{rcode}"'
            self.assertEqual(found["bailiwick_answers_total", labels], expected, labels)

    def test_reloads(self):
        daemon = self.watched(self.upstream())
        before = self.metrics()
        self.assertEqual(before["bailiwick_reload_successful", ""], 1)
        daemon.write_order("IT/broken.yaml", "id: [")
        self.assertEqual(daemon.tool("reload").returncode, 1)
        failed = self.metrics()
        self.assertEqual(failed["bailiwick_reload_successful", ""], 0)
        self.assertEqual(failed["bailiwick_reloads_total", 'result="partial"'], 1)
        self.assertGreater(failed["bailiwick_reload_failure_timestamp_seconds", ""], 0)
        self.assertEqual(failed["bailiwick_problems", 'level="error"'], 1)
        changed = ("bailiwick_orders_changed_timestamp_seconds", "")
        self.assertEqual(failed[changed], before[changed])
        daemon.remove_order("IT/broken.yaml")
        daemon.reload()
        mended = self.metrics()
        self.assertEqual(mended["bailiwick_reload_successful", ""], 1)
        self.assertEqual(mended["bailiwick_generation", ""], 3)


    def test_the_manual_lists_them_all(self):
        self.watched(self.upstream())
        told = {line.split(" ")[2] for line in self.scrape().splitlines() if "# TYPE " in line}
        section = Page("bailiwickd.8").section("METRICS")
        listed = set(re.findall(r"^\.(?:It )?Cm (bailiwick_\w+|process_\w+)", section, re.M))
        self.assertEqual(told, listed)


class Http(MetricsTest):
    def test_requests(self):
        self.watched(self.upstream())
        for request, expected in {
            b"GET /metrics HTTP/1.0\r\n\r\n": "200",
            b"GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n": "200",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n": "404",
            b"GET /metrics/ HTTP/1.1\r\nHost: a\r\n\r\n": "404",
            b"GET /%6detrics HTTP/1.1\r\nHost: a\r\n\r\n": "404",
            b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na": "405",
            b"DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n": "405",
            b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n": "413",
            b"GET /metrics HTTP/1.1\r\nA: " + b"a" * 20000 + b"\r\n\r\n": "400",
            b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n": "400",
        }.items():
            with self.subTest(request=request[:40]):
                head, _ = self.http(request)
                self.assertEqual(head.split(" ")[1:2], [expected], head)
        head, body = self.http(b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn("200 OK", head)
        self.assertEqual(body, "")
        head, _ = self.http(b"PUT /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn("Allow: GET, HEAD", head)

    def test_who_holds_connections_keeps_nobody_out(self):
        """Silent, half a request, or never reading: the oldest gives way."""
        daemon = self.watched(self.upstream())
        before = self.metrics()["process_open_fds", ""]
        held = [self.connect() for _ in range(40)]
        for each in held[::2]:
            each.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        self.assertIn("bailiwick_build_info", self.scrape())
        greedy = [self.connect() for _ in range(10)]
        for each in greedy:
            each.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        self.assertIn("bailiwick_build_info", self.scrape())
        held[0].settimeout(DEADLINE)
        self.assertEqual(held[0].recv(1), b"")
        daemon.reload()  # the main thread waits for nobody
        for each in held + greedy:
            each.close()

        def gone():
            return self.metrics()["process_open_fds", ""] <= before

        self.eventually(gone, "connections closed by their clients are closed here")

    def test_no_key_no_listener(self):
        self.daemon(self.upstream())
        with self.assertRaises(ConnectionRefusedError):
            self.connect()

    def test_address_in_use(self):
        daemon = self.watched(self.upstream())
        other = self.daemon(
            self.upstream(address="127.0.0.5"),
            config={"metrics": {"port": METRICS_PORT}, "listen": [{"address": "127.0.0.9", "port": 5399}]},
            start=False,
        )
        self.assertEqual(other.run_to_end(), 1)
        self.assertRegex(
            other.log(),
            rf"{other.conf}:\d+:\d+: metrics: cannot listen on 127\.0\.0\.1:{METRICS_PORT}: Address "
            "already in use",
        )
        daemon.status()

# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock that cannot be right: before the day the program was made. A start is refused; a clock
that jumps there later is told, and orders are judged by the time before it, which goes on."""

import datetime
import glob
import json

from dnsbytes import REFUSED, parse, query
from harness import BUILD, MILAN, SiteTest
from prometheus import METRICS_PORT, http, samples

# faketime(1) goes before all libraries, and so do the sanitizers.
PLAIN = BUILD.name not in ("asan", "tsan")
FORMER = {**MILAN, "id": "former", "until": "2024-01-01", "names": ["former.example"]}


class Clock(SiteTest):
    def setUp(self):
        self.resolver = self.upstream()
        self.clock = self.site.folder / "clock"
        [library] = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        self.faketime = (
            "env", f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={self.clock}",
            "FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1", "TZ=UTC",
        )  # fmt: skip

    def set_clock(self, when):
        self.clock.write_text(when + "\n")

    def believing(self, **options):
        return self.daemon(self.resolver, prefix=self.faketime, **options)

    if PLAIN:

        def test_a_start_is_refused(self):
            self.set_clock("@2023-01-01 12:00:00")
            daemon = self.believing(start=False)
            self.assertEqual(daemon.run_to_end(), 1)
            said = daemon.wait_for_log("cannot start")
            self.assertRegex(said, r"the clock says 2023-01-01T1[12]:\d\d:\d\dZ, and this program was made 20")

        def test_a_clock_that_jumps_back_is_not_believed(self):
            self.set_clock("+0")
            daemon = self.believing(
                orders={"IT/milan.yaml": MILAN, "IT/former.yaml": FORMER},
                config={"metrics": {"port": METRICS_PORT}},
            )
            refused = query("kickasstorrents.to"), query("former.example")
            self.assertEqual(parse(self.italian4.ask(refused[0])).rcode, REFUSED)
            self.set_clock("@2022-09-01 12:00:00")
            self.assertEqual(parse(self.italian4.ask(refused[0])).rcode, REFUSED)
            self.assertNotEqual(parse(self.italian4.ask(refused[1])).rcode, REFUSED)
            [warning] = [each for each in daemon.status()["warnings"] if "clock" in each["warning"]]
            year = datetime.datetime.now().year
            self.assertGreaterEqual(int(warning["since"][:4]), year)
            daemon.wait_for_log("the clock is wrong clock=2022-09-01T1")
            daemon.reload()  # what is loaded meanwhile is judged by the same time
            self.assertNotEqual(parse(self.italian4.ask(refused[1])).rcode, REFUSED)
            self.assertEqual(daemon.status()["orders_in_force"], 1)
            found = samples(http(self.site, METRICS_PORT, b"GET /metrics HTTP/1.0\r\n\r\n")[1])
            self.assertGreaterEqual(
                found["bailiwick_reload_success_timestamp_seconds", ""],
                found["bailiwick_generation_loaded_timestamp_seconds", ""],
            )
            self.set_clock("+0")
            self.eventually(
                lambda: not any("clock" in each["warning"] for each in daemon.status()["warnings"]),
                "the clock is right again",
            )
            daemon.wait_for_log("the clock is right again")

        def test_a_clock_that_jumps_ahead_passes_no_end_of_windows(self):
            """Two a day, for a hundred years: nobody wants to read them, nor the daemon to write."""
            hours = {"timezone": "Europe/Rome", "windows": [{"from": "08:00", "to": "18:00"}]}
            forever = {key: MILAN[key] for key in ("id", "authority", "issued", "names")}
            self.set_clock("+0")
            daemon = self.believing(orders={"IT/milan.yaml": {**forever, **hours}})
            self.set_clock("@2126-01-01 12:00:00")
            daemon.reload()
            record = daemon.folder / "state/audit/00000001.jsonl"
            told = lambda: [
                event for event in map(json.loads, record.read_text().splitlines())
                if event["event"] in ("begins", "ends")
            ]  # fmt: skip
            self.eventually(lambda: told(), "windows are told")
            self.assertEqual(told()[-1]["event"], "begins")
            self.assertEqual(told()[-1]["at"], "2126-01-01T07:00:00Z")
            self.assertLess(len(told()), 20)
            self.assertEqual(parse(self.italian4.ask(query("kickasstorrents.to"))).rcode, REFUSED)

    def test_the_clock_of_this_machine_is_right(self):
        daemon = self.daemon(self.resolver)
        self.assertNotIn("clock", daemon.log())

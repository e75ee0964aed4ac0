# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark runs and measures something; what it finds is for people, not for a test."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from harness import BUILD, REPOSITORY

PROGRAMS = ("floor", "bailiwickd")  # the peers are no part of what the tests need

# Not every machine has counters of instructions; what `perf stat` writes where there are.
FAKE_PERF = """#!/bin/sh
while [ "$1" != -- ]; do
    [ "$1" != -o ] || out=$2
    shift
done
shift
printf '# started on\\n\\n2000000,,instructions:u,1,100.00,,\\n8000000,,instructions:k,1,100.00,,\\n' >"$out"
exec "$@"
"""


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        build = f"BUILD={BUILD.relative_to(REPOSITORY)}"
        sanitize = f"SANITIZE={BUILD.name if BUILD.name in ('asan', 'tsan') else ''}"
        subprocess.run(
            ["make", "--silent", build, sanitize, "bench-build"],
            cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL,
        )

    def run_bench(self, *command, perf=FAKE_PERF):
        with tempfile.TemporaryDirectory() as folder:
            fake = pathlib.Path(folder) / "perf"
            fake.write_text(perf)
            fake.chmod(0o755)
            path = f"{folder}:{os.environ['PATH']}"
            done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True,
                                  env={**os.environ, "PATH": path})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_lists_of_every_size(self):
        text = self.run_bench("test/bench/lists", "--names", "500", "--each", "10",
                              "--programs", "bailiwickd")
        self.assertRegex(text, r"bailiwickd +500 ")
        self.assertIn("200 countries with 10 names each", text)

    def test_what_an_answer_reflects(self):
        """As little as bailiwickd(8) says."""
        text = " ".join((REPOSITORY / "forwarder/man/bailiwickd.8").read_text().split())
        [times] = re.findall(r"as a packet at most (\d+) times the octets of its query", text)
        rows = json.loads(self.run_bench("test/bench/reflection", "--json"))
        self.assertGreater(len(rows), 50)
        for row in rows:
            kind = row["kind"]
            most = int(times)
            if kind.startswith(("FORMERR", "BADVERS", "NOTIMP", "REFUSED, not", "TC=1")):
                most = 1
            elif kind.startswith("SERVFAIL"):
                self.assertLessEqual(row["out"], row["in"] + 6)
            elif kind.startswith("QUIC"):
                most = 3
            self.assertLessEqual(row["packets"], most, row)
            if not kind.startswith("QUIC"):
                self.assertLessEqual(row["out"], 1400, row)

    def test_reload_under_load(self):
        text = self.run_bench("test/bench/reload", "--names", "500", "--turns", "1",
                              "--seconds", "0.6")
        self.assertRegex(text, r"(?m)^half of that +[0-9]+ ")

    def test_every_case_is_measured(self):
        with tempfile.TemporaryDirectory() as name:
            text = self.run_bench(
                "test/bench/run", "--turns", "1", "--seconds", "0.2", "--names", "1000",
                "--spread", "1000", "--programs", ",".join(PROGRAMS), "--no-count", "--idle", "2",
                "--out", name,
            )
            out = pathlib.Path(name)
            self.assertEqual((out / "tables.txt").read_text(), text)
            (turn,) = json.loads((out / "measurements.json").read_text())
            for picture in ("cpu.svg", "latency.svg"):
                xml.etree.ElementTree.parse(out / picture)
        for program in PROGRAMS:
            for case in ("out of scope", "not listed", "blocked"):
                for temperature in ("warm", "cold", "spare"):
                    figures = turn[f"{program}/{case}/{temperature}"]
                    self.assertGreater(figures["received"], 0)
                    self.assertGreater(figures["cpu_ns"], 100)
                    self.assertGreater(figures["share"], 0)
        by_perf = text.partition("counted by perf stat\n")[2].splitlines()[1:1 + len(PROGRAMS)]
        for name, row in zip(PROGRAMS, by_perf, strict=True):
            found, *counts = row.split()
            self.assertEqual((found, len(counts)), (name, 6))
            for user, kernel in zip(counts[::2], counts[1::2], strict=True):
                self.assertAlmostEqual(int(kernel), 4 * int(user), delta=4)
        for name in ("direct", *PROGRAMS):
            latency = turn[f"{name}/latency/warm"]
            self.assertGreater(latency["p99"], 0)
            self.assertGreater(latency["received"], 0)

    def test_a_machine_that_counts_no_instructions(self):
        text = self.run_bench(
            "test/bench/run", "--turns", "1", "--seconds", "0.1", "--names", "10", "--spread", "10",
            "--programs", "floor", "--no-count", "--idle", "1",
            perf=FAKE_PERF.replace("2000000", "<not supported>"),
        )
        self.assertIn("not measured: perf stat counts no instructions on this machine", text)

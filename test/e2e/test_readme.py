# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README shows is so: each of its commands is run, each of its files is read. Without a
network: the site has none."""

import os
import re
import shutil
import signal
import subprocess
import unittest

from client import DEADLINE
from harness import COUNTRY_DATABASE, REPOSITORY, Daemon, SiteTest, country_database

BUILDING = 600  # seconds that a build may take

README = (REPOSITORY / "README.md").read_text()
# The commands are a user's: they build into and run from build/.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "BUILD"}
# Run by what runs this, or would run this again.
RUN_ELSEWHERE = {"./scripts/check", "make unit"}
QUICKSTART = "./scripts/quickstart"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands():
    return [line for block in blocks("sh") for line in block.splitlines()]


class Quickstart:
    """./scripts/quickstart on a machine that has only its loopback."""

    def __init__(self, site, *arguments):
        with site.server:
            self.process = subprocess.Popen(
                [QUICKSTART, *arguments],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                env=ENVIRONMENT,
            )
        self.output = ""

    def read_until(self, text):
        for line in self.process.stdout:
            self.output += line
            if text in line:
                return
        raise AssertionError(f"quickstart ended before it said {text!r}:\n{self.output}")

    def end(self, *_):
        """Its output and status after what Ctrl-C sends: SIGINT to all of the terminal's group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        rest, _ = self.process.communicate(timeout=DEADLINE)
        return self.output + rest, self.process.returncode


class Commands(SiteTest):
    def run_in_site(self, command):
        with self.site.server:
            return subprocess.run(
                command,
                shell=True,
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=BUILDING,
                env=ENVIRONMENT,
            )

    def test_every_command_of_the_readme(self):
        for expected in (QUICKSTART, *RUN_ELSEWHERE):
            self.assertIn(expected, commands())
        quickstart = Quickstart(self.site)
        self.addCleanup(quickstart.end)
        quickstart.read_until("Running.")
        for command in commands():
            if command == QUICKSTART or command in RUN_ELSEWHERE:
                continue
            with self.subTest(command):
                done = self.run_in_site(command)
                # 3 is `bailiwick test` saying that an order blocks.
                self.assertIn(done.returncode, (0, 3), done.stdout)

    def test_quickstart_shows_both_clients(self):
        quickstart = Quickstart(self.site, "--once")
        quickstart.process.wait(BUILDING)
        output, status = quickstart.end()
        self.assertEqual(status, 0, output)
        italian, german = output.index("-b 127.0.39.1"), output.index("-b 127.0.49.1")
        self.assertRegex(output[italian:german], r"status: REFUSED(.|\n)*EDE: 16 \(Censored\)")
        self.assertRegex(output[german:], r"status: NOERROR(.|\n)*192\.0\.2\.80")
        self.assertIn("IT-MI-2022-07-11", output)

    def test_ctrl_c_ends_everything(self):
        quickstart = Quickstart(self.site)
        quickstart.read_until("Running.")
        output, status = quickstart.end()
        self.assertEqual(status, 130, output)
        alive = ["pgrep", "--runstates", "D,R,S", "--session", str(quickstart.process.pid)]
        nobody = lambda: subprocess.run(alive, stdout=subprocess.DEVNULL).returncode == 1
        self.eventually(nobody, "no process of the quickstart is left")

    def test_quickstart_refuses_what_it_does_not_know(self):
        quickstart = Quickstart(self.site, "--twice")
        quickstart.process.wait(DEADLINE)
        output, status = quickstart.end()
        self.assertEqual(status, 2)
        self.assertIn("usage:", output)


class Files(SiteTest):
    def check(self, conf=None, orders=None):
        daemon = Daemon(self.site, [("127.0.0.2", 53)], orders=orders or {}, start=False)
        daemon.write("orders/IT/more-names.txt", "another.example\n")
        shutil.copy(COUNTRY_DATABASE, daemon.folder / "GeoLite2-Country.mmdb")
        if conf:
            daemon.write("forwarder.conf", conf)
        done = daemon.tool("check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_file_of_the_readme(self):
        conf, order, in_production = blocks("yaml")
        self.check(conf=conf)
        self.check(conf=conf + in_production)
        self.check(orders={"IT/milan.yaml": order})

    def test_the_order_of_the_quickstart(self):
        example = REPOSITORY / "scripts/quickstart.d/orders/IT/milano-2022-07-11.yaml"
        self.check(orders={"IT/milano.yaml": example.read_text()})


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        for target in re.findall(r"\]\(([^)#]+)\)", README):
            self.assertTrue((REPOSITORY / target).exists(), target)


setUpModule = country_database

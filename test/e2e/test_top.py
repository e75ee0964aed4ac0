# SPDX-License-Identifier: GPL-3.0-or-later
"""bailiwick top: rates while queries come; names only while somebody asks for them, and no client's
address ever."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import threading

from client import DEADLINE
from dnsbytes import a, answer, query, rr
from harness import BUILD, ITALIAN4, SiteTest, sanitized, sanitizer_options

SHADOW = {"id": "shadow", "authority": "x", "issued": "2022-01-01", "action": "shadow",
          "names": ["shadow.example"]}  # fmt: skip
BY_ANSWER = {"id": "by-answer", "authority": "x", "issued": "2022-01-01",
             "answers": ["203.0.113.7/32"]}  # fmt: skip


def listed(request):
    """Answers with an address that an order blocks."""
    request.reply(answer(request.message, [rr("elsewhere.example", "A", 60, a("203.0.113.7"))]))


class Top(SiteTest):
    def setUp(self):
        self.server = self.daemon(self.upstream(script=listed), orders={
            "IT/milan.yaml": dict(id="milan", authority="x", issued="2022-01-01",
                                  names=["kickasstorrents.to", "limetorrents.pro"]),
            "IT/shadow.yaml": SHADOW, "IT/by-answer.yaml": BY_ANSWER,
        })  # fmt: skip

    @contextlib.contextmanager
    def load(self):
        """Clients that ask all the while."""
        ended = threading.Event()
        messages = [query(name, id=number) for number, name in enumerate((
            "www.kickasstorrents.to", "a.b.kickasstorrents.to", "limetorrents.pro",
            "shadow.example", "elsewhere.example",
        ))]  # fmt: skip
        channels = [self.italian4.udp(), self.german6.udp()]

        def ask():
            while not ended.wait(0.005):
                for channel in channels:
                    for message in messages:
                        channel.send(message)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            ended.set()
            asking.join()
            for channel in channels:
                channel.close()

    def once(self, *options):
        done = self.server.tool("top", "--once", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn(ITALIAN4, done.stdout)
        return done.stdout

    def test_rates_and_names(self):
        with self.load():
            rates = json.loads(self.once("--json", "--names"))
        self.assertGreater(rates["queries"], 10)
        self.assertGreater(rates["blocked"], 5)
        self.assertEqual(set(rates["by_order"]), {"milan", "by-answer"})
        self.assertEqual(set(rates["would_block_by_order"]), {"shadow"})
        self.assertGreater(rates["by_country"]["IT"]["blocked"], 0)
        self.assertEqual(rates["by_country"]["DE"]["blocked"], 0)
        names = {each["name"]: each["blocked"] for each in rates["names"]}
        # As the order has them; what an answer held is told by the name that was asked for.
        self.assertEqual(
            set(names),
            {"kickasstorrents.to", "limetorrents.pro", "elsewhere.example", "shadow.example"},
        )
        self.assertGreater(names["kickasstorrents.to"], names["limetorrents.pro"])

    def test_without_names_none_are_counted(self):
        with self.load():
            self.assertNotIn("names", json.loads(self.once("--json")))
            text = self.once()
        self.assertRegex(text, r"(?m)^ORDER +BLOCKED/S$")
        self.assertRegex(text, r"(?m)^IT +\d")
        self.assertNotIn("kickasstorrents", text)

    def start(self, *options, **streams):
        with self.site.server:
            return subprocess.Popen(
                [*sanitized(BUILD / "bailiwick"), "top", "--config", str(self.server.conf), *options],
                env={**os.environ, **sanitizer_options(self.server.folder)},
                **streams,
            )

    def test_on_a_terminal_until_interrupted(self):
        master, terminal = pty.openpty()
        process = self.start(stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        seen = b""
        with self.load():
            while b"COUNTRY" not in seen:
                self.assertTrue(select.select([master], [], [], DEADLINE)[0], seen)
                seen += os.read(master, 65536)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # the end of a terminal
            while more := os.read(master, 65536):
                seen += more
        self.assertEqual(process.wait(DEADLINE), 0)
        os.close(master)
        self.assertTrue(seen.startswith(b"\x1b[?25l"), seen)
        self.assertTrue(seen.endswith(b"\x1b[?25h"), seen)

    def test_a_daemon_that_goes(self):
        process = self.start("--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("queries", json.loads(process.stdout.readline()))
        self.server.stop()
        _, said = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 1)
        self.assertIn("is bailiwickd running?", said)

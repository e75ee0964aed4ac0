# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suites share that change files under a running daemon, or between its runs."""

import json
import os
import socket

from client import DEADLINE
from dnsbytes import REFUSED, parse, query
from harness import merged
from policytest import SMALL, PolicyTest, order, small_database


class ReloadTest(PolicyTest):
    """A daemon for each test, with its files."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy.stop()

    def run_daemon(self, orders=None, files=None, config=None, **options):
        files = {"country.mmdb": small_database(), **(files or {})}
        self.proxy = self.daemon(
            self.resolver,
            orders=orders or {"IT/one.yaml": order("IT-ONE", names=["one.example"])},
            files=files,
            config=merged(SMALL, config or {}),
            **options,
        )
        return self.proxy

    def is_blocked(self, qname, client=None):
        return parse((client or self.italian4).ask(query(qname))).rcode == REFUSED

    def assert_blocked(self, *names):
        for qname in names:
            self.assertTrue(self.is_blocked(qname), f"{qname} is not blocked")

    def assert_free(self, *names):
        for qname in names:
            self.assert_forwarded(self.italian4, query(qname))

    def refused_reload(self, *options):
        """The error lines of a reload that did not load everything."""
        done = self.proxy.tool("reload", *options)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr

    def errors(self):
        """(file below the daemon's folder, line, column) of each error that stands."""
        return [
            (os.path.relpath(error["file"], self.proxy.folder), error["line"], error["column"])
            for error in self.proxy.status()["errors"]
        ]

    def control(self, request):
        """Asks the daemon without the tool, which would have to read forwarder.conf first."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(DEADLINE)
            channel.connect(str(self.proxy.folder / "control.sock"))
            channel.sendall(json.dumps(request).encode() + b"\n")
            with channel.makefile() as answer:
                return json.load(answer)

    def assert_exactly(self, errors):
        self.assertEqual(self.errors(), errors)

    def restart(self, change=None):
        self.proxy.stop()
        if change:
            change()
        self.proxy.start()

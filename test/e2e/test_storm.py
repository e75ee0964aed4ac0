# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsperf at full speed and a prober beside it, while orders are reloaded and the country database
is replaced, by good files and by broken ones: no query is lost and no verdict is wrong. SEED=number
repeats a run."""

import os
import random
import signal
import threading

from client import DEADLINE
from dnsbytes import NOERROR, REFUSED, opt, parse, query
from harness import COUNTRY_DATABASE, GERMAN4, ITALIAN4, Daemon, SiteTest, Unbound
from load import Load
from policytest import (
    BROKEN, LIGHT, SEED, database_of_another_kind, default_text, order, small_database,
)

RELOADS = 40 if LIGHT else 100
REPLACEMENTS = 20  # of the database, among those reloads
PAUSE = 0.05 if LIGHT else 0  # seconds between two rounds of a prober


class Prober(threading.Thread):
    """Asks on and on what every set of files answers alike."""

    ROWS = [
        ("2.32.0.1", "always.example", True),
        ("2.32.0.1", "never.example", False),
        ("5.9.0.1", "always.example", False),
        ("2.32.77.1", "listed.always.example", True),
        ("2001:b07::7", "x.always.example", True),
        ("2a01:4f8::7", "always.example", False),
    ]

    def __init__(self, site):
        super().__init__(daemon=True)
        self.site = site
        self.asked = 0
        self.wrong = []
        self.stopping = threading.Event()

    def run(self):
        try:
            while not self.stopping.wait(PAUSE):
                for address, qname, blocked in self.ROWS:
                    self.probe(address, qname, blocked, "udp")
                    self.probe(address, qname, blocked, "tcp")
        except Exception as error:  # told to who stops it
            self.wrong.append(repr(error))

    def probe(self, address, qname, blocked, transport):
        received = parse(self.site.client(address).ask(query(qname, opt=opt()), transport))
        expected = (REFUSED, default_text("IT-ALWAYS")) if blocked else (NOERROR, None)
        if (received.rcode, received.ede and received.ede[1]) != expected:
            self.wrong.append(f"{address} {qname}: {received}")
        self.asked += 1

    def stop(self):
        self.stopping.set()
        self.join(DEADLINE)


class Storm(SiteTest):
    """dnsperf and a prober, while orders are reloaded and the database is replaced."""

    def setUp(self):
        self.rng = random.Random(SEED)
        self.resolver = Unbound(
            self.site, data=["never.example. 300 A 192.0.2.80", "always.example. 300 A 192.0.2.81"]
        )
        always = order("IT-ALWAYS", names=["always.example"])
        self.proxy = Daemon(
            self.site, [self.resolver], orders={"IT/always.yaml": always},
            files={"country.mmdb": COUNTRY_DATABASE.read_bytes()},
            config={"geo": {"database": "country.mmdb", "max-age": "3650d"}},
        )  # fmt: skip
        self.database = self.proxy.folder / "country.mmdb"
        self.good = [COUNTRY_DATABASE.read_bytes(), small_database()]

    # ---- what changes

    def change_orders(self, number):
        """Is the set of files good afterwards? Orders that come, go, break and are mended; what is
        always blocked stays, by whatever version of its order."""
        proxy = self.proxy
        proxy.write_order(
            "IT/changing.yaml",
            order("IT-CHANGING", names=[f"n{number}.example", "never.example.org"]),
        )
        extra = proxy.folder / "orders/IT/extra.yaml"
        if number % 3 == 0:
            proxy.write_order("IT/extra.yaml", order("IT-EXTRA", names=["extra.example"]))
        elif number % 3 == 1:
            extra.unlink(missing_ok=True)
        good = order("IT-ALWAYS", names=["always.example", f"v{number}.example"])
        broken = number % 4 == 3
        proxy.write_order("IT/always.yaml", BROKEN if broken else good)
        return not broken

    def replace_database(self, number):
        """Is the file good afterwards? In place means: by a copy over the file that is in use."""
        rename = lambda content: self.proxy.write("country.mmdb", content)
        good, other = self.good[number // 10 % 2], self.good[1 - number // 10 % 2]
        ways = [
            lambda: rename(good),
            lambda: rename(good[: self.rng.randrange(len(good))]),
            lambda: self.database.write_bytes(good),
            lambda: rename(b""),
            lambda: os.truncate(self.database, self.database.stat().st_size // 2),
            lambda: rename(self.rng.randbytes(100_000)),
            lambda: self.database.write_bytes(other),
            lambda: rename(database_of_another_kind()),
            lambda: os.truncate(self.database, 0),
            lambda: self.database.unlink(),
        ]  # fmt: skip
        way = number % len(ways)
        ways[way]()
        return way in (0, 2, 6)

    def reload(self, number, good):
        """By the tool and by SIGHUP in turn; the tool tells whether all was good."""
        if number % 5 == 4:
            before = self.proxy.status()["generation"]
            self.proxy.signal(signal.SIGHUP)
            self.eventually(lambda: self.proxy.status()["generation"] > before, "a new generation")
            return
        strict = ["--strict"] if good and number % 5 == 2 else []
        done = self.proxy.tool("reload", *strict)
        self.assertEqual(done.returncode, 0 if good else 1, (number, done.stdout, done.stderr))

    def descriptors(self):
        """Of files and sockets that the daemon holds, less those of clients' streams."""
        streams = self.proxy.status()["connections"]
        return len(os.listdir(f"/proc/{self.proxy.process.pid}/fd")) - streams

    def test_storm(self):
        before = self.descriptors()
        names = ("always.example", "never.example")
        loads = [
            Load(self.site, names, "-q", "20", "-c", "4", address=address)
            for address in (ITALIAN4, GERMAN4)
        ]
        prober = Prober(self.site)
        prober.start()
        database_is_good = True
        replacements = 0
        for number in range(RELOADS):
            if number % (RELOADS // REPLACEMENTS) == 0:
                database_is_good = self.replace_database(replacements)
                replacements += 1
            good = self.change_orders(number)
            self.reload(number, good and database_is_good)
            self.assertEqual(prober.wrong, [])
        prober.stop()
        self.eventually(lambda: self.descriptors() <= before, "old generations are let go")
        for load in loads:
            load.end()
        italian, german = (load.codes for load in loads)
        lost = [load.lost for load in loads]
        print(
            f"# {RELOADS} reloads, {replacements} databases, SEED={SEED}; {prober.asked} probes, "
            f"Italian {italian}, German {german}, lost {lost}", flush=True,
        )  # fmt: skip
        self.assertEqual(prober.wrong, [])
        self.assertGreater(prober.asked, 0)
        self.assertEqual(lost, [0, 0])
        self.assertEqual(set(german), {"NOERROR"})
        self.assertEqual(set(italian), {"NOERROR", "REFUSED"})
        # The questions alternate, each client of dnsperf has some in flight when it is stopped.
        self.assertLess(abs(italian["NOERROR"] - italian["REFUSED"]), 50)
        status = self.proxy.status()
        self.assertEqual(
            (status["receive_drops"], status["dropped"], status["servfail"]), (0, 0, 0)
        )
        self.assertEqual(replacements, REPLACEMENTS)
        self.assertGreaterEqual(status["by_order"]["IT-ALWAYS"], italian["REFUSED"])

# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent, naive judge (judge.py) against the real programs: random orders, addresses, names
and times. `bailiwick test --json --batch` is asked for every triple, the running daemon for many of
those of now, over UDP and from the genuine address; and for a sample of addresses the text that the
judge reads is compared with the bytes of the database. SEED=number repeats a run."""

import collections
import datetime
import ipaddress
import json
import pathlib
import random
import subprocess
import time

from dnsbytes import (
    EDE_FORGED, NOERROR, NXDOMAIN, REFUSED, TYPES, answer, message_id, opt, parse, query,
)
from harness import COUNTRY_DATABASE, REPOSITORY
from judge import (
    BY_OVERRIDES_ALONE, MAPPED, SIXTOFOUR, UNITED_KINGDOM_LEFT, UTC, Atlas, Judge, Network, Order,
    Ranges, Verdict, country_text, text,
)
from mmdb import Mmdb
from policytest import AUTHORITY, LIGHT, MARK, SEED, PolicyTest

TIMES = 11 if LIGHT else 27
QUESTIONS_EACH = 1500 if LIGHT else 7500  # a time
MMDB_SAMPLE = 5000 if LIGHT else 20_000
ORDERS = 90
LIVE = 500 if LIGHT else 2500

QUERY_TYPES = ["A"] * 6 + ["AAAA", "AAAA", "DS", "DNSKEY", "TXT", "HTTPS", "ANY", "TYPE65280"]


class World:
    """Random orders, and questions that often meet them."""

    COUNTRIES = (
        "IT DE FR GB ES NL SE PL RO US CA BR JP IN AU RU CH NO IS AT BE CZ DK FI GR HU IE PT BG HR "
        "SM TR UA ZA KR CN SG MX AR XK RE"
    ).split()
    PARTS = "US-CA US-NY GB-ENG IT-25 DE-BY FR-75 AT-9".split()  # in the overrides alone
    ZONES = [
        "Europe/Rome",
        "Europe/London",
        "America/New_York",
        "Asia/Kolkata",
        "UTC",
        "Asia/Tokyo",
    ]
    SUFFIXES = [
        "alpha.example", "beta.example", "gamma.co.uk", "delta.to", "bücher.example", "x-1.pro",
        "kilo.github.io", "long-label-" + "l" * 50 + ".org", "_odd.example", "wide",
    ]  # fmt: skip
    LABELS = ["www", "a", "b", "c", "xn--bcher-kva", "0"]

    def __init__(self, rng, ranges):
        self.rng = rng
        by_country = collections.defaultdict(list)
        for row in ranges.rows:
            by_country[row[2]].append(row)
        self.ranges = ranges
        self.by_country = by_country
        self.overrides = self.make_overrides()
        self.orders = [self.make_order(index) for index in range(ORDERS)]
        self.excepted = [network for order in self.orders for network in order.networks]

    def address_in(self, row):
        return self.rng.randint(row[0], row[1])

    def located(self):
        """An address of one of the countries that orders are about; often at a border of ranges."""
        row = self.rng.choice(self.by_country[self.rng.choice(self.COUNTRIES + ["UK"])] or [(0, 0)])
        return max(
            0, self.rng.choice((self.address_in(row), row[0], row[1], row[0] - 1, row[1] + 1))
        )

    def address(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.60:
            return self.located()
        if kind < 0.70:
            network = rng.choice(self.excepted)
            spread = rng.choice((0, rng.getrandbits(128 - network.length), -1))
            address = (network.base + spread) % (1 << 128)
            if MAPPED.holds(address) and rng.random() < 0.3:
                return SIXTOFOUR.base | (address & 0xFFFFFFFF) << 80 | rng.getrandbits(80)
            return address
        if kind < 0.80:
            network, _ = rng.choice(self.overrides)
            network = Network.parse(network)
            spread = rng.choice((0, rng.getrandbits(128 - network.length), -1))
            return (network.base + spread) % (1 << 128)
        if kind < 0.86:
            return SIXTOFOUR.base | (self.located() & 0xFFFFFFFF) << 80 | rng.getrandbits(80)
        if kind < 0.90:
            return rng.choice(BY_OVERRIDES_ALONE).base | self.located() & 0xFFFFFFFF
        if kind < 0.95:
            return self.address_in(rng.choice(self.ranges.rows))
        if kind < 0.98:
            return MAPPED.base | rng.getrandbits(32)
        return rng.getrandbits(128)

    def make_overrides(self):
        """Prefixes around real ranges, some within others, some that make unknown."""
        prefixes = {"64:ff9b::/96": "IT", "2001:0:77::/48": "FR"}
        for part in self.PARTS:
            first, last, _ = self.rng.choice(self.by_country[part[:2]])
            length = 24 if MAPPED.holds(first) else 48
            prefixes[str(ipaddress.ip_network((text(first), length), strict=False))] = part
        while len(prefixes) < 60:
            address = self.located()
            ipv4 = MAPPED.holds(address)
            length = self.rng.choice((16, 20, 24, 28, 32) if ipv4 else (32, 40, 48, 64, 128))
            if SIXTOFOUR.holds(address):
                continue
            prefix = ipaddress.ip_network((text(address), length), strict=False)
            prefixes[str(prefix)] = self.rng.choice(self.COUNTRIES + self.PARTS + ["", ""])
        return list(prefixes.items())

    def name(self):
        depth = self.rng.choice((0, 0, 1, 1, 1, 2, 2, 3))
        parts = [self.rng.choice(self.LABELS) for _ in range(depth)]
        return ".".join(parts + [self.rng.choice(self.SUFFIXES)])

    def names(self, least, most):
        return sorted({self.name() for _ in range(self.rng.randint(least, most))} - {"wide"})

    def date(self, first, last):
        """A date, or a time with some offset."""
        day = datetime.date(
            self.rng.randint(first, last), self.rng.randint(1, 12), self.rng.randint(1, 28)
        )
        if self.rng.random() < 0.5:
            return str(day)
        return f"{day}T{self.rng.randint(0, 23):02}:30:00" + self.rng.choice(
            ("Z", "+02:00", "-05:30")
        )

    def make_order(self, index):
        rng = self.rng
        folder = rng.choice(self.COUNTRIES + ["EU", "EU", "EU", "EEA", "EEA", "IT", "IT", "DE"] + self.PARTS)
        # Ids whose order is not that of the files, in upper and lower case.
        id = f"{rng.choice('abcXYZ')}{rng.randrange(1000)}-{folder}-{index}"
        keys = {
            "id": id,
            "authority": AUTHORITY,
            "issued": "2020-01-01",
            "timezone": rng.choice(self.ZONES),
        }
        if rng.random() < 0.7:
            keys["effective"] = self.date(2008, 2028)
        if rng.random() < 0.5:
            keys["until"] = self.date(2029, 2034) if "effective" in keys else self.date(2012, 2034)
        keys["status"] = rng.choice(["active"] * 10 + ["suspended", "lifted"])
        if rng.random() < 0.4:
            keys["scope"] = sorted(
                {folder, *rng.sample(self.COUNTRIES + self.PARTS + ["EU", "EEA"], rng.randint(0, 3))}
            )
        if rng.random() < 0.2:
            keys["include-unknown"] = "yes"
        if rng.random() < 0.4:
            keys["except-networks"] = sorted({self.network() for _ in range(rng.randint(1, 5))})
        keys["action"] = rng.choice(
            ["refused", "nxdomain", "nxdomain", "nodata", "address", "drop", "shadow"]
        )
        if keys["action"] == "address":
            keys["addresses"] = ["192.0.2.80", "2001:db8::80"]
        for key, chance, most in (("names", 0.8, 8), ("exact", 0.6, 5), ("except", 0.6, 5)):
            if rng.random() < chance:
                keys[key] = self.names(1, most)
        if rng.random() < 0.05:
            keys["names"], keys["allow-wide"] = ["wide"], ["wide"]
        lists = {}
        if rng.random() < 0.5 or not (keys.get("names") or keys.get("exact")):
            marks = ("", "", "=", "!")
            lines = [rng.choice(marks) + each for each in self.names(2, 12)] + [
                "only.in.lists.example"
            ]
            lists[f"list-{index}.txt"] = lines
            keys["lists"] = [{"file": file, "format": "names"} for file in lists]
        return Order(f"{folder}/{index}.yaml", keys, lists)

    def network(self):
        address = self.located()
        length = self.rng.choice((12, 16, 24, 32) if MAPPED.holds(address) else (24, 32, 48, 128))
        return str(ipaddress.ip_network((text(address), length), strict=False))

    def question(self, about=None):
        """(address, name as a person writes it, type); often such that some order, or the one that
        it is to be about, has a say in it."""
        if about or self.rng.random() < 0.3:
            return self.question_about(about or self.rng.choice(self.orders))
        qname = self.name()
        if self.rng.random() < 0.3:
            qname = qname.upper()
        if self.rng.random() < 0.2:
            qname += "."
        return self.address(), qname, self.rng.choice(QUERY_TYPES)

    def question_about(self, order):
        """Of a client in its scope, for a name in it or just below."""
        qname = ".".join(reversed(self.rng.choice(order.subtrees + order.exact + order.excepted)))
        if self.rng.random() < 0.5:
            qname = f"{self.rng.choice(self.LABELS)}.{qname}"
        countries = [code for code in order.scope if code not in ("EU", "EEA")] or ["IT"]
        return self.somewhere_in(self.rng.choice(countries)), qname, self.rng.choice(QUERY_TYPES)

    def somewhere_in(self, code):
        """An address of a country, or in the overrides that name a part of one."""
        parts = [prefix for prefix, part in self.overrides if part == code and "-" in code]
        if parts:
            network = Network.parse(self.rng.choice(parts))
            return network.base + self.rng.getrandbits(128 - network.length)
        return self.address_in(self.rng.choice(self.by_country[code] or self.by_country["IT"]))

    def times(self, count, now):
        """(time, order or None): now, days at which groups of countries differ, and the seconds at
        which orders begin and end, with the seconds before."""
        chosen = [(now, None)]
        for day in ("2006-06-01", "2012-06-01", "2014-06-01", "2020-01-30", "2020-02-02"):
            noon = datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00")
            chosen.append((int(noon.timestamp()), None))
        while len(chosen) < count:
            order = self.rng.choice([each for each in self.orders if each.status == "active"])
            edge = self.rng.choice((order.effective, order.end))
            if abs(edge) != float("inf") and abs(edge - UNITED_KINGDOM_LEFT) > 86400:
                chosen += [(int(edge) - 1, order), (int(edge), order)]
        return chosen[:count]


class Oracle(PolicyTest):
    @classmethod
    def setUpClass(cls):
        cls.rng = random.Random(SEED)
        cls.ranges = Ranges()
        cls.world = World(cls.rng, cls.ranges)
        cls.atlas = Atlas(cls.ranges.find, cls.world.overrides)
        cls.judge = Judge(cls.world.orders, cls.atlas)
        cls.ORDERS = {order.path: order.keys for order in cls.world.orders}
        cls.FILES = {
            "overrides.csv": "".join(
                f"{prefix},{code[:2]},{code if '-' in code else ''}\n"
                for prefix, code in cls.world.overrides
            )
        }
        for order in cls.world.orders:
            folder = order.path.rpartition("/")[0]
            for file, lines in order.lists.items():
                cls.FILES[f"orders/{folder}/{file}"] = "".join(line + "\n" for line in lines)
        cls.CONFIG = {"geo": {"overrides": "overrides.csv", "database": str(cls.database())}}
        super().setUpClass()

    @classmethod
    def database(cls):
        """The common database if it was made from the text at hand, or one of its own."""
        if COUNTRY_DATABASE.exists():
            built = Mmdb(COUNTRY_DATABASE.read_bytes()).metadata["build_epoch"]
            if built == cls.ranges.generated:
                return COUNTRY_DATABASE
        path = REPOSITORY / "build" / "tor-geoipdb" / "country.mmdb"
        if not path.exists():
            maker = REPOSITORY / "scripts" / "country-database"
            subprocess.run([maker, path, *country_text()], check=True)
        return path

    def test_all_orders_are_in_force(self):
        """What the judge compares is what is loaded."""
        status = self.proxy.status()
        self.assertEqual(status["errors"], [])
        self.assertEqual(status["orders"], ORDERS)
        self.assertEqual(status["geo"]["overrides"], len(self.world.overrides))

    def test_the_text_and_a_walk_over_the_database_agree(self):
        mmdb = Mmdb(pathlib.Path(self.CONFIG["geo"]["database"]).read_bytes())
        self.assertEqual(mmdb.metadata["build_epoch"], self.ranges.generated)
        seen = collections.Counter()
        for _ in range(MMDB_SAMPLE):
            address = self.world.address()
            record = mmdb.find(address)
            code = record and record["country"]["iso_code"]
            expected = self.ranges.find(address)
            expected = {"UK": "GB", "??": None}.get(expected, expected)
            self.assertEqual(code, expected, text(address))
            seen[code is not None] += 1
        print(
            f"# {seen[True]} addresses with a record, {seen[False]} without; SEED={SEED}",
            flush=True,
        )

    def ask_tool(self, questions, at):
        lines = "".join(f"{text(address)} {qname} {qtype}\n" for address, qname, qtype in questions)
        stamp = datetime.datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        done = self.proxy.tool("test", "--json", "--batch", "-", "--at", stamp, input=lines)
        self.assertEqual(done.returncode, 0, done.stderr[:2000])
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), len(questions))
        return stamp, answers

    def test_the_tool(self):
        counts, triples = collections.Counter(), 0
        for at, order in self.world.times(TIMES, int(time.time())):
            questions = [self.world.question(order) for _ in range(QUESTIONS_EACH // 10)]
            questions += [self.world.question() for _ in range(QUESTIONS_EACH - len(questions))]
            stamp, answers = self.ask_tool(questions, at)
            for (address, qname, qtype), got in zip(questions, answers):
                expected = self.judge.judge(address, qname, qtype, at)
                found = Verdict(*(got[field] for field in Verdict._fields))
                country = self.judge.country(address)
                if (found, got["country"]) != (expected, country):
                    self.fail(
                        f"SEED={SEED} {stamp} {qtype} {qname}: {country} {expected}, but {got}"
                    )
                counts[expected.action or expected.verdict] += 1
            self.assertEqual(
                [got["address"] for got in answers], [text(each[0]) for each in questions]
            )
            self.assertEqual({got["time"] for got in answers}, {stamp})
            triples += len(questions)
        print(f"# {triples} triples, SEED={SEED}: {dict(counts.most_common())}", flush=True)
        self.assertEqual(triples, TIMES * QUESTIONS_EACH)
        self.assertEqual(len(counts), 7)  # every action and forward

    # ---- the daemon

    @staticmethod
    def can_ask(address):
        """Not every address can be the source of a datagram that the server's machine takes."""
        if MAPPED.holds(address):
            here = address & 0xFFFFFFFF
            first, second = here >> 24, here >> 16 & 255
            return (
                0 < first < 224
                and first != 127
                and (first, second) not in ((192, 0), (198, 18), (169, 254))
            )
        return address >> 125 == 1 and address >> 96 != 0x20010DB8

    def ask_daemon(self, address, qname, qtype):
        """(verdict as far as an answer tells it, EDE) for one datagram. A second one, for a name
        that is free, shows when nothing comes for the first. Queries that leave together leave by
        length, so its name is shorter than any other."""
        number = int(qtype[4:]) if qtype.startswith("TYPE") else TYPES[qtype]
        wire = [label.encode() for label in qname.rstrip(".").encode("idna").decode().split(".")]
        message = query(wire, number, id=1, opt=opt())
        marker = query("0", id=2, opt=opt())
        with self.client(text(address)).udp() as channel:
            channel.send(message, marker)
            received = {}
            while 2 not in received:
                each = channel.receive()
                received[message_id(each)] = each
            if 1 not in received and not channel.is_silent(0.001):
                received[1] = channel.receive()
        self.assertEqual(received[2], answer(marker, [MARK]))
        if 1 not in received:
            return "drop", None
        if received[1] == answer(message, [MARK]):
            return "forward", None
        got = parse(received[1])
        action = {REFUSED: "refused", NXDOMAIN: "nxdomain", NOERROR: "nodata"}[got.rcode]
        if got.ede[0] == EDE_FORGED:
            action = "address"
        elif action != "refused":
            action += " " + got.section("authority")[0].owner
        return action, got.ede

    def test_the_daemon(self):
        counts = collections.Counter()
        while sum(counts.values()) < LIVE:
            address, qname, qtype = self.world.question()
            if not self.can_ask(address):
                continue
            now = int(time.time())
            expected = self.judge.judge(address, qname, qtype, now)
            action, ede = self.ask_daemon(address, qname, qtype)
            if int(time.time()) != now and expected != self.judge.judge(
                address, qname, qtype, now + 1
            ):
                continue  # an order began or ended just then
            wanted = expected.action if expected.verdict == "block" else "forward"
            if wanted in ("nxdomain", "nodata"):
                wanted += " " + expected.matched
            text_of_order = expected.ede and f"Blocked by order {expected.order} of {AUTHORITY}"
            wanted_ede = expected.ede and (expected.ede, text_of_order)
            self.assertEqual(
                (action, ede), (wanted, wanted_ede), f"SEED={SEED} {text(address)} {qname} {qtype}"
            )
            counts[wanted.split()[0]] += 1
        print(f"# {sum(counts.values())} of the daemon, SEED={SEED}: {dict(counts)}", flush=True)
        self.assertGreaterEqual(len(counts), 6)

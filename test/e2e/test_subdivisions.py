# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of a part of a country, with a City database and a geofeed that say who lies there: they
bind clients there and nobody else, and nobody at all where nothing is known of any part."""

import json

from dnsbytes import EDE_CENSORED, NXDOMAIN, REFUSED, answer, opt, parse, query, rr
from harness import GERMAN4, SiteTest
from mmdb import mmdb
from policytest import BUILT, MARK, PolicyTest, marked, order
from proxytest import ecs, verdict, with_ecs
from upstream import ScriptedUpstream

# California, New York, the USA somewhere, England with a county of it, Lombardy, Germany.
CITIES = {
    "23.242.0.0/16": "US CA", "2600:1700::/28": "US CA", "24.90.0.0/15": "US NY", "4.0.0.0/9": "US",
    "81.2.69.0/24": "GB ENG WSX", "86.0.0.0/12": "GB SCT", "2.32.0.0/12": "IT 25",
    "2001:b07::/32": "IT 25", "79.0.0.0/10": "IT 62", "5.9.0.0/16": "DE BY", "186.80.0.0/13": "CO CA",
}  # fmt: skip
FOLLOWING = {"geo": {"database": "city.mmdb", "max-age": "3650d"}}


def city(codes):
    country, *parts = codes.split()
    return {
        "city": {"names": {"en": "somewhere"}},
        "country": {"iso_code": country},
        **({"subdivisions": [{"iso_code": part} for part in parts]} if parts else {}),
    }


def city_database():
    return mmdb(CITIES, kind="Test-City", built=BUILT, record=city)


def country_database():
    networks = {network: codes.split()[0] for network, codes in CITIES.items()}
    return mmdb(networks, kind="Test-Country", built=BUILT)


class Subdivisions(PolicyTest):
    CONFIG = {"geo": {**FOLLOWING["geo"], "overrides": "feed.csv"}}
    ORDERS = {
        "US-CA/ca.yaml": order("US-CA-1", names=["ca.example"]),
        "US-CA/unknown.yaml": order("US-CA-2", names=["unknown.example"], include_unknown="yes"),
        "US-CA/except.yaml": order(
            "US-CA-3", names=["except.example"], except_networks=["23.242.7.0/24"]
        ),
        "US-CA/answers.yaml": order("US-CA-4", answers=["203.0.113.7"]),
        "US-NY/ny.yaml": order("US-NY-1", names=["ny.example"]),
        "GB-ENG/eng.yaml": order("GB-ENG-1", names=["eng.example"]),
        "GB-WSX/wsx.yaml": order("GB-WSX-1", names=["wsx.example"]),
        "IT/it.yaml": order("IT-1", names=["it.example"], scope=["IT", "US-CA"]),
        "IT-25/lombardy.yaml": order("IT-25-1", names=["lombardy.example"], action="nxdomain"),
        "EU/eu.yaml": order("EU-1", names=["eu.example"], scope=["EU", "US-NY"]),
        "DE-BY/both.yaml": order("DE-BY-1", names=["by.example"], scope=["DE"]),
    }
    FILES = {
        "city.mmdb": city_database(),
        "feed.csv": "# RFC 8805\n"
        "24.90.7.0/24,US,US-CA,Los Angeles,\n"  # overrides win
        "23.242.9.0/24,US,,,\n"  # and here nobody knows the state
        "23.242.10.0/24,US,California,,\n"  # which this is not
        "186.81.0.0/16,US,us-ca\n",
    }

    # Who is bound by the orders for each name; all others are forwarded.
    NAMES = ("ca unknown except ny eng wsx it lombardy eu by").split()
    ROWS = {
        "23.242.0.1": "ca unknown except it",
        "2600:1700::1": "ca unknown except it",
        "23.242.7.1": "ca unknown it",
        "24.90.0.1": "ny eu",
        "24.90.7.1": "ca unknown except it",
        "23.242.9.1": "",
        "23.242.10.1": "",
        "4.0.0.1": "",
        "186.80.0.1": "",
        "186.81.0.1": "ca unknown except it",
        "81.2.69.1": "eng wsx",
        "86.0.0.1": "",
        "2.32.0.1": "it lombardy eu",
        "2001:b07::1": "it lombardy eu",
        "79.0.0.1": "it eu",
        "5.9.0.1": "eu by",
        "133.0.0.1": "unknown",
        "2002:17f2:1::1": "ca unknown except it",  # 6to4 of 23.242.0.1
    }

    def test_whom_they_bind(self):
        for address, bound in self.ROWS.items():
            client = self.client(address)
            for name in self.NAMES:
                with self.subTest(name, client=address):
                    message = query(f"{name}.example", opt=opt())
                    if name in bound.split():
                        rcode = NXDOMAIN if name == "lombardy" else REFUSED
                        got = self.blocked(client, message)
                        self.assertEqual(got.rcode, rcode)
                        self.assertEqual(got.ede[0], EDE_CENSORED)
                    else:
                        self.assert_forwarded(client, message)

    def test_a_name_is_read_in_a_bound_part_alone(self):
        """A name that nobody can read is FORMERR in scope, and nobody's business outside."""
        unreadable = bytearray(query("ca.example"))
        unreadable[12] = 0xC0
        for address, in_scope in (("23.242.0.1", True), ("24.90.0.1", True), ("4.0.0.1", False),
                                  ("23.242.9.1", False), ("86.0.0.1", False)):  # fmt: skip
            with self.subTest(address), self.client(address).udp() as channel:
                before = len(self.resolver.requests)
                channel.send(bytes(unreadable))
                if in_scope:
                    self.assertEqual(parse(channel.receive()).rcode, 1)
                else:
                    self.eventually(
                        lambda: len(self.resolver.requests) > before, "the query upstream"
                    )
                    self.assertEqual(self.resolver.requests[-1].message[2:], unreadable[2:])

    def test_the_tool_agrees(self):
        lines = [(address, name) for address in self.ROWS for name in self.NAMES]
        done = self.proxy.tool(
            "test", "--json", "--batch", "-", input="".join(f"{a} {n}.example\n" for a, n in lines)
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        for (address, name), line in zip(lines, done.stdout.splitlines()):
            got = json.loads(line)
            expected = "block" if name in self.ROWS[address].split() else "forward"
            self.assertEqual(got["verdict"], expected, line)

    def test_where_a_client_is(self):
        rows = {
            "23.242.0.1": ("US", ["US-CA"], "is in US (US-CA; database, 23.242.0.0/16)"),
            "81.2.69.1": ("GB", ["GB-ENG", "GB-WSX"], "is in GB (GB-ENG, GB-WSX; database,"),
            "24.90.7.1": ("US", ["US-CA"], "is in US (US-CA; override, 24.90.7.0/24)"),
            "4.0.0.1": ("US", None, "is in US (database, 4.0.0.0/9)"),
            "133.0.0.1": (None, None, "is in no known country"),
        }
        for address, (country, parts, words) in rows.items():
            with self.subTest(address):
                got = json.loads(self.proxy.tool("country", "--json", address).stdout)
                self.assertEqual((got["country"], got.get("subdivisions")), (country, parts))
                self.assertIn(words, self.proxy.tool("country", address).stdout)

    def test_why(self):
        bound = self.proxy.tool("test", "23.242.0.1", "ca.example")
        self.assertEqual(bound.returncode, 3)
        self.assertIn("order US-CA-1 of Court of Examples binds clients in US-CA", bound.stdout)
        free = self.proxy.tool("test", "24.90.0.1", "ca.example")
        self.assertEqual(free.returncode, 0)
        self.assertIn("the client's country is not in its scope (US-CA)", free.stdout)
        self.assertIn("is in US (US-NY; database", free.stdout)

    def test_orders_of_a_part(self):
        for code, expected in (
            ("US-CA", "IT-1 US-CA-1 US-CA-2 US-CA-3 US-CA-4"),
            ("US-NY", "EU-1 US-NY-1"),
            ("US", "EU-1 IT-1 US-CA-1 US-CA-2 US-CA-3 US-CA-4 US-NY-1"),
            ("IT-25", "EU-1 IT-1 IT-25-1"),
            ("US-TX", ""),
        ):
            with self.subTest(code):
                done = self.proxy.tool("orders", "--json", "--country", code)
                ids = sorted(json.loads(line)["id"] for line in done.stdout.splitlines())
                self.assertEqual(ids, expected.split())
        shown = self.proxy.tool("orders", "--json", "--country", "US-NY").stdout.splitlines()
        self.assertIn(["EU", "US-NY"], [json.loads(line)["scope"] for line in shown])
        self.assertEqual(self.proxy.tool("orders", "--country", "US-CALI").returncode, 2)

    def test_the_status_counts_by_country(self):
        self.blocked(self.client("23.242.0.1"), query("ca.example"))
        counted = self.proxy.status()["by_country"]
        self.assertGreater(counted["US"]["blocked"], 0)
        self.assertEqual([code for code in counted if "-" in code], [])

    def test_impact(self):
        got = self.impact(
            "23.242.0.1 ca.example\n24.90.0.1 ca.example\n4.0.0.1 a.ca.example A 5\n"
            "24.90.7.1 ca.example\n"
        )
        self.assertEqual((got["queries"], got["would_block"], got["clients"]), (8, 2, 2))
        self.assertEqual([row["country"] for row in got["countries"]], ["US"])
        # Of whom nothing is known, as a client in its scope.
        self.assertEqual(self.impact("ca.example\nother.example\n")["would_block"], 1)

    def impact(self, queries):
        done = self.proxy.tool("impact", "--json", "--queries", "-", "US-CA-1", input=queries)
        return json.loads(done.stdout)


class Answers(PolicyTest):
    CONFIG = FOLLOWING
    ORDERS = {
        "US-CA/answers.yaml": order("US-CA-4", answers=["203.0.113.7"]),
        "US/names.yaml": order("US-1", names=["us.example"]),
    }
    FILES = {"city.mmdb": city_database()}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.listed = rr("www.example", "A", 60, bytes([203, 0, 113, 7]))
        cls.resolver.script = lambda request: request.reply(answer(request.message, [cls.listed]))

    def test_answers_are_looked_at_in_that_part_alone(self):
        """A client of New York is in scope of the order for all states, and its answers are its
        own."""
        message = query("www.example")
        for address, blocked in (("23.242.0.1", True), ("24.90.0.1", False), ("4.0.0.1", False)):
            for transport in ("udp", "tcp"):
                with self.subTest(address, transport=transport):
                    received = self.client(address).ask(message, transport)
                    if blocked:
                        self.assertEqual(parse(received).rcode, REFUSED)
                    else:
                        self.assertEqual(received, answer(message, [self.listed]))
        tool = self.proxy.tool("test", "--json", "24.90.0.1", "www.example")
        self.assertFalse(json.loads(tool.stdout)["reads_answer"])


class NetworksOfClients(PolicyTest):
    """A network that ECS tells is in those parts of its country that all of it is in."""

    ORDERS = {
        f"GB-{part}/{part}.yaml": order(f"GB-{part}-1", names=[f"{part.lower()}.example"])
        for part in ("ENG", "WSX", "KEN")
    }
    CONFIG = {**FOLLOWING, "trust": {"ecs": [GERMAN4]}}
    FILES = {
        "city.mmdb": mmdb(
            {
                "81.2.68.0/24": "GB ENG KEN", "81.2.69.0/24": "GB ENG WSX",
                "81.2.70.0/24": "GB SCT", "81.2.71.0/24": "GB ENG", "5.9.0.0/16": "DE BY",
            },  # fmt: skip
            kind="Test-City", built=BUILT, record=city,
        )
    }  # fmt: skip
    ROWS = {
        ("81.2.68.0", 24): "eng ken",
        ("81.2.69.0", 24): "eng wsx",
        ("81.2.68.0", 23): "eng",
        ("81.2.71.0", 24): "eng",
        ("81.2.70.0", 23): "",
        ("81.2.68.0", 22): "",
    }

    def test_what_is_common_to_all_of_it(self):
        for (network, source), bound in self.ROWS.items():
            for name in ("eng", "wsx", "ken"):
                with self.subTest(name, network=f"{network}/{source}"):
                    got = self.german4.ask(with_ecs(f"{name}.example", ecs(network, source)))
                    self.assertEqual(
                        verdict(got), "block" if name in bound.split() else "forward"
                    )


class WithoutSubdivisions(SiteTest):
    """A database of countries: an order of a part is an error at its place, and binds nobody."""

    def start(self, database, **options):
        self.resolver = ScriptedUpstream(self.site.server, "127.0.0.2", script=marked)
        self.addCleanup(self.resolver.stop)
        return self.daemon(
            self.resolver,
            orders={
                "US-CA/ca.yaml": order("US-CA-1", names=["ca.example"]),
                "US/us.yaml": order("US-1", names=["us.example"], scope=["US", "IT-25"]),
                "DE/de.yaml": order("DE-1", names=["de.example"]),
            },
            files={"city.mmdb": database},
            config=FOLLOWING,
            **options,
        )

    def assert_bound(self, address, name, bound):
        message = query(name)
        received = self.client(address).ask(message)
        if bound:
            self.assertEqual(parse(received).rcode, REFUSED)
        else:
            self.assertEqual(received, answer(message, [MARK]))

    def test_it_is_an_error_with_its_place(self):
        daemon = self.start(country_database())
        errors = {
            (error["file"].rpartition("orders/")[2], error["line"], error["column"]): error["error"]
            for error in daemon.status()["errors"]
        }
        self.assertEqual(set(errors), {("US-CA/ca.yaml", 1, 1), ("US/us.yaml", 5, 13)})
        self.assertIn(
            "IT-25 needs to know where in its country a client is: expected a geo.database with the "
            "codes of subdivisions (a City database), or geo.overrides with this region",
            errors["US/us.yaml", 5, 13],
        )
        for address in ("23.242.0.1", "24.90.0.1", "4.0.0.1", "5.9.0.1"):
            self.assert_bound(address, "ca.example", False)
            self.assert_bound(address, "us.example", False)
        self.assert_bound("5.9.0.1", "de.example", True)
        self.assertEqual(daemon.tool("check").returncode, 1)

    def test_a_database_that_forgets_its_parts(self):
        """The last good version of the order stays, and nobody is where it binds."""
        daemon = self.start(city_database())
        self.assertEqual(daemon.status()["errors"], [])
        self.assert_bound("23.242.0.1", "ca.example", True)
        daemon.write("city.mmdb", country_database())
        self.assertEqual(daemon.tool("reload").returncode, 1)
        self.assert_bound("23.242.0.1", "ca.example", False)
        self.assert_bound("24.90.0.1", "ca.example", False)
        self.assert_bound("23.242.0.1", "us.example", True)  # all of the country, as before
        daemon.write("city.mmdb", city_database())
        daemon.reload()
        self.assert_bound("23.242.0.1", "ca.example", True)
        self.assert_bound("24.90.0.1", "ca.example", False)

    def test_a_code_that_no_record_has(self):
        daemon = self.start(city_database())
        daemon.write_order("US-CS/typo.yaml", order("US-CS-1", names=["typo.example"]))
        daemon.reload()
        (warning,) = [w for w in daemon.status()["warnings"] if "US-CS" in w["file"]]
        self.assertIn("US-CS binds nobody", warning["warning"])

    def test_the_tool_writes_orders_of_a_part(self):
        daemon = self.start(city_database())
        done = daemon.tool(
            "order", "new", "--country", "US-NY", "--id", "US-NY-9", "--authority", "Court",
            "new.example",
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.eventually(lambda: daemon.status()["orders"] == 4, "the new order")
        self.assert_bound("24.90.0.1", "new.example", True)
        self.assert_bound("23.242.0.1", "new.example", False)
        done = daemon.tool("order", "suspend", "--all", "--country", "US", "--reason", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("US-1: suspended", done.stdout)
        for order_id in ("US-CA-1", "US-NY-9"):
            self.assertIn(f"{order_id} binds clients in US too and is not changed", done.stderr)
        done = daemon.tool("order", "suspend", "--all", "--country", "US-NY", "--reason", "x")
        self.assertIn("US-NY-9: suspended", done.stdout)
        self.assertNotIn("US-CA-1", done.stdout + done.stderr)
        self.eventually(lambda: daemon.status()["orders_in_force"] == 2, "the orders suspended")
        self.assert_bound("24.90.0.1", "new.example", False)
        self.assert_bound("23.242.0.1", "ca.example", True)

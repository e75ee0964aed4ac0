# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders that reach a node by zone transfer and by Git: the configurations of bailiwick-orders(5),
real servers on both ends, and a node that nobody tells to reload."""

import subprocess
import time

from dnsbytes import NOERROR, NXDOMAIN, parse, query
from harness import MILAN, Process, yaml_text
from policytest import SMALL, PolicyTest, small_database
from test_manual import ORDERS, blocks

PRIMARY, KNOT_NODE, NSD_NODE, ORDER = blocks(ORDERS.section("FLEETS"))[:4]
FOLDER = "/var/lib/knot"
ZONE = "it.rpz"
ZONE_TEXT = f"""\
{ZONE}. 60 SOA primary.invalid. nobody.invalid. 1 3600 60 86400 60
{ZONE}. 60 NS primary.invalid.
first.example.{ZONE}. 60 CNAME .
*.first.example.{ZONE}. 60 CNAME .
"""


class Knot(Process):
    """knotd with a configuration of the manual, whose files go to a folder of its own."""

    name = "knotd"

    def __init__(self, site, text, server):
        super().__init__(site)
        text = text.replace(FOLDER, str(self.folder))
        text = text.replace("server:\n", f"server:\n    rundir: {self.folder}\n")
        self.conf = self.folder / "knot.conf"
        self.socket = self.folder / "knot.sock"
        self.conf.write_text(
            f"{text}control:\n    listen: {self.socket}\n"
            f"database:\n    storage: {self.folder}\n"
            "log:\n  - target: stderr\n    any: info\n"
        )
        self.zone_file = self.folder / f"{ZONE}.zone"
        self.server = server

    def start(self):
        self.launch("knotd", "-c", str(self.conf))
        self.wait_for_answer(self.server, query(ZONE, "SOA"), NOERROR)

    def control(self, *words):
        with self.site.server:
            subprocess.run(
                ["knotc", "-s", str(self.socket), *words], check=True, capture_output=True
            )


class NsdNode(Process):
    name = "nsd"

    def __init__(self, site, text, server):
        super().__init__(site)
        text = text.replace(FOLDER, str(self.folder))
        own = "".join(
            f"    {key}: {value}\n"
            for key, value in {
                "username": '""',
                "chroot": '""',
                "database": '""',
                "zonesdir": self.folder,
                "pidfile": self.folder / "pid",
                "xfrdfile": self.folder / "xfrd",
                "xfrdir": self.folder,
                "zonelistfile": self.folder / "zonelist",
                "server-count": 1,
                "verbosity": 2,
            }.items()
        )
        control = "remote-control:\n    control-enable: no\n"
        (self.folder / "nsd.conf").write_text(text.replace("server:\n", f"server:\n{own}") + control)
        self.zone_file = self.folder / f"{ZONE}.zone"
        self.server = server

    def start(self):
        self.launch("nsd", "-d", "-c", str(self.folder / "nsd.conf"))
        self.wait_for_answer(self.server, query(ZONE, "SOA"), NOERROR)


class FleetTest(PolicyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy.stop()

    def start_primary(self):
        primary = Knot(self.site, PRIMARY, ("192.0.2.54", 53))
        primary.zone_file.write_text(ZONE_TEXT)
        primary.start()
        self.addCleanup(primary.stop)
        return primary

    def start_node(self, kind, text):
        node = kind(self.site, text, ("192.0.2.53", 5353))
        node.start()
        self.addCleanup(node.stop)
        self.eventually(node.zone_file.exists, lambda: f"the zone is written\n{node.log_tail()}")
        return node

    def run_daemon(self, orders, **options):
        config = {**SMALL, "watch": "yes", "listen": [{"address": "192.0.2.53", "port": 53}]}
        self.proxy = self.daemon(
            self.resolver,
            orders=orders,
            files={"country.mmdb": small_database()},
            config=config,
            **options,
        )
        return self.proxy

    def rcode(self, qname):
        return parse(self.italian4.ask(query(qname))).rcode

    def await_rcode(self, qname, rcode):
        self.eventually(
            lambda: self.rcode(qname) == rcode, lambda: f"{qname}\n{self.proxy.log_tail()}"
        )


class Zones(FleetTest):
    def follow_zone(self, kind, text):
        primary = self.start_primary()
        node = self.start_node(kind, text)
        self.run_daemon({"IT/zone.yaml": ORDER.replace(FOLDER, str(node.folder))})
        self.await_rcode("first.example", NXDOMAIN)
        for change, qname, rcode in (
            (("zone-set", ("60", "CNAME", ".")), "second.example", NXDOMAIN),
            (("zone-unset", ()), "first.example", NOERROR),
        ):
            primary.control("zone-begin", ZONE)
            for owner in (qname, f"*.{qname}"):
                primary.control(change[0], ZONE, owner, *change[1])
            primary.control("zone-commit", ZONE)
            began = time.monotonic()
            self.await_rcode(qname, rcode)
            print(
                f"     {change[0]} on the primary, in force at the node ({node.name}): "
                f"{time.monotonic() - began:.2f} s after zone-commit"
            )
        self.assertEqual(self.proxy.status()["errors"], [])

    def test_a_zone_by_knot(self):
        self.follow_zone(Knot, KNOT_NODE)

    def test_a_zone_by_nsd(self):
        self.follow_zone(NsdNode, NSD_NODE)


class Git(FleetTest):
    def git(self, folder, *words):
        subprocess.run(
            ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@invalid", *words],
            check=True,
            capture_output=True,
        )

    def commit(self, qname):
        path = self.origin / "IT/milan.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml_text({**MILAN, "action": "nxdomain", "names": [qname]}))
        self.git(self.origin, "add", "-A")
        self.git(self.origin, "commit", "-m", qname)

    def setUp(self):
        self.origin = self.site.new_folder("origin")
        self.git(self.origin, "init", "-b", "main")
        self.commit("one.example")
        self.run_daemon({}, start=False)
        self.orders = self.proxy.folder / "orders"
        self.orders.rmdir()

    def test_a_checkout(self):
        self.git(self.proxy.folder, "clone", str(self.origin), "orders")
        self.proxy.start()
        self.await_rcode("one.example", NXDOMAIN)
        self.commit("two.example")
        self.git(self.orders, "pull", "--ff-only")
        self.await_rcode("two.example", NXDOMAIN)
        self.await_rcode("one.example", NOERROR)
        self.assertEqual(self.proxy.status()["warnings"], [])

    def test_a_link_that_is_switched(self):
        self.git(self.proxy.folder, "clone", str(self.origin), "checkout")
        checkout = self.proxy.folder / "checkout"
        self.orders.symlink_to("checkout")
        self.proxy.start()
        self.await_rcode("one.example", NXDOMAIN)
        self.commit("two.example")
        self.git(checkout, "fetch")
        self.git(checkout, "checkout", "--detach")
        self.git(checkout, "branch", "-f", "main", "origin/main")
        script = blocks(ORDERS.section("FLEETS"))[4]
        subprocess.run(["sh", "-e", "-c", script], cwd=checkout, check=True, capture_output=True)
        self.await_rcode("two.example", NXDOMAIN)
        self.await_rcode("one.example", NOERROR)

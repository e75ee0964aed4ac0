# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits that others make come into force without anybody asking, and half of one never does."""

from dnsbytes import REFUSED, parse, query
from harness import merged, yaml_text
from policytest import SMALL, PolicyTest, order, small_database


class Watch(PolicyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy.stop()

    def run_daemon(self, orders, files=None, config=None, **options):
        self.proxy = self.daemon(
            self.resolver,
            orders=orders,
            files={"country.mmdb": small_database(), **(files or {})},
            config=merged({**SMALL, "watch": "yes"}, config or {}),
            **options,
        )
        return self.proxy

    def is_blocked(self, qname):
        return parse(self.italian4.ask(query(qname))).rcode == REFUSED

    def await_blocked(self, qname):
        self.eventually(
            lambda: self.is_blocked(qname), lambda: f"{qname} blocked\n{self.proxy.log_tail()}"
        )

    def await_free(self, qname):
        self.eventually(
            lambda: not self.is_blocked(qname), lambda: f"{qname} free\n{self.proxy.log_tail()}"
        )

    def test_orders_in_the_folder(self):
        daemon = self.run_daemon({"IT/one.yaml": order("ONE", names=["one.example"])})
        self.assertEqual(daemon.status()["watch"], "on")
        daemon.write_order("IT/deep/two.yaml", order("TWO", names=["two.example"]))
        self.await_blocked("two.example")
        line = daemon.wait_for_log("files changed")
        self.assertIn("orders/IT/deep", line)
        (daemon.folder / "orders/IT/one.yaml").write_text(
            yaml_text(order("ONE", names=["other.example"]))
        )
        self.await_blocked("other.example")
        self.await_free("one.example")
        daemon.remove_order("IT/deep/two.yaml")
        self.await_free("two.example")

    def test_a_link_that_is_switched(self):
        daemon = self.run_daemon({}, start=False)
        for release in ("one", "two"):
            daemon.write(
                f"releases/{release}/IT/o.yaml", yaml_text(order("O", names=[f"{release}.example"]))
            )
        (daemon.folder / "orders").rmdir()
        (daemon.folder / "orders").symlink_to("releases/one")
        daemon.start()
        self.assertTrue(self.is_blocked("one.example"))
        (daemon.folder / "next").symlink_to("releases/two")
        (daemon.folder / "next").rename(daemon.folder / "orders")
        self.await_blocked("two.example")
        self.assertFalse(self.is_blocked("one.example"))
        daemon.write("releases/two/IT/p.yaml", yaml_text(order("P", names=["p.example"])))
        self.await_blocked("p.example")

    def test_lists_and_other_files_outside_the_folder(self):
        lists = [{"file": "../../lists/names.txt", "format": "names"}]
        daemon = self.run_daemon(
            {"IT/one.yaml": order("ONE", lists=lists)},
            files={"lists/names.txt": "a.example\n", "overrides.csv": "# none\n", "protected.txt": ""},
            config={
                "geo": {"overrides": "overrides.csv"},
                "block": {"protected-names": "protected.txt"},
            },
        )
        self.assertTrue(self.is_blocked("a.example"))
        daemon.write("lists/names.txt", "b.example\n")
        self.await_blocked("b.example")
        daemon.write("overrides.csv", "2.32.0.0/12,DE,,,\n")
        self.await_free("b.example")
        daemon.write("overrides.csv", "# none again\n")
        self.await_blocked("b.example")
        daemon.write("protected.txt", "b.example\n")
        self.await_free("b.example")

    def test_a_list_that_an_order_waits_for(self):
        lists = [{"file": "../../lists/names.txt", "format": "names"}]
        daemon = self.run_daemon({"IT/one.yaml": order("ONE", lists=lists)})
        self.assertEqual(len(daemon.status()["errors"]), 2)
        daemon.write("lists/names.txt", "a.example\n")
        self.await_blocked("a.example")
        self.assertEqual(daemon.status()["errors"], [])

    def test_a_half_written_file_is_not_read(self):
        daemon = self.run_daemon(
            {"IT/one.yaml": order("ONE", lists=[{"file": "one.txt", "format": "names"}])},
            files={"orders/IT/one.txt": "a.example\nb.example\n"},
        )
        with open(daemon.folder / "orders/IT/one.txt", "w") as half:
            half.write("a.example\n")
            half.flush()
            daemon.write_order("IT/two.yaml", order("TWO", names=["two.example"]))
            self.await_blocked("two.example")  # loaded meanwhile
            self.assertTrue(self.is_blocked("b.example"))
            self.assertIn("is being written", daemon.status()["errors"][0]["error"])
            half.write("c.example\n")
        self.await_blocked("c.example")
        self.assertFalse(self.is_blocked("b.example"))
        self.assertEqual(daemon.status()["errors"], [])

    def test_switched_off_and_on(self):
        daemon = self.run_daemon(
            {"IT/one.yaml": order("ONE", names=["one.example"])}, config={"watch": "no"}
        )
        self.assertEqual(daemon.status()["watch"], "off")
        daemon.write_config({"watch": "yes"})
        daemon.reload()
        self.assertEqual(daemon.status()["watch"], "on")
        daemon.write_order("IT/two.yaml", order("TWO", names=["two.example"]))
        self.await_blocked("two.example")
        daemon.write_config({"watch": "no"})
        self.eventually(lambda: daemon.status()["watch"] == "off", "the watch ends")

# SPDX-License-Identifier: GPL-3.0-or-later
"""Last good versions: what is under state stands in for what cannot be read, whole, or not at all,
through damage, full disks and crashes; and nothing in force waits for it."""

import random
import shutil
import signal
import subprocess
import time

from client import eventually
from policytest import BROKEN, BUILT, LIGHT, SEED, order, small_database
from reloadtest import ReloadTest


class State(ReloadTest):
    def state_files(self):
        files = (self.proxy.folder / "state").rglob("*")
        return sorted(each for each in files if each.is_file() and each.name != "lock")

    def test_a_damaged_state(self):
        """It stands in for nothing, and harms nothing that is good on disk."""
        proxy = self.run_daemon(
            {
                "IT/one.yaml": order("IT-ONE", names=["one.example"]),
                "IT/two.yaml": order("IT-TWO", names=["two.example"]),
            }
        )
        proxy.wait_until_kept()
        self.assertTrue(self.state_files())
        damages = {
            "cut": lambda each: each.write_bytes(each.read_bytes()[:-1]),
            "one bit": lambda each: each.write_bytes(
                bytes([each.read_bytes()[0] ^ 1]) + each.read_bytes()[1:]
            ),
            "another name": lambda each: each.write_bytes(
                each.read_bytes().replace(b"two.example", b"twx.example")
            ),
            "empty": lambda each: each.write_bytes(b""),
            "gone": lambda each: each.unlink(),
            "a folder": lambda each: (each.unlink(), each.mkdir()),
        }
        for label, damage in damages.items():
            with self.subTest(label):
                self.restart(lambda: [damage(each) for each in self.state_files()])
                self.assert_blocked("one.example", "two.example")
                self.assert_exactly([])
                proxy.stop()
                shutil.rmtree(proxy.folder / "state")  # written anew, and damaged again with
                proxy.start()  # a broken order beside it: that one is left out
                self.restart(
                    lambda: (
                        [
                            damage(each)
                            for each in self.state_files()
                            if b"two.example" in each.read_bytes()
                        ],
                        proxy.write_order("IT/two.yaml", BROKEN),
                    )
                )
                self.assert_blocked("one.example")
                self.assertTrue(self.errors())
                self.assert_free("twx.example")
                if label != "gone":
                    self.assert_free("two.example")
                proxy.write_order("IT/two.yaml", order("IT-TWO", names=["two.example"]))
                proxy.reload()
                self.assert_blocked("two.example")

    def test_a_state_that_cannot_be_written(self):
        """A warning; orders bind all the same."""
        proxy = self.run_daemon()
        self.restart(
            lambda: (shutil.rmtree(proxy.folder / "state"), proxy.write("state", "a file"))
        )
        self.assert_blocked("one.example")
        proxy.write_order("IT/two.yaml", order("IT-TWO", names=["two.example"]))
        proxy.reload()
        self.assert_blocked("two.example")
        self.assertTrue(eventually(self.state_warnings, "a warning"))

    def state_warnings(self):
        """What status says of the state folder."""
        warnings = self.proxy.status()["warnings"]
        return [each["warning"] for each in warnings if each["file"].endswith("/state")]

    def test_a_full_disk(self):
        """Orders come into force without their last good versions, and are kept once there is
        room; until then a start that needs one has the whole version before."""
        proxy = self.run_daemon()
        state = proxy.folder / "state"
        proxy.stop()
        shutil.rmtree(state)
        state.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o"]
        subprocess.run([*mount, "size=64k", "tmpfs", state], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", state], check=True)
        proxy.start()
        proxy.wait_until_kept()
        wide = order("IT-ONE", names=[f"n{i}.example" for i in range(5000)])
        proxy.write_order("IT/one.yaml", wide)
        proxy.reload()
        self.assert_blocked("n0.example", "n4999.example")
        (warning,) = eventually(self.state_warnings, "a warning")
        self.assertIn("No space left on device", warning)
        self.assertEqual((proxy.status()["generation"], proxy.status()["kept"]), (2, 1))
        proxy.stop()
        proxy.write_order("IT/one.yaml", BROKEN)
        proxy.start()
        self.assert_blocked("one.example")
        self.assert_free("n0.example")
        subprocess.run([*mount, "remount,size=4m", "tmpfs", state], check=True)
        proxy.write_order("IT/one.yaml", wide)
        proxy.reload()
        proxy.wait_until_kept()
        self.assertEqual(self.state_warnings(), [])
        proxy.stop()
        proxy.write_order("IT/one.yaml", BROKEN)
        proxy.start()
        self.assert_blocked("n0.example", "n4999.example")
        proxy.stop()

    def test_killed_before_it_is_kept(self):
        """What came into force is read from its files again, and kept then."""
        listed = lambda round: {
            f"IT/{i}.yaml": order(f"IT-{i}", names=[f"n{i}-{round}.example"]) for i in range(100)
        }
        proxy = self.run_daemon(listed(0))
        proxy.wait_until_kept()
        for path, text in listed(1).items():
            proxy.write_order(path, text)
        proxy.reload()
        proxy.kill()
        proxy.start()
        self.assert_blocked("n0-1.example", "n99-1.example")
        self.assertEqual(proxy.status()["errors"], [])
        proxy.wait_until_kept()
        proxy.stop()
        for path in listed(1):
            proxy.write_order(path, BROKEN)
        proxy.start()
        self.assert_blocked("n0-1.example", "n99-1.example")
        self.assertEqual(len(proxy.status()["errors"]), 100)

    def test_killed_in_the_middle_of_reloads(self):
        """Wherever it is hit, it starts again with what is on disk, or with what was good."""
        rng = random.Random(SEED)
        listed = lambda round: {
            **order("IT-ONE", names=[f"r{round}.example", "one.example"]),
            "lists": [{"file": "list.txt", "format": "names"}],
        }
        proxy = self.run_daemon(
            {"IT/one.yaml": listed(0)}, {"orders/IT/list.txt": "listed.example\n"}
        )
        for round in range(1, 5 if LIGHT else 12):
            proxy.wait_until_kept()
            proxy.write(
                "orders/IT/list.txt",
                "listed.example\n" + "".join(f"n{i}-{round}.example\n" for i in range(2000)),
            )
            proxy.write_order("IT/one.yaml", listed(round))
            proxy.write("country.mmdb", small_database(built=BUILT + round))
            proxy.signal(signal.SIGHUP)
            time.sleep(rng.random() * 0.01)
            proxy.kill()
            if round % 2:
                proxy.write_order("IT/one.yaml", BROKEN)
            proxy.start()
            self.assert_blocked("one.example", "listed.example")
            self.assertEqual(bool(self.errors()), bool(round % 2))
            if round % 2:
                versions = [
                    each for each in (round, round - 1) if self.is_blocked(f"r{each}.example")
                ]
                self.assertEqual(len(versions), 1)

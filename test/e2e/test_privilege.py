# SPDX-License-Identifier: GPL-3.0-or-later
"""Least privilege without a service manager: started as root, the daemon becomes a user that may do
nothing but bind ports, serves and reloads so, and refuses to start where it could not."""

import os
import pathlib
import pwd
import re
import resource
import shutil

from dnsbytes import NOERROR, REFUSED, parse, query
from harness import BUILD, COUNTRY_DATABASE, ITALIAN4, SERVER4, Daemon, SiteTest
from tls import certificate

USER = "nobody"  # there on every Debian
BIND = 1 << 10  # CAP_NET_BIND_SERVICE
PLAIN = BUILD.name not in ("asan", "tsan")
ANYCAST4, ANYCAST6 = "192.0.2.99", "2001:db8::99"


class PrivilegeTest(SiteTest):
    def setUp(self):
        self.resolver = self.upstream()

    def confined(self, start=True, user=USER, config=None, **options):
        """A daemon whose files are all the user's."""
        daemon = self.daemon(
            self.resolver,
            config={"user": user, "geo": {"database": "country.mmdb"}, **(config or {})},
            start=False,
            **options,
        )
        shutil.copy(COUNTRY_DATABASE, daemon.folder / "country.mmdb")
        for path in [daemon.folder, *daemon.folder.rglob("*")]:
            shutil.chown(path, USER, pwd.getpwnam(USER).pw_gid)
        if start:
            daemon.start()
        return daemon

    def processes(self, daemon):
        """What /proc says of each of its threads."""
        for status in pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/status"):
            yield dict(re.findall(r"^(\w+):\t(.*)$", status.read_text(), re.M))

    def refusing(self, calls):
        program = self.site.folder / "refuse.py"
        program.write_text(REFUSE)
        return ("/usr/bin/python3", str(program), calls)

    def assert_blocks(self):
        answer = parse(self.italian4.ask(query("kickasstorrents.to")))
        self.assertEqual(answer.rcode, REFUSED)
        self.assertEqual(parse(self.german4.ask(query("kickasstorrents.to"))).rcode, NOERROR)


class User(PrivilegeTest):
    def test_nothing_is_left_but_to_bind_ports(self):
        daemon = self.confined()
        self.assert_blocks()
        user = pwd.getpwnam(USER)
        statuses = list(self.processes(daemon))
        self.assertGreater(len(statuses), 2)
        for status in statuses:
            self.assertEqual(status["Uid"].split(), [str(user.pw_uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(user.pw_gid)] * 4)
            groups = {str(group) for group in os.getgrouplist(USER, user.pw_gid)}
            self.assertEqual(set(status["Groups"].split()), groups)
            for name, expected in (
                ("CapPrm", BIND), ("CapEff", BIND), ("CapInh", 0), ("CapBnd", 0), ("CapAmb", 0),
            ):  # fmt: skip
                self.assertEqual(int(status[name], 16), expected, name)
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        limits = pathlib.Path(f"/proc/{daemon.process.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")
        # What belongs to root cannot be opened by others of the same user: not dumpable.
        memory = pathlib.Path(f"/proc/{daemon.process.pid}/mem").stat()
        self.assertEqual(memory.st_uid, 0)
        self.assertNotIn("running as root", daemon.log())

    def test_reloads_and_restarts_go_on(self):
        daemon = self.confined()
        daemon.write_order("IT/milan.yaml", {"id": "x", "authority": "x", "issued": "2022-01-01",
                                             "names": ["other.example"]})  # fmt: skip
        daemon.reload()
        self.assertEqual(parse(self.italian4.ask(query("other.example"))).rcode, REFUSED)
        daemon.wait_until_kept()
        kept = list((daemon.folder / "state").rglob("*"))
        self.assertTrue(kept)
        self.assertEqual({path.owner() for path in kept}, {USER})
        daemon.stop()
        daemon.start()
        self.assertEqual(parse(self.italian4.ask(query("other.example"))).rcode, REFUSED)

    def test_folders_of_its_own_are_made(self):
        daemon = self.confined(start=False, config={"control": "run/control.sock"})
        daemon.folder.chmod(0o755)
        shutil.chown(daemon.folder, "root", "root")
        daemon.start()
        self.assert_blocks()
        for name in ("run", "state"):
            made = daemon.folder / name
            self.assertEqual((made.owner(), made.stat().st_mode & 0o777), (USER, 0o750))

    def test_what_the_user_may_not_open_is_told_with_its_place(self):
        chain, key = certificate()
        listen = {"address": SERVER4, "transport": ["tls"], "certificate": "a.pem", "key": "key.pem"}
        daemon = self.confined(
            start=False, config={"listen": [listen]}, files={"a.pem": chain, "key.pem": key}
        )
        for path in ("key.pem", "country.mmdb", "orders/IT/milan.yaml"):
            path = daemon.folder / path
            shutil.chown(path, "root", "root")
            path.chmod(0o600)
        state = daemon.folder / "state"
        state.mkdir(mode=0o755)
        self.assertEqual(daemon.run_to_end(), 1)
        conf = daemon.conf.read_text().splitlines()
        for key, path, verb in (
            ("key:", "key.pem", "read"), ("geo:", "country.mmdb", "read"),
            ("orders:", "orders/IT/milan.yaml", "read"), ("state:", "state", "written"),
        ):  # fmt: skip
            line = 1 + next(i for i, text in enumerate(conf) if key in text)
            told = rf"forwarder.conf:{line}:\d+: \S*/{path} cannot be {verb} by the user"
            self.assertRegex(daemon.log(), told)
        self.assertIn(f"user {USER} may not open everything that is needed", daemon.log())
        self.assertEqual(list(state.iterdir()), [])

    def test_what_lies_under_state_must_be_written_to(self):
        """Left behind by a run as root, say: that is told before anything is opened or written."""
        daemon = self.confined()
        daemon.stop()
        state = daemon.folder / "state"
        before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
        for name in ("audit/00000001.jsonl", "blocks.sqlite"):
            path = state / name
            path.touch()
            shutil.chown(path, "root", "root")
            path.chmod(0o644)
            self.assertEqual(daemon.run_to_end(), 1)
            self.assertRegex(daemon.log(), rf":\d+:\d+: \S*/{name} cannot be written by the user")
            shutil.chown(path, USER)
        now = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
        self.assertEqual({**before, state / "blocks.sqlite": b""}, now)
        daemon.write_config({"state": "no/such/folder"})
        self.assertEqual(daemon.run_to_end(), 1)
        self.assertRegex(daemon.log(), r":\d+:\d+: \S*/no/such/folder cannot be made by the user")

    def test_users_that_cannot_be(self):
        for user, why in (
            ("no-such-user", "is no user of this system"),
            ("root", "is root; name a user that may do less"),
        ):
            daemon = self.confined(start=False, user=user)
            self.assertEqual(daemon.run_to_end(), 1)
            place = rf"{daemon.conf}:\d+:\d+: "
            self.assertRegex(daemon.log(), rf"{place}user: {user} {why}")
            checked = daemon.tool("check")
            self.assertEqual(checked.returncode, 1)
            self.assertRegex(checked.stdout, rf"(?m)^{place}user: {user} {why}$")

    def test_started_as_another_user(self):
        as_daemon = ("setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups")
        daemon = self.confined(start=False, prefix=as_daemon)
        daemon.folder.chmod(0o755)
        self.assertEqual(daemon.run_to_end(), 1)
        self.assertRegex(
            daemon.log(), rf"{daemon.conf}:\d+:\d+: user: {USER} can be become by root alone"
        )

    def test_started_as_that_user(self):
        """As by a service manager that gives it the one capability; one whose own filter refuses
        what would be needed to give that up again, and filters by seccomp(2), is no obstacle."""
        managed = ("setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups",
                   "--inh-caps", "+net_bind_service", "--ambient-caps", "+net_bind_service")  # fmt: skip
        for prefix, inherited, filters in (
            (managed, 0, "1"), (managed + self.refusing("capset,seccomp"), BIND, "2"),
        ):  # fmt: skip
            daemon = self.confined(prefix=prefix)
            self.assert_blocks()
            for status in self.processes(daemon):
                self.assertEqual(int(status["CapEff"], 16), BIND)
                self.assertEqual((int(status["CapAmb"], 16), int(status["CapInh"], 16)), (0, inherited))
                self.assertEqual((status["Seccomp"], status["Seccomp_filters"]), ("2", filters))
            daemon.stop()


class Root(PrivilegeTest):
    def test_root_is_warned_of(self):
        daemon = self.daemon(self.resolver)
        daemon.wait_for_log("running as root")
        self.assertEqual({status["Seccomp"] for status in self.processes(daemon)}, {"2"})

    def test_without_sandbox(self):
        daemon = self.daemon(self.resolver, config={"sandbox": "no"})
        self.assert_blocks()
        for status in self.processes(daemon):
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "0"))

    def test_a_kernel_without_filters(self):
        """One that refuses them, as some containers do: a warning, and it goes on."""
        daemon = self.daemon(self.resolver, prefix=self.refusing("seccomp,filters"))
        daemon.wait_for_log("no sandbox")
        self.assert_blocks()

    def test_few_descriptors_are_warned_of(self):
        daemon = self.daemon(self.resolver, prefix=("prlimit", "--nofile=300:300"))
        self.assertIn("few descriptors", daemon.wait_for_log("limit=300 wanted="))


class Memory(PrivilegeTest):
    NAMES = 400_000

    if PLAIN:  # a sanitizer takes all the room there is

        def test_a_load_without_memory_leaves_what_is_in_force(self):
            daemon = self.daemon(self.resolver)
            generation = daemon.status()["generation"]
            status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
            size = 1024 * int(re.search(r"VmData:\s+(\d+)", status)[1])
            self.limit(daemon, size + (9 << 20))
            daemon.write("long.txt", "".join(f"n{i}.example\n" for i in range(self.NAMES)))
            daemon.write_order("IT/long.yaml", {
                "id": "long", "authority": "x", "issued": "2022-01-01",
                "lists": [{"file": "../../long.txt", "format": "names"}],
            })  # fmt: skip
            done = daemon.tool("reload")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assert_blocks()
            self.assertIn("memory", daemon.log() + done.stdout + done.stderr)
            names = daemon.status()["names"]
            self.assertLess(names, 10)
            self.limit(daemon, -1)
            daemon.reload()
            self.assertEqual(daemon.status()["names"], names + self.NAMES)
            self.assertGreater(daemon.status()["generation"], generation)
            self.assertEqual(parse(self.italian4.ask(query("n7.example"))).rcode, REFUSED)

    def limit(self, daemon, size):
        resource.prlimit(daemon.process.pid, resource.RLIMIT_DATA, (size, -1))


class Anycast(SiteTest):
    @staticmethod
    def is_refused(channel):
        channel.send(query("kickasstorrents.to"))
        return not channel.is_silent(0.5) and parse(channel.receive()).rcode == REFUSED

    def test_an_address_that_comes_later(self):
        listen = [{"address": SERVER4}] + [
            {"address": address, "freebind": "yes"} for address in (ANYCAST4, ANYCAST6)
        ]
        daemon = self.daemon(self.upstream(), start=False)
        daemon.write_config({"listen": [{"address": ANYCAST4}]})
        self.assertEqual(daemon.run_to_end(), 1)
        self.assertIn(f"cannot listen on {ANYCAST4} port 53", daemon.log())
        daemon.write_config({"listen": listen})
        daemon._launch()
        daemon._wait_for_listener(listen[0])
        for address in (ANYCAST4, ANYCAST6):
            now = ("nodad",) if ":" in address else ()
            self.site.server.run("ip", "address", "add", address, "dev", "lo", *now)
            version = ITALIAN4 if "." in address else "2001:b07::1"
            client = type(self.italian4)(self.site.clients, version, (address, 53))
            # Neighbours learn of an address on `lo` late, and what waited for that may be lost.
            with client.udp() as channel:
                self.eventually(lambda: self.is_refused(channel), f"{address} answers")


# A program that has the kernel refuse some calls by EPERM, as an outer filter does, and becomes
# another one: BPF by hand, as it must itself be such a filter. Its first word names them; filters(2)
# is prctl(2) for filters alone.
REFUSE = r"""
import ctypes, os, struct, sys
NUMBERS = {
    "x86_64": {"seccomp": 317, "prctl": 157, "capset": 126},
    "aarch64": {"seccomp": 277, "prctl": 167, "capset": 91},
}[os.uname().machine]
LOAD, EQUAL, RETURN, EPERM, ALLOW = 0x20, 0x15, 0x06, 0x50001, 0x7fff0000
SET_SECCOMP = 22
code = [(LOAD, 0, 0, 0)]
for name in sys.argv[1].split(","):
    if name == "filters":
        code += [(EQUAL, 0, 4, NUMBERS["prctl"]), (LOAD, 0, 0, 16), (EQUAL, 0, 1, SET_SECCOMP)]
        code += [(RETURN, 0, 0, EPERM), (LOAD, 0, 0, 0)]
    else:
        code += [(EQUAL, 0, 1, NUMBERS[name]), (RETURN, 0, 0, EPERM)]
code += [(RETURN, 0, 0, ALLOW)]
program = b"".join(struct.pack("HBBI", *each) for each in code)
room = ctypes.create_string_buffer(program, len(program))
header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(room))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(SET_SECCOMP, 2, header, 0, 0) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"""

# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian package: built, looked at by lintian, installed, started, upgraded under load, and
purged. It is installed into a copy of this system (an overlay in a mount namespace of its own), of
which nothing remains; the service manager is played by test_service's."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from dnsbytes import NOERROR, REFUSED, parse, query
from harness import (
    COUNTRY_DATABASE, MILAN, REPOSITORY, SERVER4, SERVER4_OTHER, Process, SiteTest,
    yaml_text,
)
from load import Load
from test_service import LAUNCHER, Manager

UNITS = ("bailiwick.service", "bailiwick-country-database.service")
EXPOSURE = 1.5  # at most, of 10, as systemd-analyze security counts it
STATE = "var/lib/bailiwick"
# What commands of the README's section must say.
IN_PRODUCTION = {
    "bailiwick status": r"(?m)^  generation +1$",
    "bailiwick top --once": r"^bailiwick: generation \d+,",
    "curl --silent http://127.0.0.1:9732/metrics": r'(?m)^bailiwick_order_blocked_total{order="IT-2"} 1$',
    "dnstap-read /var/lib/bailiwick/blocked": r"CQ .*kickasstorrents\.to",
    "bailiwick upstream drain 192.0.2.54": r"drained",
    "bailiwick audit verify": r"^ok: ",
    "bailiwick audit show --order IT-2": r"loaded",
    "bailiwick audit export --csv": r"(?m),IT-2,IT,\d+$",
}


def fenced(text, language):
    """The blocks of this language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [body for word, body in blocks if word == language]


class Copy:
    """This system, as an overlay that can be changed at will."""

    def __init__(self, folder):
        self.root = folder / "root"
        self.root.mkdir()
        mounts = (
            f"mount -t tmpfs tmpfs {folder} && mkdir {folder}/upper {folder}/work {folder}/root && "
            f"mount -t overlay -o lowerdir=/,upperdir={folder}/upper,workdir={folder}/work "
            f"overlay {self.root} && mount -t proc proc {self.root}/proc && "
            f"mount --bind /dev {self.root}/dev && mount -t tmpfs tmpfs {self.root}/run && "
            "echo ready && exec sleep infinity"
        )
        self.holder = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "-m", "--propagation", "private",
             "sh", "-c", mounts],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self.holder.stdout.readline() != "ready\n":
            raise AssertionError("no overlay could be mounted")

    def enter(self):
        """Words that run a command inside. The root is the holder's: we may be in a chroot."""
        return ("nsenter", "-m", "-r", "-t", str(self.holder.pid), "chroot", str(self.root))

    def run(self, *command, status=0, **options):
        done = subprocess.run(
            [*self.enter(), *command], capture_output=True, text=True, timeout=300, **options
        )
        if done.returncode != status:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def write(self, path, text):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path, input=text)

    def exists(self, path):
        return subprocess.run([*self.enter(), "test", "-e", path]).returncode == 0

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


# A program that has the kernel refuse all calls but those its first word names, as systemd does by
# SystemCallFilter=, and becomes another one.
FILTER = """
import ctypes, errno, os, sys
ALLOW, REFUSE = 0x7fff0000, 0x50000 | errno.EPERM
library = ctypes.CDLL("libseccomp.so.2")
library.seccomp_init.restype = ctypes.c_void_p
context = ctypes.c_void_p(library.seccomp_init(REFUSE))
for name in sys.argv[1].split(","):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert library.seccomp_rule_add(context, ALLOW, number, 0) == 0, name
assert library.seccomp_load(context) == 0
os.execvp(sys.argv[2], sys.argv[2:])
"""


def calls_let_through(unit):
    """Names of the system calls that the filter of a unit leaves, of systemd's groups one by one."""
    listed = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    groups = {}
    for line in listed.splitlines():
        if line.startswith("@"):
            group = groups[line.strip()] = []
        elif line.startswith("    ") and not line.lstrip().startswith("#"):
            group.append(line.strip())

    def members(name):
        if not name.startswith("@"):
            return {name}
        return {each for member in groups[name] for each in members(member)}

    left = members("@default")
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        named = {each for word in words.lstrip("~").split() for each in members(word)}
        left = left - named if words.startswith("~") else left | named
    return left


def niceness(process):
    """Of each of its threads."""
    stats = pathlib.Path(f"/proc/{process}/task").glob("*/stat")
    return [int(each.read_text().rpartition(")")[2].split()[16]) for each in stats]


class Service(Process):
    """bailiwickd as bailiwick.service starts it: its user, its capabilities, its descriptors, its
    system calls."""

    name = "bailiwickd"
    exit_statuses = (0,)

    def __init__(self, site, copy, manager, unit):
        super().__init__(site)
        self.manager = manager
        [user] = re.findall(r"^User=(.*)$", unit, re.M)
        [program] = re.findall(r"^ExecStart=(.*)$", unit, re.M)
        [capabilities] = re.findall(r"^AmbientCapabilities=CAP_(.*)$", unit, re.M)
        sets = [f"--{kind}-caps=-all,+{capabilities.lower()}" for kind in ("inh", "ambient")]
        kept = list(manager.kept)
        self.descriptors = tuple(descriptor for _, descriptor in kept)
        copy.run("install", "-d", "-o", user, "-m", "0750", "/run/bailiwick")
        self.launch(
            *copy.enter(),
            "setpriv", "--reuid", user, "--regid", user, "--init-groups", *sets,
            "--no-new-privs", "--pdeathsig", "KILL", "--",
            "/usr/bin/python3", "-c", FILTER, ",".join(sorted(calls_let_through(unit))),
            "/usr/bin/python3", "-c", LAUNCHER,
            ",".join(str(each) for each in self.descriptors),
            ":".join(name for name, _ in kept),
            manager.address, program,
        )  # fmt: skip


class Package(SiteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="bailiwick-package-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        built = subprocess.run(
            [REPOSITORY / "scripts" / "make-deb", cls.folder / "deb"],
            capture_output=True, text=True,
        )  # fmt: skip
        if built.returncode != 0:
            raise AssertionError(built.stdout[-8000:] + built.stderr[-4000:])
        [cls.package] = cls.folder.glob("deb/bailiwick_*.deb")

    def copy(self):
        copy = Copy(pathlib.Path(tempfile.mkdtemp(dir=self.folder)))
        self.addCleanup(copy.close)
        copy.run("sh", "-c", "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d")
        copy.run("chmod", "+x", "/usr/sbin/policy-rc.d")
        # One that is there is kept: nothing has to be downloaded to install.
        copy.run("mkdir", "-p", f"/{STATE}")
        copy.run("cp", str(COUNTRY_DATABASE), f"/{STATE}/country.mmdb")
        return copy

    def install(self, copy, package):
        target = f"/tmp/{package.name}"
        copy.run("sh", "-c", f"cat >{target}", stdin=package.open("rb"))
        copy.run("dpkg", "-i", target)

    def configuration(self, server):
        address, port = server
        return {
            "listen": [{"address": SERVER4}],
            "upstream": {"servers": [{"address": address, "port": port}]},
            "geo": {"database": f"/{STATE}/country.mmdb"},
            "orders": "/etc/bailiwick/orders",
        }

    def newer(self):
        """The same package with a higher version."""
        unpacked = self.folder / "newer"
        subprocess.run(["dpkg-deb", "-R", self.package, unpacked], check=True)
        control = unpacked / "DEBIAN" / "control"
        control.write_text(re.sub(r"^(Version: .*)$", r"\1+1", control.read_text(), flags=re.M))
        package = self.folder / "newer.deb"
        subprocess.run(["dpkg-deb", "-b", unpacked, package], check=True, capture_output=True)
        return package

    def test_a_service_from_install_to_purge(self):
        copy = self.copy()
        resolver = self.unbound(data=["www.example. 300 A 192.0.2.80"])
        self.install(copy, self.package)
        self.assertIn("bailiwick", copy.run("getent", "passwd", "bailiwick"))
        self.assertEqual(copy.run("stat", "-c", "%U", f"/{STATE}"), "bailiwick\n")
        configuration = self.configuration(resolver.server)
        copy.write("/etc/bailiwick/forwarder.conf", yaml_text(configuration))
        copy.write("/etc/bailiwick/orders/IT/milan.yaml", yaml_text(MILAN))
        manager = Manager(self.site)
        self.addCleanup(manager.close)
        unit = copy.run("cat", "/lib/systemd/system/bailiwick.service")

        def start():
            service = self._started(Service(self.site, copy, manager, unit))
            service.wait_for_answer((SERVER4, 53), query("www.example"), NOERROR)
            return service

        service = start()
        self.assertEqual(parse(self.italian4.ask(query("x.limetorrents.pro"))).rcode, REFUSED)
        self.assertEqual(parse(self.italian4.ask(query("www.example"))).rcode, NOERROR)
        facts = pathlib.Path(f"/proc/{service.process.pid}/status").read_text()
        self.assertIn("CapEff:\t0000000000000400\n", facts)  # CAP_NET_BIND_SERVICE alone
        self.assertNotIn("Uid:\t0", facts)
        self.assertIn("Seccomp_filters:\t2\n", facts)  # the unit's, and its own inside
        status = json.loads(copy.run("bailiwick", "status", "--json"))
        self.assertEqual(status["errors"], [])
        copy.run("bailiwick", "reload")
        threads = niceness(service.process.pid)
        self.assertEqual(max(threads) - min(threads), 10, "who does errands, beside who answers")
        load = Load(self.site, ["www.example", "x.limetorrents.pro"], "-q", "200", "-c", "4")
        self.install(copy, self.newer())
        service.stop()
        service = start()
        load.end()
        self.assertEqual(load.lost, 0, load.report)
        service.stop()
        self.assertEqual(copy.run("dpkg-query", "-W", "-f", "${Status}", "bailiwick").split()[-1],
                         "installed")  # fmt: skip
        copy.run("dpkg", "--purge", "bailiwick")
        self.assertFalse(copy.exists(f"/{STATE}"))
        self.assertFalse(copy.exists("/usr/sbin/bailiwickd"))
        self.assertTrue(copy.exists("/etc/bailiwick/orders/IT/milan.yaml"))

    def test_in_production(self):
        """The README's section, command by command as it stands there, in its network. Played are a
        terminal for the editor, and systemd, which starts and stops what the unit says."""
        readme = (REPOSITORY / "README.md").read_text()
        section = re.search(r"^## In production\n.*?^(?=## )", readme, re.M | re.S)[0]
        conf = fenced(readme, "yaml")[0] + fenced(section, "yaml")[0]
        self.unbound(address="127.0.0.1", port=5301, data=["www.example. 300 A 192.0.2.80"])
        self.unbound(address=SERVER4_OTHER, port=53, data=["www.example. 300 A 192.0.2.80"])
        copy = self.copy()
        copy.write("/srv/forwarder.conf", conf)
        copy.write("/usr/local/bin/editor", '#!/bin/sh\ncp /srv/forwarder.conf "$1"\n')
        copy.write("/usr/local/bin/systemctl", "#!/bin/sh\n")
        copy.run("chmod", "+x", "/usr/local/bin/editor", "/usr/local/bin/systemctl")
        copy.run("mkdir", "-p", "/srv/build/deb", "/etc/bailiwick")
        with self.package.open("rb") as package:
            copy.run("sh", "-c", "cat >/srv/build/deb/bailiwick_0.deb", stdin=package)
        copy.run("cp", str(COUNTRY_DATABASE), "/etc/bailiwick/GeoLite2-Country.mmdb")
        systemd = self.systemd(copy)
        unheard = dict(IN_PRODUCTION)
        for command in "".join(fenced(section, "")).splitlines():
            with self.subTest(command), self.site.server:
                said = copy.run("sh", "-c", f"cd /srv && {command} </dev/null")
                self.assertRegex(said, unheard.pop(command, ".*"))
            if command.startswith("systemctl "):
                systemd(command.split()[1])
                answer = parse(self.italian4.ask(query("kickasstorrents.to")))
                self.assertEqual(answer.rcode, REFUSED)
        self.assertEqual(unheard, {})

    def systemd(self, copy):
        """A function that does with bailiwick.service what systemctl is told."""
        manager = Manager(self.site)
        self.addCleanup(manager.close)
        running = []

        def do(verb):
            unit = copy.run("cat", "/lib/systemd/system/bailiwick.service")
            if verb == "reload":
                [command] = re.findall(r"^ExecReload=(.*)$", unit, re.M)
                copy.run(*command.split())
                return
            self.assertIn(verb, ("start", "restart"))
            if verb == "restart":
                running.pop().stop()
            service = self._started(Service(self.site, copy, manager, unit))
            service.wait_for_answer((SERVER4, 53), query("www.example"), NOERROR)
            running.append(service)

        return do

    def test_the_build_depends_on_what_its_script_installs(self):
        """A clean machine can build the package: no list lacks what the other one has."""
        control = (REPOSITORY / "debian/control").read_text()
        field = re.search(r"^Build-Depends:\n((?: .*\n)+)", control, re.M)[1]
        named = [line.strip(" ,") for line in field.splitlines()]
        self.assertEqual(named[1:], sorted(named[1:]))
        script = (REPOSITORY / "scripts/install-packages").read_text()
        [words] = re.findall(r"^    build\)\n +echo ((?:.*\\\n)*.*)$", script, re.M)
        installed = set(words.replace("\\", "").split())
        self.assertEqual(set(named[1:]), installed - {"gcc", "make", "libc6-dev"})

    def test_units_are_closed_in(self):
        for unit in UNITS:
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", REPOSITORY / "debian" / unit],
                capture_output=True, text=True,
            )  # fmt: skip
            [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
            self.assertLessEqual(float(exposure), EXPOSURE, unit)

    def test_the_database_is_renewed_by_geoipupdate_where_that_is_configured(self):
        copy = self.copy()
        self.install(copy, self.package)
        renew = ("/usr/lib/bailiwick/renew-country-database", "/tmp/country.mmdb")
        copy.write("/usr/local/bin/geoipupdate", '#!/bin/sh\necho new >"$2/GeoLite2-City.mmdb"\n')
        copy.run("chmod", "+x", "/usr/local/bin/geoipupdate")
        copy.write("/etc/GeoIP.conf", "AccountID 42\nEditionIDs GeoLite2-ASN GeoLite2-City\n")
        copy.run(*renew)
        self.assertEqual(copy.run("cat", "/tmp/country.mmdb"), "new\n")
        copy.write("/usr/local/bin/geoipupdate", "#!/bin/sh\nexit 1\n")
        copy.run(*renew, status=1)
        self.assertEqual(copy.run("cat", "/tmp/country.mmdb"), "new\n")

    def test_completion(self):
        copy = self.copy()
        self.install(copy, self.package)
        for words, offered in (
            (["bailiwick", "st"], "status"),
            (["bailiwick", "test", "--ba"], "--batch"),
            (["bailiwick", "order", "sus"], "suspend"),
            (["bailiwick", "--conf"], "--config"),
            (["bailiwick", "--config", "f", "st"], "status"),
            (["bailiwick", "--config", "f", "order", "sus"], "suspend"),
            (["bailiwick", "order", "suspend", "--rea"], "--reason"),
        ):
            script = (
                ". /usr/share/bash-completion/completions/bailiwick; compopt() { :; }; "
                f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; "
                f"_bailiwick bailiwick {words[-1]} {words[-2]}; echo ${{COMPREPLY[@]}}"
            )
            self.assertEqual(copy.run("bash", "-c", script), offered + "\n")

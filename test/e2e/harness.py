# SPDX-License-Identifier: GPL-3.0-or-later
"""The real programs with real peers, in a network of their own.

A Site is two network namespaces joined by a veth pair. The client side answers for every address
of the world (so a test asks from genuine Italian and German addresses, and the country database is
the real one); the server side holds SERVER4 and SERVER6, two more addresses on its loopback, and
all of 127.0.0.0/8, where the upstreams live. Nothing leaves the machine, nothing has a name
outside, and everything ends with the process that made it.

    class Refusals(SiteTest):
        def test_italian_client(self):
            upstream = self.upstream()
            daemon = self.daemon(upstream, orders={"IT/milan.yaml": MILAN})
            answer = parse(self.italian4.ask(query("kickasstorrents.to", opt=opt())))
            self.assertEqual(answer.rcode, REFUSED)
            self.assertEqual(upstream.requests, [])

What a SiteTest offers:
    self.italian4, italian6, german4, german6    Client: ask(), udp(), tcp() (client.py)
    self.client("5.9.0.1")                       any other client
    self.daemon(*upstreams, ...)                 a running Daemon; arguments at its class
    self.upstream(), unbound(), nsd()            ScriptedUpstream (upstream.py), Unbound, Nsd
    self.eventually(condition, what)             polls until it is true
Whatever a test starts is stopped after it. A daemon that does not end with status 0, and a report
of a sanitizer, fail the test. When a test fails, the logs of what ran are shown.

Run by test/e2e/run. BUILD names the folder of the binaries (build, build/asan, build/tsan); KEEP=1
keeps the folders of the processes. Needs root.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from client import DEADLINE, Client, eventually
from dnsbytes import DSO, NOERROR, NOTIMP, REFUSED, header, opcode_flags, query
from netns import Namespace, family_of
from upstream import UPSTREAM_PORT, ScriptedUpstream, echo, silent

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / os.environ.get("BUILD", "build")
COUNTRY_DATABASE = REPOSITORY / "build" / "country.mmdb"

ITALIAN4, ITALIAN6 = "2.32.0.1", "2001:b07::1"
GERMAN4, GERMAN6 = "5.9.0.1", "2a01:4f8::1"
SERVER4, SERVER6 = "192.0.2.53", "2001:db8::53"
SERVER4_OTHER, SERVER6_OTHER = "192.0.2.54", "2001:db8::54"

MILAN = {
    "id": "IT-MI-2022-07-11",
    "authority": "Tribunale di Milano",
    "issued": "2022-07-11",
    "timezone": "Europe/Rome",
    "effective": "2022-08-10",
    "names": ["kickasstorrents.to", "limetorrents.pro", "ilcorsaronero.pro"],
}

TOOL_DEADLINE = 5 * DEADLINE  # it may work on much, under a sanitizer, on a machine that is busy

EVERYWHERE = [{"address": "0.0.0.0", "port": 53}, {"address": "::", "port": 53}]


class Site:
    """The network, and what runs in it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bailiwick-"))
        self.folder.chmod(0o755)
        self.clients = Namespace()
        self.server = Namespace()
        self.running = []
        self._join()

    def _join(self):
        """The veth pair, the server's addresses, and routes; the client side is the world."""
        there = f"/proc/{os.getpid()}/fd/{self.server.descriptor}"
        peer = ("peer", "name", "s0", "netns", there)
        self.clients.run("ip", "link", "add", "c0", "type", "veth", *peer)
        for side, device, host in ((self.server, "s0", 1), (self.clients, "c0", 2)):
            side.run("ip", "address", "add", f"198.18.0.{host}/30", "dev", device)
            for prefix in ("fd18", "fe80"):
                side.run("ip", "address", "add", f"{prefix}::{host}/64", "dev", device, "nodad")
            side.run("ip", "link", "set", device, "up")
        for address in (SERVER4, SERVER4_OTHER):
            self.server.run("ip", "address", "add", address, "dev", "lo")
        for address in (SERVER6, SERVER6_OTHER):  # nodad: else it can be bound a moment later only
            self.server.run("ip", "address", "add", address, "dev", "lo", "nodad")
        for version, near, far, servers in (
            ("-4", "198.18.0.2", "198.18.0.1", "192.0.2.0/24"),
            ("-6", "fd18::2", "fd18::1", "2001:db8::/32"),
        ):
            add = ("ip", version, "route", "add")
            self.server.run(*add, "default", "via", near)
            self.clients.run(*add, servers, "via", far)
            self.clients.run(*add, "local", "default", "dev", "lo", "table", "main")
        with self.clients, contextlib.suppress(OSError):  # for programs that bind IPv6 themselves
            pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")

    def client(self, address):
        server = SERVER6 if family_of(address) == socket.AF_INET6 else SERVER4
        return Client(self.clients, address, (server, 53))

    def beside(self, server):
        """A client on the server's own machine, where 127.0.0.0/8 can be asked too."""
        any_address = "::" if family_of(server[0]) == socket.AF_INET6 else "0.0.0.0"
        return Client(self.server, any_address, server)

    def link_local_client(self):
        with self.clients:
            scope = socket.if_nametoindex("c0")
        return Client(self.clients, f"fe80::2%{scope}", ("fe80::1", 53, 0, scope))

    def new_folder(self, name):
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def logs(self):
        return "".join(f"---- {each.name}\n{each.log_tail()}" for each in self.running)

    def close(self):
        try:
            with contextlib.ExitStack() as stack:
                for each in self.running:
                    stack.callback(each.stop)
        finally:
            self.clients.close()
            self.server.close()
            if not os.environ.get("KEEP"):
                shutil.rmtree(self.folder)


class Process:
    """A program in the server namespace that is killed when this process ends. Start it from the
    main thread: the kernel ends it together with the thread that started it."""

    name = "process"
    exit_statuses = (0, -signal.SIGTERM)
    descriptors = ()  # of ours that it is to have too, under the same numbers

    def __init__(self, site):
        self.site = site
        self.folder = site.new_folder(self.name)
        self.log_path = self.folder / "log"
        self.process = None

    def launch(self, *command, environment=None):
        ends_with_us = ("setpriv", "--pdeathsig", "KILL", "--")
        with self.site.server, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ends_with_us + command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                pass_fds=self.descriptors,
            )
        self.site.running.append(self)

    def wait_for_answer(self, server, message, *rcodes):
        """Polls with datagrams from beside it until one is answered so."""
        with self.site.beside(server).udp() as channel:
            channel.socket.settimeout(0.1)

            def answered():
                self.check_alive()
                with contextlib.suppress(OSError):
                    channel.send(message)
                    return channel.receive()[3] & 15 in rcodes

            eventually(answered, lambda: f"{self.name} answers on {server}\n{self.log_tail()}")

    def check_alive(self):
        if self.process.poll() is not None:
            self.fail(f"ended with {self.process.returncode}")

    def fail(self, what):
        raise AssertionError(f"{self.name} {what}\n{self.log_tail()}")

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self):
        return "".join(line + "\n" for line in self.log().splitlines()[-40:])

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, deadline=DEADLINE):
        """Its exit status."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.fail("did not end")

    def stop(self):
        """Ends it and checks how it ended. Once; later calls do nothing."""
        if self not in self.site.running:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        finally:
            self.site.running.remove(self)
        if status not in self.exit_statuses:
            self.fail(f"ended with {status}")


class Daemon(Process):
    """bailiwickd with a configuration of its own.

    upstreams   where to forward: whatever has a .server, or (address, port)
    orders      {path below the orders folder: order as a dict, or its text}
    files       {path beside forwarder.conf: text or bytes}: lists, overrides and the like
    config      keys that add to or replace the defaults below, to any depth
    prefix      words in front of the command: ("prlimit", "--nofile=64:64")
    start       False: write the files only; start() later
    """

    name = "bailiwickd"
    exit_statuses = (0,)

    def __init__(
        self, site, upstreams=(), *, orders=None, files=None, config=None, prefix=(), start=True
    ):
        super().__init__(site)
        self.conf = self.folder / "forwarder.conf"
        self.prefix = prefix
        (self.folder / "orders").mkdir()
        servers = [getattr(upstream, "server", upstream) for upstream in upstreams]
        self.config = merged(
            {
                "listen": EVERYWHERE,
                "workers": 2,
                "upstream": {
                    "servers": [{"address": address, "port": port} for address, port in servers],
                    "health-check": "no",
                },
                "geo": {"database": str(COUNTRY_DATABASE)},
                "orders": "orders",
                "state": "state",
                "control": "control.sock",
                "watch": "no",  # tests say when files are read
            },
            config or {},
        )
        self.write_config()
        for path, text in (files or {}).items():
            self.write(path, text)
        for path, order in (orders if orders is not None else {"IT/milan.yaml": MILAN}).items():
            self.write_order(path, order)
        if start:
            self.start()

    # ---- its files

    def write(self, path, content):
        """Text or bytes, in one step."""
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
        fresh.rename(path)

    def write_order(self, path, order):
        self.write(f"orders/{path}", order if isinstance(order, str) else yaml_text(order))

    def remove_order(self, path):
        (self.folder / "orders" / path).unlink()

    def write_config(self, changes=None):
        self.config = merged(self.config, changes or {})
        self.write("forwarder.conf", yaml_text(self.config))

    # ---- the daemon

    def start(self):
        """Starts it and waits until every listener answers."""
        self._launch()
        for listen in self.config["listen"]:
            self._wait_for_listener(listen)

    def run_to_end(self):
        """Starts it where it must end on its own; its exit status."""
        self._launch()
        return self._ended()

    def kill(self):
        """Ends it as a crash would; it can be started again."""
        self.signal(signal.SIGKILL)
        self._ended()

    def _launch(self):
        self.launch(
            *self.prefix,
            *sanitized(BUILD / "bailiwickd"),
            "--config",
            str(self.conf),
            environment=sanitizer_options(self.folder),
        )

    def _ended(self):
        status = self.wait()
        self.site.running.remove(self)
        self.check_sanitizers()
        return status

    def _wait_for_listener(self, listen):
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen["address"], listen["address"])
        server = (address, listen.get("port", 53))
        if listen.get("proxy-protocol", "no") != "no":
            return  # it answers nobody without a header; all sockets are bound by then
        if "quic" in listen.get("transport", ["udp"]):
            return
        if "udp" in listen.get("transport", ["udp"]):
            # Never forwarded: the query that disturbs nothing. REFUSED if `allow` leaves us out.
            self.wait_for_answer(server, header(1, opcode_flags(DSO)), NOTIMP, REFUSED)
            return

        def connected():
            self.check_alive()
            with contextlib.suppress(OSError):
                self.site.beside(server).tcp().close()
                return True

        eventually(connected, lambda: f"listening on {server}\n{self.log_tail()}")

    def stop(self):
        try:
            super().stop()
        finally:
            self.check_sanitizers()  # says more than the status it ends with

    def check_sanitizers(self):
        reports = [path.read_text(errors="replace") for path in self.folder.glob("sanitizer.*")]
        if reports:
            raise AssertionError("\n".join(report[:20000] for report in reports))

    def wait_for_log(self, text):
        """The first line of the log that holds text."""
        lines = lambda: [line for line in self.log().splitlines() if text in line]
        return eventually(lines, lambda: f"log: {text}\n{self.log_tail()}")[0]

    def cpu_seconds(self):
        """Processor time it has used so far."""
        line = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = line.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # ---- the operator's tool

    def tool(self, *arguments, input=None):
        """bailiwick COMMAND --config ... with the rest; the CompletedProcess, with text."""
        command, *rest = map(str, arguments)
        with self.site.server:
            done = subprocess.run(
                [*sanitized(BUILD / "bailiwick"), command, "--config", str(self.conf), *rest],
                input=input,
                capture_output=True,
                text=True,
                timeout=TOOL_DEADLINE,
                env={**os.environ, **sanitizer_options(self.folder)},
            )
        self.check_sanitizers()
        return done

    def status(self):
        done = self.tool("status", "--json")
        if done.returncode != 0:
            raise AssertionError(f"status: {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)

    def wait_until_kept(self):
        """Until the last good versions of what is in force are under its state folder."""

        def kept():
            status = self.status()
            return status["kept"] == status["generation"]

        eventually(kept, lambda: f"{self.name} keeps what is in force\n{self.log_tail()}")

    def reload(self, *options):
        """bailiwick reload; fails the test unless all of the new set came into force."""
        done = self.tool("reload", *options)
        if done.returncode != 0:
            raise AssertionError(f"reload: {done.returncode}\n{done.stdout}{done.stderr}")
        return done


class Unbound(Process):
    """A real resolver that knows its local data and nothing else.

    data     lines of zone text: "www.example. 300 A 192.0.2.80"
    config   further lines of its server clause
    """

    name = "unbound"

    def __init__(self, site, address="127.0.0.3", port=UPSTREAM_PORT, data=(), config=""):
        super().__init__(site)
        self.server = (address, port)
        local = "\n".join(f"    local-data: '{line}'" for line in data)
        (self.folder / "unbound.conf").write_text(
            f"""\
server:
    interface: {address}@{port}
    access-control: 0.0.0.0/0 allow
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{self.folder}"
    use-syslog: no
    num-threads: 1
    module-config: "iterator"
    local-zone: "." static
    local-data: ". 300 SOA ns.invalid. hostmaster.invalid. 1 2 3 4 5"
{local}
{config}
remote-control:
    control-enable: no
"""
        )
        self.launch("unbound", "-d", "-p", "-c", str(self.folder / "unbound.conf"))
        self.wait_for_answer(self.server, query(".", "SOA"), NOERROR)


class Nsd(Process):
    """A real authoritative server; zones maps names to zone text. Transfers are open to all."""

    name = "nsd"

    def __init__(self, site, address="127.0.0.4", port=UPSTREAM_PORT, zones=None):
        super().__init__(site)
        self.server = (address, port)
        clauses = ""
        for index, (zone, text) in enumerate(zones.items()):
            (self.folder / f"zone{index}").write_text(text)
            clauses += f"""
zone:
    name: "{zone}"
    zonefile: "{self.folder}/zone{index}"
    provide-xfr: 0.0.0.0/0 NOKEY
"""
        (self.folder / "nsd.conf").write_text(
            f"""\
server:
    ip-address: {address}@{port}
    username: ""
    chroot: ""
    zonesdir: "{self.folder}"
    database: ""
    pidfile: "{self.folder}/pid"
    xfrdfile: "{self.folder}/xfrd"
    zonelistfile: "{self.folder}/zonelist"
    xfrdir: "{self.folder}"
    cookie-secret-file: ""
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
{clauses}"""
        )
        self.launch("nsd", "-d", "-c", str(self.folder / "nsd.conf"))
        self.wait_for_answer(self.server, query(next(iter(zones)), "SOA"), NOERROR)


class SiteTest(unittest.TestCase):
    """Tests that share one site; the head of this file says what they get."""

    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        country_database()
        cls.site = Site()
        cls.addClassCleanup(cls.site.close)
        cls.italian4, cls.italian6 = cls.site.client(ITALIAN4), cls.site.client(ITALIAN6)
        cls.german4, cls.german6 = cls.site.client(GERMAN4), cls.site.client(GERMAN6)

    def client(self, address):
        return self.site.client(address)

    def daemon(self, *upstreams, **options):
        return self._started(Daemon(self.site, upstreams, **options))

    def upstream(self, address="127.0.0.2", port=UPSTREAM_PORT, script=echo, **options):
        return self._started(
            ScriptedUpstream(self.site.server, address, port, script=script, **options)
        )

    def unbound(self, **options):
        return self._started(Unbound(self.site, **options))

    def nsd(self, **options):
        return self._started(Nsd(self.site, **options))

    def eventually(self, condition, what, deadline=DEADLINE):
        return eventually(condition, what, deadline)

    def _started(self, peer):
        self.addCleanup(peer.stop)
        return peer


# ---- small parts ---------------------------------------------------------------------------------


def country_database():
    """Made once from the same data as the quickstart's; several suites may come here at a time."""
    COUNTRY_DATABASE.parent.mkdir(parents=True, exist_ok=True)
    with open(COUNTRY_DATABASE.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not COUNTRY_DATABASE.exists():
            maker = REPOSITORY / "scripts" / "country-database"
            subprocess.run([maker, COUNTRY_DATABASE], check=True)


def sanitized(program):
    """TSan wants addresses that are not randomized too widely."""
    without_aslr = ["setarch", os.uname().machine, "-R"] if BUILD.name == "tsan" else []
    return [*without_aslr, str(program)]


def sanitizer_options(folder):
    log = f"log_path={folder}/sanitizer:exitcode=99"
    return {
        "ASAN_OPTIONS": f"{log}:detect_leaks=1:detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": f"{log}:print_stacktrace=1",
        "LSAN_OPTIONS": log,
        "TSAN_OPTIONS": f"{log}:halt_on_error=0",
    }


def merged(defaults, changes):
    """changes laid over defaults; dicts are merged to any depth, all else is replaced."""
    result = dict(defaults)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def yaml_text(value):
    """A mapping with one line for each key; flow style below, quoted where it is not plain."""
    return "".join(f"{key}: {yaml_flow(item)}\n" for key, item in value.items())


def yaml_flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {yaml_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(yaml_flow, value)) + "]"
    text = str(value)
    plain = re.fullmatch(r"[\w/.][\w/.+-]*", text, re.ASCII)
    return text if plain else json.dumps(text, ensure_ascii=False)

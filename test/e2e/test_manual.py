# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manual pages say is so: they parse, they name every key, field, option, counter and
event that the programs have and no other, and each of their examples is run."""

import itertools
import json
import math
import re
import socket
import subprocess
import unittest

from dnsbytes import query
from harness import (
    BUILD, DEADLINE, ITALIAN4, REPOSITORY, Daemon, SiteTest, sanitized, sanitizer_options,
)  # fmt: skip
from mmdb import mmdb

MANUAL = REPOSITORY / "forwarder/man"
WIDTH = 80 - 11  # columns that an indented example has on a terminal
NETWORKS = {"2.32.0.0/12": "IT", "5.9.0.0/16": "DE", "2a01:4f8::/29": "DE"}
DATABASE = mmdb(NETWORKS, kind="GeoLite2-Country")
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
GENERATION = "forwarder/generation/generation_"


class Page:
    """A page by its mdoc source."""

    def __init__(self, name):
        self.path = MANUAL / name
        self.source = self.path.read_text()

    def section(self, title):
        return self._part("Sh", title, "Sh")

    def subsection(self, title):
        return self._part("Ss", title, "S[hs]")

    def _part(self, macro, title, end):
        parts = re.split(rf"^\.({end} .*)\n", self.source, flags=re.M)
        return parts[parts.index(f"{macro} {title}") + 1]


def blocks(source):
    """The literal blocks in it."""
    found = re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", source, re.M)
    return [block.replace(r"\&", "") for block in found]


def plain(source):
    """Its words on one line, without macros."""
    lines = []
    for line in source.splitlines():
        if line.startswith("."):
            line = re.sub(r"^\.[A-Z][a-z]\b ?|\b(?:Ar|Cm|Fl|Ic|No|Ns) ", "", line)
        lines.append(line)
    text = re.sub(r" ([,.:;])(?= |$)", r"\1", " ".join(filter(None, lines)))
    return text.replace(r"\&", "")


def items(source, macro):
    """{tag: the text of its item} for tags in this macro; "a , b" are two tags. What lies in lists
    of other tags belongs to the tag before."""
    found = {}
    for item in re.split(rf"^\.It (?={macro} )", source, flags=re.M)[1:]:
        tag, _, body = item.partition("\n")
        found.update(dict.fromkeys(plain(f".{tag}").split(", "), plain(body)))
    return found


def words_of(text):
    """{"a", "b", "c"} of "a, b or c"."""
    return set(re.split(", | or | and ", text))


def run(*command, **options):
    return subprocess.run(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        **options,
    )


def source_of(path):
    return (REPOSITORY / path).read_text()


CONFIGURATION = Page("forwarder.conf.5")
ORDERS = Page("bailiwick-orders.5")
TOOL = Page("bailiwick.1")
DAEMON = Page("bailiwickd.8")
PAGES = (CONFIGURATION, ORDERS, TOOL, DAEMON)


class Form(unittest.TestCase):
    def test_the_pages_parse_without_warnings(self):
        self.assertEqual(set(MANUAL.iterdir()), {page.path for page in PAGES})
        for page in PAGES:
            for reader in ("mandoc -T lint -W warning", "groff -mdoc -ww -Tutf8 -z"):
                done = run(*reader.split(), page.path)
                self.assertEqual((done.returncode, done.stdout), (0, ""), reader)

    def test_examples_fit_a_terminal(self):
        for page in PAGES:
            for line in "".join(blocks(page.source)).splitlines():
                self.assertLessEqual(len(line), WIDTH, line)


# What the sources define, in the unit of the page, and the words that name it there.
DEFINED = (
    (ORDERS, "policy/yaml_text.h", "YAML_TEXT_BYTES_MAX", 1 << 20, "A file has at most {} MiB"),
    (CONFIGURATION, "policy/yaml_text.h", "YAML_TEXT_DEPTH", 1, "nesting deeper than {} levels"),
    (ORDERS, "policy/order.h", "ORDER_MESSAGE_MAX", 1, "at most {} octets that goes to the client"),
    (DAEMON, "policy/order.h", "ORDER_MESSAGE_MAX", 1, "Order message {} octets"),
    (ORDERS, "policy/order.h", "ORDER_ADDRESSES_MAX", 1, "1 to {} addresses"),
    (DAEMON, "policy/order.h", "ORDER_ADDRESSES_MAX", 1, "Order addresses {} "),
    (ORDERS, "policy/order_record.c", "ID_MAX", 1, "1 to {} letters"),
    (DAEMON, "policy/order_record.c", "ID_MAX", 1, "Order id {} octets"),
    (ORDERS, "policy/order_folder.h", "ORDER_FOLDER_DEPTH", 1, "they lie {} deep"),
    (ORDERS, "policy/order_lists.c", "LIST_PATH_MAX", 1, "A path of at most {} octets"),
    (ORDERS, "policy/order.h", "ORDER_WINDOWS_MAX", 1, "A list of 1 to {} mappings"),
    (ORDERS, "policy/order_messages.c", "LANGUAGES_MAX", 1, "a mapping of up to {} languages"),
    (ORDERS, "policy/order_items.c", "TICKET_MAX", 1, "a text of at most {} octets for whoever"),
    (ORDERS, "policy/order_names.c", "LABELS_MAX", 1, "A list of at most {} single labels"),
    (ORDERS, "policy/order_checks.c", "TOLD_MAX", 1, "The first {} of each sort"),
    (ORDERS, "policy/guard.h", "GUARD_IPV4_LENGTH", 1, "a network wider than /{} of IPv4"),
    (ORDERS, "policy/guard.h", "GUARD_IPV6_LENGTH", 1, "or /{} of IPv6"),
    (ORDERS, "policy/name_list.h", "NAME_LIST_PROBLEMS", 1, "The first {} bad lines"),
    (DAEMON, GENERATION + "files.c", "OVERRIDES_BYTES_MAX", 1 << 20, "Overrides {} MiB"),
    (DAEMON, GENERATION + "files.c", "PROTECTED_BYTES_MAX", 1 << 20, "Protected names, networks {} MiB"),
    (DAEMON, "forwarder/upstream/inflight.h", "INFLIGHT_LARGE", 1, "of these {} of more than 512 octets"),
    (CONFIGURATION, "forwarder/upstream/inflight.h", "INFLIGHT_LARGE", 1, "at most {} longer than 512"),
    (DAEMON, "forwarder/stream/stream_client.h", "STREAM_CLIENT_PIPELINE", 1, "; {} a TCP connection"),
    (DAEMON, "forwarder/stream/stream_transfers.h", "STREAM_TRANSFERS", 1, "{} zone transfers"),
    (DAEMON, "forwarder/stream/stream_client.h", "STREAM_CLIENT_HANDSHAKE_MS", 1000, "A handshake has {} s"),
    (CONFIGURATION, "forwarder/stream/hop_options.h", "HOP_OPTIONS_BLOCK", 1, "a multiple of {} octets"),
    (DAEMON, "forwarder/quic/quic_table.h", "QUIC_TABLE_STREAMS", 1, "may have {} at once"),
    (DAEMON, "forwarder/quic/quic_table.h", "QUIC_TABLE_UNSURE", 1, "While {} handshakes of a"),
    (DAEMON, "forwarder/quic/quic_table.h", "QUIC_TABLE_HANDSHAKES", 1, "At most {} run at once"),
    (DAEMON, "forwarder/quic/quic_transport.c", "HANDSHAKE_MS", 1000, "for at most {} s each"),
    (DAEMON, "forwarder/quic/quic_state.h", "QUIC_SILENT_MAX", 1, "Of more than {} such streams"),
    (DAEMON, "forwarder/quic/quic_state.h", "QUIC_PACKET_SIZE", 1, "sent have at most {} octets"),
    (DAEMON, "forwarder/stream/hop_options.h", "HOP_OPTIONS_BLOCK", 1, "a multiple of {} octets if"),
    (DAEMON, "forwarder/upstream/upstream_udp.h", "UPSTREAM_UDP_SOCKETS", 1, "{} UDP sockets a worker"),
    (DAEMON, "forwarder/upstream/upstream_stream.h", "UPSTREAM_STREAMS", 1, "up to {} TCP connections"),
    (CONFIGURATION, "forwarder/upstream/upstream_stream.h", "UPSTREAM_STREAMS_PROXIED", 1, "There are up to {}"),
    (CONFIGURATION, "forwarder/upstream/upstream_stream.h", "UPSTREAM_STREAM_REFUSED_MS", 1000,
     "tried again after {} s"),
    (DAEMON, "forwarder/upstream/upstream_stream.h", "UPSTREAM_STREAM_IDLE_MS", 1000, "closed after {} s"),
    (DAEMON, "forwarder/descriptors.h", "DESCRIPTORS_SPARE", 1, "With fewer than {} left"),
    (DAEMON, "forwarder/server/control_request.h", "CONTROL_REQUEST_MAX", 1, "A request has at most {}"),
    (DAEMON, "forwarder/server/control.c", "CONNECTIONS_MAX", 1, "{} connections are served"),
    (DAEMON, "forwarder/server/control.c", "DEADLINE_S", 1, "it must come within {} s"),
    (DAEMON, "forwarder/listeners.h", "LISTENERS_LINGER_MS", 1000, "daemon stopped, {} s later"),
    (DAEMON, "forwarder/listeners.c", "QUIC_MAX_MS", 1000, "told that they are closed, in at most {} s"),
    (DAEMON, "forwarder/worker.c", "STOP_MS", 1000, "for which there are {} s"),
    (DAEMON, "forwarder/coalescing.h", "COALESCING_QUERIES_PER_S", 1, "more than {} queries a second"),
    (DAEMON, "forwarder/coalescing.h", "COALESCING_PAUSE_US", 1, "pauses for {} microseconds"),
    (DAEMON, "forwarder/server/server_end.c", "RECORD_MS", 1000, "is waited for: at most {} s"),
    (DAEMON, "forwarder/server/server_end.c", "KEEP_MS", 1000, "waits for it for at most {} s when"),
    (DAEMON, "forwarder/server/server_end.c", "GRACE_S", 1, "asks for {} s more"),
    (DAEMON, "forwarder/block.h", "BLOCK_ANSWER_MAX", 1, "An answer has at most {} octets"),
    (DAEMON, "forwarder/wire/edns.h", "EDNS_OPTION_SDE", 1, "by the EDNS option {},"),
    (DAEMON, "forwarder/wire/edns.h", "EDNS_UDP_SIZE", 1, "gets one back, of size {},"),
    (DAEMON, "forwarder/stream/proxy_intake.h", "PROXY_INTAKE_MS", 1000, "as a whole within {} s"),
    (DAEMON, "geo/geo_memo.h", "GEO_MEMO_PARTS_MAX", 1, "in more than {} parts"),
    (DAEMON, "forwarder/tap/tap.c", "RING_BLOCKED", 1 << 20, "memory of its own ({} MiB"),
    (DAEMON, "forwarder/tap/tap.c", "RING_ALL", 1 << 20, "with all {} MiB)"),
    (DAEMON, "forwarder/tap/tap_sink.h", "TAP_SINK_PATIENCE_MS", 1000, "takes longer than {} s is left"),
    (CONFIGURATION, "forwarder/upstream/upstream_names.c", "ADDRESSES_MAX", 1, "of which the first {} are"),
    (CONFIGURATION, "forwarder/upstream/upstream_names.c", "START_WAIT_MS", 1000, "answers at most {} s"),
    (CONFIGURATION, "forwarder/upstream/upstream_names.c", "RETRY_S", 1, "{} s after a failure"),
)


class Numbers(unittest.TestCase):
    def test_numbers_are_those_of_the_sources(self):
        for page, path, name, unit, words in DEFINED:
            [value] = re.findall(rf"^#define {name} \(?([\dU *]+)", source_of(path), re.M)
            number = math.prod(map(int, value.replace("U", "").split("*"))) // unit
            self.assertTrue(words.format(number) in plain(page.source), (name, number, words))


class Environment(unittest.TestCase):
    def test_variables_are_those_of_the_sources(self):
        """And of libsystemd, which the daemon calls."""
        sources = [*(REPOSITORY / "forwarder").rglob("*.c"), *(REPOSITORY / "policy").glob("*.c")]
        known = set()
        for path in sources:
            known |= set(re.findall(r'\bgetenv\("(\w+)"\)', path.read_text()))
        described = {
            each
            for page in (TOOL, DAEMON)
            for tags in items(page.section("ENVIRONMENT"), "Ev")
            for each in tags.removeprefix("Ev ").split()
        }
        self.assertEqual(described, known | {"NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC"})


class Options(unittest.TestCase):
    def help(self, program, *words):
        done = run(*sanitized(BUILD / program), *words)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def documented(self, source):
        return set(re.findall(r"^\.It Fl -([a-z-]+)", source, re.M))

    def test_of_the_daemon(self):
        known = re.findall(r"^  --([a-z-]+)", self.help("bailiwickd", "--help"), re.M)
        self.assertEqual(self.documented(DAEMON.source), set(known))

    def test_of_the_tool(self):
        commands = re.findall(r"^  ([a-z]+) ", self.help("bailiwick", "--help"), re.M)
        subsections = re.findall(r"^\.Ss (.*)$", TOOL.section("COMMANDS"), re.M)
        self.assertEqual(subsections, [*commands, "help"])
        self.assertIn("All take -config FILE", plain(TOOL.source))
        for command in commands:
            known = re.findall(r"^  --([a-z-]+)", self.help("bailiwick", "help", command), re.M)
            documented = self.documented(TOOL.subsection(command)) | {"config"}
            self.assertEqual(documented, set(known), command)
        for command in ("order", "audit"):  # with commands of their own
            known = set(re.findall(r"^  ([a-z]+) ", self.help("bailiwick", "help", command), re.M))
            source = TOOL.subsection(command)
            described = re.findall(r"^\.It Cm ([a-z]+) ((?:Fl|Oo).*)", source, re.M)
            self.assertEqual({each for each, _ in described}, known)
            for each, form in described:
                shown = set(re.findall(r"\bFl -([a-z-]+)", form)) | {"config"}
                helped = self.help("bailiwick", "help", command, each)
                options = set(re.findall(r"^  --([a-z-]+)", helped, re.M))
                self.assertLessEqual(shown, options, each)


class Files(SiteTest):
    """Files that the tool reads, and no daemon."""

    def setUp(self):
        self.files = Daemon(
            self.site,
            [("192.0.2.54", 53)],
            orders={},
            files={"GeoLite2-Country.mmdb": DATABASE},
            config={"geo": {"database": "GeoLite2-Country.mmdb"}},
            start=False,
        )

    def problems(self, conf=None):
        """What `bailiwick check` finds, line by line."""
        if conf:
            self.files.write("forwarder.conf", conf)
        return self.files.tool("check").stdout.splitlines()[:-1]

    def errors(self, conf=None):
        return [line for line in self.problems(conf) if ": warning: " not in line]


# Every table of the configuration with a key that it does not have.
UNKNOWN = """\
listen: [{x: 1}]
upstream: {servers: [{x: 1}], bootstrap: [{x: 1}], health-check: {x: 1}, x: 1}
geo: {x: 1}
block: {x: 1}
trust: {x: 1}
limits: {x: 1}
metrics: {x: 1}
rate-limit: {x: 1}
dnstap: {x: 1}
log: {x: 1}
x: 1
"""

# Keys with values that they do not take.
REFUSED = """\
listen: [{address: x, port: 0, transport: x}]
workers: 0
allow: []
upstream:
  servers: [{address: a..b, port: 0}]
  bootstrap: []
  balance: x
  retry-after: 0s
  timeout: 0s
  health-check: {name: a..b, type: x, interval: 0s, down-after: 0, up-after: 0}
geo: {country-field: x, max-age: 0s}
block: {action: x, ttl: 8d, contact: x, organization: "\\t"}
resolver-arpa: x
limits: {tcp-connections: 0, tcp-per-client: 0, tcp-idle: 0s, in-flight: 0, stream-output: 0, receive-buffer: 0}
rate-limit: {answers: 0, slip: 101, queries: 0, exempt: x}
log: {level: x}
"""
EMPTY = "listen: []\nupstream: {servers: [], health-check: x}\n"

# Every required key is missing in one of these.
MISSING = (
    "upstream: {}\ngeo: {}\n",
    "listen: [{}]\nupstream: {servers: [{}]}\ngeo: {database: x}\norders: x\n",
)

class Configuration(Files):
    KEYS = items(CONFIGURATION.section("KEYS"), "Ic")

    def known_keys(self):
        """Those that the program says to expect, with their tables."""
        known = set()
        for line in self.errors(UNKNOWN):
            if told := re.search(r": (\S+) has no key 'x'; expected (.*)$", line):
                table = "" if told[1] == "forwarder.conf" else f"{told[1]}."
                known |= {table + key for key in words_of(told[2])}
        return known

    def test_keys_are_those_of_the_program(self):
        known = self.known_keys()
        titles = re.findall(r"^\.Ss (.*)$", CONFIGURATION.section("KEYS"), re.M)
        at_the_top = set().union(*map(words_of, titles))
        self.assertEqual({key for key in known if "." not in key}, at_the_top)
        self.assertEqual(known, set(self.KEYS) | at_the_top)

    def test_keys_are_those_of_the_example(self):
        example = source_of("forwarder.conf.example")
        lines = re.findall(r"^[# ]*(?:- )?([a-z0-9-]+:(?: .*)?)$", example, re.M)
        shown = set(re.findall(r"(?:^|[{,] *)([a-z][a-z0-9-]*):", "\n".join(lines), re.M))
        self.assertEqual(shown, {key.rpartition(".")[2] for key in self.known_keys()})

    def assert_described(self, key, text):
        """A key of this name, in whatever table, says so."""
        texts = [body for name, body in self.KEYS.items() if name.rpartition(".")[2] == key]
        self.assertTrue(any(text.lower() in body.lower() for body in texts), (key, text))

    def test_each_key_says_what_it_takes(self):
        told = re.findall(
            r":\d+:\d+: ([a-z-]+) needs (.*), not .*$",
            "\n".join(self.errors(REFUSED) + self.errors(EMPTY)),
            re.M,
        )
        self.assertGreater(len(told), 25)
        for key, what in told:
            self.assert_described(key, what)

    def test_each_key_says_its_default(self):
        rows = re.compile(r'(?:AMOUNT|WORD|PATH|CHECK)\("([a-z-]+)",[^"()]*"([^"]+)"')
        found = rows.findall(source_of("forwarder/config/config.c"))
        found += rows.findall(source_of("forwarder/config/config_upstream.c"))
        self.assertGreater(len(found), 20)
        for key, default in found:
            self.assert_described(key, f"default {default}")

    def test_required_keys(self):
        told = "\n".join(line for conf in MISSING for line in self.errors(conf))
        missing = {
            key if table == "forwarder.conf" else f"{table}.{key}"
            for table, key in re.findall(r" (\S+) needs the key ([a-z-]+)$", told, re.M)
        }
        self.assertEqual(missing, {key for key, text in self.KEYS.items() if "Required." in text})
        [said] = re.findall(r"Required are (.*?)\. Changes", plain(CONFIGURATION.section("KEYS")))
        self.assertEqual({key for key in missing if not key.endswith(".address")}, words_of(said))

    def test_examples(self):
        self.files.write("overrides.csv", "# none\n")
        self.files.write("protected-names.txt", "example.org\n")
        for example in blocks(CONFIGURATION.section("EXAMPLES")):
            self.assertEqual(self.errors(example), [])


ORDER = "id: {}\nauthority: x\nissued: 2026-01-01\n"


class Orders(Files):
    FIELDS = items(ORDERS.section("ORDER FIELDS"), "Ic")
    TABLE = re.findall(r"\{(\.name = [^{}]*)\}", source_of("policy/order_file.c"))

    def rows(self, holding=""):
        """Names of the program's fields whose rows hold this."""
        return {re.search('"(.*?)"', row)[1] for row in self.TABLE if holding in row}

    def test_fields_are_those_of_the_program(self):
        self.assertEqual(set(self.FIELDS), self.rows())
        [said] = re.findall("Required are (.*?) and at", plain(ORDERS.section("ORDER FIELDS")))
        self.assertEqual(words_of(said), self.rows(".required = true"))

    def test_keys_of_a_list(self):
        self.files.write_order("IT/x.yaml", ORDER.format("x") + "lists: [{x: 1}]\n")
        told = re.search(r"a list has no key 'x': expected (.*)", "\n".join(self.errors()))
        keys = items(ORDERS.subsection("Names"), "Cm")
        self.assertEqual(set(keys), words_of(told[1]))

    def test_keys_of_other_mappings(self):
        keys = {
            "names": ("an item", ORDERS.subsection("Items")),
            "windows": ("a window", ORDERS.subsection("Windows")),
            "history": ("an entry", self.FIELDS["history"]),
        }
        for field, (noun, text) in keys.items():
            self.files.write_order("IT/x.yaml", ORDER.format("x") + f"{field}: [{{x: 1}}]\n")
            told = re.search(rf"{noun} has no key 'x': expected (.*)", "\n".join(self.errors()))
            for key in words_of(told[1]):
                self.assertRegex(plain(text), rf"\bQl {key}\b|\b{key}\b")

    def test_examples(self):
        examples = blocks(ORDERS.section("EXAMPLES"))
        [names] = blocks(ORDERS.subsection("Lists"))
        self.files.write("orders/IT/more-names.txt", names)
        for number, example in enumerate(examples):
            self.files.write_order(f"IT/{number}.yaml", example)
        self.assertEqual(self.errors(), [])
        shown = re.findall(r"^([a-z-]+):", "".join(examples), re.M)
        self.assertEqual(set(shown), set(self.FIELDS))

    def test_folders_of_the_example(self):
        [paths] = blocks(ORDERS.section("DESCRIPTION"))
        for number, path in enumerate(paths.splitlines()):
            text = ORDER.format(number) + "lists: [{file: ../IT/milano-names.txt, format: names}]\n"
            self.files.write(path, text if path.endswith(".yaml") else "x.example\n")
        told = [line for line in self.problems() if "/orders/" in line]
        self.assertEqual([line for line in told if "blocked already by other" not in line], [])


class Running(SiteTest):
    """With a daemon, whose only order is the example of bailiwick-orders(5)."""

    def setUp(self):
        self.proxy = self.daemon(
            ("192.0.2.54", 53),
            orders={"IT/milano.yaml": blocks(ORDERS.section("EXAMPLES"))[0]},
            files={"country.mmdb": DATABASE},
            config={"geo": {"database": "country.mmdb"}},
        )

    def output_of(self, command):
        """Of a command of the pages, for which /etc/bailiwick is the daemon's folder."""
        folder = str(self.proxy.folder)
        programs = r"\b(bailiwick (?!help)\w+|bailiwickd)\b"
        command = re.sub(programs, r"\1 --config /etc/bailiwick/forwarder.conf", command)
        command = f"PATH={BUILD}:$PATH; {command.replace('/etc/bailiwick', folder)}"
        with self.site.server:
            done = run(*sanitized("/bin/bash"), "-c", command, env=sanitizer_options(folder))
        self.proxy.check_sanitizers()
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout.replace(folder, "/etc/bailiwick")

    def assert_shows(self, shown, output):
        """The lines of an example are in the output, one after the other. In them ... stands for
        anything, and one time for another."""
        lines = iter(re.sub(INSTANT, "TIME", output).splitlines())
        for line in re.sub(INSTANT, "TIME", shown).splitlines():
            pattern = ".*".join(map(re.escape, line.split("...")))
            found = line == "..." or any(re.fullmatch(pattern, each) for each in lines)
            self.assertTrue(found, f"{line!r} is not in\n{output}")

    def test_commands(self):
        examples = "".join(blocks(DAEMON.section("EXAMPLES")) + blocks(TOOL.section("COMMANDS")))
        commands = re.split(r"^\$ ", examples, flags=re.M)[1:]
        programs = set(re.findall(r"\bbailiwick \w+|bailiwickd", " ".join(commands)))
        subsections = re.findall(r"^\.Ss (.*)$", TOOL.section("COMMANDS"), re.M)
        self.assertLessEqual({f"bailiwick {each}" for each in subsections}, programs)
        for example in commands:
            command, _, shown = example.partition("\n")
            with self.subTest(command):
                self.assert_shows(shown, self.output_of(command))

    def json_of(self, *words):
        return json.loads(self.proxy.tool(*words, "--json").stdout)

    def test_members_of_the_status(self):
        documented, printed = items(TOOL.section("STATUS"), "Cm"), self.json_of("status")
        self.assertEqual(set(printed), set(documented))
        for member in printed["geo"]:
            self.assertRegex(documented["geo"], rf"\b{member}\b")
        for member in printed["upstreams"][0]:
            self.assertRegex(documented["upstreams"], rf"\b{member}\b")

    def test_members_of_other_objects(self):
        test = self.json_of("test", "2.32.0.1", "limetorrents.pro")
        self.assertEqual(set(test), set(items(TOOL.subsection("test"), "Cm")))
        order = self.json_of("orders")
        self.assertEqual(set(order), set(items(TOOL.subsection("orders"), "Cm")))
        with open(self.proxy.folder / "tickets", "w") as tickets:
            tickets.write("ticket.example\n")
        ingest = self.json_of("order", "ingest", "--order", order["id"], "--tickets", tickets.name)
        for member in ingest:
            self.assertRegex(plain(TOOL.subsection("order")), rf"\b{member}\b")
        for member in self.json_of("country", "2.32.0.1"):
            self.assertRegex(plain(TOOL.subsection("country")), rf"\b{member}\b")

    def ask(self, line):
        """The response of the control socket."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(DEADLINE)
            channel.connect(str(self.proxy.folder / "control.sock"))
            channel.sendall(line.encode() + b"\n")
            return json.loads(channel.makefile().read())

    def test_control_socket(self):
        [requests] = blocks(DAEMON.section("CONTROL SOCKET"))
        for line in requests.splitlines():
            line = line.replace("...", '"address":"2.32.0.1","name":"a.example"')
            response = self.ask(line)
            self.assertTrue(response["ok"], (line, response))
            members = {
                "status": {"generation", "errors", "warnings"},
                "reload": {"generation", "loaded", "errors", "warnings"},
                "test": {"verdict", "text"},
                "orders": {"generation", "orders"},
                "top": {"generation", "started", "time_ms", "queries", "by_order"},
                "drain": {"upstreams"},
                "undrain": {"upstreams"},
            }[json.loads(line)["command"]]
            self.assertLessEqual(members, set(response["result"]))
        self.assertEqual(set(self.ask('{"command":"status","strict":true}')), {"ok", "error"})

    def test_audit_record(self):
        section = DAEMON.section("AUDIT RECORD")
        source = "".join(
            source_of(f"forwarder/server/{each}.c")
            for each in ("audit_batch", "audit_facts", "server_audit")
        )
        events = set(re.findall(r'\\"event\\":\\"([a-z]+)', source))
        for statement in re.findall(r'"event",(.*?);', source, re.S):
            events |= set(re.findall(r'"([a-z]+)"', statement))
        self.assertEqual(events, set(items(section, "Cm")))
        record = self.proxy.folder / "state/audit/00000001.jsonl"
        self.eventually(
            lambda: record.exists() and '"event":"order"' in record.read_text(), "an order's record"
        )
        for line in record.read_text().splitlines():
            for member in json.loads(line):
                self.assertRegex(plain(section), rf"\b{member}\b")

    def test_files_under_state(self):
        self.client(ITALIAN4).ask(query("limetorrents.pro"))  # of blocks there are counts
        self.proxy.wait_until_kept()
        self.proxy.stop()
        told = plain(DAEMON.section("FILES")) + "".join(blocks(DAEMON.subsection("Last good versions")))
        for path in (self.proxy.folder / "state").iterdir():
            self.assertRegex(told, rf"(?:/|\b){re.escape(path.name)}\b")

    @staticmethod
    def is_message(text):
        """And not the format of the fields behind it."""
        return text and "=" not in text and "%" not in text

    def logged_events(self):
        """(module, message) of every event that the sources log."""
        events = set()
        for path in (REPOSITORY / "forwarder").rglob("*.c"):
            source = path.read_text()
            events |= {("orders", each) for each in re.findall(r'log_order\("(.*?)"', source)}
            for call in re.findall(r"\blog_event\(\s*(?!enum)(.*?)\);", source, re.S):
                module, *texts = re.findall(r'"(.*?)"', call)
                events |= {(module, each) for each in itertools.takewhile(self.is_message, texts)}
        return events

    def test_log(self):
        section = DAEMON.section("LOG")
        self.proxy.wait_for_log("server: ready")
        self.assert_shows("".join(blocks(section)), self.proxy.log())
        documented = set()
        for item in re.split(r"^\.It Cm ", section, flags=re.M)[1:]:
            module, _, events = item.partition("\n")
            messages = re.findall(r"^\.Cm (.*?)(?: :)?$", events, re.M)
            documented |= {(module, message) for message in messages}
        self.assertEqual(documented, self.logged_events())

# SPDX-License-Identifier: GPL-3.0-or-later
"""Every transport gives the same verdict: one table of clients and names, asked by every way there
is, directly and through proxies; and no chain of proxies gives anybody another's country whom its
trust does not reach."""

import contextlib
import functools
import ipaddress
import itertools
import json

from dnsbytes import (
    EDE_CENSORED, EDE_FORGED, HEADER_SIZE, NOERROR, NXDOMAIN, OPTION_ECS, REFUSED, a, answer, name,
    opt, parse, query, read_name, rr,
)
from harness import GERMAN4, GERMAN6, ITALIAN4, ITALIAN6, SiteTest, merged
from policytest import MARK, PolicyTest, default_text, order
from proxytest import GERMAN_PROXY, ITALIAN_PROXY, LOCAL, ecs, header_of, proxied
from resolvers import ProxiedUpstream
from ways import BEFORE, CONFIG, DIRECT, FILES, INSIDE, Way, asking

SAN_MARINO, EXCEPTED4, EXCEPTED6 = "89.186.32.1", "2.32.77.1", "2001:b07:77::1"
UNKNOWN4, UNKNOWN6 = "203.0.113.7", "2600::7"
ITALIANS, UNKNOWNS = {ITALIAN4, ITALIAN6}, {UNKNOWN4, UNKNOWN6}
ALL_ITALIANS = ITALIANS | {EXCEPTED4, EXCEPTED6}
CLIENTS = sorted(ALL_ITALIANS | UNKNOWNS | {GERMAN4, GERMAN6, SAN_MARINO})

ORDERS = {
    "IT/listed.yaml": order(
        "IT-LISTED", names=["listed.example"], exact=["exact.example"],
        **{"except": ["fine.listed.example"]}, except_networks=["2.32.77.0/25", "2001:b07:77::/48"],
    ),
    "IT/both.yaml": order("IT-BOTH", scope=["IT", "SM"], names=["both.example"]),
    "IT/unknown.yaml": order("IT-UNKNOWN", include_unknown="yes", names=["unknown.example"]),
    "IT/answers.yaml": order("IT-ANSWERS", answers=["203.0.113.0/24"]),
    "IT/alias.yaml": order("IT-ALIAS", names=["target.example"], aliases="yes"),
    "IT/nx.yaml": order("IT-NX", action="nxdomain", names=["nx.example"]),
    "IT/nodata.yaml": order("IT-NODATA", action="nodata", names=["nodata.example"]),
    "IT/address.yaml": order(
        "IT-ADDRESS", action="address", addresses=["192.0.2.80"], names=["address.example"]
    ),
    "IT/cname.yaml": order("IT-CNAME", action="cname", target="to.example.", names=["cname.example"]),
    "IT/shadow.yaml": order("IT-SHADOW", action="shadow", names=["shadow.example"]),
}  # fmt: skip

# What the resolver has; of all else it says MARK.
DATA = {
    "answers.example": [rr("answers.example", "A", 60, a("203.0.113.9"))],
    "alias.example": [rr("alias.example", "CNAME", 60, name("target.example")), MARK],
}
# Name: the order, whom it binds, and the RCODE and EDE that they get.
NAMES = {
    "free.example": (None, set(), NOERROR, None),
    "listed.example": ("IT-LISTED", ITALIANS, REFUSED, EDE_CENSORED),
    "www.listed.example": ("IT-LISTED", ITALIANS, REFUSED, EDE_CENSORED),
    "fine.listed.example": (None, set(), NOERROR, None),
    "exact.example": ("IT-LISTED", ITALIANS, REFUSED, EDE_CENSORED),
    "www.exact.example": (None, set(), NOERROR, None),
    "both.example": ("IT-BOTH", ALL_ITALIANS | {SAN_MARINO}, REFUSED, EDE_CENSORED),
    "unknown.example": ("IT-UNKNOWN", ALL_ITALIANS | UNKNOWNS, REFUSED, EDE_CENSORED),
    "answers.example": ("IT-ANSWERS", ALL_ITALIANS, REFUSED, EDE_CENSORED),
    "alias.example": ("IT-ALIAS", ALL_ITALIANS, REFUSED, EDE_CENSORED),
    "nx.example": ("IT-NX", ALL_ITALIANS, NXDOMAIN, EDE_CENSORED),
    "nodata.example": ("IT-NODATA", ALL_ITALIANS, NOERROR, EDE_CENSORED),
    "address.example": ("IT-ADDRESS", ALL_ITALIANS, NOERROR, EDE_FORGED),
    "cname.example": ("IT-CNAME", ALL_ITALIANS, NOERROR, EDE_FORGED),
    "shadow.example": (None, set(), NOERROR, None),
}
BY_ANSWER = ("answers.example", "alias.example")  # which the tool cannot ask for

HTTP_WAYS = [Way("https", 443), Way("https", 443, method="GET"), Way("http", DIRECT["http"])]
DIRECT_WAYS = [Way(*each) for each in DIRECT.items()] + [Way("https", 443, method="GET")]
PROXY_WAYS = [Way(*each) for each in BEFORE.items()] + [
    Way(*each, within=True) for each in INSIDE.items()
]


def x_forwarded_for(client):
    return [("x-forwarded-for", client)]


def forwarded(client):
    return [("forwarded", f'for="[{client}]"' if ":" in client else f"for={client}")]


def resolver(request):
    qname, _ = read_name(request.message, HEADER_SIZE)
    request.reply(answer(request.message, DATA.get(qname, [MARK])))


def without_ecs(received):
    """All that a message says but for the ECS that it echoes."""
    got = parse(received)
    records = [record._replace(at=0) for record in got.records]
    options = [each for each in got.options if each[0] != OPTION_ECS] if got.opts else None
    return got.flags, got.rcode, got.question, records, options


class Columns(PolicyTest):
    ORDERS = ORDERS
    FILES = FILES
    CONFIG = CONFIG
    MESSAGES = [query(qname, id=0, opt=opt()) for qname in NAMES]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.resolver.script = resolver
        cls.expected = {}
        for address in CLIENTS:
            with asking(cls.site.client(address), Way("udp", 53)) as ask:
                cls.expected[address] = [ask(message) for message in cls.MESSAGES]

    def proxy_for(self, address):
        """In another country, and of any family."""
        return self.client(GERMAN_PROXY if address in ALL_ITALIANS else ITALIAN_PROXY)

    def assert_column(self, address, ask, label, view=bytes):
        for qname, message, expected in zip(NAMES, self.MESSAGES, self.expected[address]):
            self.assertEqual(view(ask(message)), view(expected), (address, qname, label))

    def test_the_first_column_is_right(self):
        for address, (index, (qname, row)) in itertools.product(CLIENTS, enumerate(NAMES.items())):
            (order_id, bound, rcode, reason), label = row, (address, qname)
            received, message = self.expected[address][index], self.MESSAGES[index]
            if address not in bound:
                self.assertEqual(received, answer(message, DATA.get(qname, [MARK])), label)
                continue
            got = parse(received)
            self.assertEqual((got.rcode, got.ede), (rcode, (reason, default_text(order_id))), label)

    def test_directly(self):
        for address, way in itertools.product(CLIENTS, DIRECT_WAYS):
            with asking(self.client(address), way) as ask:
                self.assert_column(address, ask, way)

    def test_through_proxy_headers(self):
        for address, way in itertools.product(CLIENTS, PROXY_WAYS):
            how = "udp" if way.transport == "udp" else "tcp"
            with asking(self.proxy_for(address), way, proxied(address, how)) as ask:
                self.assert_column(address, ask, way)

    def test_through_http_headers(self):
        for address, way in itertools.product(CLIENTS, HTTP_WAYS):
            with asking(self.proxy_for(address), way) as ask:
                for header in (x_forwarded_for, forwarded):
                    told = lambda message: ask(message, header(address))
                    self.assert_column(address, told, (way, header))

    def test_through_a_chain(self):
        """A balancer before a terminator of TLS before one that tells the network."""
        for address, way in itertools.product(CLIENTS, PROXY_WAYS):
            how = "udp" if way.transport == "udp" else "tcp"
            with asking(self.proxy_for(address), way, proxied(GERMAN_PROXY, how)) as ask:
                if way.transport in ("http", "https"):
                    told = lambda message: ask(message, x_forwarded_for(address))
                    self.assert_column(address, told, way)
                self.assert_subnet_column(address, ask, way)

    def test_through_ecs(self):
        for address, way in itertools.product(CLIENTS, DIRECT_WAYS):
            with asking(self.proxy_for(address), way) as ask:
                self.assert_subnet_column(address, ask, way)

    def test_liars_choose_nothing(self):
        """Everybody says by all means that he is elsewhere; clients of proxies are served as ever."""
        honest_way = Way("https", INSIDE["https"], within=True)
        for address in CLIENTS:
            lie = GERMAN4 if address in ALL_ITALIANS else ITALIAN4
            fields = x_forwarded_for(lie) + forwarded(lie)
            honest = asking(self.client(GERMAN_PROXY), honest_way, proxied(ITALIAN6, "tcp"))
            with honest as honest_ask, contextlib.ExitStack() as liars:
                for way in DIRECT_WAYS:
                    ask = liars.enter_context(asking(self.client(address), way))
                    lying = functools.partial(ask, fields=fields)
                    self.assert_subnet_column(address, lying, way, told=lie)
                self.assert_column(ITALIAN6, honest_ask, honest_way)

    def assert_subnet_column(self, address, ask, label, told=None):
        told = told or address
        option = (OPTION_ECS, ecs(told, 128 if ":" in told else 32))
        messages = {
            plain: query(qname, id=0, opt=opt(options=[option]))
            for qname, plain in zip(NAMES, self.MESSAGES)
        }
        self.assert_column(address, lambda plain: ask(messages[plain]), label, without_ecs)

    def test_the_tool_says_the_same(self):
        rows = list(itertools.product(CLIENTS, NAMES))
        lines = "".join(f"{address} {qname}\n" for address, qname in rows)
        done = self.proxy.tool("test", "--json", "--batch", "-", input=lines)
        self.assertEqual(done.stderr, "")
        for (address, qname), line in zip(rows, done.stdout.splitlines(), strict=True):
            order_id, bound, _, reason = NAMES[qname]
            said = json.loads(line)
            if address not in bound or qname in BY_ANSWER:
                self.assertNotEqual(said["verdict"], "block", said)
                continue
            found = said["verdict"], said["order"], said["ede"]
            self.assertEqual(found, ("block", order_id, reason), said)


def mapped(address):
    """Any address as one of IPv6."""
    return ipaddress.IPv6Address(address if ":" in address else f"::ffff:{address}")


class ResolversView(SiteTest):
    """The resolver is told of the client whose verdict it is, whichever way he came."""

    def start(self, resolver, how):
        config = merged(CONFIG, {"upstream": {"send-client": how}})
        self.daemon(resolver, orders={}, files=FILES, config=config)
        self.resolver = resolver

    def check(self, told, expected):
        """told(request): what the resolver is told by a request; expected(address): of a client."""
        message = query("free.example", id=0)
        for address in (ITALIAN4, ITALIAN6, GERMAN4):
            wanted = expected(address)
            for label, ask in self.lines(address):
                ask(message)
                self.assertEqual(told(self.resolver.requests[-1]), wanted, (address, label))

    def lines(self, address):
        """Each way for a client; two proxies in a row where there may be two."""
        for way in DIRECT_WAYS:
            with asking(self.client(address), way) as ask:
                yield way, ask
        for way in HTTP_WAYS:
            with asking(self.client(GERMAN_PROXY), way) as ask:
                yield (way, "header"), lambda message: ask(message, x_forwarded_for(address))
        for way in PROXY_WAYS:
            how = "udp" if way.transport == "udp" else "tcp"
            with asking(self.client(GERMAN_PROXY), way, proxied(address, how)) as ask:
                yield (way, "PROXY"), ask
        for way in PROXY_WAYS:
            if way.transport in ("http", "https"):
                header = proxied(ITALIAN_PROXY, "tcp")
                with asking(self.client(GERMAN_PROXY), way, header) as ask:
                    yield (way, "both"), lambda message: ask(message, forwarded(address))

    def test_by_proxy_headers(self):
        self.start(
            self._started(ProxiedUpstream(self.site.server, "127.0.0.2")), "proxy-protocol"
        )
        # The ends in a header are of one family; IPv4 is mapped where the server's end is IPv6.
        self.check(lambda request: mapped(request.told[0]), mapped)

    def test_by_ecs(self):
        self.start(self.upstream(), "ecs")
        self.check(
            lambda request: parse(request.message).options,
            lambda address: [(OPTION_ECS, ecs(address, 56 if ":" in address else 24))],
        )


# Of each hop, a country and the first octets of the addresses it is told by; its last octet says
# what it is trusted with, a bit each. An order of each country tells whom the daemon took to ask.
PEER, TOLD, BEHIND, FIRST, SUBNET = "90.0.0.", "2.32.0.", "5.9.0.", "46.99.0.", "81.2.69."
COUNTRIES = {PEER: "FR", TOLD: "IT", BEHIND: "DE", FIRST: "XK", SUBNET: "GB"}
SENDS_PROXY, FORWARDS, SENDS_ECS = 1, 2, 4
TRUST = {"proxy-protocol": SENDS_PROXY, "forwarded-for": FORWARDS, "ecs": SENDS_ECS}
# What a PROXY header may tell instead of an address, and the first an HTTP header, too.
NOBODY, ITSELF = "unknown", "itself"


def trusts(address, bit):
    return address != NOBODY and bool(int(address.rpartition(".")[2]) & bit)


def judged(peer, told, nodes, subnet):
    """The address whose country counts, None for nobody's: step by step, as the contract has it.
    nodes is None where there is no HTTP."""
    client, silent = (peer if told in (None, ITSELF) else told), False
    if nodes is not None and trusts(client, FORWARDS):
        silent = not nodes
        for node in reversed(nodes):
            client = node
            if not trusts(node, FORWARDS):
                break
    if client == NOBODY:
        return None  # so nobody knows either who wrote the rest
    if subnet and trusts(client, SENDS_ECS):
        return subnet
    return None if silent else client


class Chains(PolicyTest):
    """PROXY, then X-Forwarded-For, then ECS; every hop trusted with each of them or not."""

    ORDERS = {
        f"{country}/listed.yaml": order(f"{country}-LISTED", names=["listed.example"])
        for country in COUNTRIES.values()
    }
    FILES = FILES
    CONFIG = {
        **CONFIG,
        "trust": {
            key: [f"{hop}{bits}" for hop in COUNTRIES for bits in range(8) if bits & bit]
            for key, bit in TRUST.items()
        },
    }
    SUBNETS = (None, SUBNET + "0")
    LISTS = [(), (NOBODY,), (FIRST + "7", NOBODY)]
    LISTS += [(f"{BEHIND}{bits}",) for bits in range(8)]
    LISTS += [(FIRST + "7", f"{BEHIND}{bits}") for bits in (0, FORWARDS, SENDS_ECS, 7)]
    # What the peer itself is trusted with matters where it speaks for itself, or for nobody.
    SPOKEN = [(f"{PEER}7", f"{TOLD}{bits}") for bits in range(8)]
    SPOKEN += itertools.product([f"{PEER}{bits}" for bits in (1, 3, 5, 7)], (ITSELF, NOBODY))

    def message(self, subnet):
        options = [(OPTION_ECS, ecs(subnet, 24))] if subnet else []
        return query("listed.example", id=0, opt=opt(options=options))

    def whose(self, received):
        """The country of the order that bound, None if none did."""
        if MARK in received:
            return None
        code, text = parse(received).ede
        self.assertEqual(code, EDE_CENSORED)
        (country,) = [each for each in COUNTRIES.values() if text == default_text(f"{each}-LISTED")]
        return country

    def check(self, ask, peer, told, lists):
        for nodes, subnet in itertools.product(lists, self.SUBNETS):
            fields = x_forwarded_for(", ".join(nodes)) if nodes else []
            counts = judged(peer, told, nodes, subnet)
            expected = counts and COUNTRIES[counts.rpartition(".")[0] + "."]
            found = self.whose(ask(self.message(subnet), fields))
            self.assertEqual(found, expected, (peer, told, nodes, subnet))

    def test_directly(self):
        """Nobody can send a PROXY header here; trust in it is trust in nothing else."""
        for bits, way in itertools.product(range(8), DIRECT_WAYS):
            peer = f"{PEER}{bits}"
            with asking(self.client(peer), way) as ask:
                lists = self.LISTS if way.transport in ("http", "https") else [None]
                self.check(ask, peer, None, lists)

    def header(self, told, way):
        rows = {ITSELF: header_of(b"", command=LOCAL), NOBODY: header_of(b"")}
        return rows.get(told) or proxied(told, "udp" if way.transport == "udp" else "tcp")

    def test_behind_proxy_headers(self):
        for (peer, told), way in itertools.product(self.SPOKEN, PROXY_WAYS):
            with asking(self.client(peer), way, self.header(told, way)) as ask:
                lists = self.LISTS if way.transport in ("http", "https") else [None]
                self.check(ask, peer, told, lists)

    def test_who_is_not_trusted_with_proxy_headers_gets_no_answer(self):
        """However much he is trusted with, and whatever his header says."""
        untrusted = [f"{PEER}{bits}" for bits in range(8) if not bits & SENDS_PROXY]
        streams = [way for way in PROXY_WAYS if way.transport != "udp"]
        for peer, way in itertools.product(untrusted, streams):
            with self.assertRaises((OSError, EOFError), msg=(peer, way)):
                with asking(self.client(peer), way, self.header(TOLD + "7", way)) as ask:
                    ask(self.message(None))
        counted = self.proxy.status()["proxy_untrusted"]
        self.assertEqual(counted, len(untrusted) * len(streams))

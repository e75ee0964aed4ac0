# SPDX-License-Identifier: GPL-3.0-or-later
"""A naive judge of orders: which one binds this client for this name at this time? It shares nothing
with the code under test but the specification. Countries come from the text that the country
database was made from, by bisection; orders are lists and loops over them; days begin by Python's
zoneinfo.

    ranges = Ranges()
    judge = Judge([Order("IT/one.yaml", keys, lists)], Atlas(ranges.find, overrides))
    judge.judge(number("2.32.0.1"), "www.example", "A", time.time())
"""

import bisect
import collections
import datetime
import fcntl
import functools
import itertools
import pathlib
import re
import socket
import subprocess
import zoneinfo

from dnsbytes import EDE_CENSORED, EDE_FORGED
from harness import REPOSITORY

UTC = datetime.timezone.utc


# ---- countries -----------------------------------------------------------------------------------


def country_text():
    """The two text files of Debian's tor-geoipdb; downloaded once, never installed."""
    folder = REPOSITORY / "build" / "tor-geoipdb"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "usr/share/tor/geoip6").exists():
            download = ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", "tor-geoipdb"]
            subprocess.run(download, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (package,) = folder.glob("*.deb")
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder / "usr/share/tor/geoip", folder / "usr/share/tor/geoip6"


def number(address):
    """An address as one of 128 bits; IPv4 as ::ffff:a.b.c.d."""
    if ":" not in address:
        address = f"::ffff:{address}"
    return int.from_bytes(socket.inet_pton(socket.AF_INET6, address), "big")


def text(address):
    """As addresses are shown: IPv4 without the ::ffff: in front."""
    octets = address.to_bytes(16, "big")
    if MAPPED.holds(address):
        return socket.inet_ntop(socket.AF_INET, octets[12:])
    return socket.inet_ntop(socket.AF_INET6, octets)


def inner(address):
    """The IPv4 address in a 6to4 address; of any other address itself."""
    if SIXTOFOUR.holds(address):
        return MAPPED.base + (address >> 80 & 0xFFFFFFFF)
    return address


class Network(collections.namedtuple("Network", "base length")):
    @classmethod
    def parse(cls, prefix):
        address, _, length = prefix.partition("/")
        return cls(number(address), int(length) + (0 if ":" in address else 96))

    def holds(self, address):
        """A short IPv6 prefix says nothing of IPv4, which only looks as if it lay in it."""
        if self.length < 96 and address >> 32 == 0xFFFF:
            return False
        return (address ^ self.base) >> (128 - self.length) == 0


MAPPED = Network.parse("::ffff:0:0/96")
SIXTOFOUR = Network.parse("2002::/16")
BY_OVERRIDES_ALONE = [
    Network.parse(prefix) for prefix in ("2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")
]


class Ranges:
    """The text: FIRST,LAST,CODE a line."""

    def __init__(self):
        ipv4, ipv6 = country_text()
        stamp = re.search(r"^# Generated: (.*) GMT$", ipv4.read_text(), re.MULTILINE)[1]
        stamp = datetime.datetime.strptime(stamp, "%a, %d %b %Y %H:%M:%S")
        self.generated = stamp.replace(tzinfo=UTC).timestamp()
        mapped = lambda decimal: MAPPED.base + int(decimal)
        self.rows = sorted([*self.read(ipv4, mapped), *self.read(ipv6, number)])
        self.firsts = [row[0] for row in self.rows]

    @staticmethod
    def read(path, convert):
        for line in path.read_text().splitlines():
            if line and line[0] != "#":
                first, last, code = line.split(",")
                yield convert(first), convert(last), code

    def find(self, address):
        at = bisect.bisect_right(self.firsts, address) - 1
        if at < 0 or address > self.rows[at][1]:
            return None
        return self.rows[at][2]


class Atlas:
    """Where is an address? The two letters, or None for unknown; and where the overrides say which
    part of the country, such as US-CA, that."""

    def __init__(self, find, overrides):
        lines = pathlib.Path("/usr/share/zoneinfo/iso3166.tab").read_text().splitlines()
        self.assigned = {line[:2] for line in lines if line[0] != "#"} | {"XK"}
        self.find = find
        parsed = [(Network.parse(prefix), code) for prefix, code in overrides]
        # By family; a base shifted right by what its length leaves open.
        self.overrides = {
            ipv4: [
                (network.base >> 128 - network.length, 128 - network.length, code)
                for network, code in parsed
                if (network.length >= 96 and MAPPED.holds(network.base)) == ipv4
            ]
            for ipv4 in (False, True)
        }

    def override(self, address):
        """The code that the longest prefix around it has; None if there is no prefix."""
        candidates = self.overrides[MAPPED.holds(address)]
        holding = [(shift, code) for base, shift, code in candidates if address >> shift == base]
        return min(holding)[1] if holding else None  # the fewest bits left open

    def part(self, address):
        code = self.override(inner(address))
        return code if code and "-" in code else None

    def country(self, address):
        address = inner(address)
        code = self.override(address)
        if code is not None:
            return code[:2] or None
        if any(network.holds(address) for network in BY_OVERRIDES_ALONE):
            return None
        code = self.find(address)
        code = "GB" if code == "UK" else code
        return code if code in self.assigned else None


# ---- groups of countries -------------------------------------------------------------------------

# Since when; at the times asked here the day is always beyond doubt.
EU_SINCE = {
    1958: "BE DE FR IT LU NL GF GP MF MQ RE", 1973: "DK IE", 1981: "GR", 1986: "ES PT",
    1995: "AT FI SE AX", 2004.4: "CY CZ EE HU LT LV MT PL SI SK", 2007: "BG RO", 2013.5: "HR",
    2014: "YT",
}  # fmt: skip
UNITED_KINGDOM_LEFT = datetime.datetime(2020, 1, 31, 23, tzinfo=UTC).timestamp()


@functools.cache
def group_has(group, country, now):
    if country == "GB":
        return now < UNITED_KINGDOM_LEFT
    if group == "EEA" and country in ("IS", "LI", "NO"):
        return True
    year = 1970 + now / 86400 / 365.2425
    return any(country in codes.split() and since <= year for since, codes in EU_SINCE.items())


# ---- orders --------------------------------------------------------------------------------------


@functools.cache
def labels(qname):
    """From the root down: a name is below another if it begins with it."""
    qname = qname.rstrip(".").lower()
    return tuple(reversed(qname.encode("idna").decode().split("."))) if qname else ()


def within(qname, above):
    return qname[: len(above)] == above


class Order:
    """An order as written (keys, lists) and as the judge reads it."""

    def __init__(self, path, keys, lists):
        self.path, self.keys, self.lists = path, keys, lists
        self.id = keys["id"]
        self.action = keys.get("action", "refused")
        self.status = keys.get("status", "active")
        self.scope = keys.get("scope", [path.split("/")[0]])
        self.unknown = keys.get("include-unknown") == "yes"
        self.networks = [Network.parse(each) for each in keys.get("except-networks", [])]
        self.effective = self.instant("effective", 0, float("-inf"))
        self.end = self.instant("until", 1, float("inf"))
        self.subtrees, self.exact, self.excepted = (
            [labels(each) for each in keys.get(key, [])] for key in ("names", "exact", "except")
        )
        for line in itertools.chain(*lists.values()):
            if line[0] == "=":
                self.exact.append(labels(line[1:]))
            elif line[0] == "!":
                self.excepted.append(labels(line[1:]))
            else:
                self.subtrees.append(labels(line))

    def instant(self, key, days_later, default):
        """A bare date is the start of that day (or of a later one) in the order's time zone."""
        if key not in self.keys:
            return default
        if "T" in self.keys[key]:
            return datetime.datetime.fromisoformat(self.keys[key]).timestamp()
        day = datetime.date.fromisoformat(self.keys[key]) + datetime.timedelta(days_later)
        zone = zoneinfo.ZoneInfo(self.keys["timezone"])
        return datetime.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

    def reading(self, qname):
        """(labels of the matched name, excepted?, free names below?), or None."""
        found = [name for name in self.subtrees if within(qname, name)]
        covered = bool(found)
        found += [name for name in self.exact if name == qname]
        if not found:
            return None
        excepted = any(within(qname, name) for name in self.excepted)
        below = any(within(name, qname) and name != qname for name in self.excepted)
        return max(map(len, found)), excepted, below or not covered

    @functools.cache
    def binds_place(self, country, part, now):
        if self.status != "active" or not self.effective <= now < self.end:
            return False
        if country is None:
            return self.unknown
        return any(
            group_has(code, country, now) if code in ("EU", "EEA") else code in (country, part)
            for code in self.scope
        )

    def binds_client(self, address, place, now):
        return self.binds_place(*place, now) and not any(
            network.holds(address) or network.holds(inner(address)) for network in self.networks
        )


Verdict = collections.namedtuple("Verdict", "verdict order matched action ede")
FORWARD = Verdict("forward", None, None, None, None)
EDE_OF = {"address": EDE_FORGED, "drop": None, "shadow": None}


class Judge:
    def __init__(self, orders, atlas):
        self.orders = orders
        self.atlas = atlas
        self.country = functools.cache(atlas.country)
        self.part = functools.cache(atlas.part)

    @functools.cache
    def naming(self, qname):
        """Every order that names it, with its reading. The same for every client and time."""
        readings = [(order, order.reading(qname)) for order in self.orders]
        return [(order, reading) for order, reading in readings if reading]

    def judge(self, address, qname, qtype, now):
        qname, place = labels(qname), (self.country(address), self.part(address))
        best = {}
        for order, (matched, excepted, free_below) in self.naming(qname):
            if excepted or not order.binds_client(address, place, now):
                continue
            if free_below and qtype in ("DS", "DNSKEY"):
                continue
            verdict = "shadow" if order.action == "shadow" else "block"
            rank = (-matched, order.effective, order.id.encode())
            if verdict not in best or rank < best[verdict][0]:
                best[verdict] = rank, order, free_below
        if not best:
            return FORWARD
        verdict = min(best)  # block before shadow
        (matched, *_), order, free_below = best[verdict]
        action = "nodata" if order.action == "nxdomain" and free_below else order.action
        name = ".".join(reversed(qname[:-matched])) or "."
        return Verdict(verdict, order.id, name, action, EDE_OF.get(action, EDE_CENSORED))

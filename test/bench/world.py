# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark asks with: networks of a country out of the database, addresses spread over it,
and names as blocklists have them. The same numbers give the same names and addresses.
"""

import ipaddress
import random

from mmdb import SEPARATOR, Mmdb

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
ENDINGS = ("com", "net", "org", "info", "to", "pro", "xyz", "site", "it", "de")


class Networks:
    """The IPv4 networks of a database, by country code."""

    def __init__(self, path):
        self.database = Mmdb(path.read_bytes())
        self.by_code = {}
        self._walk(self._node(0, 96, 0), 0, 0)

    def _child(self, node, bit):
        at = node * 6 + 3 * bit
        return int.from_bytes(self.database.image[at : at + 3], "big")

    def _node(self, node, depth, prefix):
        """The node after this many zero bits: where IPv4 begins."""
        for _ in range(depth):
            node = self._child(node, prefix)
        return node

    def _walk(self, node, depth, address):
        database = self.database
        waiting = [(node, depth, address)]
        while waiting:
            node, depth, address = waiting.pop()
            if node > database.nodes:
                data = database.nodes * 6 + len(SEPARATOR)
                record = database.decode(data + node - database.nodes - len(SEPARATOR), data)[0]
                code = record.get("country", {}).get("iso_code")
                network = ipaddress.IPv4Network((address << (32 - depth), depth))
                self.by_code.setdefault(code, []).append(network)
            elif node < database.nodes:
                for bit in (1, 0):
                    waiting.append((self._child(node, bit), depth + 1, address << 1 | bit))

    def of(self, code):
        return self.by_code[code]

    def spread(self, count, codes=None):
        """So many addresses, from networks in turn, of these countries or of all."""
        chance = random.Random(1)
        networks = [each for code in codes or self.by_code for each in self.by_code[code]]
        networks = [each for each in networks if usable(each)]
        chance.shuffle(networks)
        addresses = []
        while len(addresses) < count:
            for network in networks[: count - len(addresses)]:
                addresses.append(str(network[chance.randrange(network.num_addresses)]))
        return addresses


def usable(network):
    """Can a client have an address of it? Not in the networks of the harness itself."""
    taken = ("192.0.2.0/24", "198.18.0.0/15", "127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/3")
    return not any(network.overlaps(ipaddress.IPv4Network(each)) for each in taken)


def names(count, seed):
    """Distinct registrable names of 5 to 30 characters, 15.6 on average."""
    chance = random.Random(seed)
    made = set()
    while len(made) < count:
        ending = ENDINGS[chance.randrange(len(ENDINGS))]
        letters = min(max(round(chance.gauss(11.8, 4.4)), 1), 29 - len(ending))
        label = "".join(chance.choices(ALPHABET, k=letters))
        name = f"{label}.{ending}"
        if 5 <= len(name) <= 30:
            made.add(name)
    made = sorted(made)
    chance.shuffle(made)
    return made

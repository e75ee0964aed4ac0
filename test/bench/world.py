# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark asks with: networks of a country out of the database, addresses spread over it,
and names as blocklists have them. The same numbers give the same names and addresses.
"""

import ipaddress
import random

from mmdb import SEPARATOR, Mmdb

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
ENDINGS = ("com", "net", "org", "info", "to", "pro", "xyz", "site", "it", "de")


# Where no client can be: the harness's own networks, and those that nobody has.
TAKEN = ("192.0.2.0/24", "198.18.0.0/15", "127.0.0.0/8", "0.0.0.0/8", "224.0.0.0/3")


class Networks:
    """The IPv4 networks of a database by country code, each as (first address, length)."""

    def __init__(self, path):
        self.database = Mmdb(path.read_bytes())
        self.by_code = {}
        node = 0
        for _ in range(96):  # IPv4 hangs below ::/96
            node = self._child(node, 0)
        self._walk(node)

    def _child(self, node, bit):
        at = node * 6 + 3 * bit
        return int.from_bytes(self.database.image[at : at + 3], "big")

    def _walk(self, root):
        database, codes = self.database, {}
        data = database.nodes * 6 + len(SEPARATOR)
        waiting = [(root, 0, 0)]
        while waiting:
            node, length, address = waiting.pop()
            if node > database.nodes:
                if node not in codes:
                    offset = data + node - database.nodes - len(SEPARATOR)
                    record = database.decode(offset, data)[0]
                    codes[node] = record.get("country", {}).get("iso_code")
                network = (address << (32 - length), length)
                self.by_code.setdefault(codes[node], []).append(network)
            elif node < database.nodes:
                for bit in (1, 0):
                    waiting.append((self._child(node, bit), length + 1, address << 1 | bit))

    def text_of(self, code):
        return [f"{ipaddress.IPv4Address(first)}/{length}" for first, length in self.by_code[code]]

    def abroad(self, code):
        """Every other country."""
        return sorted(each for each in self.by_code if each not in (None, code))

    def spread(self, count, codes):
        """So many addresses, from the networks of these countries in turn."""
        chance = random.Random(1)
        taken = [ipaddress.IPv4Network(each) for each in TAKEN]
        taken = [(int(each[0]), int(each[-1])) for each in taken]
        networks = [each for code in codes for each in self.by_code[code]]
        chance.shuffle(networks)
        addresses = []
        while len(addresses) < count:
            for first, length in networks:
                address = first + chance.randrange(1 << (32 - length))
                if not any(low <= address <= high for low, high in taken):
                    addresses.append(str(ipaddress.IPv4Address(address)))
        return addresses[:count]


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

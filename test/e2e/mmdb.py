# SPDX-License-Identifier: GPL-3.0-or-later
"""MaxMind DB files, written and read as the format's specification says and no faster. Neither owes
anything to libmaxminddb.

    image = mmdb({"2.32.0.0/12": "IT", "2001:b07::/32": "IT", "5.9.0.0/16": "DE"})
    Mmdb(image).find(int.from_bytes(socket.inet_pton(socket.AF_INET6, "2001:b07::1"), "big"))
"""

import ipaddress
import time

MARK = b"\xab\xcd\xefMaxMind.com"
SEPARATOR = bytes(16)
IPV4 = 0xFFFF << 32  # IPv4 addresses are numbers of 128 bits here: ::ffff:a.b.c.d

POINTER, TEXT, UINT16, UINT32, MAP, UINT64, ARRAY = 1, 2, 5, 6, 7, 9, 11


def country(code):
    return {"country": {"iso_code": code}}


def mmdb(networks, *, kind="Test-Country", built=None, record=country):
    """A database of prefix: country code; a longer prefix wins over a shorter one. built is in
    seconds since the epoch (a day ago)."""
    networks = sorted(
        ((ipaddress.ip_network(each), code) for each, code in networks.items()),
        key=lambda row: row[0].prefixlen + (96 if row[0].version == 4 else 0),
    )
    data, offsets = b"", {}
    for _, code in networks:
        if code not in offsets:
            offsets[code] = len(data)
            data += encode(record(code))
    tree = [[None, None]]  # a child is a node's index, (code,), or None
    for network, code in networks:
        insert(tree, network, code)
    nodes = b""
    for pair in tree:
        for child in pair:
            if isinstance(child, tuple):
                child = len(tree) + len(SEPARATOR) + offsets[child[0]]
            nodes += (len(tree) if child is None else child).to_bytes(3, "big")
    metadata = {
        "binary_format_major_version": (UINT16, 2),
        "binary_format_minor_version": (UINT16, 0),
        "build_epoch": (UINT64, int(time.time()) - 86400 if built is None else built),
        "database_type": kind,
        "description": {"en": kind},
        "ip_version": (UINT16, 6),
        "languages": ["en"],
        "node_count": (UINT32, len(tree)),
        "record_size": (UINT16, 24),
    }
    return nodes + SEPARATOR + data + MARK + encode(metadata)


def insert(tree, network, code):
    """IPv4 hangs below ::/96."""
    ipv4 = network.version == 4
    address, length = int(network.network_address), network.prefixlen + 96 * ipv4
    node = 0
    for depth in range(length):
        bit = address >> (127 - depth) & 1
        if depth == length - 1:
            tree[node][bit] = (code,)
            return
        child = tree[node][bit]
        if not isinstance(child, int):
            tree.append([child, child])
            tree[node][bit] = child = len(tree) - 1
        node = child


def encode(value):
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, dict):
        return head(MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return head(ARRAY, len(value)) + b"".join(map(encode, value))
    kind, number = value
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return head(kind, len(octets)) + octets


def head(kind, size):
    """Control byte, type beyond seven, size beyond 28."""
    more = b"" if size < 29 else bytes([size - 29])
    if size >= 29 + 256:
        raise ValueError("longer than this writer needs")
    size = min(size, 29)
    return (bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])) + more


class Mmdb:
    def __init__(self, image):
        self.image = image
        start = image.rindex(MARK) + len(MARK)
        self.metadata, _ = self.decode(start, start)
        if (self.metadata["record_size"], self.metadata["ip_version"]) != (24, 6):
            raise ValueError("not a database that this reader knows")
        self.nodes = self.metadata["node_count"]

    def find(self, address):
        """The whole record of an address, or None."""
        if address >> 32 == 0xFFFF:
            address -= IPV4
        node = 0
        for bit in range(127, -1, -1):
            at = node * 6 + 3 * (address >> bit & 1)
            node = int.from_bytes(self.image[at : at + 3], "big")
            if node == self.nodes:
                return None
            if node > self.nodes:
                data = self.nodes * 6 + len(SEPARATOR)
                return self.decode(data + node - self.nodes - len(SEPARATOR), data)[0]
        raise ValueError("the tree is too deep")

    def decode(self, at, section):
        """The value at this offset, and where it ends. Pointers count from section."""
        control = self.image[at]
        kind, size, at = control >> 5, control & 31, at + 1
        if kind == POINTER:
            return self.decode_pointer(control, at, section)
        if kind == 0:
            kind, at = 7 + self.image[at], at + 1
        if size >= 29:
            more = size - 28
            size = (29, 285, 65821)[more - 1] + int.from_bytes(self.image[at : at + more], "big")
            at += more
        if kind in (MAP, ARRAY):
            items = []
            for _ in range(size * (2 if kind == MAP else 1)):
                item, at = self.decode(at, section)
                items.append(item)
            return (dict(zip(items[::2], items[1::2])) if kind == MAP else items), at
        value = self.image[at : at + size]
        return (value.decode() if kind == TEXT else int.from_bytes(value, "big")), at + size

    def decode_pointer(self, control, at, section):
        size = control >> 3 & 3
        octets = self.image[at : at + size + 1]
        value = int.from_bytes(octets if size == 3 else bytes([control & 7]) + octets, "big")
        return self.decode(section + value + (0, 2048, 526336, 0)[size], section)[0], at + size + 1

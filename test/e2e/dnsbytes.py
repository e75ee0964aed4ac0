# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS messages as bytes: built by hand and taken apart by hand.

Nothing here knows Bailiwick, sockets or a DNS library: the suites need messages that no library
would write, and a reader that owes nothing to the code under test.

    query("www.example", "AAAA", opt=opt(do=True))    a query, random ID, RD set
    answer(message, [rr("www.example", "A", 60, a("192.0.2.1"))])
    parse(message).rcode, .records, .ede              taken apart; raises Malformed
    read_question(message)                            its bytes, NO_QUESTION, or UNREADABLE
"""

import random
import socket
import struct
from typing import NamedTuple

HEADER_SIZE = 12
IN = 1

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO = 0, 1, 2, 4, 5, 6

OPTION_ECS, OPTION_COOKIE, OPTION_KEEPALIVE, OPTION_PADDING, OPTION_EDE = 8, 10, 11, 12, 15
EDE_FORGED, EDE_CENSORED, EDE_NETWORK_ERROR = 4, 16, 23

# Every type that IANA has assigned below 260, and a few beyond.
TYPES = {
    name: number
    for number, name in enumerate(
        "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP "
        "NSAP-PTR SIG KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK OPT "
        "APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA".split(),
        start=1,
    )
}
TYPES.update(
    HIP=55, NINFO=56, RKEY=57, TALINK=58, CDS=59, CDNSKEY=60, OPENPGPKEY=61, CSYNC=62, ZONEMD=63,
    SVCB=64, HTTPS=65, SPF=99, UINFO=100, UID=101, GID=102, UNSPEC=103, NID=104, L32=105, L64=106,
    LP=107, EUI48=108, EUI64=109, TKEY=249, TSIG=250, IXFR=251, AXFR=252, MAILB=253, MAILA=254,
    ANY=255, URI=256, CAA=257, AVC=258, DOA=259, AMTRELAY=260, TA=32768, DLV=32769,
)


class Malformed(Exception):
    """The bytes are not a DNS message."""


def type_number(qtype):
    return TYPES[qtype] if isinstance(qtype, str) else qtype


# ---- building ------------------------------------------------------------------------------------


def name(text):
    """The wire form of a name: text with dots, or a list of labels as bytes. Case is kept."""
    if isinstance(text, str):
        text = text.removesuffix(".")
        labels = [label.encode() for label in text.split(".")] if text else []
    else:
        labels = text
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def header(id, flags, questions=0, answers=0, authorities=0, additionals=0):
    return struct.pack("!6H", id, flags, questions, answers, authorities, additionals)


def opcode_flags(opcode):
    return opcode << 11


def question(qname, qtype="A", qclass=IN):
    return name(qname) + struct.pack("!HH", type_number(qtype), qclass)


def query(qname, qtype="A", *, qclass=IN, id=None, flags=RD, opt=None, additional=(), tail=b""):
    """One question; opt and additional are records as rr() and opt() build them."""
    records = list(additional) + ([opt] if opt else [])
    if id is None:
        id = random.randrange(0x10000)
    return (
        header(id, flags, 1, additionals=len(records))
        + question(qname, qtype, qclass)
        + b"".join(records)
        + tail
    )


def rr(owner, rtype, ttl, rdata, rclass=IN):
    return name(owner) + struct.pack("!HHIH", type_number(rtype), rclass, ttl, len(rdata)) + rdata


def a(address):
    return socket.inet_pton(socket.AF_INET, address)


def aaaa(address):
    return socket.inet_pton(socket.AF_INET6, address)


def opt(size=1232, *, do=False, version=0, extended_rcode=0, options=(), flags=0):
    """An OPT record (RFC 6891); options are (code, data) pairs."""
    data = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options)
    ttl = extended_rcode << 24 | version << 16 | (0x8000 if do else 0) | flags
    return rr("", "OPT", ttl, data, rclass=size)


def answer(message, records=(), *, rcode=NOERROR, flags=QR | RA, additional=()):
    """What a resolver would answer: ID, opcode, RD, CD and question of the query, then records."""
    id, query_flags = struct.unpack_from("!HH", message)
    asked = read_question(message)
    asked = asked if isinstance(asked, bytes) else b""
    word = flags | (query_flags & (0x7800 | RD | CD)) | rcode
    head = header(id, word, 1 if asked else 0, len(records), 0, len(additional))
    return head + asked + b"".join(records) + b"".join(additional)


def with_id(message, id):
    return struct.pack("!H", id) + message[2:]


def message_id(message):
    return struct.unpack_from("!H", message)[0]


# ---- taking apart --------------------------------------------------------------------------------

NO_QUESTION = "no question"
UNREADABLE = "unreadable"


def read_question(message):
    """The bytes of the one question, NO_QUESTION, or UNREADABLE: two or more, or a compressed,
    over-long or cut name."""
    questions = struct.unpack_from("!H", message, 4)[0]
    if questions == 0:
        return NO_QUESTION
    at = HEADER_SIZE
    while questions == 1 and at < len(message):
        length = message[at]
        at += 1 + length
        if length > 63:
            return UNREADABLE
        if length == 0:
            fits = at - HEADER_SIZE <= 255 and at + 4 <= len(message)
            return message[HEADER_SIZE : at + 4] if fits else UNREADABLE
    return UNREADABLE


class Record(NamedTuple):
    section: str
    owner: str
    type: int
    rclass: int
    ttl: int
    rdata: bytes
    at: int  # where the RDATA begins in the message: names in it may be compressed


class Message(NamedTuple):
    id: int
    flags: int
    rcode: int  # with the upper bits of the OPT, if there is one
    question: bytes
    records: list  # of Record, OPT left out
    opts: list  # of Record
    size: int  # octets that the counts account for; a tail is beyond

    @property
    def opcode(self):
        return self.flags >> 11 & 15

    @property
    def options(self):
        """(code, data) of the only OPT."""
        (record,) = self.opts
        found, at = [], 0
        while at < len(record.rdata):
            code, length = struct.unpack_from("!HH", record.rdata, at)
            found.append((code, record.rdata[at + 4 : at + 4 + length]))
            at += 4 + length
        return found

    @property
    def ede(self):
        """(info code, text) of the only Extended DNS Error, or None."""
        if not self.opts:
            return None
        errors = [data for code, data in self.options if code == OPTION_EDE]
        if not errors:
            return None
        (data,) = errors
        return struct.unpack("!H", data[:2])[0], data[2:].decode()

    def section(self, section):
        return [record for record in self.records if record.section == section]


def read_name(message, at):
    """The name at this place in text, lower case, and where it ends; follows compression."""
    labels, end, jumps = [], None, 0
    while True:
        length = message[at]
        if length >= 0xC0:
            end = end or at + 2
            at = (length & 0x3F) << 8 | message[at + 1]
            jumps += 1
            if jumps > 64:
                raise Malformed("compression loop")
            continue
        if length > 63:
            raise Malformed("label type")
        at += 1
        if length == 0:
            return ".".join(labels).lower(), end or at
        labels.append(message[at : at + length].decode("latin-1"))
        at += length


class Soa(NamedTuple):
    mname: str
    rname: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int


def read_soa(message, record):
    """The RDATA of an SOA record of this message."""
    mname, at = read_name(message, record.at)
    rname, at = read_name(message, at)
    if at + 20 != record.at + len(record.rdata):
        raise Malformed("SOA")
    return Soa(mname, rname, *struct.unpack_from("!5I", message, at))


def parse(message):
    """A whole message; Malformed when its counts promise more than there is."""
    try:
        return parse_unguarded(message)
    except (struct.error, IndexError) as error:
        raise Malformed(message.hex()) from error


def parse_unguarded(message):
    id, flags, *counts = struct.unpack_from("!6H", message)
    at = HEADER_SIZE
    for _ in range(counts[0]):
        _, at = read_name(message, at)
        at += 4
    if at > len(message):
        raise Malformed("cut question")
    asked = message[HEADER_SIZE:at]
    records, opts = [], []
    for section, count in zip(("answer", "authority", "additional"), counts[1:]):
        for _ in range(count):
            owner, at = read_name(message, at)
            rtype, rclass, ttl, length = struct.unpack_from("!HHIH", message, at)
            at += 10
            record = Record(section, owner, rtype, rclass, ttl, message[at : at + length], at)
            at += length
            if at > len(message):
                raise Malformed("cut record")
            (opts if rtype == TYPES["OPT"] else records).append(record)
    extended = opts[0].ttl >> 24 if opts else 0
    return Message(id, flags, extended << 4 | flags & 15, asked, records, opts, at)

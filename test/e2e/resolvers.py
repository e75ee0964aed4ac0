# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolvers that are told who asks, or that speak DNS over TLS: real ones, and scripted ones that
show what they were told.

    certificates = Certificates(folder)            an authority of its own, and certificates by it
    TlsUpstream(site.server, certificates.of("resolver.example"))
    ProxiedUpstream(site.server)                   request.told is what the PROXY header said
    ProxyingUnbound, ProxyingDnsdist, ProxyingKresd, ProxyingRecursor
"""

import functools
import ipaddress
import socket
import ssl
import struct
import subprocess

from client import DEADLINE, frame
from dnsbytes import NOERROR, REFUSED, SERVFAIL, query
from harness import Process
from upstream import Request, ScriptedUpstream

TLS_PORT = 5853
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = "local"  # what a header that speaks for nobody tells
ITALY = "192.0.2.39"  # what the real ones answer to Italian clients
ELSEWHERE = "192.0.2.1"  # and to others
LOCAL_HEADER = SIGNATURE + b"\x20\0\0\0"


def split_proxy_header(data):
    """(what it tells, the rest) of octets that begin with a header of the PROXY protocol, version 2;
    what it tells is LOCAL, or (source, port, destination, port, transport)."""
    if len(data) < 16:
        return None
    signature, command, family, size = struct.unpack_from("!12sBBH", data)
    if signature != SIGNATURE:
        raise AssertionError(f"no PROXY header: {data[:16].hex()}")
    if len(data) < 16 + size:
        return None
    rest = data[16 + size :]
    if command == 0x20:
        return LOCAL, rest
    width = {1: 4, 2: 16}[family >> 4]
    source, destination = data[16 : 16 + width], data[16 + width : 16 + 2 * width]
    ports = struct.unpack_from("!HH", data, 16 + 2 * width)
    told = [str(ipaddress.ip_address(bytes(address))) for address in (source, destination)]
    return (told[0], ports[0], told[1], ports[1], {1: "tcp", 2: "udp"}[family & 15]), rest


class Certificates:
    """An authority that nobody else knows, in a folder; certificates are made once for each name."""

    def __init__(self, folder):
        self.folder = folder
        self.authority = self._make("authority", "-addext", "basicConstraints=critical,CA:TRUE")[0]

    def of(self, *names):
        """(certificate, key) for these names, signed by the authority."""
        alternatives = "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)
        signed = ("-CA", self.authority, "-CAkey", self.folder / "authority.key")
        return self._make(names[0].replace("*", "any"), "-addext", alternatives, *signed)

    def _make(self, name, *options):
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        if not certificate.exists():
            ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
            out = ("-keyout", key, "-out", certificate, "-days", "30", "-subj", f"/CN={name}")
            command = ["openssl", "req", "-x509", *ec, *out, *options]
            subprocess.run(command, check=True, capture_output=True)
            key.chmod(0o644)
        return certificate, key


class ProxiedUpstream(ScriptedUpstream):
    """Everything begins with a PROXY header; each request has it as .told."""

    def _on_connection(self, listener):
        super()._on_connection(listener)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, functools.partial) and key.data.func == self._on_stream:
                state = [None, bytearray()]
                callback = functools.partial(self._on_proxied, key.data.args[0], state)
                self._selector.modify(key.fileobj, key.events, callback)

    def _on_proxied(self, peer, state, connection):
        """Octets until the header is whole; what is behind it is a stream as ever."""
        data = connection.recv(1 << 20)
        state[1] += data
        split = split_proxy_header(bytes(state[1]))
        if not data or split is None:
            if not data:
                self._selector.unregister(connection)
                self._streams.remove(connection)
                connection.close()
            return
        told, unread = split[0], bytearray()
        self._selector.modify(
            connection, 1, functools.partial(self._on_told_stream, told, peer, unread)
        )
        self._take(told, peer, unread, connection, split[1])

    def _on_told_stream(self, told, peer, unread, connection):
        try:
            data = connection.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(connection)
            self._streams.remove(connection)
            connection.close()
            return
        self._take(told, peer, unread, connection, data)

    def _take(self, told, peer, unread, connection, data):
        unread += data
        while len(unread) >= 2 and len(unread) >= (end := 2 + int.from_bytes(unread[:2], "big")):
            message = bytes(unread[2:end])
            del unread[:end]
            request = Request(message, "tcp", peer, connection)
            request.told = told
            self._arrived(request)

    def _arrived(self, request):
        if request.transport == "udp":
            request.told, request.message = split_proxy_header(request.message)
        super()._arrived(request)


class TlsUpstream(ScriptedUpstream):
    """Speaks TLS alone, on TLS_PORT; what it saw of each handshake is in .handshakes."""

    def __init__(self, namespace, certificate, address="127.0.0.2", **options):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.context.set_alpn_protocols(["dot"])
        self.context.sni_callback = self._on_name
        self.handshakes = []  # (ALPN, name asked for, version, resumed)
        self.failures = 0  # handshakes that the client ended
        self._name = None
        super().__init__(namespace, address, TLS_PORT, transports=("tcp",), **options)

    def _on_name(self, _connection, name, _context):
        self._name = name

    def _on_connection(self, listener):
        connection, peer = listener.accept()
        self.connections += 1
        connection.settimeout(DEADLINE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = self.context.wrap_socket(connection, server_side=True)
        except OSError:
            self.failures += 1
            connection.close()
            return
        self.handshakes.append(
            (
                connection.selected_alpn_protocol(),
                self._name,
                connection.version(),
                connection.session_reused,
            )
        )
        self._streams.add(connection)
        callback = functools.partial(self._on_stream, peer[:2], bytearray())
        self._register(connection, callback)

    def _on_stream(self, peer, unread, connection):
        super()._on_stream(peer, unread, connection)
        while connection in self._streams and connection.pending():
            super()._on_stream(peer, unread, connection)

    def hang_up(self):
        for connection in list(self._streams):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


class ToldResolver(Process):
    """A real resolver that takes PROXY headers from our machine. Italian clients get ITALY for any
    A query, others ELSEWHERE."""

    def __init__(self, site, address, certificate=None, port=5300):
        super().__init__(site)
        self.server = (address, port)
        self.tls_server = (address, TLS_PORT)
        self.launch(*self.write_files(certificate))
        message = LOCAL_HEADER + query("www.example")
        self.wait_for_answer(self.server, message, NOERROR, REFUSED, SERVFAIL)


class ProxyingUnbound(ToldResolver):
    name = "unbound-proxied"

    def write_files(self, certificate):
        address, port = self.server
        tls = ""
        if certificate:
            tls = f"""
    interface: {address}@{TLS_PORT}
    tls-port: {TLS_PORT}
    proxy-protocol-port: {TLS_PORT}
    tls-service-pem: "{certificate[0]}"
    tls-service-key: "{certificate[1]}"
"""
        (self.folder / "conf").write_text(
            f"""\
server:
    interface: {address}@{port}
    proxy-protocol-port: {port}
    access-control: 0.0.0.0/0 allow
    access-control-view: 2.32.0.0/12 italy
    do-daemonize: no
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{self.folder}"
    use-syslog: no
    module-config: "iterator"
    local-zone: "." redirect
    local-data: ". 300 A {ELSEWHERE}"
{tls}
view:
    name: "italy"
    local-zone: "." redirect
    local-data: ". 300 A {ITALY}"
remote-control:
    control-enable: no
"""
        )
        return "unbound", "-d", "-p", "-c", str(self.folder / "conf")


class ProxyingDnsdist(ToldResolver):
    name = "dnsdist-proxied"

    def write_files(self, certificate):
        address, port = self.server
        tls = ""
        if certificate:
            tls = f'addTLSLocal("{address}:{TLS_PORT}", "{certificate[0]}", "{certificate[1]}")'
        (self.folder / "conf").write_text(
            f"""\
setLocal("{address}:{port}")
{tls}
setACL({{"0.0.0.0/0"}})
setProxyProtocolACL({{"127.0.0.0/8"}})
addAction("2.32.0.0/12", SpoofAction("{ITALY}"))
addAction(AllRule(), SpoofAction("{ELSEWHERE}"))
"""
        )
        return "dnsdist", "--supervised", "-C", str(self.folder / "conf")


class ProxyingKresd(ToldResolver):
    name = "kresd-proxied"

    def write_files(self, _certificate):
        address, port = self.server
        (self.folder / "conf").write_text(
            f"""\
modules = {{'view', 'policy'}}
net.ipv6 = false
net.listen('{address}', {port}, {{kind = 'dns'}})
net.proxy_allowed({{'127.0.0.0/8'}})
trust_anchors.remove('.')
cache.size = 1 * MB
view:addr('2.32.0.0/12', policy.all(policy.ANSWER({{[kres.type.A] = {{rdata = kres.str2ip('{ITALY}')}}}})))
policy.add(policy.all(policy.ANSWER({{[kres.type.A] = {{rdata = kres.str2ip('{ELSEWHERE}')}}}})))
"""
        )
        return "kresd", "-n", "-q", "-c", str(self.folder / "conf"), str(self.folder)


class ProxyingRecursor(ToldResolver):
    """It answers TXT queries with the network that it was told by ECS."""

    name = "recursor-proxied"
    proxied = "127.0.0.0/8"

    def write_files(self, _certificate):
        address, port = self.server
        (self.folder / "answer.lua").write_text(
            f"""\
italy = newNMG()
italy:addMask("2.32.0.0/12")
function preresolve(dq)
  if dq.qtype == pdns.A then
    dq:addAnswer(pdns.A, italy:match(dq.remoteaddr) and "{ITALY}" or "{ELSEWHERE}")
    return true
  end
  if dq.qtype == pdns.TXT then
    local subnet = dq:getEDNSSubnet()
    dq:addAnswer(pdns.TXT, '"' .. (subnet and subnet:toString() or "none") .. '"')
    return true
  end
  return false
end
"""
        )
        options = {
            "local-address": address,
            "local-port": port,
            "allow-from": "0.0.0.0/0",
            "proxy-protocol-from": self.proxied,
            "use-incoming-edns-subnet": "yes",
            "lua-dns-script": self.folder / "answer.lua",
            "socket-dir": self.folder,
            "config-dir": self.folder,
            "dnssec": "off",
            "disable-packetcache": "yes",  # it does not look at who asks
            "threads": 1,
            "security-poll-suffix": "",
            "hint-file": "no",
        }
        return "pdns_recursor", *(f"--{key}={value}" for key, value in options.items())


class SubnetRecursor(ProxyingRecursor):
    """Takes no PROXY headers, ECS only."""

    name = "recursor"
    proxied = ""

    def __init__(self, site, address):
        Process.__init__(self, site)
        self.server = (address, 5300)
        self.launch(*self.write_files(None))
        self.wait_for_answer(self.server, query("www.example"), NOERROR)

# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces without names: each is held by a descriptor of this process, so that all of
them vanish with it, however it ends. Nothing is written below /run and `ip netns` is not used: it
needs mounts that a bare chroot does not have.

    inside = Namespace()
    with inside:                    sockets and processes made here belong to the namespace
        socket.socket(...)
    inside.run("ip", "address")     the same for one command
"""

import ctypes
import os
import socket
import subprocess
import threading

CLONE_NEWNET = 0x40000000
IP_FREEBIND = 15
IPV6_FREEBIND = 78

_libc = ctypes.CDLL(None, use_errno=True)
_home = os.open("/proc/self/ns/net", os.O_RDONLY)
_entered = threading.local()


def _system_call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Namespace:
    """An empty network with its loopback up. As a context manager it takes the current thread, and
    only it, inside and back to where it came from."""

    def __init__(self):
        before = getattr(_entered, "stack", [_home])[-1]
        _system_call(_libc.unshare, CLONE_NEWNET)
        self.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _system_call(_libc.setns, before, CLONE_NEWNET)
        self.run("ip", "link", "set", "lo", "up")

    def __enter__(self):
        if not hasattr(_entered, "stack"):
            _entered.stack = [_home]
        _system_call(_libc.setns, self.descriptor, CLONE_NEWNET)
        _entered.stack.append(self.descriptor)
        return self

    def __exit__(self, *_):
        _entered.stack.pop()
        _system_call(_libc.setns, _entered.stack[-1], CLONE_NEWNET)

    def run(self, *command):
        with self:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def socket(self, kind, address, port=0):
        """A bound socket of this namespace; kind is socket.SOCK_DGRAM or SOCK_STREAM. Addresses
        that no interface holds can be bound."""
        family = family_of(address)
        with self:
            made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        else:
            made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        # A scope (fe80::2%7) survives in what getaddrinfo makes of it, not in (address, port).
        (*_, numeric) = socket.getaddrinfo(address, port, type=kind)[0]
        made.bind(numeric)
        return made

    def close(self):
        os.close(self.descriptor)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET

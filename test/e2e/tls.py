# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients over TLS, and certificates to serve them with."""

import re
import ssl
import subprocess

from client import Stream

NAME = "dns.example"
PORT = 853


def certificate(days=90, address=None):
    """A self-signed certificate for NAME that ends in so many days, and its key; PEM text both."""
    names = f"DNS:{NAME}" + (f",IP:{address}" if address else "")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName={names}",
         "-days", str(days), "-keyout", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    parts = re.findall(r"-----BEGIN.*?-----END[^\n]*\n", made, re.S)
    key = next(part for part in parts if "PRIVATE KEY" in part)
    return next(part for part in parts if "CERTIFICATE" in part), key


def context(certificate_text=None, *, alpn=("dot",)):
    """What a client trusts; None: anybody."""
    made = ssl.create_default_context(cadata=certificate_text)
    if certificate_text is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


class TlsStream(Stream):
    """A stream whose handshake is done; with a session it may have been resumed."""

    def __init__(self, client, server, tls, session=None, receive_buffer=None):
        super().__init__(client, server, receive_buffer)
        try:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname=NAME, session=session, suppress_ragged_eofs=False
            )
        except OSError:
            self.close()
            raise

    def ends(self):
        """Waits for the peer's close_notify; an end without it raises ssl.SSLError."""
        return self.socket.recv(1) == b""

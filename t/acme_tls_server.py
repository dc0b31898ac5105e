"""The TLS server of somebody who wants certificates: answers tls-alpn-01 (RFC 8737), rightly or as a test says."""

import contextlib
import datetime
import hashlib
import ipaddress
import socket
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

ACME_IDENTIFIER = ObjectIdentifier("1.3.6.1.5.5.7.1.31")
PROTOCOL = "acme-tls/1"


def general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def make_certificate(names, key_authorization, critical=True, identifier=None, issuer=None, signer=None, expired=False, padding=0):
    """A challenge's certificate as (key, certificate). @param identifier  the extension's octets instead of the right ones; b"" none
    @param issuer, signer  another name and key than its own"""
    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(key_authorization.encode()).digest()
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ACME challenge")])
    now = datetime.datetime(2020, 1, 1) if expired else datetime.datetime.utcnow() - datetime.timedelta(hours=1)
    builder = (x509.CertificateBuilder().subject_name(own).issuer_name(issuer or own).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=2)))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(one) for one in names]), False)
    value = b"\x04\x20" + digest if identifier is None else identifier
    if value:
        builder = builder.add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, value), critical)
    if padding:
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x04\x00" + bytes(padding)), False)
    return key, builder.sign(signer or key, hashes.SHA256())


def context_for(chain, key, protocols=(PROTOCOL,), versions=(None, None)):
    """An SSL context with that key and the PEM of these certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    least, most = versions
    context.minimum_version = least or ssl.TLSVersion.TLSv1_2
    if most:
        context.maximum_version = most
    if protocols:
        context.set_alpn_protocols(list(protocols))
    with tempfile.NamedTemporaryFile() as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        for one in chain:
            file.write(one.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class TlsServer:
    """Shakes hands with whoever comes; `talk(connection)` takes a connection as it is instead. Remembers the SNI of each."""

    def __init__(self, port, context=None, talk=None, address="127.0.0.1"):
        self.context, self.talk, self.server_names, self.connections = context, talk, [], 0
        self.over = threading.Event()
        if context:
            context.sni_callback = lambda _, name, __: self.server_names.append(name)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over.is_set():
            connection, _ = self.listener.accept()
            connection.settimeout(60)
            with contextlib.suppress(OSError), connection:
                if self.over.is_set():
                    return
                self.connections += 1
                if self.talk:
                    self.talk(self, connection)
                else:
                    with self.context.wrap_socket(connection, server_side=True) as session:
                        session.recv(1)

    def stop(self):
        self.over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self.listener.getsockname()[:2], timeout=60).close()
        self.thread.join(30)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

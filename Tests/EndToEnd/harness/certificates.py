"""Certificates made for one run: an authority, what it issues, and what is wrong with some of it."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID


def name(text: str, organization: str | None = None) -> x509.Name:
    said = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*said, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def alternative(text: str) -> x509.GeneralName:
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


class Pair:
    """A certificate and its key, as files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self.key = key

    @property
    def fingerprint(self) -> str:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()

    def put(self, folder: Path, title: str) -> None:
        """Puts it in place as TITLE.pem and TITLE.key, each at once, as deployment tools do."""
        for path, suffix in ((self.key, ".key"), (self.certificate, ".pem")):
            beside = folder / f".{title}{suffix}.new"
            beside.touch(0o600)
            beside.write_bytes(path.read_bytes())
            beside.rename(folder / (title + suffix))

    def server_context(self, protocols: list[str] | None = None, client_ca: Path | None = None) -> ssl.SSLContext:
        """For a server that shows this pair; with `client_ca` it asks clients for theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if protocols:
            context.set_alpn_protocols(protocols)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context


class Authority:
    def __init__(self, folder: Path, title: str = "Test authority") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.title = title
        self.count = 0
        now = datetime.now(timezone.utc)
        built = (
            x509.CertificateBuilder()
            .subject_name(name(title))
            .issuer_name(name(title))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=100))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        #: What believes in it.
        self.path = folder / "authority.pem"
        self.path.write_bytes(built.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *names: str,
        days: float = 90,
        kind: str = "ec",
        organization: str | None = None,
        passphrase: bytes | None = None,
    ) -> Pair:
        """A pair for these names, addresses and URIs; negative `days` have passed since its end."""
        self.count += 1
        key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
        lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        now = datetime.now(timezone.utc)
        built = (
            x509.CertificateBuilder()
            .subject_name(name(names[0], organization))
            .issuer_name(name(self.title))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=100))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([alternative(text) for text in names]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        certificate, key_path = self.folder / f"{self.count}.pem", self.folder / f"{self.count}.key"
        certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
        key_path.chmod(0o600)
        return Pair(certificate, key_path)

    def vouch(self, pair: Pair, hours: int = 1) -> bytes:
        """An OCSP response, in DER, that says a certificate of this authority is good for so long."""
        issuer = x509.load_pem_x509_certificate(self.path.read_bytes())
        now = datetime.now(timezone.utc)
        built = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                x509.load_pem_x509_certificate(pair.certificate.read_bytes()), issuer, hashes.SHA1(),
                ocsp.OCSPCertStatus.GOOD, now - timedelta(hours=1), now + timedelta(hours=hours), None, None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.NAME, issuer)
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip
        return built.public_bytes(serialization.Encoding.DER)


@dataclass(frozen=True)
class Shelf:
    """What the TLS listeners of one run show, and the authority behind it."""

    folder: tempfile.TemporaryDirectory
    authority: Authority
    server: Pair

    @property
    def listener(self) -> dict[str, str]:
        """What a listener's `tls` says."""
        return {"certificate": f"file:{self.server.certificate}", "key": f"file:{self.server.key}"}


@cache
def shelf() -> Shelf:
    """Made once a run; the files go with the process."""
    folder = tempfile.TemporaryDirectory(prefix="portcullis-certificates-")
    authority = Authority(Path(folder.name))
    return Shelf(folder, authority, authority.issue("localhost", "127.0.0.1", "gw.test"))

"""A self-signed certificate, for machines on the local network that none is issued for."""

import socket
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 30


class Certificate(NamedTuple):
    """A certificate's files, and its SHA-256 fingerprint as browsers show it."""

    cert: Path
    key: Path
    fingerprint: str


def make_certificate(folder: Path, hosts: list[str]) -> Certificate:
    """Make a certificate and its key, which only this user may read.

    Args:
        folder: Where to write both.
        hosts: Names and addresses that it is to hold for.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mien (self-signed)")])
    now = datetime.now(UTC)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_named(host) for host in hosts]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(usage, False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.touch(mode=0o600)
    key_path.write_bytes(secret)
    digest = sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    pairs = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
    return Certificate(cert_path, key_path, pairs)


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def names_in(path: Path) -> list[str]:
    """Return the names that a certificate holds for, such as `*.example.com`.

    Args:
        path: The certificate, or a chain that begins with it, as PEM.

    Raises:
        ValueError: It is no such file.
        OSError: It cannot be read.
    """
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def own_addresses() -> list[str]:
    """Return this machine's addresses that others on the network can reach it by."""
    found = set()
    # Nothing is sent: a datagram socket only asks the system which way it would go.
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))
                found.add(probe.getsockname()[0])
        except OSError:
            continue
    return sorted(found)


def names_for(host: str) -> list[str]:
    """Return the names and addresses that a certificate should hold for.

    Args:
        host: What the service listens at.
    """
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *own_addresses()]
    if host not in ("0.0.0.0", "::"):  # noqa: S104 (compared, not listened at)
        names.append(host)
    return [name for name in dict.fromkeys(names) if name and name.isascii()]

"""Whose signatures of certified mail hold: certificates of the office's choice. Reads files once; asks no network.

No certificate is looked up, nor whether one was revoked: certified mail must be readable with the line down.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

LONGEST_CHAIN = 6
SMALLEST_RSA = 2048  # bits
SUFFIXES = frozenset({".pem", ".crt", ".cer"})
STRONG = frozenset({"sha256", "sha384", "sha512"})
Kind = TypeVar("Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Trust:
    """`unread`: names of files that hold no certificate. `at`: when it is, for what must not depend on the clock."""

    anchors: tuple[x509.Certificate, ...] = ()
    unread: tuple[str, ...] = ()
    at: datetime | None = field(default=None, compare=False)

    @classmethod
    def load(cls, path: str) -> "Trust":
        """From a file of certificates (PEM) or a folder of such files; trusts nobody when `path` is empty."""
        anchors: list[x509.Certificate] = []
        unread: list[str] = []
        for file in _files(Path(path)) if path else ():
            try:
                anchors.extend(x509.load_pem_x509_certificates(file.read_bytes()))
            except (OSError, ValueError):
                unread.append(file.name)
        return cls(tuple(anchors), tuple(unread))

    def vouches_for(self, signer: x509.Certificate, others: Iterable[x509.Certificate]) -> bool:
        """Whether a chain goes from the signer, by `others` that came along, to a certificate that is trusted.

        A provider's own certificate may be trusted itself, without its authority.
        """
        now = self.at or datetime.now(UTC)
        if not _is_valid(signer, now) or not _may_sign_mail(signer):
            return False
        if signer in self.anchors:
            return True
        return self._reached(signer, tuple(others), now)

    def _reached(self, signer: x509.Certificate, others: tuple[x509.Certificate, ...], now: datetime) -> bool:
        below = [signer]
        seen = {signer}
        for between in range(LONGEST_CHAIN):
            if any(_issued(anchor, one, between, now) for anchor in self.anchors for one in below):
                return True
            below = [one for one in others if one not in seen and any(_issued(one, low, between, now) for low in below)]
            seen.update(below)
        return False


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)


def _is_valid(one: x509.Certificate, now: datetime) -> bool:
    return one.not_valid_before_utc <= now <= one.not_valid_after_utc and _is_strong(one)


def _is_strong(one: x509.Certificate) -> bool:
    key = one.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SMALLEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey)


def _may_sign_mail(one: x509.Certificate) -> bool:
    """What a certificate does not say about its use, it allows (RFC 5280 §4.2.1.3, RFC 8550 §4.4)."""
    usage = _extension(one, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        return False
    purposes = _extension(one, x509.ExtendedKeyUsage)
    allowed = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    return purposes is None or not allowed.isdisjoint(purposes)


def _issued(authority: x509.Certificate, one: x509.Certificate, between: int, now: datetime) -> bool:
    """`between`: how many authorities stand between the signer and this one (RFC 5280 §4.2.1.9)."""
    if authority.subject != one.issuer or not _is_valid(authority, now):
        return False
    basic = _extension(authority, x509.BasicConstraints)
    if basic is None or not basic.ca or (basic.path_length is not None and between > basic.path_length):
        return False
    usage = _extension(authority, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return False
    digest = one.signature_hash_algorithm
    if digest is None or digest.name not in STRONG:
        return False
    try:
        one.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _extension(one: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None

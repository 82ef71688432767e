"""Whether a detached signature (CMS, RFC 5652) holds for some bytes, and whose it is. Pure; refuses weak digests.

asn1crypto takes the signature apart, cryptography computes. Nothing of it is believed before the computing is done.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from facts.languages import N_
from intake.certified.trust import STRONG, Trust

LARGEST = 512 * 1024  # bytes of a signature: a real one with its chain has some ten thousand
MOST_CERTIFICATES = 20
MOST_SIGNERS = 4
INDEFINITE = 0x80  # X.690 §8.1.3.6: a length that only the end tells; what is signed is DER, which has none
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_BARE = re.compile(rb"(?<!\r)\n")

UNREADABLE = N_("The signature cannot be read.")
ALTERED = N_("The signature does not fit the content: it was changed on the way, or the signature is of another mail.")
WEAK = N_("The signature uses a method that is not safe any more.")
NOT_TRUSTED = N_("The certificate of the provider is expired, not meant for this, or not among the trusted ones.")
OTHER_SIGNER = N_("The signature is not by the provider that the mail names as its sender.")


class Doubt(Exception):
    """Why a signature is not believed: an English sentence of the catalogue."""


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature taken apart."""

    signers: Sequence[Any]
    certificates: tuple[x509.Certificate, ...]


def check(signature: bytes, content: bytes, sender: str, trust: Trust) -> None:
    """`content`: the bytes of the signed part as they came. `sender`: the bare address that must be the signer's.

    Raises Doubt.
    """
    try:
        signed = _taken_apart(signature)
        signer = _who_signed(signed, content)
        if sender not in _addresses(signer):
            raise Doubt(OTHER_SIGNER)
        if not trust.vouches_for(signer, signed.certificates):
            raise Doubt(NOT_TRUSTED)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
        UnsupportedAlgorithm,
    ) as odd:
        raise Doubt(UNREADABLE) from odd  # what is no CMS, or a certificate that is none


def _taken_apart(signature: bytes) -> _Signed:
    if len(signature) > LARGEST:
        raise Doubt(UNREADABLE)
    outer = cms.ContentInfo.load(signature)
    if outer["content_type"].native != "signed_data":
        raise Doubt(UNREADABLE)
    data = outer["content"]
    found, signers = data["certificates"], data["signer_infos"]
    if len(found) > MOST_CERTIFICATES or not 0 < len(signers) <= MOST_SIGNERS:
        raise Doubt(UNREADABLE)
    certificates = (_certificate(one.chosen.dump()) for one in found if one.name == "certificate")
    return _Signed(tuple(signers), tuple(one for one in certificates if one is not None))


def _certificate(der: bytes) -> x509.Certificate | None:
    """None for an odd one: old roots are, and come along where nobody needs them."""
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None


def _who_signed(signed: _Signed, content: bytes) -> x509.Certificate:
    """The certificate of the first signer whose signature holds; the doubt about the last one when none does."""
    doubt = Doubt(UNREADABLE)
    canonical = _BARE.sub(b"\r\n", content)
    for signer in signed.signers:
        certificate = _certificate_of(signer, signed.certificates)
        if certificate is None:
            continue
        try:
            _verify(signer, certificate, (content, canonical))
        except Doubt as found:
            doubt = found
            continue
        return certificate
    raise doubt


def _certificate_of(signer: Any, certificates: Sequence[x509.Certificate]) -> x509.Certificate | None:
    sid = signer["sid"]
    for one in certificates:
        if sid.name == "issuer_and_serial_number":
            same = one.serial_number == sid.chosen["serial_number"].native
            if same and one.issuer.public_bytes() == sid.chosen["issuer"].dump():
                return one
        elif _key_id(one) == sid.chosen.native:
            return one
    return None


def _key_id(one: x509.Certificate) -> bytes | None:
    try:
        return one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _verify(signer: Any, certificate: x509.Certificate, readings: Sequence[bytes]) -> None:
    """`readings`: as the bytes came, and with the line ends that mail has (RFC 8551 §3.1.1), if a door changed them."""
    digest = signer["digest_algorithm"]["algorithm"].native
    if digest not in STRONG:
        raise Doubt(WEAK)
    attributes = signer["signed_attrs"]
    signature: bytes = signer["signature"].native
    if isinstance(attributes, cms.CMSAttributes) and len(attributes):
        wanted = _attribute(attributes, "message_digest")
        if _attribute(attributes, "content_type") != "data":
            raise Doubt(UNREADABLE)
        if wanted not in [hashlib.new(digest, one).digest() for one in readings]:
            raise Doubt(ALTERED)
        # RFC 5652 §5.4: what is signed is a SET OF, not the [0] as which it is sent
        readings = [b"\x31" + attributes.dump(force=attributes.dump()[1] == INDEFINITE)[1:]]
    if not any(_holds(signer, certificate, signature, one) for one in readings):
        raise Doubt(ALTERED)


def _attribute(attributes: Any, name: str) -> Any:
    """Its only value. RFC 5652 §11: these two are there once, with one value."""
    found = [one["values"] for one in attributes if one["type"].native == name]
    if len(found) != 1 or len(found[0]) != 1:
        raise Doubt(UNREADABLE)
    return found[0][0].native


def _holds(signer: Any, certificate: x509.Certificate, signature: bytes, signed: bytes) -> bool:
    method = signer["signature_algorithm"]
    name = method.signature_algo
    key = certificate.public_key()
    try:
        if name == "rsassa_pss" and isinstance(key, rsa.RSAPublicKey):
            digest, filling = _pss(method)
            key.verify(signature, signed, filling, digest)
            return True
        digest = _plain_digest(signer, method)
        if name == "rsassa_pkcs1v15" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), digest)
            return True
        if name == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    raise Doubt(UNREADABLE)


def _plain_digest(signer: Any, method: Any) -> hashes.HashAlgorithm:
    """`rsaEncryption` names none: then it is that of the content."""
    try:
        name = method.hash_algo
    except ValueError:
        name = signer["digest_algorithm"]["algorithm"].native
    return _strong(name)


def _pss(method: Any) -> tuple[hashes.HashAlgorithm, padding.PSS]:
    values = method["parameters"]
    digest = _strong(values["hash_algorithm"]["algorithm"].native)
    mask = values["mask_gen_algorithm"]
    inner = _strong(mask["parameters"]["algorithm"].native)
    return digest, padding.PSS(padding.MGF1(inner), int(values["salt_length"].native))


def _strong(name: str) -> hashes.HashAlgorithm:
    if name not in _HASHES:
        raise Doubt(WEAK)
    return _HASHES[name]


def _addresses(one: x509.Certificate) -> set[str]:
    """In lower case: of the subject's alternative name, and of the subject as old certificates have it."""
    found = {str(entry.value) for entry in one.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)}
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found.update(names.get_values_for_type(x509.RFC822Name))
    except x509.ExtensionNotFound:
        pass
    return {address.strip().lower() for address in found}

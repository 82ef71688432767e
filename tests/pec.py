"""Certified mail for tests, made on the spot: every type, and what may be wrong with it. All invented."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from intake.certified.trust import Trust
from intake.incoming import Envelope
from intake.pec import open_envelope
from sandbox.certified import Authority, CertifiedProvider, Signer

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ADA = "ada@pec.comune.example.org"
OFFICE = "ufficio@pec.citta.example.org"
OURS = "<7.0123456789abcdef0123@pec.citta.example.org>"


def a_mail(
    sender: str = ADA, subject: str = "Cronoprogramma", text: str = "Il collaudo è fatto.", **other: str
) -> bytes:
    """An ordinary mail. `other`: further headers, with _ for -."""
    headers = {"From": sender, "To": OFFICE, "Subject": subject, "Message-ID": OURS}
    headers |= {name.replace("_", "-"): value for name, value in other.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    kind = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    return f"{head}{kind}\r\n{text}\r\n".encode()


TRUSTED = "Certificatore di prova"


def authority(name: str = TRUSTED) -> Authority:
    """The same for one name: a cache takes a name that was left out for another one."""
    return _authority(name)


@cache
def _authority(name: str) -> Authority:
    return Authority(NOW, name)


@cache
def provider(domain: str = "gestore.example.org", authority_name: str = TRUSTED) -> CertifiedProvider:
    signer = authority(authority_name).signer(f"posta-certificata@{domain}")
    return CertifiedProvider(domain, NOW, signer)


def expired() -> CertifiedProvider:
    signer = authority().signer("posta-certificata@gestore.example.org", days=-1)
    return CertifiedProvider("gestore.example.org", NOW, signer)


def self_signed() -> CertifiedProvider:
    """Nobody but itself says who it is."""
    return CertifiedProvider("gestore.example.org", NOW, Signer.made("posta-certificata@gestore.example.org", NOW))


def trust(*providers: CertifiedProvider) -> Trust:
    """In the authority of `provider()`, or in those given."""
    pem = b"".join(one.ca_pem for one in providers or (provider(),))
    return Trust(tuple(x509.load_pem_x509_certificates(pem)), at=NOW)


def opened(raw: bytes, trusted: Trust | None = None) -> tuple[Envelope, bytes | None]:
    """As the reader does it. Fails when it is no certified mail."""
    found = open_envelope(raw, parsed(raw), trusted if trusted is not None else trust())
    assert found is not None
    return found


def parsed(raw: bytes) -> Message:
    """Its headers; of its parts `open_envelope` asks no parser."""
    return BytesHeaderParser().parsebytes(raw)


def a_transport(mail: bytes | None = None, sender: str = ADA, *, by: CertifiedProvider | None = None) -> bytes:
    return (by or provider()).transport(mail or a_mail(sender), sender, OFFICE)


def a_receipt(
    kind: str, recipient: str = ADA, message_id: str = OURS, why: str = "", *, by: CertifiedProvider | None = None
) -> bytes:
    mail = a_mail(OFFICE, Message_ID=message_id)
    return (by or provider()).receipts(kind, mail, OFFICE, [recipient], why=why)[0]


def a_transport_of(parts: Callable[[CertifiedProvider, bytes], list[bytes]], mail: bytes | None = None) -> bytes:
    """A transport whose signed parts are what `parts` makes."""
    one, mail = provider(), mail or a_mail()
    headers = one.headers("POSTA CERTIFICATA: x", OFFICE, on_behalf_of=ADA) | {"X-Trasporto": "posta-certificata"}
    return one.signed(headers, one.mixed(parts(one, mail)))


def with_header(raw: bytes, name: str, value: str) -> bytes:
    """The same mail with another value in one header of its head, which no signature covers; "" leaves it out."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(name.lower().encode() + b":")]
    added = [f"{name}: {value}".encode()] if value else []
    return b"\r\n".join(lines + added) + blank + body


def signed_by_rsa(digest: hashes.HashAlgorithm | None, *, pss: bool = False, bits: int = 2048) -> tuple[bytes, Trust]:
    """A transport by a provider with an RSA key, and who trusts its certificate. No digest: SHA-1, made by hand."""
    key, certificate = _rsa(bits)
    one = provider()
    content = one.mixed([one.note("x"), one.data_part(data()), one.mail_part(a_mail())])
    if digest is None:
        signature = _sha1(key, certificate, content)
    else:
        filling = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH) if pss else None
        builder = PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(certificate, key, _allowed(digest), rsa_padding=filling)
        options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
        signature = builder.sign(serialization.Encoding.DER, options)
    headers = one.headers("POSTA CERTIFICATA: x", OFFICE, on_behalf_of=ADA) | {"X-Trasporto": "posta-certificata"}
    return one.around(headers, content, signature), Trust((certificate,), at=NOW)


def _allowed(digest: hashes.HashAlgorithm) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512:
    assert isinstance(digest, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)
    return digest


def data() -> bytes:
    return provider().data("posta-certificata", ADA, [OFFICE], about=(OURS, "x"))


@cache
def _rsa(bits: int) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, bits)
    template = authority()
    signer = template.signer("posta-certificata@gestore.example.org").certificate
    builder = x509.CertificateBuilder(
        issuer_name=template.name,
        subject_name=signer.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=signer.not_valid_before_utc,
        not_valid_after=signer.not_valid_after_utc,
        extensions=list(signer.extensions),
    )
    return key, builder.sign(template.key, hashes.SHA256())


def _sha1(key: rsa.RSAPrivateKey, certificate: x509.Certificate, content: bytes) -> bytes:
    from asn1crypto import algos, cms
    from asn1crypto import x509 as plain

    der = plain.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
    signer = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": der.issuer, "serial_number": der.serial_number}
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha1"}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha1_rsa"}),
            "signature": key.sign(content, padding.PKCS1v15(), hashes.SHA1()),
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha1"})],
            "encap_content_info": {"content_type": "data"},
            "certificates": [der],
            "signer_infos": [signer],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())


def pem_file(folder: Path, *providers: CertifiedProvider) -> Path:
    """For RACCORDO_PEC_TRUST."""
    path = folder / "gestori.pem"
    path.write_bytes(b"".join(one.ca_pem for one in providers or (provider(),)))
    return path

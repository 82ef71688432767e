"""A provider of certified mail (PEC, RFC 6109) as small as can be: envelopes and receipts, signed with keys of its own.

It makes its authority and its key when it starts, and keeps no mail and sends none: whoever asks it does.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesHeaderParser
from email.utils import format_datetime, make_msgid
from functools import cached_property
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROME = ZoneInfo("Europe/Rome")
RECEIPTS = {
    "accettazione": "ACCETTAZIONE",
    "non-accettazione": "AVVISO DI NON ACCETTAZIONE",
    "avvenuta-consegna": "CONSEGNA",
    "errore-consegna": "AVVISO DI MANCATA CONSEGNA",
    "preavviso-errore-consegna": "AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO",
}
ONE_EACH = frozenset({"avvenuta-consegna", "errore-consegna", "preavviso-errore-consegna"})  # per recipient


@dataclass(frozen=True)
class Signer:
    """A key, its certificate and that of the authority which issued it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate

    @classmethod
    def made(cls, address: str, now: datetime, *, days: int = 3650) -> "Signer":
        """For one address, with an authority of its own; valid from a year before `now`."""
        return Authority(now).signer(address, days=days)


class Authority:
    """Issues certificates to providers."""

    def __init__(self, now: datetime, name: str = "Certificatore di prova") -> None:
        self.now, self.name = now, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = _usage(key_cert_sign=True, crl_sign=True)
        builder = self._builder(self.name, self.key.public_key(), 3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())

    def signer(self, address: str, *, days: int = 3650) -> Signer:
        """`days`: how long from `now`; a negative number has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Gestore di prova")])
        builder = self._builder(subject, key.public_key(), days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        return Signer(key, builder.sign(self.key, hashes.SHA256()), self.certificate)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=365))
            .not_valid_after(self.now + timedelta(days=days))
        )


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**dict.fromkeys(names, False) | allowed)


@dataclass
class CertifiedProvider:
    """`address` is the one from which it writes. Every method gives whole mails, as bytes with CRLF."""

    domain: str = "gestore.example.org"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    signer: Signer | None = None

    @property
    def address(self) -> str:
        return f"posta-certificata@{self.domain}"

    @cached_property
    def _signer(self) -> Signer:
        return self.signer or Signer.made(self.address, self.now)

    @property
    def ca_pem(self) -> bytes:
        """What to trust."""
        return self._signer.authority.public_bytes(Encoding.PEM)

    def transport(self, mail: bytes, sender: str, recipient: str) -> bytes:
        """A certified mail as it reaches `recipient`."""
        head = BytesHeaderParser().parsebytes(mail)
        subject, message_id = head.get("Subject", ""), head.get("Message-ID", "")
        data = self.data("posta-certificata", sender, [recipient], about=(message_id, subject))
        headers = self.headers(f"POSTA CERTIFICATA: {subject}", recipient, on_behalf_of=sender)
        headers |= {"X-Trasporto": "posta-certificata", "X-Riferimento-Message-ID": message_id}
        parts = [self.note("Messaggio di posta certificata"), self.data_part(data), self.mail_part(mail)]
        return self.signed(headers, self.mixed(parts))

    def anomaly(self, mail: bytes, sender: str, recipient: str) -> bytes:
        """An ordinary mail as it reaches a certified mailbox: nobody vouches for its sender."""
        subject = BytesHeaderParser().parsebytes(mail).get("Subject", "")
        headers = self.headers(f"ANOMALIA MESSAGGIO: {subject}", recipient, on_behalf_of=sender)
        headers |= {"X-Trasporto": "errore"}
        return self.signed(headers, self.mixed([self.note("Anomalia nel messaggio"), self.mail_part(mail)]))

    def receipts(self, kind: str, mail: bytes, sender: str, recipients: Sequence[str], *, why: str = "") -> list[bytes]:
        """What `sender` hears about a mail of theirs. `kind`: one of RECEIPTS. `why`: `errore` and `errore-esteso`."""
        each = [[one] for one in recipients] if kind in ONE_EACH else [list(recipients)]
        return [self._receipt(kind, mail, sender, some, why) for some in each]

    def _receipt(self, kind: str, mail: bytes, sender: str, recipients: Sequence[str], why: str) -> bytes:
        head = BytesHeaderParser().parsebytes(mail)
        subject, message_id = head.get("Subject", ""), head.get("Message-ID", "")
        error, _, told = why.partition(": ")
        delivered = recipients[0] if kind in ONE_EACH else ""
        data = self.data(
            kind,
            sender,
            recipients,
            about=(message_id, subject),
            delivered=delivered,
            error=(error or "nessuno", told),
        )
        headers = self.headers(f"{RECEIPTS[kind]}: {subject}", sender)
        headers |= {"X-Ricevuta": kind, "X-Riferimento-Message-ID": message_id}
        parts = [self.note(f"Ricevuta: {kind}"), self.data_part(data)]
        if kind == "avvenuta-consegna":
            headers["X-TipoRicevuta"] = "completa"
            parts.append(self.mail_part(mail))
        return self.signed(headers, self.mixed(parts))

    def headers(self, subject: str, recipient: str, *, on_behalf_of: str = "") -> dict[str, str]:
        sender = f'"Per conto di: {on_behalf_of}" <{self.address}>' if on_behalf_of else self.address
        return {
            "From": sender,
            "To": recipient,
            "Subject": " ".join(subject.split()),
            "Date": format_datetime(self.now),
            "Message-ID": make_msgid(domain=self.domain),
        }

    def data(
        self,
        kind: str,
        sender: str,
        recipients: Sequence[str],
        *,
        about: tuple[str, str],
        delivered: str = "",
        error: tuple[str, str] = ("nessuno", ""),
    ) -> bytes:
        """A daticert.xml. `about`: Message-ID and subject of the mail."""
        message_id, subject = about
        local = self.now.astimezone(ROME)
        lines = [
            f'<?xml version="1.0" encoding="UTF-8"?>\n<postacert tipo={quoteattr(kind)} errore={quoteattr(error[0])}>',
            f"<intestazione><mittente>{escape(sender)}</mittente>",
            *(f'<destinatari tipo="certificato">{escape(one)}</destinatari>' for one in recipients),
            f"<risposte>{escape(sender)}</risposte><oggetto>{escape(subject)}</oggetto></intestazione>",
            f"<dati><gestore-emittente>{escape(self.domain)}</gestore-emittente>",
            f'<data zona="{local:%z}"><giorno>{local:%d/%m/%Y}</giorno><ora>{local:%H:%M:%S}</ora></data>',
            f"<identificativo>{make_msgid(domain=self.domain)[1:-1]}</identificativo>",
            f"<msgid>{escape(message_id)}</msgid>",
            f"<consegna>{escape(delivered)}</consegna>" if delivered else "",
            f"<errore-esteso>{escape(error[1])}</errore-esteso>" if error[1] else "",
            "</dati></postacert>",
        ]
        return "\n".join(filter(None, lines)).encode()

    def note(self, text: str) -> bytes:
        return f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()

    def data_part(self, data: bytes) -> bytes:
        head = (
            b'Content-Type: application/xml; name="daticert.xml"\r\n'
            b'Content-Disposition: inline; filename="daticert.xml"\r\n\r\n'
        )
        return head + _crlf(data)

    def mail_part(self, mail: bytes) -> bytes:
        head = (
            b'Content-Type: message/rfc822; name="postacert.eml"\r\n'
            b'Content-Disposition: inline; filename="postacert.eml"\r\n\r\n'
        )
        return head + _crlf(mail)

    def mixed(self, parts: Sequence[bytes]) -> bytes:
        """One part of these: what gets signed."""
        inner = b"".join(b"--dentro\r\n" + part + b"\r\n" for part in parts)
        return b'Content-Type: multipart/mixed; boundary="dentro"\r\n\r\n' + inner + b"--dentro--\r\n"

    def signed(self, headers: dict[str, str], content: bytes) -> bytes:
        """The whole mail around a signed part."""
        return self.around(headers, content, self.signature(content))

    def signature(self, content: bytes) -> bytes:
        builder = PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(self._signer.certificate, self._signer.key, hashes.SHA256())
        builder = builder.add_certificate(self._signer.authority)
        return builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])

    def around(self, headers: dict[str, str], content: bytes, signature: bytes) -> bytes:
        """With any signature."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        kind = 'multipart/signed; protocol="application/x-pkcs7-signature"; micalg=sha-256; boundary="fuori"'
        encoded = base64.encodebytes(signature).replace(b"\n", b"\r\n")
        return b"".join(
            (
                head + f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n--fuori\r\n".encode(),
                content + b"\r\n--fuori\r\n",
                b'Content-Type: application/x-pkcs7-signature; name="smime.p7s"\r\n'
                b"Content-Transfer-Encoding: base64\r\n\r\n",
                encoded + b"--fuori--\r\n",
            )
        )


def _crlf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

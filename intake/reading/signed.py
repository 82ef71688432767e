"""What is inside a signed file (CMS, RFC 5652). Pure; verifies nothing: `intake/pec.py` does where it matters."""

import binascii
import re
from typing import Any

LARGEST = 25 * 1024 * 1024
_PEM = re.compile(rb"-----BEGIN (?:PKCS7|CMS)-----(.+?)-----END", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]{64,}\Z")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")


def is_signed(content: bytes) -> bool:
    """Whether it is a SignedData."""
    if _SIGNED_DATA not in content[:64] and not content.lstrip()[:1].isalnum() and not content.startswith(b"-----"):
        return False
    return _signed_data(content) is not None


def inside(content: bytes) -> bytes | None:
    """What was signed; None when it is nothing of ours, or lies elsewhere."""
    data = _signed_data(content)
    if data is None:
        return None
    try:
        inner = data["encap_content_info"]["content"]
        found = inner.native if inner is not None else None
    except Exception:
        return None
    return found if isinstance(found, bytes) else None


def _signed_data(content: bytes) -> Any:
    from asn1crypto import cms

    for candidate in _readings(content[:LARGEST]):
        try:
            info = cms.ContentInfo.load(candidate)
            if info["content_type"].native == "signed_data":
                data = info["content"]
                data["version"].native  # noqa: B018 - it is read only when it is asked for
                return data
        except Exception:  # noqa: S112 - whatever a broken structure makes of it
            continue
    return None


def _readings(content: bytes) -> list[bytes]:
    """As it is, or out of the base64 that some programs write."""
    pem = _PEM.search(content[:LARGEST]) if content.startswith(b"-----") else None
    if pem is not None:
        return [_unarmoured(pem[1])]
    if _BASE64.match(content[:4096].ljust(64, b"=")) and content[:1] != b"0":
        return [_unarmoured(content)]
    return [content]


def _unarmoured(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:
        return b""

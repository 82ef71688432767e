"""Keys that let someone in. What we keep is only their SHA-256: a copied database opens no door."""

import base64
import hashlib
import secrets

TOKEN_BYTES = 20  # 160 bits: 32 letters of base32, no padding


def new_token() -> str:
    """A fresh key, lower-case base32: survives mail programs that change case and Telegram's deep links."""
    return base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()


def token_hash(token: str) -> str:
    """What is stored and looked up for a key."""
    return hashlib.sha256(token.strip().lower().encode()).hexdigest()

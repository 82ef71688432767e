"""Asks an OpenID Connect provider who somebody is, and believes only what it has signed. Knows no account of ours.

Authorization code with PKCE (RFC 7636, S256), state and nonce (OpenID Connect Core 1.0 §3.1). Every call blocks, for at
most some seconds: never from the event loop, never inside a transaction. Tokens are checked and thrown away.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

CALLBACK = "/desk/sign-in/oidc/callback"
KNOWN_FOR = timedelta(hours=1)  # addresses and keys are asked for again after this
AGAIN_AFTER = timedelta(minutes=1)  # so often at most, when a token names a key that we do not know
SILENCE = timedelta(seconds=10)  # after no answer it is left alone for so long
PATIENCE = 5.0  # seconds for each answer
MOST_BYTES = 1 << 20
LEEWAY = 60  # seconds by which the provider's clock may differ
ALGORITHMS = ("RS256", "PS256", "ES256")  # signed by a key that only the provider has: never HS256, never none
SCOPE = "openid email profile"
SECOND_FACTORS = frozenset({"mfa", "otp", "hwk"})  # RFC 8176
MOST_LETTERS = 255


class ProviderRefused(Exception):
    """The provider says no, says nothing, or says what cannot be believed. Its text is for the log alone."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the provider knows us by. `acr`: the levels at which it has asked a second factor itself."""

    issuer: str
    client_id: str
    client_secret: str = ""
    name: str = "OpenID Connect"
    acr: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """Who somebody is, as the provider has signed it. `email` is empty unless the provider has verified it."""

    subject: str
    email: str
    second_factor: bool


@dataclass
class _Found:
    """Addresses and keys, and when they were asked for."""

    metadata: Mapping[str, Any]
    keys: Any
    at: datetime


@dataclass
class Provider:
    """One for the house. Safe from several threads."""

    registration: Registration
    redirect_uri: str
    clock: Callable[[], datetime]
    _found: _Found | None = None
    _silent_until: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def name(self) -> str:
        return self.registration.name

    def address(self, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser."""
        with self._client() as client:
            found = self._discovered(client)
            url, _ = client.create_authorization_url(
                found.metadata["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce
            )
        return str(url)

    def who(self, code: str, nonce: str, verifier: str) -> Known:
        """Whom the provider knows by this code, which is good once."""
        with self._client() as client:
            found = self._discovered(client)
            token = self._exchange(client, found, code, verifier)
            claims, header = self._verified(client, str(token.get("id_token") or ""))
        self._check(claims, header, nonce, str(token.get("access_token") or ""))
        return self._known(claims)

    def check(self) -> str:
        """One line for whoever sets it up."""
        with self._client() as client:
            found = self._ask(client)
        return f"{self.registration.issuer}, {len(list(found.keys))} keys"

    # --- what the provider publishes

    def _discovered(self, client: Any) -> _Found:
        with self._lock:
            now = self.clock()
            if self._found is not None and self._found.at <= now < self._found.at + KNOWN_FOR:
                return self._found
            # One that does not answer must not hold a thread for everybody who tries.
            if self._silent_until is not None and now < self._silent_until:
                raise ProviderRefused("it did not answer a moment ago")
            self._silent_until = now + SILENCE
            self._found = self._ask(client)
            self._silent_until = None
            return self._found

    def _ask(self, client: Any) -> _Found:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        issuer = self.registration.issuer
        metadata = _json(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
        if metadata.get("issuer") != issuer:
            raise ProviderRefused("it calls itself by another name than RACCORDO_OIDC_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _safe(str(metadata.get(name) or "")):
                raise ProviderRefused(f"its {name} is missing, or not https")
        published = _json(client, metadata["jwks_uri"]).get("keys")
        usable = [one for one in published or () if isinstance(one, dict) and one.get("use", "sig") == "sig"]
        try:
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused("its keys cannot be read") from error
        return _Found(metadata, keys, self.clock())

    def _after_rotation(self, client: Any) -> _Found:
        """Its keys as they are now; asked for again at most once a minute, whatever tokens name."""
        with self._lock:
            assert self._found is not None, "it was asked before"
            if self.clock() - self._found.at >= AGAIN_AFTER:
                self._found = self._ask(client)
            return self._found

    # --- what it says of somebody

    def _exchange(self, client: Any, found: _Found, code: str, verifier: str) -> Mapping[str, Any]:
        import httpx
        from authlib.common.errors import AuthlibBaseError

        methods = found.metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        how = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        client.token_endpoint_auth_method = how if self.registration.client_secret else "none"
        try:
            token: Mapping[str, Any] = client.fetch_token(
                found.metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self.redirect_uri,
            )
        except (AuthlibBaseError, httpx.HTTPError, ValueError) as error:
            raise ProviderRefused(f"the code was not taken: {type(error).__name__}") from error
        return token

    def _verified(self, client: Any, token: str) -> tuple[dict[str, Any], Any]:
        """Signed by a key of the provider; a key that we do not know yet is looked for once."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError

        try:
            try:
                read = jwt.decode(token, self._discovered(client).keys, algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                read = jwt.decode(token, self._after_rotation(client).keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused(f"its signature does not hold: {type(error).__name__}") from error
        return read.claims, read.header

    def _check(self, claims: dict[str, Any], header: Any, nonce: str, access_token: str) -> None:
        """Issuer, audience, authorized party, times, nonce: OpenID Connect Core 1.0 §3.1.3.7."""
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        ours = self.registration
        told = CodeIDToken(
            claims,
            header,
            options={
                "iss": {"essential": True, "value": ours.issuer},
                "aud": {"essential": True, "value": ours.client_id},
            },
            params={"nonce": nonce, "client_id": ours.client_id, "access_token": access_token},
        )
        try:
            told.validate(now=int(self.clock().timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderRefused(f"what it says does not hold: {error}") from error

    def _known(self, claims: Mapping[str, Any]) -> Known:
        subject, email, amr = claims.get("sub"), claims.get("email"), claims.get("amr")
        if not isinstance(subject, str) or not 0 < len(subject) <= MOST_LETTERS or not subject.isprintable():
            raise ProviderRefused("it gives no subject")
        verified = isinstance(email, str) and claims.get("email_verified") is True and "\x00" not in email
        methods = {one for one in amr if isinstance(one, str)} if isinstance(amr, list) else set()
        return Known(
            subject=f"{self.registration.issuer} {subject}",
            email=str(email).strip().lower() if verified else "",
            second_factor=bool(methods & SECOND_FACTORS) or claims.get("acr") in self.registration.acr,
        )

    def _client(self) -> Any:
        import authlib.deprecate  # noqa: F401 - first, for it sets a filter of its own

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would rather have httpx's successor, which nothing else here needs
            from authlib.integrations.httpx_client import OAuth2Client

        ours = self.registration
        return OAuth2Client(
            client_id=ours.client_id,
            client_secret=ours.client_secret or None,
            scope=SCOPE,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=PATIENCE,
            follow_redirects=False,
            trust_env=False,
        )


def _json(client: Any, url: str) -> dict[str, Any]:
    """A JSON document of reasonable size."""
    import httpx

    try:
        with client.stream("GET", url, withhold_token=True) as answer:
            answer.raise_for_status()
            content = b""
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > MOST_BYTES:
                    raise ProviderRefused("it says too much")
            found = httpx.Response(200, content=content).json()
    except (httpx.HTTPError, ValueError) as error:
        raise ProviderRefused(f"it does not answer as it should: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise ProviderRefused("it does not answer as it should")
    return found


def _safe(url: str) -> bool:
    """https; http only on this machine, for a provider that is being tried out."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))

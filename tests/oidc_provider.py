"""An OpenID Connect provider on this machine: real HTTP, real signatures, and every way to misbehave.

A test opens the address that our page leads to with `sign_in`, as a browser would; the provider answers with a code.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT, SECRET = "raccordo-desk", "a secret between the two, not guessed"


def _key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class LocalProvider:
    """What it will say next stands in its fields. `claims` are laid over the right ones; None takes one away."""

    now: Any
    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: _key("first"))
    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = "RS256"
    named: str = ""  # what it calls itself, when not by its name
    silent: bool = False
    methods: tuple[str, ...] = ("client_secret_basic",)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def rotate(self) -> None:
        """Another key from now on; the old one is published no more."""
        self.key = _key(secrets.token_hex(4))

    def sign_in(self, address: str) -> dict[str, str]:
        """Somebody signs in here: what the browser brings back to us."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize"
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, asked: dict[str, str]) -> str:
        now = int(self.now().timestamp())
        right = {
            "iss": self.issuer,
            "sub": "olga-at-the-authority",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "olga@example.org",
            "email_verified": True,
        }
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        header = {"alg": self.signed, "kid": self.key.kid}
        if self.signed == "none":
            return ".".join([_part({"alg": "none"}), _part(claims), ""])
        if self.signed == "HS256":  # signed with what everybody may read: the public key
            public = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode(header, claims, public, algorithms=["HS256"])
        if self.signed == "stranger":
            return jwt.encode(header | {"alg": "RS256"}, claims, _key(str(self.key.kid)))
        return jwt.encode(header, claims, self.key)

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        """The code is good once, for who has the verifier and the secret."""
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = form.get("client_secret") == SECRET or _same_basic(authorization, basic)
        if asked is None or not known or challenge != asked["code_challenge"]:
            return None
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        return {"access_token": secrets.token_urlsafe(8), "token_type": "Bearer", "id_token": self.token(asked)}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.named or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": list(self.methods),
        }


def _same_basic(given: str, basic: str) -> bool:
    from urllib.parse import unquote_plus

    try:
        plain = base64.b64decode(given.removeprefix("Basic ")).decode()
    except ValueError:
        return False
    return base64.b64encode(unquote_plus(plain).encode()).decode() == basic.removeprefix("Basic ") or given == basic


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def callback_query(brought: dict[str, str]) -> str:
    return urlencode(brought)


@contextmanager
def local_provider(now: Any) -> Iterator[LocalProvider]:
    """Answers at a free port of this machine until the test ends."""
    provider = LocalProvider(now)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            if provider.silent:
                return self._say(503, {})
            if self.path == "/.well-known/openid-configuration":
                return self._say(200, provider.metadata())
            if self.path == "/keys":
                return self._say(200, {"keys": [provider.key.as_dict(private=False)]})
            return self._say(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            answer = provider.exchange(form, self.headers.get("Authorization", ""))
            self._say(200 if answer else 400, answer or {"error": "invalid_grant"})

        def _say(self, status: int, what: dict[str, Any]) -> None:
            content = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

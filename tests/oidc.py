"""A small OpenID Connect provider on this machine, for tests of signing in: real keys, codes used once, PKCE, sign-out."""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "carecast-tests", "not-a-secret-outside-tests"
PEOPLE: dict[str, dict[str, Any]] = {
    "vera": {"email": "vera@council.example", "email_verified": True, "name": "Vera Viewer"},
    "edie": {"email": "edie@council.example", "email_verified": True, "name": "Edie Editor", "groups": ["children-finance"]},
    "anna": {"email": "anna@council.example", "email_verified": True, "name": "Anna Analyst"},
    "stan": {"email": "stan@elsewhere.example", "email_verified": True, "name": "Stan Stranger"},
    "fay": {"email": "anna@council.example", "email_verified": False, "name": "Fay, who claims Anna's address"},
}  # fmt: skip


@dataclass
class Provider:
    """A provider that is up; ``fault`` makes its tokens wrong in one way, or says nobody may come in."""

    address: str = ""
    redirect_uri: str = ""
    fault: str = ""  # "", signature, audience, nonce, late, refuses
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    other_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))

    @property
    def metadata_url(self) -> str:
        return f"{self.address}/.well-known/openid-configuration"

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.address, "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token", "jwks_uri": f"{self.address}/keys",
            "end_session_endpoint": f"{self.address}/leave", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }  # fmt: skip

    def id_token(self, asked: dict[str, str]) -> str:
        """The signed claims of the person whom a code was given for."""
        now = int(time.time()) - (7200 if self.fault == "late" else 0)
        claims = {
            "iss": self.address, "sub": asked["person"], "iat": now, "exp": now + 600,
            "aud": "another-client" if self.fault == "audience" else CLIENT_ID,
            "nonce": "another" if self.fault == "nonce" else asked.get("nonce", ""), **PEOPLE[asked["person"]],
        }  # fmt: skip
        key = self.other_key if self.fault == "signature" else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


class Handler(BaseHTTPRequestHandler):
    """Answers for the provider that the server holds."""

    provider: Provider

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, body: str, kind: str = "application/json", status: int = 200, **more: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body.encode())), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def to(self, address: str) -> None:
        self.answer("", "text/plain", 302, location=address)

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        self.provider.asked.append(path)
        ways = {"/authorize": self.authorize, "/as": self.come_in, "/leave": self.leave}
        if path in ways:
            ways[path](asked)
        elif path == "/.well-known/openid-configuration":
            self.answer(json.dumps(self.provider.metadata()))
        elif path == "/keys":
            self.answer(json.dumps({"keys": [self.provider.key.as_dict(private=False)]}))
        else:
            self.answer("not here", "text/plain", 404)

    def is_known(self, asked: dict[str, str]) -> bool:
        wanted = {"client_id": CLIENT_ID, "redirect_uri": self.provider.redirect_uri, "response_type": "code"}
        return wanted.items() <= asked.items() and "openid" in asked["scope"].split()

    def authorize(self, asked: dict[str, str]) -> None:
        if not self.is_known(asked) or asked.get("code_challenge_method") != "S256":
            self.answer("who asks is not known here", "text/plain", 400)
            return
        links = "".join(f'<p><a href="/as?{html.escape(urlencode({**asked, "person": person}))}">{who["name"]}</a></p>'
                        for person, who in PEOPLE.items())  # fmt: skip
        self.answer(f"<!doctype html><title>Council sign-in</title><h1>Who are you?</h1>{links}", "text/html")

    def come_in(self, asked: dict[str, str]) -> None:
        if self.provider.fault == "refuses":
            self.to(f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}")
            return
        code = secrets.token_urlsafe(16)
        self.provider.codes[code] = asked
        self.to(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    def leave(self, asked: dict[str, str]) -> None:
        if asked.get("post_logout_redirect_uri") == self.provider.redirect_uri:
            self.to(self.provider.redirect_uri)
        else:
            self.answer("signed out", "text/plain")

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        length = int(self.headers["content-length"])
        said = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        asked = self.provider.codes.pop(said.get("code", ""), None)  # used once
        known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.headers.get("authorization") != f"Basic {known}":
            self.answer(json.dumps({"error": "invalid_client"}), status=401)
        elif asked is None or asked["code_challenge"] != proved or asked["redirect_uri"] != said.get("redirect_uri"):
            self.answer(json.dumps({"error": "invalid_grant"}), status=400)
        else:
            token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 600}
            self.answer(json.dumps({**token, "id_token": self.provider.id_token(asked)}))


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider on a free port of this machine, until the block ends."""
    made = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"provider": made}))
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def secrets_text(found: Provider, **more: str) -> str:
    """The part ``[auth]`` of ``secrets.toml`` for this provider."""
    said = {"redirect_uri": found.redirect_uri, "cookie_secret": "x" * 40, "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET, "server_metadata_url": found.metadata_url, **more}  # fmt: skip
    return "[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in said.items())

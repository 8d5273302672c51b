"""What the browser is told to refuse: anything from elsewhere, any script that is not Streamlit's own, being framed."""

import base64
import hashlib
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS_VARIABLE = "CARECAST_HOSTS"  # further names the dashboard answers to, behind a council's own proxy
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def inline_hashes(page: str) -> list[str]:
    """The hashes that let a page's own inline scripts run, and no others."""
    digests = (hashlib.sha256(text.encode()).digest() for text in INLINE_SCRIPT.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def policy(page: str) -> str:
    """The Content-Security-Policy: everything from this server alone, no evaluated script, no frame, no plug-in.

    Styles may be inline, since Streamlit's components set theirs so; pictures may also be data and blobs of the page.

    Args:
        page: the HTML that Streamlit serves first, whose inline scripts may run.
    """
    rules = {
        "default-src": "'none'", "script-src": " ".join(["'self'", *inline_hashes(page)]),
        "style-src": "'self' 'unsafe-inline'", "img-src": "'self' data: blob:", "font-src": "'self' data:",
        "connect-src": "'self'", "manifest-src": "'self'", "base-uri": "'none'", "form-action": "'self'",
        "frame-ancestors": "'none'", "frame-src": "'none'", "object-src": "'none'", "worker-src": "'none'",
        "media-src": "'none'",
    }  # fmt: skip
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def headers() -> dict[str, str]:
    """Headers of every answer."""
    import streamlit  # slow, and not needed by those who ask for names alone

    page = Path(streamlit.__file__).parent / "static" / "index.html"
    return {
        "Content-Security-Policy": policy(page.read_text(encoding="utf-8")),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


class SafeHeaders:
    """Adds the headers to every answer; only Streamlit's own files, which hold no data, may be kept by the browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_static = str(scope["path"]).startswith("/static/")

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    found[name] = value
                if not is_static:
                    found["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with)


class SameOrigin:
    """Refuses what a page of another address asks for.

    Streamlit would first ask a server outside for this machine's own address, to compare; so it is not let get that far.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or open one connection."""
        if scope["type"] in ("http", "websocket"):
            found = Headers(scope=scope)
            origin = found.get("origin")
            if origin is not None and urlsplit(origin).netloc != found.get("host"):
                if scope["type"] == "http":
                    await PlainTextResponse("Asked from another address", 403)(scope, receive, send)
                else:
                    await send({"type": "websocket.close", "code": 1008})
                return
        await self.app(scope, receive, send)


def middleware() -> list[Middleware]:
    """What every request passes: the name it asks for and the page that asks are this server's; answers have the headers."""
    more = [name for name in os.environ.get(HOSTS_VARIABLE, "").replace(",", " ").split() if name]
    return [
        Middleware(SafeHeaders), Middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL_HOSTS, *more]),
        Middleware(SameOrigin),
    ]  # fmt: skip

"""Who may ask, how often, and what the browser may do with the answers.

A server of this computer can be reached by every page that its user has open. Those are
kept out by two headers that pages cannot forge: Host, as a name that was made to point
here (DNS rebinding) is not one of ours, and Origin, which other pages' requests carry.
"""

import collections
import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
import time
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from vgan import InputError

COOKIE = "vgan"
SHORTEST = 12  # characters of a token
GUESSES = 0.5  # wrong tokens a second and visitor
KEPT = 256  # visitors whose requests are counted
LOCAL = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


class Bucket:
    """A limit of things per second; as many may come at once.

    Args:
        rate: Things per second, above 0.
        burst: Most at once; None: those of a second, or 1.
    """

    def __init__(self, rate: float, burst: float | None = None):
        self._rate, self._burst = rate, burst or max(1, rate)
        self._level, self._then = self._burst, time.monotonic()

    def take(self) -> bool:
        """Whether one more may come now."""
        now = time.monotonic()
        self._level += (now - self._then) * self._rate
        self._level, self._then = min(self._level, self._burst), now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Buckets:
    """A `Bucket` for each visitor, of the last `KEPT` ones."""

    def __init__(self, rate: float, burst: float | None = None):
        self._limits = rate, burst
        self._known = collections.OrderedDict()

    def take(self, visitor: str | None) -> bool:
        """Whether one more of this visitor may come now."""
        if visitor not in self._known:
            self._known[visitor] = Bucket(*self._limits)
        self._known.move_to_end(visitor)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return self._known[visitor].take()


class Guard:
    """Knows who is let in.

    Args:
        host: What is listened at.
        token: Secret that visitors must know, or None.
        names: Further host names of the page.

    Raises:
        vgan.InputError: Others could come in without a token, or it is too short.
    """

    def __init__(self, host: str, token: str | None = None, names: Iterable[str] = ()):
        self._host, self._token = host, token
        self._is_local = host in LOCAL or _is_loopback(host)
        if not self._is_local and not token:
            raise InputError(
                f"host={host}: is reached by others, and needs a token; give "
                f"token={secrets.token_urlsafe(12)}, say"
            )
        if token is not None and not (
            len(token) >= SHORTEST and token.isascii() and token.isprintable()
        ):
            raise InputError(
                f"token: must have {SHORTEST} or more characters, which all are ASCII"
            )
        self._names = {*LOCAL, host.lower(), *(name.lower() for name in names)}
        if not self._is_local:
            own = socket.gethostname().lower()
            self._names |= {own, f"{own}.local"}
        # The cookie is worth nothing at another server, or after a restart.
        secret = f"{secrets.token_hex(16)} {token}"
        self._cookie = hashlib.sha256(secret.encode()).hexdigest()
        self._guesses = Buckets(GUESSES, 10)

    def address(self, port: int) -> str:
        """Where the page is, with the token."""
        every = self._host in ("", "0.0.0.0", "::")  # which are no addresses to call
        host = socket.gethostname() if every else self._host
        host = f"[{host}]" if ":" in host else host
        query = f"?{urlencode({'token': self._token})}" if self._token else ""
        return f"http://{host}:{port}/{query}"

    def check(self, request: web.Request) -> None:
        """Let the request pass.

        Raises:
            web.HTTPException: It may not: 403, 401 or 429; or it brought the token in
                the address, and is sent on with a cookie instead.
        """
        host = request.headers.get("Host", "")
        if not self._is_ours(host):
            raise web.HTTPForbidden(
                reason="this host name is not the server's; use the address that "
                "vgan serve printed"
            )
        origin = request.headers.get("Origin")
        if origin is not None and _place(origin) != host.lower():
            raise web.HTTPForbidden(reason="requests of other pages are refused")
        if self._token is not None:
            self._check_token(request)

    def headers(self, request: web.Request) -> dict[str, str]:
        """What every answer carries: the page runs its own files, and in no frame."""
        host = request.headers.get("Host", "")
        # Not every browser takes 'self' for websockets.
        sockets = f" ws://{host} wss://{host}" if self._is_ours(host) else ""
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' blob:",
            "media-src": "'self' blob:",
            "connect-src": f"'self'{sockets}",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{k} {v}" for k, v in policy.items()),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
            "Referrer-Policy": "no-referrer",
            "Server": "vgan",
            "X-Content-Type-Options": "nosniff",
        }

    def _is_ours(self, host):
        found = _HOST.fullmatch(host.lower())
        if not found:
            return False
        name = found[1].strip("[]")
        return name in self._names or (not self._is_local and _is_address(name))

    def _check_token(self, request):
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        cookie = request.cookies.get(COOKIE, "")
        if _same(cookie, self._cookie) or _same(bearer, self._token):
            return
        given = request.query.get("token", "")
        if request.method == "GET" and _same(given, self._token):
            rest = [(k, v) for k, v in request.query.items() if k != "token"]
            place = request.path + (f"?{urlencode(rest)}" if rest else "")
            answer = web.HTTPSeeOther(place)
            answer.set_cookie(
                COOKIE, self._cookie, httponly=True, samesite="Strict", path="/"
            )
            raise answer
        if (given or bearer) and not self._guesses.take(request.remote):
            raise web.HTTPTooManyRequests(reason="too many wrong tokens; wait")
        raise web.HTTPUnauthorized(
            reason="open the address with the token that vgan serve printed",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _place(origin):
    """Host and port of an origin, "" of one that has none, such as `null`."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""


def _same(given, known):
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


def _is_loopback(host):
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(host):
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

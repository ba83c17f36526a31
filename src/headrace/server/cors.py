"""Which web pages' scripts may ask. Source: the Fetch standard, "HTTP extensions" (CORS), read 2026-11-25."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.server.exchange import Exchange, Fields

_METHODS = b"GET, POST, DELETE"
# "*" would not stand for `authorization`, so what is asked for is allowed by name.
_MAX_AGE_S = b"600"
_EXPOSED = b", ".join(
    (
        b"retry-after",
        b"x-request-id",
        b"x-headrace-estimated",
        b"x-headrace-stream-id",
        b"x-headrace-warnings",
        *(
            b"x-ratelimit-%b-%b" % (what, kind)
            for what in (b"limit", b"remaining", b"reset")
            for kind in (b"requests", b"tokens")
        ),
    )
)


class Cors:
    """origins: as browsers write them; "*" allows every page. Credentials (cookies) are never asked for."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def fields(self, headers: Mapping[str, str]) -> Fields:
        """Response headers that let the page read the answer; without its origin where it may not."""
        origin = self._allowed(headers)
        vary = () if "*" in self._origins else ((b"vary", b"origin"),)
        if not origin:
            return vary
        return (*vary, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _EXPOSED))

    def answers(self, exchange: Exchange) -> bool:
        """Whether it was a browser's question ahead of a request, which is answered now."""
        headers = exchange.headers
        if exchange.method != "OPTIONS" or "access-control-request-method" not in headers:
            return False
        fields: list[tuple[bytes, bytes]] = []
        if self._allowed(headers):
            wanted = headers.get("access-control-request-headers", "").encode("latin-1")
            fields = [
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-max-age", _MAX_AGE_S),
                *([(b"access-control-allow-headers", wanted)] if wanted else []),
            ]
        exchange.respond(204, fields, b"")
        return True

    def _allowed(self, headers: Mapping[str, str]) -> bytes:
        origin = headers.get("origin", "")
        if not origin or not ("*" in self._origins or origin in self._origins):
            return b""
        return b"*" if "*" in self._origins else origin.encode("latin-1")

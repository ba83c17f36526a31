"""No connection comes about."""

from __future__ import annotations

from tests.faults.speech import END, HEADERS, MID, TOKEN
from tests.faults.table import Case, Row, Seen
from tests.faults.upstream import nothing

_STANDS = "the connection stands by then"


def _row(name: str, happens: str, place: str, code: str) -> Row:
    case = Case(lambda _speech: nothing, Seen("unavailable", code, 502, retryable=True), place=place)
    cells = {HEADERS: case, TOKEN: _STANDS, MID: _STANDS, END: _STANDS}
    seen = f"`unavailable`, code `{code}`; 502; retryable"
    return Row(name, happens, seen, cells, later="retry, then fall back")


ROWS = (
    _row("connection refused", "nothing listens at the place's port", "refused", "connect_refused"),
    _row("DNS failure", "the place's name cannot be resolved", "nowhere", "dns"),
    _row("TLS: not trusted", "the place's certificate is nobody's", "untrusted", "tls"),
    _row("TLS: plain text", "the port behind `https://` speaks plain HTTP", "plaintext", "tls"),
)

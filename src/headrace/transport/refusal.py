"""An HTTP answer that is not what was asked for, as a typed failure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from headrace.core.chunk import Failure
from headrace.errors import AuthError, BadRequest, ProviderError, RateLimited, Unavailable

MAX_SHOWN_CHARS = 500
_LOOKS_SECRET_CHARS = 8  # a header's value as long as this is cut out of whatever the far end says


def refusal(
    status: int, answered: Mapping[str, str], body: bytes, where: str, sent: Mapping[str, str]
) -> Failure:
    """The failure that a response other than a good one is.

    answered: its header fields, names in lower case. body: its beginning, which is shown without what we
    `sent` in header fields: some places repeat a key that they refuse. where: host and port.
    """
    said = " ".join(body.decode("utf-8", "replace").split())
    for value in sent.values():
        for secret in (value, value.rpartition(" ")[2]):
            if len(secret) >= _LOOKS_SECRET_CHARS:
                said = said.replace(secret, "***")
    message = f"{where} answered {status}" + (f": {said[:MAX_SHOWN_CHARS]}" if said else "")
    kind, http_status = _kind(status)
    return Failure.of(
        kind(message, status=status, retry_after_s=retry_after_s(answered), http_status=http_status)
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks to wait, written as seconds or as a date; None where it does not."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _kind(status: int) -> tuple[type[ProviderError], int | None]:
    if status in (401, 403, 407):
        return AuthError, None
    if status == 429:
        return RateLimited, None
    if status in (408, 425) or status >= 500:
        return Unavailable, None
    if 400 <= status < 500:
        return BadRequest, status
    return ProviderError, None

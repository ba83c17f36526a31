"""Keys out of failures: a far end may quote what it was sent.

The wire has cut its quotations and redacted what looks like a key before this place, which knows the keys,
sees them. So a key's beginning before such a mark, and its end behind one, go as the whole key does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from headrace.config import Secret
from headrace.core.chunk import Failure
from headrace.core.excerpt import CUT

SHOWN = "***"
MIN_CHARS = 4  # less is no secret, and replacing it would garble every message
# Each reads the same backwards. The last is what a character cut in two has become.
_MARKS = (CUT, SHOWN, "\ufffd")


def scrubbed(failure: Failure, secrets: Sequence[Secret], provider: str) -> Failure:
    """The failure with every secret replaced, and the provider's name in its message and its detail.

    A key that is a part of the provider's name (ollama's is often "ollama") is no secret: the name is public.
    """
    values = [value for value in _spellings(secrets) if value.lower() not in provider.lower()]
    detail = {**failure.detail, "provider": provider}
    said = failure.message
    message = said if said.startswith((f"{provider} ", f"{provider}:")) else f"{provider}: {said}"
    return msgspec.structs.replace(
        failure,
        message=_clean(message, values),
        code=_clean(failure.code, values),
        detail=_clean(detail, values),
    )


def _spellings(secrets: Sequence[Secret]) -> list[str]:
    """Each secret, also as JSON may write its slashes and as an address holds it; the longest first."""
    values = [secret.reveal() for secret in secrets]
    spelled = {
        one
        for value in values
        for one in (value, value.replace("/", "\\/"), quote(value), quote(value, safe=""))
    }
    return sorted((one for one in spelled if len(one) >= MIN_CHARS), key=len, reverse=True)


def _clean(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = re.sub(re.escape(secret), SHOWN, value, flags=re.IGNORECASE)
        for secret in secrets:
            value = _without_beginnings(value, secret, at_end=True)
            value = _without_beginnings(value[::-1], secret[::-1], at_end=False)[::-1]
        return value
    if isinstance(value, bytes):
        return _clean(value.decode("utf-8", "replace"), secrets).encode()
    if isinstance(value, dict):
        return {_clean(key, secrets): _clean(held, secrets) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(held, secrets) for held in value)
    return value


def _without_beginnings(text: str, secret: str, *, at_end: bool) -> str:
    """The text without the secret's beginnings before a mark. at_end: the text's own end is a mark too."""
    parts: list[str] = []
    done = 0
    for found in re.finditer(re.escape(secret[:MIN_CHARS]), text, re.IGNORECASE):
        end = found.end()
        for letter in secret[MIN_CHARS:]:
            if text[end : end + 1].lower() != letter.lower():
                break
            end += 1
        if text.startswith(_MARKS, end) or (at_end and end == len(text)):
            parts += text[done : found.start()], SHOWN
            done = end
    return "".join([*parts, text[done:]])

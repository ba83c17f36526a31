"""Keys out of failures: a far end may quote what it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.config import Secret
from headrace.core.chunk import Failure

SHOWN = "***"
MIN_CHARS = 4  # less is no secret, and replacing it would garble every message


def scrubbed(failure: Failure, secrets: Sequence[Secret], provider: str) -> Failure:
    """The failure with every secret replaced, and the provider's name in its detail."""
    values = sorted((secret.reveal() for secret in secrets), key=len, reverse=True)
    values = [value for value in values if len(value) >= MIN_CHARS]
    detail = {**failure.detail, "provider": provider}
    return msgspec.structs.replace(
        failure,
        message=_clean(failure.message, values),
        code=_clean(failure.code, values),
        detail=_clean(detail, values),
    )


def _clean(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, SHOWN)
        return value
    if isinstance(value, bytes):
        for secret in secrets:
            value = value.replace(secret.encode(), SHOWN.encode())
        return value
    if isinstance(value, dict):
        return {_clean(key, secrets): _clean(held, secrets) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_clean(held, secrets) for held in value)
    return value

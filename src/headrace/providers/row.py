"""A remote place as data, and what a call needs of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from headrace.config import Clocks, Secret
from headrace.errors import AuthError


class ProviderRow(msgspec.Struct, frozen=True):
    """One provider. Everything that differs between two providers of one wire stands here.

    wire: a folder of headrace.wire. base_url: without a trailing slash. api_key_env: the environment variable
    with the key, read at each call; empty: no key is needed. auth: "bearer", "none", or the name of the
    header that carries the key. key_optional: a missing key is no error (local servers). quirks: see
    quirks.py. models: ids known without asking.
    """

    name: str
    wire: str
    base_url: str
    api_key_env: str = ""
    auth: str = "bearer"
    key_optional: bool = False
    api_key: Secret | None = None
    headers: Mapping[str, Secret] = {}
    quirks: Mapping[str, Any] = {}
    clocks: Clocks = Clocks()
    ca_file: str = ""
    models: tuple[str, ...] = ()


def key_of(row: ProviderRow) -> Secret | None:
    """The key for a call now, None where the place wants none.

    Raises: AuthError naming the environment variable that is not set.
    """
    if row.auth == "none":
        return None
    if row.api_key is not None:
        return row.api_key
    value = os.environ.get(row.api_key_env, "") if row.api_key_env else ""
    if value:
        return Secret(value.strip())
    if row.key_optional or not row.api_key_env:
        return None
    raise AuthError(
        f"{row.name} needs a key: set the environment variable {row.api_key_env}",
        code="missing_api_key",
        provider=row.name,
    )


def secrets_of(row: ProviderRow, key: Secret | None) -> tuple[Secret, ...]:
    """Everything that must never show in what comes back."""
    return (*([key] if key else []), *(value for value in row.headers.values() if value))


def request_headers(row: ProviderRow, key: Secret | None, *, accept: str) -> dict[str, str]:
    """The header fields of a call. The row's own come last, so they can replace any."""
    headers = {"accept": accept, "user-agent": _user_agent()}
    if key is not None:
        if row.auth == "bearer":
            headers["authorization"] = f"Bearer {key.reveal()}"
        else:
            headers[row.auth.lower()] = key.reveal()
    for name, value in row.headers.items():
        headers[name.lower()] = value.reveal()
    return headers


@cache
def _user_agent() -> str:
    from importlib.metadata import version  # 15 ms to import, and not needed before the first call

    return f"headrace/{version('headrace')}"

"""A remote place as data, and what a call needs of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from headrace.config import Clocks, Secret
from headrace.errors import AuthError, ConfigError
from headrace.wire.base import Wire

_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ProviderRow(msgspec.Struct, frozen=True):
    """One provider. Everything that differs between two providers of one wire stands here.

    wire: a folder of headrace.wire. base_url: without a trailing slash. base_url_env: the environment
    variable with the address, read at each call, where each user has one of his own; base_path: what follows.
    region_names: environment variables with the region that stands for the `{}` in base_url, read at each
    call, the first one that is set.
    api_key_env: the environment variable with the key, read at each call; empty: no key is needed.
    fallback_key_env: another, read where that one is not set. auth: "bearer", "none", or the name of the
    header that carries the key; empty: as the wire says. key_optional: a missing key is no error (local
    servers). quirks: those of its wire. models: ids known without asking.
    """

    name: str
    wire: str
    base_url: str
    api_key_env: str = ""
    auth: str = ""
    key_optional: bool = False
    api_key: Secret | None = None
    headers: Mapping[str, Secret] = {}
    quirks: Mapping[str, Any] = {}
    clocks: Clocks = Clocks()
    ca_file: str = ""
    models: tuple[str, ...] = ()
    fallback_key_env: str = ""
    base_url_env: str = ""
    base_path: str = ""
    region_names: tuple[str, ...] = ()

    @property
    def key_names(self) -> tuple[str, ...]:
        """The environment variables that may hold the key, the first one first."""
        return tuple(name for name in (self.api_key_env, self.fallback_key_env) if name)

    @property
    def shown_url(self) -> str:
        """The address, or where it is read, for people."""
        region = f"${self.region_names[0]}" if self.region_names else ""
        return self.base_url.replace("{}", region) or f"${self.base_url_env}{self.base_path}"


def base_url_of(row: ProviderRow) -> str:
    """The address for a call now, without a trailing slash.

    Raises: ConfigError naming the environment variable that is not set, or holds no address or no region.
    """
    if row.region_names:
        return row.base_url.replace("{}", _region_of(row))
    if row.base_url:
        return row.base_url
    value = os.environ.get(row.base_url_env, "").strip().rstrip("/")
    if not value:
        why = f"{row.name} has no address: set the environment variable {row.base_url_env}"
        raise ConfigError(why, source=row.base_url_env, code="missing_base_url")
    if not value.startswith(("http://", "https://")):
        why = f"{row.base_url_env} must begin with http:// or https://: it is the address of {row.name}"
        raise ConfigError(why, source=row.base_url_env, code="bad_base_url")
    return value.removesuffix(row.base_path) + row.base_path


def _region_of(row: ProviderRow) -> str:
    """The region for a call now."""
    value = _first_set(row.region_names)
    names = " or ".join(row.region_names)
    if not value:
        why = f"{row.name} has no region: set the environment variable {names}"
        raise ConfigError(why, source=row.region_names[0], code="missing_region")
    if not _REGION.fullmatch(value):  # it becomes part of a host's name
        why = f"{names} must be a region such as us-east-1: it is a part of the address of {row.name}"
        raise ConfigError(why, source=row.region_names[0], code="bad_region")
    return value


def _first_set(names: tuple[str, ...]) -> str:
    """What the first of these environment variables that is set holds; empty where none is."""
    return next((found for name in names if (found := os.environ.get(name, "").strip())), "")


def key_of(row: ProviderRow) -> Secret | None:
    """The key for a call now, None where the place wants none.

    Raises: AuthError naming the environment variable that is not set.
    """
    if row.auth == "none":
        return None
    if row.api_key is not None:
        return row.api_key
    names = row.key_names
    value = _first_set(names)
    if value:
        return Secret(value)
    if row.key_optional or not names:
        return None
    raise AuthError(
        f"{row.name} needs a key: set the environment variable {' or '.join(names)}",
        code="missing_api_key",
        provider=row.name,
    )


def secrets_of(row: ProviderRow, key: Secret | None) -> tuple[Secret, ...]:
    """Everything that must never show in what comes back."""
    return (*([key] if key else []), *(value for value in row.headers.values() if value))


def request_headers(row: ProviderRow, wire: Wire, key: Secret | None, *, accept: str) -> dict[str, str]:
    """The header fields of a call. The row's own come last, so they can replace any. wire: the row's."""
    headers = {"accept": accept, "user-agent": _user_agent(), **wire.headers}
    if key is not None:
        auth = row.auth or wire.auth
        if auth == "bearer":
            headers["authorization"] = f"Bearer {key.reveal()}"
        else:
            headers[auth.lower()] = key.reveal()
    for name, value in row.headers.items():
        headers[name.lower()] = value.reveal()
    return headers


@cache
def _user_agent() -> str:
    from importlib.metadata import version  # 15 ms to import, and not needed before the first call

    return f"headrace/{version('headrace')}"

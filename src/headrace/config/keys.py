"""API keys at rest: made, listed, revoked in a file that holds only their digests.

A key is 256 random bits, so its plain SHA-256 cannot be searched back, and no salt or slow hash is needed.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from headrace.config.door import KeySettings
from headrace.errors import ConfigError, RequestError


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: dict[str, KeySettings] = {}


def digest_of(key: str) -> str:
    """What is stored of a key: its SHA-256 in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def read_keys(path: Path) -> dict[str, KeySettings]:
    """Id -> key; none where there is no file. Raises ConfigError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).keys
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", source=str(path)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a file of keys: {error}", source=str(path)) from error


def new_key(path: Path, **facts: Any) -> tuple[str, str]:
    """Add a key to the file. facts: of `KeySettings`, all but the digest and the date.

    Gives its id and the key itself. Raises ConfigError where the file cannot be read or written.
    """
    keys = read_keys(path)
    id = f"key_{secrets.token_hex(4)}"
    while id in keys:
        id = f"key_{secrets.token_hex(4)}"
    key = f"hr-{secrets.token_urlsafe(32)}"
    now = datetime.now(UTC).replace(microsecond=0)
    _write(path, {**keys, id: KeySettings(sha256=digest_of(key), created=now, **facts)})
    return id, key


def revoke_key(path: Path, id: str) -> None:
    """Refuse the key from now on; it stays in the list.

    Raises RequestError for an unknown one, ConfigError where the file cannot be read or written.
    """
    keys = read_keys(path)
    if id not in keys:
        raise RequestError(
            f"no key {id[:80]!r} in {path}: `headrace keys list` has the ids", field="id", value=id
        )
    _write(path, {**keys, id: msgspec.structs.replace(keys[id], revoked=True)})


def _write(path: Path, keys: Mapping[str, KeySettings]) -> None:
    """Whole or not at all, readable by its owner alone."""
    data = msgspec.json.format(msgspec.json.encode(_File(dict(keys))), indent=2) + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", source=str(path)) from error

"""JSON as plain data, nested no deeper than what is written again can be.

Readers and writers of JSON go down the stack with the data: what is read where the stack is shallow cannot be
written where it is deeper, and fails there, in an encoder. So what is nested too deep is not read at all.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_DEPTH = 128  # far beyond schemas and arguments in use; Rust's serde_json reads no deeper either
_HOLDERS = (dict, list)


def read_plain(data: bytes | str) -> Any:
    """The JSON as plain data. Raises what msgspec raises, and DecodeError where it is nested too deep."""
    return shallow(msgspec.json.decode(data), len(data))


def may_be_deep(data: bytes) -> bool:
    """Whether JSON could be nested too deep: it has the brackets for it. Cheap, for readers of typed data."""
    return len(data) > 2 * MAX_DEPTH and data.count(b"[") + data.count(b"{") > MAX_DEPTH


def shallow(value: Any, length: int) -> Any:
    """The same value. length: of its JSON, as short ones cannot be deep. Raises DecodeError."""
    if length > 2 * MAX_DEPTH and _is_deep(value):
        raise msgspec.DecodeError(f"nested more than {MAX_DEPTH} deep")
    return value


def _is_deep(value: Any) -> bool:
    level = [value] if type(value) in _HOLDERS else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        inner: list[Any] = []
        for one in level:
            inner += [held for held in (one.values() if type(one) is dict else one) if type(held) in _HOLDERS]
        level = inner
    return bool(level)

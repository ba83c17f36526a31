"""Envelopes <-> the records of a stream's log: a length in four bytes, then MessagePack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headrace.errors import StreamingError
from headrace.sessions.managed.types import StreamChunk

_LENGTH_BYTES = 4
_decode = msgspec.msgpack.Decoder(StreamChunk).decode


def _plain(value: Any) -> Any:
    """pydantic's models, and those of vendors' clients, as data."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(f"data: {type(value).__name__} is not plain data; give dict, list, str, numbers or bytes")


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode


def pack(chunk: StreamChunk) -> bytes:
    """The record. Raises TypeError, ValueError or OverflowError for data that is not plain."""
    body = _encode(chunk)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def unpack(data: bytes) -> Sequence[StreamChunk]:
    """The envelopes in whole records, one behind the other. Raises StreamingError for anything else."""
    found: list[StreamChunk] = []
    at, end = 0, len(data)
    view = memoryview(data)
    try:
        while at < end:
            begin = at + _LENGTH_BYTES
            at = begin + int.from_bytes(view[at:begin], "big")
            found.append(_decode(view[begin:at]))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StreamingError(f"the stream's log holds something else than envelopes: {error}") from error
    return found

"""A vendor's answer to a request to count a prompt's tokens, as chunks: the usage and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headrace.core.chunk import Chunk, Failure, Finish, UsageReport
from headrace.core.usage import Usage
from headrace.errors import WireError
from headrace.wire.plain import read_plain
from headrace.wire.reading import UNREADABLE

MAX_BODY_BYTES = 65_536


class CountStage:
    """One JSON body in any split -> a UsageReport and a Finish. read: see `Counting.read`."""

    def __init__(self, read: Callable[[bytes], int]) -> None:
        self._read = read
        self._body: bytearray | None = bytearray()

    def feed(self, batch: Sequence[bytes]) -> list[Chunk]:
        if self._body is None:
            return []
        for data in batch:
            self._body += data
            if len(self._body) > MAX_BODY_BYTES:
                self._body = None
                said = f"a count of tokens with more than {MAX_BODY_BYTES} bytes"
                return [Failure.of(WireError(said, code="body_too_large"))]
        return []

    def close(self) -> list[Chunk]:
        body, self._body = self._body, None
        if body is None:
            return []
        try:
            tokens = self._read(bytes(body))
        except WireError as error:
            return [Failure.of(error)]
        return [UsageReport(Usage(tokens)), Finish()]


def tokens_under(body: bytes, name: str) -> int:
    """The whole number in the field `name` of a JSON object. Raises WireError."""
    try:
        told = read_plain(body)
    except UNREADABLE:
        raise WireError("a count of tokens that is not JSON", code="bad_count") from None
    tokens = told.get(name) if isinstance(told, dict) else None
    if type(tokens) is not int or tokens < 0:
        raise WireError(f"a count of tokens without {name}", code="bad_count")
    return tokens

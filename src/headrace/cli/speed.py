"""How fast one answer came, measured at this end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headrace.core.chunk import Chunk
from headrace.core.usage import Usage


class Speed:
    """Begin it when the request is sent; show it every batch as it comes.

    clock_ns: a monotonic clock in nanoseconds. The time to the first token is that of the first chunk that
    carries tokens (reasoning too); the speed is the tokens behind the first over the time they took.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._began_ns = clock_ns()
        self._first_ns = self._last_ns = 0
        self._counted = 0

    def see(self, batch: Sequence[Chunk]) -> None:
        """Take the next chunks."""
        count = sum(chunk.token_count for chunk in batch)
        if count:
            self._last_ns = self._clock_ns()
            self._first_ns = self._first_ns or self._last_ns
            self._counted += count

    @property
    def began(self) -> bool:
        """Whether any token came."""
        return self._counted > 0

    def line(self, usage: Usage | None) -> str:
        """One line for the end of an answer; a count that is not the provider's own has a `~`."""
        if not self._counted:
            return "no tokens"
        reported = usage is not None and usage.output_tokens > 0
        tokens = usage.output_tokens if usage is not None and reported else self._counted
        exact = usage is not None and reported and not usage.estimated
        said = [f"{'' if exact else '~'}{tokens} token{'' if tokens == 1 else 's'}"]
        took_s = (self._last_ns - self._first_ns) / 1e9
        if tokens > 1 and took_s > 0:
            said.append(f"{(tokens - 1) / took_s:.1f} tok/s")
        said.append(f"first token after {(self._first_ns - self._began_ns) / 1e6:.0f} ms")
        return " · ".join(said)

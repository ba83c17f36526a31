"""How many tokens a reply cost, in one convention.

`input_tokens` includes cached tokens and `output_tokens` includes reasoning; the parts stand beside them.
Each wire's encoder turns this back into its vendor's own convention.
"""

from __future__ import annotations

import msgspec

from headrace.core.opaque import Opaque


class Usage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Tokens of one reply. `estimated` is true where we counted and the provider did not say."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    vendor: Opaque | None = None

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

"""What the claims of two protocols make of a facet, and of a feature."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.matrix.claims import CLAIMS
from tests.matrix.claims.base import Gap, gap_of
from tests.matrix.claims.pairs import PAIRS
from tests.matrix.features import Feature


class Verdict(Enum):
    """Of a feature between two protocols."""

    KEPT = "kept"
    DEGRADED = "degraded"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True)
class Expected:
    """Of a facet. arrives: None where nobody can tell it in the first place. gaps: what it falls into."""

    arrives: bool | None
    gaps: tuple[Gap, ...] = ()
    why: str = ""


def expected(client: str, provider: str, feature: Feature, facet: str, *, streamed: bool = True) -> Expected:
    """Whether the facet arrives."""
    barrier = _barrier(client, provider, feature)
    if barrier is not None:
        return Expected(None, (barrier,))
    asking, telling = (
        _client_gap(client, feature.name, facet, streamed),
        _provider_gap(provider, feature, facet),
    )
    gaps = tuple(gap for gap in (asking, telling) if gap is not None)
    own = PAIRS.get((client, provider), {}).get((feature.name, facet))
    if own is not None and not (own.whole and streamed):
        return Expected(own.arrives, gaps, own.why)
    told = telling is None and _happens(client, provider, feature, facet)
    if (facet not in feature.asked and not told) or (not streamed and facet in feature.streamed):
        return Expected(None, gaps)
    needed = CLAIMS[provider].needs.get((feature.name, facet))
    if needed is not None and not gaps:
        lacking = _client_gap(client, needed[0], needed[1], streamed)
        gaps = (lacking,) if lacking is not None else ()
    return Expected(not gaps, gaps)


def _barrier(client: str, provider: str, feature: Feature) -> Gap | None:
    """What the other side of a protocol of sound lacks so that nothing can be asked."""
    name, facet = ("sound out", "asked") if feature.name == "sound out" else ("sound in", "bytes")
    if CLAIMS[client].only_sound:
        return gap_of(CLAIMS[provider].provider, name, facet)
    return gap_of(CLAIMS[client].client, name, facet) if CLAIMS[provider].only_sound else None


def _client_gap(client: str, feature: str, facet: str, streamed: bool) -> Gap | None:
    claims = CLAIMS[client]
    found = gap_of(claims.client, feature, facet)
    return found if found is not None or streamed else gap_of(claims.whole, feature, facet)


def _provider_gap(provider: str, feature: Feature, facet: str) -> Gap | None:
    return gap_of(CLAIMS[provider].provider, feature.name, facet)


def _happens(client: str, provider: str, feature: Feature, facet: str) -> bool:
    """Whether there are calls to speak of: none come where none can be offered."""
    about_calls = feature.back or feature.name in ("tools", "parallel tools") or facet == "tool calls"
    return not about_calls or all(
        gap_of(gaps, "tools", "offer") is None for gaps in (CLAIMS[client].client, CLAIMS[provider].provider)
    )


def verdict(client: str, provider: str, feature: Feature) -> tuple[Verdict, tuple[Expected, ...]]:
    """The feature's verdict in a stream, and the facets that make it less than kept."""
    found = {facet: expected(client, provider, feature, facet) for facet in feature.facets}
    lacking = [found[facet] for facet in feature.needs if not found[facet].arrives]
    if lacking or not any(one.arrives for one in found.values()):
        return Verdict.IMPOSSIBLE, tuple(lacking or found.values())
    lost = [found[facet] for facet in feature.facets if _is_lost(client, provider, feature, facet)]
    return (Verdict.DEGRADED, tuple(lost)) if lost else (Verdict.KEPT, ())


def _is_lost(client: str, provider: str, feature: Feature, facet: str) -> bool:
    """Whether a facet is said and does not arrive."""
    arrives = expected(client, provider, feature, facet).arrives
    says_it = facet not in feature.asked or gap_of(CLAIMS[client].client, feature.name, facet) is None
    return says_it and arrives is False

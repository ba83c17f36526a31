"""Every pair of protocols is measured, and does what is claimed: no less, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import pytest

from tests.matrix.claims import CLAIMS
from tests.matrix.claims.base import gap_of
from tests.matrix.clients import CLIENTS
from tests.matrix.compare import Outcome
from tests.matrix.conftest import Stage
from tests.matrix.features import FEATURES
from tests.matrix.measure import measure_pair, pairs
from tests.matrix.verdict import expected

# google-genai does this to aiohttp; it is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

# What the header may say beside the gaps: that a client's own words mean nothing elsewhere, and two more.
_EXPLAINED = (
    "has an effect only at a provider that speaks this protocol",
    "max_tokens was set to",
    "voice was set to",
    "is asked for in a chat, with a plain instruction",
    "modalities: image left out",  # some that cannot be asked for one draw all the same
    "reasoning of earlier turns was left out",
)


CASES = [
    pytest.param(client, provider, streamed, id=f"{client}-{provider}-{'streamed' if streamed else 'whole'}")
    for client, provider in pairs()
    for streamed in (True, False)
    if streamed or not CLIENTS[client].streams_only
]


@pytest.mark.parametrize(("client", "provider", "streamed"), CASES)
def test_a_pair(client: str, provider: str, streamed: bool, stage: Stage) -> None:
    measured = stage.run(measure_pair(stage.rig, client, provider, streamed=streamed))
    assert surprises(client, provider, measured, streamed=streamed) == []
    assert _unsaid(client, provider, measured) == []
    assert _unexplained(provider, measured) == set()


def surprises(
    client: str, provider: str, measured: Mapping[tuple[str, str], Outcome], *, streamed: bool
) -> list[str]:
    """Facets that came as a mistake, or otherwise than claimed."""
    found: list[str] = []
    for feature in FEATURES:
        for facet in feature.facets:
            claimed = expected(client, provider, feature, facet, streamed=streamed).arrives
            seen = measured.get((feature.name, facet))
            arrived = seen.arrived if seen is not None else None
            if seen is not None and seen.wrong:
                found.append(f"{feature.name}, {facet}: {seen.wrong}")
            elif arrived is not claimed:
                found.append(f"{feature.name}, {facet}: arrived {arrived}, claimed {claimed}")
    return found


def _unsaid(client: str, provider: str, measured: Mapping[tuple[str, str], Outcome]) -> list[str]:
    """What was asked and did not reach the place, and the answer's header does not say so."""
    found: list[str] = []
    for feature in FEATURES:
        for facet in feature.asked:
            gap = gap_of(CLAIMS[provider].provider, feature.name, facet)
            asked = measured.get((feature.name, facet))
            if gap is None or asked is None or gap_of(CLAIMS[client].client, feature.name, facet) is not None:
                continue
            header = unquote(asked.warnings)
            if not gap.warning or gap.warning not in header:
                found.append(f"{feature.name}, {facet}: {gap.warning!r} not in {header!r}")
    return found


def _unexplained(provider: str, measured: Mapping[tuple[str, str], Outcome]) -> set[str]:
    """What the header says and nobody knows of: a warning that is not true."""
    gaps = [gap.warning for gap in CLAIMS[provider].provider.values() if gap.warning]
    said = {one for outcome in measured.values() for one in unquote(outcome.warnings).split("; ") if one}
    return {one for one in said if not any(known in one for known in (*gaps, *_EXPLAINED))}

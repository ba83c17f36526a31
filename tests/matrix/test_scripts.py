"""The harness itself: each vendor's client, asked directly, reads in the scripts what they tell."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from tests.matrix import script
from tests.matrix.clients import CLIENTS
from tests.matrix.conftest import Stage
from tests.matrix.features import FEATURES
from tests.matrix.measure import Pair
from tests.matrix.providers import PROVIDERS
from tests.matrix.rig import Rig
from tests.matrix.said import Ask, Got, Said
from tests.matrix.verdict import expected

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


# Some clients ask elsewhere than we do: at the root, at the page's own path, under a version.
_ASKED_AT = {"tgi": "/generate_stream", "ui_messages": ""}
_VERSION = re.compile(r"^/v1(beta)?")


class Direct:
    """Exchanges without the server between."""

    def __init__(self, rig: Rig) -> None:
        self._upstream = rig.upstream

    async def exchange(
        self, client: str, provider: str, scene: str, ask: Ask, *, streamed: bool
    ) -> tuple[Said, Got]:
        """See `Rig.exchange`."""
        assert streamed
        self._upstream.answer = PROVIDERS[provider].answer(scene)
        async with CLIENTS[client].connected(self._upstream.url(provider)) as talk:
            try:
                said = await talk("any-model", ask, True)
            except ValidationError:  # as claimed: Ollama's own client fails at Ollama's own images
                assert (client, scene) == ("ollama", "image")
                said = Said(text=script.FIRST)
        path, body = self._upstream.last(provider)
        path = _ASKED_AT.get(client, _VERSION.sub("", path))
        return said, PROVIDERS[provider].read(path, body)

    async def refused(self, client: str, provider: str, ask: Ask, *, streamed: bool) -> Said | None:
        """Each vendor takes what its own client asks."""
        return None


class Quiet(Pair):
    """A pair of one protocol less its errors, whose statuses are the vendor's own here."""

    async def _errors(self) -> None:
        pass


@pytest.mark.parametrize("client", CLIENTS)
def test_a_script_says_to_its_vendors_own_client_what_it_tells(client: str, stage: Stage) -> None:
    measured = stage.run(Quiet(Direct(stage.rig), client, client, streamed=True).measure())
    for feature in FEATURES:
        if feature.name in ("errors", "errors in stream", "truncation"):
            continue
        for facet in feature.facets:
            seen = measured.get((feature.name, facet))
            claimed = expected(client, client, feature, facet).arrives
            assert (seen.arrived if seen is not None else None) is claimed, (feature.name, facet, seen)

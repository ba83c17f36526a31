"""One pair of protocols, measured: every scene is played, every facet compared by `compare.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from tests.matrix import compare, script
from tests.matrix.clients import CLIENTS
from tests.matrix.compare import Facets, Outcome
from tests.matrix.features import BY_NAME
from tests.matrix.providers import PROVIDERS
from tests.matrix.said import Ask, Got, Said

ASKED = Ask(script.QUESTION)
HEARD = replace(ASKED, sound=script.ASKED_SOUND)
SPOKEN = replace(ASKED, wants="sound")
CONVERSATION = replace(
    ASKED, system=script.SYSTEM, image=script.ASKED_IMAGE, tools=script.TOOLS, effort=script.EFFORT
)
LOADED = replace(
    ASKED,
    sound=script.ASKED_SOUND,
    document=script.DOCUMENT,
    document_name=script.DOCUMENT_NAME,
    settings=script.SETTINGS,
)


class Exchanges(Protocol):
    """What a pair needs of the rig."""

    async def exchange(
        self, client: str, provider: str, scene: str, ask: Ask, *, streamed: bool
    ) -> tuple[Said, Got]:
        """One request, and what each side saw."""

    async def refused(self, client: str, provider: str, ask: Ask, *, streamed: bool) -> Said | None:
        """What the client saw of a request that went no further than the server; None where it did."""


class Pair:
    """What has been found out about a client and a place. streamed: how the client asks."""

    def __init__(self, rig: Exchanges, client: str, provider: str, *, streamed: bool) -> None:
        self._rig = rig
        self._client = client
        self._provider = provider
        self._streamed = streamed
        self._scripts = PROVIDERS[provider].scripts
        self._offers = CLIENTS[client].offers and "calls" in self._scripts
        self._only_sound = CLIENTS[client].only_sound or PROVIDERS[provider].only_sound
        self.facets: dict[tuple[str, str], Outcome] = {}

    async def measure(self) -> Mapping[tuple[str, str], Outcome]:
        """Every facet that the place's script can tell."""
        if not self._only_sound or await self._reaches(HEARD):
            await self._all_but_sound()
        if not self._only_sound or await self._reaches(SPOKEN):
            await self._asked("sound", SPOKEN)
        return self.facets

    async def _reaches(self, ask: Ask) -> bool:
        """Whether such a request can be asked of the place; else the client is told that it is wrong."""
        said = await self._rig.refused(self._client, self._provider, ask, streamed=self._streamed)
        if said is not None:
            client = CLIENTS[self._client]
            expected = client.errors if self._streamed else {**client.errors, **client.whole_errors}
            assert said.trouble is not None, said
            compare.same("the error", (said.trouble.kind, said.trouble.status), expected["context"])
        return said is None

    async def _all_but_sound(self) -> None:
        await self._conversation()
        said, got = await self._play("text", LOADED)
        mute = CLIENTS[self._client].only_sound
        self._take(compare.text(self._told("text"), said, got, mute=mute), said)
        self._take(compare.loaded(got), said)
        for scene in ("reasoning", "length", "filtered", "refusal", "citations", "image"):
            if scene in self._scripts:
                said, _ = await self._play(scene, replace(ASKED, wants="image" if scene == "image" else ""))
                self._take(compare.ANSWERS[scene](self._told(scene), said), said)
        await self._asked("form", replace(ASKED, form=script.FORM))
        await self._asked("logprobs", replace(ASKED, logprobs=2))
        await self._errors()

    async def _conversation(self) -> None:
        """A question with a picture and tools; the calls; their results, and the answer to them."""
        first, got = await self._play("calls" if self._offers else "text", CONVERSATION)
        self._take(compare.asked(got), first)
        if not self._offers:
            return
        told = self._told("calls")
        self._take(compare.called(told, first), first)
        ask = replace(CONVERSATION, earlier=first, results=script.RESULTS)
        last, got = await self._play("text", ask)
        self._take(compare.went_back(told, got), last)
        compare.same("the answer to the results", last.text, script.TEXT)

    async def _asked(self, scene: str, ask: Ask) -> None:
        """A scene whose request matters too; a place that has no script for it answers with text."""
        known = scene in self._scripts
        said, got = await self._play(scene if known else "text", ask)
        facets = compare.REQUESTS[scene](got)
        if known:
            facets |= compare.ANSWERS[scene](self._told(scene), said)
        self._take(facets, said)

    async def _errors(self) -> None:
        client = CLIENTS[self._client]
        for facet in PROVIDERS[self._provider].errors:
            said, _ = await self._play(facet, ASKED)
            self._take(compare.error(client, facet, said, streamed=self._streamed), said)
        for feature in ("errors in stream", "truncation"):
            said, _ = await self._play(feature, ASKED)
            self._take(compare.broken(client, feature, said, streamed=self._streamed), said)

    async def _play(self, scene: str, ask: Ask) -> tuple[Said, Got]:
        if self._only_sound and ask.wants != "sound":
            ask = replace(ask, sound=script.ASKED_SOUND)
        said, got = await self._rig.exchange(
            self._client, self._provider, scene, ask, streamed=self._streamed
        )
        if scene in self._scripts:
            assert said.trouble is None, f"{scene}: {said.trouble}"
        return said, got

    def _told(self, scene: str) -> Said:
        return self._scripts[scene].told

    def _take(self, facets: Facets, said: Said) -> None:
        for (name, facet), outcome in facets.items():
            assert facet in BY_NAME[name].facets, (name, facet)
            self.facets[name, facet] = replace(outcome, warnings=said.warnings)


async def measure_pair(
    rig: Exchanges, client: str, provider: str, *, streamed: bool = True
) -> Mapping[tuple[str, str], Outcome]:
    """Every facet of the pair. Raises AssertionError for what may never happen."""
    return await Pair(rig, client, provider, streamed=streamed).measure()


def pairs() -> Iterator[tuple[str, str]]:
    """(client, provider), every one."""
    for client in CLIENTS:
        for provider in PROVIDERS:
            yield client, provider

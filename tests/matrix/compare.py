"""What was said beside what arrived, facet by facet."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.matrix import script
from tests.matrix.clients.base import Client
from tests.matrix.said import Call, Got, Said


@dataclass(frozen=True)
class Outcome:
    """arrived: as it was said. wrong: what came instead, where something else did: never allowed.

    warnings: the header of the answer.
    """

    arrived: bool
    wrong: str = ""
    warnings: str = ""


Facets: TypeAlias = dict[tuple[str, str], Outcome]


def outcome(seen: Any, told: Any, empty: Any = None) -> Outcome:
    """seen against told; nothing, or `empty`, is a loss, anything else a mistake."""
    if seen == told:
        return Outcome(True)
    return Outcome(False) if not seen or seen == empty else Outcome(False, f"{seen!r} for {told!r}")


def same(what: str, seen: Any, told: Any) -> None:
    """Raise AssertionError where they differ."""
    assert seen == told, f"{what}: {seen!r} for {told!r}"


def text(told: Said, said: Said, got: Got, *, mute: bool = False) -> Facets:
    """Both texts, the end, and the counts. mute: the client asks by sound, and words beside it are ours."""
    question = got.prompt if got.prompt else "".join(got.texts)
    asked = Outcome(script.QUESTION in question)
    if question and not mute and not asked.arrived:
        asked = Outcome(False, f"{question!r}")
    facets: Facets = {
        ("text", "question"): asked,
        ("text", "text"): outcome(said.text, told.text),
        ("end", "stop"): outcome(said.end, told.end),
    }
    for facet, count in told.usage.items():
        facets["usage", facet] = outcome(said.usage.get(facet), count)
    for facet, count in said.usage.items():
        if facet not in told.usage and count:
            facets["usage", facet] = Outcome(False, f"{count}, and nothing was told")
    return facets


def asked(got: Got) -> Facets:
    """The conversation's request."""
    if got.prompt:
        system = {"text": Outcome(script.SYSTEM in got.prompt), "role": Outcome(False)}
    else:
        system = dict.fromkeys(("text", "role"), outcome(got.system, script.SYSTEM))
    return {
        **{("system prompt", facet): found for facet, found in system.items()},
        ("images in", "bytes"): outcome(got.images, [script.ASKED_IMAGE]),
        ("effort", "effort"): outcome(got.effort, script.EFFORT),
        ("tools", "offer"): outcome(got.tools, list(script.TOOLS)),
    }


def called(told: Said, said: Said) -> Facets:
    """The answer with the calls."""
    made = [_call(at, told.calls, said.calls) for at in (0, 1)]
    ids = [call.id for call in said.calls if call.id]
    same("ids of calls, each once", len(set(ids)), len(ids))
    facets: Facets = {
        ("tools", "call"): made[0],
        ("parallel tools", "first"): made[0],
        ("parallel tools", "second"): made[1],
    }
    if told.end:
        facets["end", "tool calls"] = outcome(said.end, told.end, "stop")
    return facets


def _call(at: int, told: tuple[Call, ...], seen: tuple[Call, ...]) -> Outcome:
    if not seen:
        return Outcome(False)
    if at >= len(seen):
        return Outcome(False, f"{len(seen)} calls for {len(told)}")
    want, have = told[at], seen[at]
    return outcome((have.name, have.arguments), (want.name, want.arguments))


def went_back(told: Said, got: Got) -> Facets:
    """The request with the results: each under the call it answers."""
    ids = [call.id for call in got.called]
    results = [(id, _plain(result)) for id, result in got.results]
    names = [(call.name, call.arguments) for call in got.called]
    answers = [(id, _plain(result)) for id, result in zip(ids, script.RESULTS, strict=True)]
    same("the calls, given back", names, [(call.name, call.arguments) for call in told.calls])
    facets: Facets = {
        ("tool results", "answers"): outcome(results, answers),
        ("tool results", "ids"): Outcome(ids == [call.id for call in told.calls]),
    }
    if told.reasoning:
        facets["reasoning back", "text"] = outcome(got.reasoning, told.reasoning)
    if told.signature:
        facets["reasoning back", "signature"] = outcome(got.signature, told.signature)
    return facets


def _plain(result: str) -> Any:
    """Where a protocol wants an object, a result that is one may be spelled anew."""
    try:
        return json.loads(result)
    except ValueError:
        return result


def loaded(got: Got) -> Facets:
    """The request with sound, a document and settings."""
    names, documents = [one[0] for one in got.documents], [one[1] for one in got.documents]
    facets: Facets = {
        ("sound in", "bytes"): outcome(got.sounds, [script.ASKED_SOUND]),
        ("documents in", "bytes"): outcome(documents, [script.DOCUMENT]),
        # a place that wants a name gets one, where the client has told none
        ("documents in", "name"): Outcome(names == [script.DOCUMENT_NAME]),
    }
    for facet, value in script.SETTINGS.items():
        facets["settings", facet] = outcome(got.settings.get(facet), value)
    return facets


def _thought(told: Said, said: Said) -> Facets:
    same("the text behind the reasoning", said.text, told.text)
    return {("reasoning", "text"): outcome(said.reasoning, told.reasoning)}


def _ended(told: Said, said: Said) -> Facets:
    return {("end", told.end): outcome(said.end, told.end, "stop")}


def _refused(told: Said, said: Said) -> Facets:
    words = said.refusal or said.text
    return {
        ("refusal", "words"): outcome(words, told.refusal),
        ("refusal", "mark"): Outcome(said.refused),
    }


def _cited(told: Said, said: Said) -> Facets:
    same("the text that is cited", said.text, told.text)
    facets: Facets = {}
    for facet in ("url", "title", "quote"):
        seen = [getattr(one, facet) for one in said.sources]
        wanted = [getattr(one, facet) for one in told.sources]
        if any(wanted):
            facets["citations", facet] = outcome(seen, wanted, [""] * len(wanted))
    facets["citations", "place"] = _place(said, told)
    return facets


def _place(said: Said, told: Said) -> Outcome:
    """A place that is wider than the told one is a loss, any other a mistake."""
    seen, wanted = [one.place for one in said.sources], [one.place for one in told.sources]
    if seen == wanted:
        return Outcome(True)
    wider = all(
        have is None or (want is not None and have[0] <= want[0] and want[1] <= have[1])
        for have, want in zip(seen, wanted, strict=False)
    )
    return Outcome(False, "" if wider else f"{seen} for {wanted}")


def _drew(told: Said, said: Said) -> Facets:
    same("the text beside the image", said.text, told.text)
    return {("images out", "bytes"): outcome(said.images, told.images)}


def _spoke(told: Said, said: Said) -> Facets:
    facets: Facets = {("sound out", "bytes"): outcome(said.sound, told.sound)}
    if told.transcript:
        facets["sound out", "transcript"] = outcome(said.transcript or said.text, told.transcript)
    return facets


def _formed(told: Said, said: Said) -> Facets:
    return {("structured output", "answer"): outcome(said.text, told.text)}


def _form_asked(got: Got) -> Facets:
    return {("structured output", "schema"): outcome(got.form, script.FORM)}


def _likely(told: Said, said: Said) -> Facets:
    """Tokens as told; a client may show them in other pieces of the answer, never other ones."""
    same("the text of the tokens", said.text, told.text)
    facets: Facets = {
        ("logprobs", "logprobs"): outcome(
            [(one.text, one.logprob) for one in said.tokens], [(one.text, one.logprob) for one in told.tokens]
        ),
    }
    if told.tokens[0].top:
        seen = [one.top for one in said.tokens if one.top]
        facets["logprobs", "alternatives"] = outcome(seen, [one.top for one in told.tokens])
    if told.tokens[0].id is not None:
        ids = [one.id for one in said.tokens]
        facets["logprobs", "ids"] = outcome(ids, [one.id for one in told.tokens], [None] * len(ids))
    return facets


def _logprobs_asked(got: Got) -> Facets:
    return {("logprobs", "asked"): Outcome(True) if got.logprobs is True else outcome(got.logprobs, 2)}


ANSWERS: dict[str, Callable[[Said, Said], Facets]] = {
    "reasoning": _thought,
    "length": _ended,
    "filtered": _ended,
    "refusal": _refused,
    "citations": _cited,
    "image": _drew,
    "sound": _spoke,
    "form": _formed,
    "logprobs": _likely,
}


def _sound_asked(got: Got) -> Facets:
    return {("sound out", "asked"): Outcome(got.speaks)}


REQUESTS: dict[str, Callable[[Got], Facets]] = {
    "form": _form_asked,
    "logprobs": _logprobs_asked,
    "sound": _sound_asked,
}


def error(client: Client, facet: str, said: Said, *, streamed: bool) -> Facets:
    """An error before the answer."""
    expected = client.errors if streamed else {**client.errors, **client.whole_errors}
    found = said.trouble
    assert found is not None, f"{facet}: a success, {said.text!r}"
    facets: Facets = {("errors", facet): outcome((found.kind, found.status), expected[facet])}
    if facet == "rate":
        facets["errors", "wait"] = outcome(found.wait_s, 7.0)
    return facets


def broken(client: Client, feature: str, said: Said, *, streamed: bool) -> Facets:
    """An answer that broke off. Where it was not streamed, nothing of it was shown, and the status tells."""
    found = said.trouble
    assert found is not None, f"{feature}: a success, {said.text!r}"
    told = found.kind in client.later if streamed else (found.status or 0) >= 500
    facets: Facets = {(feature, "error"): Outcome(told, "" if told else str(found))}
    if streamed:
        facets[feature, "text"] = outcome(said.text, script.FIRST)
    return facets

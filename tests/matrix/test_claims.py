"""The claims hold before anything is measured: they cite what is there, and fit the scripts."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from tests.matrix.claims import CLAIMS
from tests.matrix.claims.base import READ, READ_IN_NODE, Claims, Gap, gap_of
from tests.matrix.claims.pairs import PAIRS
from tests.matrix.claims.schemas import names_in, plain
from tests.matrix.features import BY_NAME, FEATURES
from tests.matrix.providers import PROVIDERS
from tests.matrix.verdict import Verdict, expected, verdict
from tests.node.page import HERE

GAPS = {
    f"{wire} {side} {feature} {facets[0]}": gap
    for wire, claims in CLAIMS.items()
    for side in ("client", "provider", "whole")
    for (feature, facets), gap in getattr(claims, side).items()
}


@pytest.mark.parametrize("package", READ)
def test_the_schemas_are_those_that_were_read(package: str) -> None:
    """A newer package may have what was missing: read its types again, then write its version down."""
    assert version(package) == READ[package]


def test_the_npm_package_is_the_one_that_was_read() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    for package, number in READ_IN_NODE.items():
        assert lock["packages"][f"node_modules/{package}"]["version"] == number


@pytest.mark.parametrize("name", GAPS)
def test_what_is_said_to_be_missing_is_missing(name: str) -> None:
    gap: Gap = GAPS[name]
    assert gap.why
    assert not (gap.schema and gap.read)
    if gap.schema:
        assert gap.without
        found = names_in(gap.schema)
        assert found, f"{gap.schema} has no names"
        assert found.isdisjoint(map(plain, gap.without))


def test_what_is_said_to_be_missing_would_be_found() -> None:
    assert {"usage", "reasoningtokens", "contentfilter"} <= names_in("openai.types.chat:ChatCompletionChunk")
    assert {"thinking", "images"} <= names_in("ollama:ChatResponse")
    assert {"seed", "stop"} <= names_in(
        "openai.types.completion_create_params:CompletionCreateParamsNonStreaming"
    )


@pytest.mark.parametrize("wire", CLAIMS)
def test_features_and_facets_are_known(wire: str) -> None:
    claims: Claims = CLAIMS[wire]
    for gaps in (claims.client, claims.provider, claims.whole):
        for feature, facets in gaps:
            assert set(facets) <= set(BY_NAME[feature].facets), feature
    for pair, exceptions in PAIRS.items():
        assert set(pair) <= set(CLAIMS)
        for feature, facet in exceptions:
            assert facet in BY_NAME[feature].facets


@pytest.mark.parametrize("wire", CLAIMS)
def test_a_place_has_a_script_for_what_it_can_tell(wire: str) -> None:
    """No cell is called impossible because nobody wrote its bytes."""
    scenes = {
        "reasoning": "reasoning",
        "tools": "calls",
        "images out": "image",
        "sound out": "sound",
        "refusal": "refusal",
        "citations": "citations",
        "logprobs": "logprobs",
        "structured output": "form",
    }
    for name, scene in scenes.items():
        feature = BY_NAME[name]
        told = any(
            gap_of(CLAIMS[wire].provider, name, facet) is None
            for facet in feature.facets
            if facet not in feature.asked
        )
        assert told == (scene in PROVIDERS[wire].scripts), name


def test_what_the_issue_asks_for_is_kept_wherever_both_protocols_have_it() -> None:
    """Text, reasoning, tools, parallel tools and errors are never degraded; usage only by missing fields."""
    chats = [wire for wire in CLAIMS if not CLAIMS[wire].only_sound]
    for client in chats:
        for provider in chats:
            for name in ("text", "reasoning", "tools", "parallel tools", "errors in stream", "truncation"):
                assert verdict(client, provider, BY_NAME[name])[0] is not Verdict.DEGRADED, (client, name)
            for name in ("text", "errors in stream", "truncation"):
                assert verdict(client, provider, BY_NAME[name])[0] is Verdict.KEPT, (client, name)
            for facet in ("input", "output"):
                assert expected(client, provider, BY_NAME["usage"], facet).arrives


def test_every_feature_is_kept_somewhere() -> None:
    for feature in FEATURES:
        found = {verdict(client, provider, feature)[0] for client in CLAIMS for provider in CLAIMS}
        assert Verdict.KEPT in found, feature.name

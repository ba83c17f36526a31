"""The description of the endpoints: it has them all, it is a good one, and what it allows is never a 500."""

from __future__ import annotations

import pytest
from tests.fuzz.endpoints import ask_all, serving
from tests.server.doubles import Models

from headrace.server.openapi import OPERATIONS, description
from headrace.server.openapi_bodies import BODIES
from headrace.server.serve import make_app
from headrace.simulate.echo import EchoModel


def test_every_route_is_described_and_nothing_else() -> None:
    told = description(make_app(Models(EchoModel())))
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert described == {(one.method, one.path) for one in OPERATIONS}
    assert {one.body for one in OPERATIONS} - {""} == set(BODIES)


def test_an_answer_without_a_body_is_described() -> None:
    told = description(make_app(Models(EchoModel())))["paths"]
    described = {
        path for path, methods in told.items() for one in methods.values() if "204" in one["responses"]
    }
    assert described == {"/v1/streams/{id}", "/api/ui/chat/{id}/stream"}


def test_a_route_without_words_is_noticed() -> None:
    app = make_app(Models(EchoModel()))
    app.routes["GET", "/new"] = lambda exchange: None
    with pytest.raises(KeyError, match="GET /new"):
        description(app)


def test_no_endpoint_answers_500() -> None:
    with serving() as url:
        seen = ask_all(url, 6)
    assert seen[200] > 15
    assert seen[400] > 15

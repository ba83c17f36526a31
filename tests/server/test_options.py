"""What can be said of a server is one list, whoever makes it; nothing of it is ignored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.server.doubles import Models

from headrace.metrics.clock import Targets
from headrace.server.app import App
from headrace.server.door import Door
from headrace.server.limits import Limits
from headrace.server.options import AppOptions
from headrace.server.serve import asgi_app, make_app, running_server, serve
from headrace.sessions.table import Sessions


async def running(**options: Any) -> None:
    async with running_server(Models(), **options):
        pass


MAKERS: dict[str, Callable[..., Any]] = {
    "make_app": lambda **options: make_app(Models(), **options),
    "asgi_app": lambda **options: asgi_app(Models(), **options),
    "running_server": lambda **options: asyncio.run(running(**options)),
    "serve": lambda **options: serve(Models(), port=0, **options),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_an_option_that_there_is_not_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="limit"):
        make(limit=Limits())


@pytest.mark.parametrize("make", [make_app, lambda *a, **b: asgi_app(*a, **b).app], ids=["app", "asgi"])
def test_every_option_arrives(make: Callable[..., App]) -> None:
    limits, sessions, door = Limits(drain_s=1), Sessions(), Door()
    targets, seen = Targets(stall_s=9.0), [].append
    app = make(
        Models(),
        limits=limits,
        sessions=sessions,
        door=door,
        access_log=True,
        watchers=[seen],
        targets=targets,
    )
    assert (app.limits, app.sessions, app.door) == (limits, sessions, door)
    assert app.measures.targets is targets
    assert app.measures._watchers == (seen,)
    assert app._access_log
    assert set(AppOptions.__annotations__) == {
        "limits",
        "sessions",
        "door",
        "access_log",
        "watchers",
        "targets",
    }

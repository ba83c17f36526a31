"""An answer that is let in and then cannot begin: its client is told, and its place is free for the next."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from tests.server.conftest import Carrier, Served
from tests.server.doubles import HandModel, HandSource, Models
from tests.server.raw import chat, connected, request
from tests.server.test_queueing import waiting, whole

from headrace.config.door import LimitSettings, QueueSettings
from headrace.errors import RequestError
from headrace.server.answers import Answers
from headrace.server.door import Door
from headrace.sessions.table import Sessions
from headrace.store.log import StreamHead, Tail
from headrace.store.memory import MemoryLog
from headrace.wire import front_named
from headrace.wire.base import Front

PATH = "/v1/broken"
NAME = "openai_responses"
FRONT = front_named(NAME)
STREAM, LATER, WHOLE = {"stream": True}, {"background": True}, {"stream": False}


class Bug(Exception):
    pass


class Once:
    """Raises at its first call, and does what `does` does from then on."""

    def __init__(self, does: Callable[..., Any], error: Exception) -> None:
        self.does = does
        self.error: Exception | None = error

    def __call__(self, *given: Any) -> Any:
        error, self.error = self.error, None
        if error is not None:
            raise error
        return self.does(*given)


class BrokenSource(HandSource):
    """Cannot be started. begins: though it has, by then."""

    def __init__(self, begins: bool) -> None:
        super().__init__()
        self.begins = begins

    def start(self, sink: Any, /) -> None:
        if self.begins:
            super().start(sink)
        raise Bug

    def cancel(self) -> None:
        if self.begins:
            super().cancel()
        else:
            self.was_cancelled.set()


class BrokenModel(HandModel):
    """Its first source is broken."""

    def __init__(self, begins: bool, **given: Any) -> None:
        super().__init__(**given)
        self.first = BrokenSource(begins)
        self.broken: BrokenSource | None = self.first

    def _source(self, relay: Any = None) -> HandSource:
        broken, self.broken = self.broken, None
        if broken is None:
            return super()._source(relay)
        broken.relay = relay
        return broken


class BrokenLog(MemoryLog):
    def __init__(self) -> None:
        super().__init__()
        self.first = Once(super().begin, Bug())

    def begin(self, head: StreamHead, tail: Tail, /) -> None:
        self.first(head, tail)


def asking(wants: dict[str, bool], path: str = PATH) -> bytes:
    return request("POST", path, json.dumps({"model": "m", "input": "hi", **wants}).encode())


def one_place(**limits: Any) -> Door:
    return Door(queue=QueueSettings(max_streams=1), limits=LimitSettings(**limits))


async def refused_and_free(
    served: Served, wants: dict[str, bool], model: HandModel, status: int = 500
) -> dict[str, Any]:
    """Ask twice: the first cannot begin, the second has the place over the same connection. Its error."""
    async with connected(served.url) as client:
        await client.send(asking(wants))
        response = await client.response()
        assert response.status == status
        admission = served.app.admission
        assert (admission.running, admission.waiting) == (0, 0)
        assert not admission._of_owner
        assert not served.app.sessions.live
        while not model.sources.empty():
            model.sources.get_nowait()  # opened for the first, and never begun
        await client.send(asking(wants))
        source = await model.source()
        assert admission.running == 1
        whole(source, "hello")
        assert (await client.response()).status == 200
        assert admission.running == 0
        return response.error


def broken_front(part: str, error: Exception | None = None) -> Front:
    return replace(FRONT, **{part: Once(getattr(FRONT, part), error or Bug())})


@pytest.mark.parametrize(
    ("part", "wants"),
    [
        ("encoder", STREAM),
        ("encoder", LATER),
        ("encoder", {**STREAM, **LATER}),
        ("pending", LATER),
        ("pending", {**STREAM, **LATER}),
        ("body_type", WHOLE),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_a_protocol_that_raises(carrier: Carrier, part: str, wants: dict[str, bool]) -> None:
    async def main() -> None:
        model = HandModel()
        async with carrier.serving(Models(model), door=one_place()) as served:
            served.app.routes["POST", PATH] = Answers(served.app, NAME, broken_front(part))
            error = await refused_and_free(served, wants, model)
            assert error["code"] == "internal_error"
            failed = 0 if (part, wants) == ("pending", LATER) else 1  # that is before there is a place
            counters = served.app.counters
            assert (counters.answers, counters.failed, counters.finished) == (1 + failed, failed, 1)

    carrier.run(main())


@pytest.mark.parametrize("wants", [STREAM, LATER], ids="+".join)
def test_a_typed_refusal_says_what_it_is(direct: Carrier, wants: dict[str, bool]) -> None:
    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), door=one_place()) as served:
            refusal = RequestError("no such voice", field="voice")
            served.app.routes["POST", PATH] = Answers(served.app, NAME, broken_front("encoder", refusal))
            error = await refused_and_free(served, wants, model, status=400)
            assert error["message"] == "no such voice"

    direct.run(main())


@pytest.mark.parametrize("wants", [STREAM, LATER], ids="+".join)
def test_a_log_that_raises(carrier: Carrier, wants: dict[str, bool]) -> None:
    async def main() -> None:
        model = HandModel()
        sessions = Sessions(BrokenLog())
        async with carrier.serving(Models(model), sessions=sessions, door=one_place()) as served:
            served.app.routes["POST", PATH] = Answers(served.app, NAME, FRONT)
            await refused_and_free(served, wants, model)

    carrier.run(main())


@pytest.mark.parametrize("limits", [{}, {"events_per_s": 1e6}], ids=["free", "paced"])
@pytest.mark.parametrize("begins", [False, True], ids=["not begun", "begun"])
@pytest.mark.parametrize("wants", [STREAM, LATER, WHOLE], ids=lambda value: "+".join(map(str, value.items())))
def test_a_source_that_cannot_start(
    carrier: Carrier, wants: dict[str, bool], begins: bool, limits: dict[str, float]
) -> None:
    async def main() -> None:
        model = BrokenModel(begins)
        async with carrier.serving(Models(model), door=one_place(**limits)) as served:
            served.app.routes["POST", PATH] = Answers(served.app, NAME, FRONT)
            await refused_and_free(served, wants, model)
            assert model.first.was_cancelled.is_set()
            assert (served.app.counters.answers, served.app.counters.failed) == (2, 1)

    carrier.run(main())


def test_a_relay_that_cannot_start(direct: Carrier) -> None:
    async def main() -> None:
        model = BrokenModel(False, relays=True)
        async with direct.serving(Models(model), door=one_place()) as served, connected(served.url) as client:
            await client.send(chat())
            assert (await client.response()).status == 500
            assert served.app.admission.running == 0
            await client.send(chat())
            source = await model.source()
            source.push(b'data: {"choices": []}\n\ndata: [DONE]\n\n')
            source.end()
            assert (await client.response()).status == 200

    direct.run(main())


@pytest.mark.parametrize("begins", [False, True], ids=["not begun", "begun"])
@pytest.mark.parametrize("wants", [STREAM, LATER, WHOLE], ids=lambda value: "+".join(map(str, value.items())))
def test_a_source_that_cannot_start_when_its_turn_comes(
    direct: Carrier, wants: dict[str, bool], begins: bool
) -> None:
    """Those behind it have their turn all the same."""

    async def main() -> None:
        model = BrokenModel(begins)
        kept, model.broken = model.broken, None
        async with direct.serving(Models(model), door=one_place()) as served, AsyncExitStack() as stack:
            served.app.routes["POST", PATH] = Answers(served.app, NAME, FRONT)
            clients = [await stack.enter_async_context(connected(served.url)) for _ in range(3)]
            await clients[0].send(asking(STREAM))
            first = await model.source()
            model.broken = kept
            await clients[1].send(asking(wants))
            await waiting(served, 1)
            await clients[2].send(asking(STREAM))
            await waiting(served, 2)
            whole(first, "first")
            if wants is not LATER:
                assert (await clients[1].response()).status == 500
            third = await model.source()
            whole(third, "third")
            assert b"third" in (await clients[2].response()).body
            assert model.first.was_cancelled.is_set()
            admission = served.app.admission
            assert (admission.running, admission.waiting) == (0, 0)

    direct.run(main())

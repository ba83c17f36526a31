"""What single readers of a stream are told: an EventSource, another vendor's client, one that is dropped."""

from __future__ import annotations

import msgspec
from tests.server.conftest import Carrier
from tests.server.doubles import END, HandModel, Models
from tests.server.raw import chat, connected, request
from tests.server.test_streams import MakeSessions, asked, began, detached, sessions, until

from headrace.server.limits import Limits

__all__ = ["sessions"]


def test_an_event_source_goes_on_from_where_it_was_and_stops_at_the_end(
    direct: Carrier, sessions: MakeSessions
) -> None:
    """WHATWG HTML 9.2: it asks for the same URL again, with the id that it had last, until a 204."""

    async def main() -> None:
        model = HandModel()
        async with direct.serving(Models(model), sessions=sessions()) as served:
            async with connected(served.url) as client:
                await client.send(chat())
                id, source = await began(client, model)
                source.push(*END)
                source.end()
                last = (await client.response_body()).count(b"id: ")
            url = f"/v1/streams/{id}?after=1"
            rest = await asked(served, "GET", url)
            assert rest.body.startswith(b"id: 2\n")
            again = await asked(served, "GET", url, f"Last-Event-ID: {last - 1}")
            assert again.body.startswith(b"id: %d\n" % last)
            end = await asked(served, "GET", url, f"Last-Event-ID: {last}")
            assert (end.status, end.body) == (204, b"")
            assert (await asked(served, "GET", f"/v1/streams/{id}?after={last}")).status == 200

    direct.run(main())


def test_a_message_has_the_id_of_its_stream_in_its_vendors_form(direct: Carrier) -> None:
    async def main() -> None:
        asking = {
            "model": "m",
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "a"}],
        }
        model = HandModel()
        async with direct.serving(Models(model)) as served, connected(served.url) as client:
            await client.send(request("POST", "/v1/messages", msgspec.json.encode(asking)))
            id, source = await began(client, model)
            source.push(*END)
            source.end()
            message = msgspec.json.decode(
                (await client.response_body()).split(b"\ndata: ")[1].split(b"\n")[0]
            )
            assert message["message"]["id"] == id
            assert id.startswith("msg_")

    direct.run(main())


def test_the_first_client_is_told_too_that_it_is_dropped(direct: Carrier, sessions: MakeSessions) -> None:
    async def main() -> None:
        model = HandModel()
        limits = Limits(write_buffer_bytes=8192, drain_s=2)
        streams = sessions(slow_readers="drop", slow_bytes=64 * 1024)
        async with (
            direct.serving(Models(model), limits, streams) as served,
            connected(served.url, limit=1024, receive_bytes=4096) as frozen,
        ):
            await frozen.send(detached())
            id, source = await began(frozen, model)
            session = served.app.sessions.live[id]
            while session.readers:
                source.say("x" * 50_000)
                await until(lambda: session.sent == session.last)
            source.push(*END)
            source.end()
            *events, error, done, _ = (await frozen.response_body()).split(b"\n\n")
            assert msgspec.json.decode(error[6:])["error"]["code"] == "slow_reader"
            assert done == b"data: [DONE]"
            missing = await asked(served, "GET", f"/v1/streams/{id}?after={len(events)}")
            assert missing.body.startswith(b"id: %d\n" % (len(events) + 1))

    direct.run(main())

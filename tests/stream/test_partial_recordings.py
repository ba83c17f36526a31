"""Recorded structured answers of four vendors, through each wire's decoder, as values of three kinds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest

from headrace.core.chunk import Chunk
from headrace.core.fold import fold
from headrace.errors import OutputError
from headrace.stream.generation import GenerationStream
from headrace.stream.partial import read_reply
from headrace.wire import wire_named

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
TOOL = "__mirascope_formatted_output_tool__"


class Author(msgspec.Struct):
    first_name: str
    last_name: str


class Named(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    author: Author
    rating: int


class Listed(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    author: str
    pages: int
    publication_year: int


class Themed(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    author: str
    themes: list[str]
    rating: int


class Output(msgspec.Struct, forbid_unknown_fields=True):
    output: int


KINDS = (Named, Listed, Themed, Output)


def _model(kind: Any) -> Any:
    """The same as a pydantic model."""
    fields: dict[str, Any] = {
        one.name: (_model(one.type) if one.type is Author else one.type, ...)
        for one in msgspec.structs.fields(kind)
    }
    return pydantic.create_model(kind.__name__, **fields)


def recordings() -> list[Any]:
    paths = sorted(RECORDINGS.glob("*/*structured*.sse"))
    if not paths:
        skip = pytest.mark.skip(reason=f"no recorded streams at {RECORDINGS}")
        return [pytest.param(None, marks=[skip, pytest.mark.recordings])]
    return [pytest.param(path, id=path.stem[-60:], marks=pytest.mark.recordings) for path in paths]


def decoded(path: Path) -> list[Chunk]:
    decoder = wire_named(path.parent.name).decoder()
    body = path.read_bytes()
    chunks = [chunk for at in range(0, len(body), 97) for chunk in decoder.feed([body[at : at + 97]])]
    return [*chunks, *decoder.close()]


def ordinary(text: str) -> Any:
    """What an ordinary parser reads from the first brace on."""
    return json.JSONDecoder().raw_decode(text[text.index("{") :])[0]


@pytest.mark.parametrize("path", recordings())
def test_a_recorded_value_grows_to_what_the_ordinary_parse_says(path: Path) -> None:
    chunks = decoded(path)
    reply = fold(chunks)
    calls = [call for call in reply.tool_calls if call.name == TOOL]
    if not calls and reply.tool_calls:  # a tool of the user's, and no value yet
        with pytest.raises(OutputError, match=f"did not call {TOOL}"):
            read_reply(Output, reply, tool=TOOL)
        return
    tool = TOOL if calls else None
    expected = ordinary(calls[0].arguments if calls else reply.text)
    kind = next(kind for kind in KINDS if {*kind.__struct_fields__} == {*expected})

    async def main() -> None:
        for output in (kind, _model(kind), {"type": "object", "required": list(kind.__struct_fields__)}):
            stream = GenerationStream.from_iterable(chunks).partial(output, tool=tool)
            values = [value async for value in stream]
            for value in (values[-1], read_reply(output, reply, tool=tool)):
                plain = msgspec.to_builtins(value, enc_hook=lambda model: model.model_dump())
                assert plain == expected

    asyncio.run(main())

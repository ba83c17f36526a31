"""Asking for values of a type: `generate_object`, `stream_object`, `stream_object_sync`."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, Unpack, overload

from headrace.core.model import Opened
from headrace.dispatch.ask import Ask
from headrace.dispatch.runtime import Runtime
from headrace.dispatch.text import TextResult, open_model
from headrace.dispatch.wanted import ObjectMode, Wanted, unwrapped, want
from headrace.stream.partial import PartialStream
from headrace.stream.sync import SyncStream, iterate_sync

T = TypeVar("T")


class ObjectAsk(Ask, total=False):
    """The keywords of a call for a value, beside those of `Ask`, of which `response_format` is set by it.

    mode: "schema" asks for an answer of the type's schema; "tool" for the call of a tool of that schema, for
    models that know no other way. strict: send the schema in the form in which providers hold the model to it
    (`headrace.structured.schema.strict_schema`): None where there is one (else a warning), True always, False
    never. runtime: where models are found; the running loop's own where it is not given.
    """

    mode: ObjectMode
    strict: bool | None
    runtime: Runtime | None


class ObjectResult(TextResult, Generic[T]):
    """One call under way, whose answer is a value of a type.

    values: the value as it grows; the last one is the whole, checked. The rest is as in `TextResult`; read
    one of `values`, `chunks` and `stream`, once.
    """

    def __init__(self, opened: Opened, model: str, wanted: Wanted) -> None:
        super().__init__(opened, model)
        tool = wanted.name if wanted.mode == "tool" else None
        turn = unwrapped if wanted.wrapped else None
        self.values: PartialStream[T] = PartialStream(self.chunks, wanted.output, tool=tool, turn=turn)

    @property
    def value(self) -> T:
        """The whole value. Raises OutputError where there is none, RuntimeError while it is still coming."""
        return self.values.value


@overload
def stream_object(
    model: str, prompt: str | None = None, *, output: type[T], **ask: Unpack[ObjectAsk]
) -> ObjectResult[T]: ...
@overload
def stream_object(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> ObjectResult[Any]: ...
def stream_object(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> ObjectResult[Any]:
    """Ask `model` for a value of the type `output`, and get it as it grows.

        async for recipe in stream_object("local", "Bread.", output=Recipe).values:
            print(recipe.name, len(recipe.steps))

    output: a pydantic model, a msgspec Struct, a dataclass, a TypedDict, any type made of these (a list, an
    int), or a JSON schema as a mapping. ask: see `ObjectAsk`, and `stream_text`.
    Raises: RequestError for a type that JSON cannot say and for what cannot be asked.
    """
    runtime = ask.pop("runtime", None)
    wanted = want(output, mode=ask.pop("mode", "schema"), strict=ask.pop("strict", None))
    opened = open_model(model, prompt, runtime, wanted.ask(ask))
    warnings = (wanted.warning, *opened.warnings) if wanted.warning else opened.warnings
    return ObjectResult(Opened(opened.source, warnings), model, wanted)


@overload
async def generate_object(
    model: str, prompt: str | None = None, *, output: type[T], **ask: Unpack[ObjectAsk]
) -> ObjectResult[T]: ...
@overload
async def generate_object(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> ObjectResult[Any]: ...
async def generate_object(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> ObjectResult[Any]:
    """Ask and wait for the whole: `.value`, `.response`, `.warnings`. Arguments as in `stream_object`.

    Raises OutputError where the answer is no value of the type (it keeps the text), and what the stream
    raises.
    """
    result: ObjectResult[Any] = stream_object(model, prompt, output=output, **ask)
    await result.values.result()
    return result


@overload
def stream_object_sync(
    model: str, prompt: str | None = None, *, output: type[T], **ask: Unpack[ObjectAsk]
) -> SyncStream[T]: ...
@overload
def stream_object_sync(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> SyncStream[Any]: ...
def stream_object_sync(
    model: str, prompt: str | None = None, *, output: Any, **ask: Unpack[ObjectAsk]
) -> SyncStream[Any]:
    """`stream_object(...).values` for scripts and notebooks: a plain iterator; its last item is the whole."""
    return iterate_sync(lambda: stream_object(model, prompt, output=output, **ask).values)


__all__ = ["ObjectAsk", "ObjectResult", "generate_object", "stream_object", "stream_object_sync"]

"""A Python function as a tool: its schema from its signature and docstring, its arguments from JSON text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import (
    Any,
    Generic,
    NamedTuple,
    NotRequired,
    ParamSpec,
    TypeVar,
    get_type_hints,
    overload,
)

import msgspec

from headrace.core.request import Tool
from headrace.core.shape import Invalid
from headrace.errors import RequestError
from headrace.structured.docstring import read_docstring
from headrace.structured.hints import bare
from headrace.structured.schema import schema_of, strict_schema
from headrace.structured.worlds import made_dict, world_of

P = ParamSpec("P")
R = TypeVar("R")
_SIMPLE = (str, int, float, bool, type(None))


class Arguments(NamedTuple):
    """What a function is called with."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


class FunctionTool(Generic[P, R]):
    """A function that a model may call. Calling it calls the function.

    name, description: what the model is told; the function's name and docstring where they are not given.
    strict: hold the model to the schema, where its provider can; every argument is then required of it.
    timeout_s: seconds that one call may take; None leaves it to the run. request: the tool as it is sent.
    Raises: RequestError for a function whose parameters cannot be described.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str = "",
        description: str = "",
        strict: bool | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.timeout_s = timeout_s
        self.__doc__ = function.__doc__
        told = read_docstring(inspect.getdoc(function) or "")
        self._signature = _signature(function, self.name)
        hints = _hints(function, self._signature, self.name)
        self._arguments = _typed(hints, self._signature)
        self._check = world_of(self._arguments).recheck(self._arguments)
        schema = _schema(self._arguments, hints, self.name)
        schema.pop("title", None)
        _describe(schema, hints, self._signature, told.parameters)
        if strict:
            schema = strict_schema(schema)
        self.request = Tool(self.name, description or told.summary, schema, strict)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"FunctionTool({self.name}{self._signature})"

    @property
    def is_async(self) -> bool:
        """Whether calling it gives something to await."""
        function = self.function
        return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
        )

    def read(self, arguments: str) -> Arguments:
        """JSON text as the model wrote it -> arguments of the function's types.

        Raises: Invalid, saying what the model should have written.
        """
        try:
            given = msgspec.json.decode(arguments) if arguments.strip() else {}
        except (msgspec.DecodeError, RecursionError) as error:
            raise Invalid(f"the arguments are no JSON: {error}") from None
        if not isinstance(given, dict):
            raise Invalid("the arguments must be a JSON object")
        known = self._signature.parameters
        unknown = [name for name in given if name not in known]
        if unknown:
            raise Invalid(
                f"there is no argument {unknown[0]}: {self.name} takes {', '.join(known) or 'none'}"
            )
        values: dict[str, Any] = dict(self._check(arguments if arguments.strip() else "{}"))
        positional = [
            values.pop(name, one.default) for name, one in known.items() if one.kind is one.POSITIONAL_ONLY
        ]
        return Arguments(tuple(positional), values)


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...
@overload
def tool(
    *,
    name: str = "",
    description: str = "",
    strict: bool | None = None,
    timeout_s: float | None = None,
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    strict: bool | None = None,
    timeout_s: float | None = None,
) -> Any:
    """A function as a tool, by decorating it: `@tool`, or `@tool(name=..., timeout_s=...)`.

    A plain function does as a tool too; the decorator is for what its signature and docstring cannot say. See
    `FunctionTool` for the fields.
    """

    def made(function: Callable[..., Any]) -> FunctionTool[..., Any]:
        return FunctionTool(function, name=name, description=description, strict=strict, timeout_s=timeout_s)

    return made if function is None else made(function)


def _signature(function: Callable[..., Any], name: str) -> inspect.Signature:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{name} cannot be a tool: {error}", field="tools", value=name) from None
    for one in signature.parameters.values():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            why = f"{one} takes any arguments, which a schema cannot say"
            raise RequestError(
                f"{name} cannot be a tool: {why}", field=f"tools.{name}.{one.name}", value=name
            )
    return signature


def _hints(function: Callable[..., Any], signature: inspect.Signature, name: str) -> dict[str, Any]:
    """The type of each parameter."""
    inner = inspect.unwrap(function)
    if not inspect.isroutine(inner):
        inner = getattr(inner, "func", None) or type(inner).__call__  # a partial, or an object to be called
    try:
        found = get_type_hints(inner, include_extras=True)
    except NameError as error:
        raise RequestError(
            f"the types of {name} cannot be read: {error}; define what it names at the top of a module",
            field="tools",
            value=name,
        ) from None
    for one in signature.parameters:
        if one not in found:
            why = f"its parameter {one} has no type, and the model must know what to send"
            raise RequestError(f"{name} cannot be a tool: {why}", field=f"tools.{name}.{one}", value=name)
    return {one: found[one] for one in signature.parameters}


def _typed(hints: dict[str, Any], signature: inspect.Signature) -> Any:
    """The parameters as one TypedDict: what has a default need not be given."""
    fields: dict[str, Any] = {
        name: hint if signature.parameters[name].default is inspect.Parameter.empty else NotRequired[hint]
        for name, hint in hints.items()
    }
    return made_dict("Arguments", fields)


def _schema(arguments: Any, hints: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        return schema_of(arguments)
    except RequestError:
        for one, hint in hints.items():
            try:
                schema_of(hint)
            except RequestError as error:
                why = f"of its parameter {one}, {error.message}"
                raise RequestError(
                    f"{name} cannot be a tool: {why}", field=f"tools.{name}.{one}", value=hint
                ) from None
        raise


def _describe(
    schema: dict[str, Any], hints: dict[str, Any], signature: inspect.Signature, told: dict[str, str]
) -> None:
    """Put what docstring, `Annotated[T, "..."]` and defaults say of a parameter into its schema."""
    for name, field in schema.get("properties", {}).items():
        _, metadata = bare(hints[name])
        said = next((one for one in metadata if isinstance(one, str)), "") or told.get(name, "")
        if said and "description" not in field:
            field["description"] = said
        default = signature.parameters[name].default
        if isinstance(default, _SIMPLE):
            field.setdefault("default", default)

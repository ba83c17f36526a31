"""The two libraries that check values: msgspec for what it knows, pydantic where anything of its own is held.

Both refuse by `Invalid`, with the path from the value on. pydantic is imported only where its classes are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Protocol, TypedDict

import msgspec

from headrace.core.shape import Check, Invalid
from headrace.errors import RequestError
from headrace.structured.hints import holds_pydantic, is_pydantic

_AT = re.compile(r"^(?P<why>.*?)(?: - at `\$?(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(.+)`")


class World(Protocol):
    """How one library checks and describes types."""

    name: str

    def check(self, hint: Any) -> Check:
        """JSON's data, and whole values inside it -> a value of the type. Raises Invalid."""

    def recheck(self, hint: Any) -> Callable[[str], Any]:
        """JSON text -> a value of the type. Raises Invalid."""

    def schema(self, hint: Any) -> dict[str, Any]:
        """The type as a JSON schema. Raises TypeError for what has none."""


class MsgspecWorld:
    """msgspec: Structs, dataclasses, TypedDicts and Python's own types."""

    name = "msgspec"

    def check(self, hint: Any) -> Check:
        def check(value: Any) -> Any:
            try:
                return msgspec.convert(value, hint, str_keys=True)
            except msgspec.ValidationError as error:
                raise _refused(error) from error
            except Exception as error:  # a class's own code: what it raises says why the value is refused
                raise Invalid(f"{type(error).__name__}: {error}") from error

        return check

    def recheck(self, hint: Any) -> Callable[[str], Any]:
        check = self.check(hint)
        return lambda text: check(msgspec.json.decode(text))

    def schema(self, hint: Any) -> dict[str, Any]:
        return msgspec.json.schema(hint)


class PydanticWorld:
    """pydantic: its models and dataclasses, and whatever holds them."""

    name = "pydantic"

    def check(self, hint: Any) -> Check:
        return _pydantic_check(_validator(hint).validate_python)

    def recheck(self, hint: Any) -> Callable[[str], Any]:
        return _pydantic_check(_validator(hint).validate_json)

    def schema(self, hint: Any) -> dict[str, Any]:
        schema: dict[str, Any] = _adapter(hint).json_schema()
        return schema


def world_of(hint: Any) -> World:
    """Who checks values of this type."""
    return PydanticWorld() if _needs_pydantic(hint) else MsgspecWorld()


def made_dict(name: str, fields: dict[str, Any]) -> Any:
    """A TypedDict of types that are known only now. Before Python 3.12 pydantic takes another kind of it."""
    make: Any = TypedDict
    if any(map(_needs_pydantic, fields.values())):
        from typing_extensions import TypedDict as PydanticsTypedDict  # pydantic brings it along

        make = PydanticsTypedDict
    return make(name, fields)


def _needs_pydantic(hint: Any) -> bool:
    if not holds_pydantic(hint):
        return False
    try:
        import pydantic  # noqa: F401 - whether it is there
    except ImportError:
        why = "pydantic checks its annotated_types and is not installed: install it, or use msgspec.Meta"
        raise RequestError(why, field="output", value=hint) from None
    return True


def _refused(error: msgspec.ValidationError) -> Invalid:
    found = _AT.match(str(error))
    assert found is not None  # it matches every text
    why, path = found["why"], found["path"] or ""
    missing = _MISSING.search(why)
    return Invalid(why.replace("`", ""), f"{path}.{missing[1]}" if missing else path)


def _validator(hint: Any) -> Any:
    return hint.__pydantic_validator__ if is_pydantic(hint) else _adapter(hint).validator


def _adapter(hint: Any) -> Any:
    try:
        return _kept_adapter(hint)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _made_adapter(hint)


def _made_adapter(hint: Any) -> Any:
    import pydantic

    try:
        return pydantic.TypeAdapter(hint)
    except pydantic.errors.PydanticUserError as error:
        why = error.message.partition("\n")[0]
        raise RequestError(f"pydantic cannot check this type: {why}", field="output", value=hint) from None


# An adapter takes a millisecond to make, and is the same for every stream.
_kept_adapter = functools.lru_cache(maxsize=256)(_made_adapter)


def _pydantic_check(validate: Callable[[Any], Any]) -> Check:
    from pydantic_core import ValidationError

    def check(value: Any) -> Any:
        try:
            return validate(value)
        except ValidationError as error:
            raise _first_of(error) from error
        except Exception as error:  # a validator's own fault says why the value is refused
            raise Invalid(f"{type(error).__name__}: {error}") from error

    return check


def _first_of(error: Any) -> Invalid:
    first, *more = error.errors(include_url=False, include_context=False, include_input=False)
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    others = f" (and {len(more)} more)" if more else ""
    return Invalid(f"{first['msg']}{others}", path)

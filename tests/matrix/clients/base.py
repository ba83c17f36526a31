"""A client's side: the official package, unmodified, asks and shows what it was told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.matrix.features import BY_NAME
from tests.matrix.said import Ask, Said, Trouble

# (model, what is asked, whether it is streamed) -> what the package shows. An error is a `trouble`, with
# what was said before it.
Talk: TypeAlias = Callable[[str, Ask, bool], Awaitable[Said]]


@dataclass(frozen=True)
class Client:
    """connected: the server's URL -> a connected client, lent. package: the official one.

    errors: by facet of the feature, the package's class and status for the errors before an answer;
    whole_errors: those that differ where the answer is not streamed. later: its classes for an error behind
    the first text. offers: whether tools can be offered. unnamed: its requests name no model.
    streams_only: it knows no other answers. only_sound: it has sound written down or a text spoken.
    missing: why the package cannot be had, empty where it can.
    """

    wire: str
    package: str
    connected: Callable[[str], AbstractAsyncContextManager[Talk]]
    errors: Mapping[str, tuple[str, int | None]]
    later: tuple[str, ...]
    whole_errors: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    offers: bool = True
    unnamed: bool = False
    streams_only: bool = False
    only_sound: bool = False
    missing: Callable[[], str] = lambda: ""


class Headers:
    """An httpx event hook that notes what the server's header says could not be carried."""

    def __init__(self) -> None:
        self.warnings = ""

    async def __call__(self, response: Any) -> None:
        self.warnings = response.headers.get("x-headrace-warnings", "")


def function_tools(ask: Ask) -> list[dict[str, Any]]:
    """The tools on offer as OpenAI's chat has them, and Ollama's."""
    return [
        {
            "type": "function",
            "function": {"name": one.name, "description": one.description, "parameters": one.parameters},
        }
        for one in ask.tools
    ]


def settings_of(ask: Ask, *names: str) -> dict[str, Any]:
    """What is asked for, under the package's names, in the order of the feature's facets."""
    facets = BY_NAME["settings"].facets
    return {
        name: ask.settings[facet]
        for facet, name in zip(facets, names, strict=False)
        if name and facet in ask.settings
    }


def trouble(error: Exception, said: str, status: int | None = None, headers: Any = None) -> Trouble:
    """An exception as its catcher sees it; headers: of its response, where it has one."""
    wait = (headers or {}).get("retry-after")
    return Trouble(type(error).__name__, status, said, float(wait) if wait else None)

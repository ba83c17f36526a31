"""A vendor's side: what its models say, in its own bytes, and what of a request its own fields hold."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.matrix.features import BY_NAME
from tests.matrix.said import Function, Got, Said


@dataclass(frozen=True)
class Answer:
    """What the scripted place answers. cut: the connection is closed behind the body, not ended."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Script:
    """An answer, event by event, and what it says. content_type: where it is not the provider's."""

    events: tuple[bytes, ...]
    told: Said
    content_type: str = ""


@dataclass(frozen=True)
class Provider:
    """base: what a row's base_url has behind the host. quirks: of the row.

    scripts: by scene, those that the vendor's schema can say. begun: the events of an answer up to its first
    text. failed: the event of an error behind them. errors: by facet of the feature. read: (path, body) of a
    request -> what its fields say. only_sound: it writes sound down or speaks a text, and does nothing else.
    """

    wire: str
    base: str
    content_type: str
    scripts: Mapping[str, Script]
    begun: tuple[bytes, ...]
    failed: bytes
    errors: Mapping[str, Answer]
    read: Callable[[str, bytes], Got]
    quirks: Mapping[str, Any] = field(default_factory=dict)
    only_sound: bool = False

    def answer(self, scene: str) -> Answer:
        """What the place answers in a scene."""
        if scene in self.errors:
            return self.errors[scene]
        if scene == "errors in stream":
            return Answer(b"".join((*self.begun, self.failed)), self.content_type)
        if scene == "truncation":
            return Answer(b"".join(self.begun), self.content_type, cut=True)
        script = self.scripts[scene]
        return Answer(b"".join(script.events), script.content_type or self.content_type)


def sse(*bodies: Any, end: bytes = b"\n\n") -> tuple[bytes, ...]:
    """Events without a name."""
    return tuple(b"data: " + json.dumps(body).encode() + end for body in bodies)


def named(*bodies: dict[str, Any]) -> tuple[bytes, ...]:
    """Events that are called what their `type` says."""
    return tuple(f"event: {body['type']}\ndata: {json.dumps(body)}\n\n".encode() for body in bodies)


def refused(status: int, error: Any, **headers: str) -> Answer:
    """An answer with an error status; `_` in a header's name stands for `-`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(json.dumps(error).encode(), status=status, headers=fields)


def functions_in(data: Mapping[str, Any]) -> list[Function]:
    """The tools on offer, where they stand as in OpenAI's chat."""
    offered = [tool["function"] for tool in data.get("tools", ())]
    return [Function(one["name"], one["description"], one["parameters"]) for one in offered]


def settings_in(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The settings by the feature's facets; names: the vendor's, in the same order."""
    facets = BY_NAME["settings"].facets
    return {facet: data[name] for facet, name in zip(facets, names, strict=False) if name in data}


def data_url(url: str) -> bytes:
    """The bytes behind `data:...;base64,`. Raises ValueError where it is none."""
    head, comma, data = url.partition(";base64,")
    if not comma or not head.startswith("data:"):
        raise ValueError(f"no data: URL: {url[:60]}")
    return b64decode(data, validate=True)

"""Events kept whole but for what we model: a template with holes.

This protocol says everything again and again: the text of an answer comes in deltas, then whole when the text
is done, when its part is, when its item is, and once more in the final response. A template is such an event
without that text: each hole says where it was and which block holds it. So what a stage between decoder and
encoder did to the text (a guard that redacts, say) holds everywhere, yet nothing else of an event is lost.

A template is the `data` of an `Opaque`: {"event": {...}, "holes": [{"at": [path], "block": n, "part": k}]}.
block: the block's number. part: its place among the reply's parts, -1 where it is none. as: "text" (where
not said), "base64" for an image's bytes or "logprobs" for a text's tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from headrace.core.opaque import Opaque
from headrace.wire.kept import own_of
from headrace.wire.openai_responses.schema import WIRE_NAME

Fields = dict[str, Any]
Path = tuple[str | int, ...]

# A delta that no event said: its text came in a later one, which is a template with a hole for it.
SILENT = Opaque(WIRE_NAME, {"silent": True})


def own(vendor: Opaque | None) -> Fields:
    """The data of what came over this wire; empty for any other."""
    return own_of(vendor, WIRE_NAME)


def template(event: Fields, holes: Iterable[Fields] = (), **more: Any) -> Opaque:
    """`event`, whose texts at `holes` are taken out already. more: what else is to be known of it."""
    event.pop("sequence_number", None)
    event.pop("obfuscation", None)
    data: Fields = {"event": event, **more}
    held = list(holes)
    if held:
        data["holes"] = held
    return Opaque(WIRE_NAME, data)


def filled(data: Fields, content: Callable[[Fields], Any]) -> Fields:
    """The event of a template with its holes filled; only what lies on the way to a hole is copied.

    content: what belongs into a hole.
    """
    event: Fields = data["event"]
    holes = data.get("holes")
    if not holes:
        return event
    root = event.copy()
    copied: dict[Path, Any] = {(): root}
    for hole in holes:
        *way, last = hole["at"]
        node: Any = root
        trail: Path = ()
        for step in way:
            trail = (*trail, step)
            below = copied.get(trail)
            if below is None:
                below = copied[trail] = node[step].copy()
                node[step] = below
            node = below
        node[last] = content(hole)
    return root

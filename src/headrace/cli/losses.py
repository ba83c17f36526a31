"""What of a reply another one lacks: one plain sentence for each thing, found by comparing the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from headrace.core.chunk import Token
from headrace.core.message import OpaquePart
from headrace.core.reply import Candidate, Reply


class _Feature(NamedTuple):
    """Something that a reply may have. read: its value, which is compared; what is falsy is not there.

    of: the feature that it is a part of: where that is gone, it is not told as well.
    """

    what: str
    read: Callable[[Reply], Any]
    of: str = ""


def losses(said: Reply, heard: Reply, to: str) -> Iterator[str]:
    """What `heard`, as read from the protocol `to`, lacks of `said` or tells otherwise."""
    moved = {what: other for what in _SPOKEN if (other := _went_as(what, said, heard))}
    gone: set[str] = set()
    for what, read, of in _FEATURES:
        mine, theirs = read(said), read(heard)
        if not mine or mine == theirs or of in gone or (what == "text" and moved and mine in theirs):
            continue
        if what in moved:
            yield f"{to} has no place for {what}: it went out as {moved[what]}"
        elif theirs:
            yield f"{to} tells {what} otherwise{_as_what(mine, theirs)}"
        else:
            gone.add(what)
            yield f"{to} has no place for {what}: left out"
    for wire, what in sorted(_own(said) - _own(heard)):
        yield f"only {wire} understands {what}: left out"


def _as_what(mine: Any, theirs: Any) -> str:
    return f": {mine} as {theirs}" if isinstance(mine, str | int) and len(f"{mine}{theirs}") < 100 else ""


def _first(reply: Reply) -> Candidate:
    return reply.candidates[0] if reply.candidates else Candidate()


_SPOKEN: dict[str, Callable[[Candidate], str]] = {
    "text": lambda one: one.text,
    "reasoning": lambda one: one.reasoning,
    "a refusal": lambda one: one.refusal,
    "a transcript": lambda one: one.transcript,
}


def _went_as(what: str, said: Reply, heard: Reply) -> str:
    """What words of one kind went out as; empty where that is what they are, and where they did not go."""
    before, after = _first(said), _first(heard)
    mine = _SPOKEN[what](before)
    if not mine or _SPOKEN[what](after):
        return ""
    held = (other for other, read in _SPOKEN.items() if mine in read(after) and mine not in read(before))
    return next(held, "")


def _calls(reply: Reply) -> list[str]:
    return sorted(f"{call.name} {_spelt(call.arguments)!r}" for call in reply.tool_calls)


def _spelt(arguments: str) -> Any:
    """Arguments as JSON, however it is spelt; as they are where they are none."""
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments


def _tokens(reply: Reply) -> tuple[Token, ...]:
    return (*_first(reply).tokens, *_first(reply).refusal_tokens)


def _cites(reply: Reply, name: str) -> list[Any]:
    found = [getattr(one, name) for one in _first(reply).citations]
    return found if any(value not in ("", -1) for value in found) else []


def _count(name: str) -> _Feature:
    return _Feature(f"usage.{name}", lambda reply: reply.usage is not None and getattr(reply.usage, name))


def _words(what: str) -> _Feature:
    return _Feature(what, lambda reply: _SPOKEN[what](_first(reply)))


_FEATURES = (
    *map(_words, _SPOKEN),
    _Feature("tool calls", _calls),
    _Feature("ids of tool calls", lambda reply: sorted(call.id for call in reply.tool_calls), "tool calls"),
    _Feature("the order of tool calls", lambda reply: [call.name for call in reply.tool_calls], "tool calls"),
    _Feature("results of tools", lambda reply: [*reply.earlier, *reply.tool_results]),
    _Feature("tokens", lambda reply: bool(_tokens(reply))),
    _Feature("ids of tokens", lambda reply: any(one.id is not None for one in _tokens(reply)), "tokens"),
    _Feature("log probabilities", lambda reply: any(one.logprob for one in _tokens(reply)), "tokens"),
    _Feature("alternatives to tokens", lambda reply: any(one.top for one in _tokens(reply)), "tokens"),
    _Feature("times of words", lambda reply: _first(reply).words),
    _Feature("sound", lambda reply: getattr(_first(reply).audio, "data", b"")),
    _Feature("the format of sound", lambda reply: getattr(_first(reply).audio, "format", ""), "sound"),
    _Feature("images", lambda reply: [one.data for one in _first(reply).images]),
    _Feature("media types of images", lambda reply: [one.format for one in _first(reply).images], "images"),
    _Feature("citations", lambda reply: _cites(reply, "url")),
    _Feature("quotes of citations", lambda reply: _cites(reply, "quote"), "citations"),
    _Feature("places of citations", lambda reply: _cites(reply, "start"), "citations"),
    _Feature("further candidates", lambda reply: len(reply.candidates) > 1),
    _Feature("the finish reason", lambda reply: reply.finish_reason),
    _Feature("the stop sequence", lambda reply: _first(reply).stop_sequence),
    _Feature("the kind of failure", lambda reply: getattr(reply.failure, "kind", "")),
    _count("input_tokens"),
    _count("output_tokens"),
    _count("cached_input_tokens"),
    _count("cache_write_tokens"),
    _count("reasoning_tokens"),
    _Feature("the answer's id", lambda reply: reply.id),
    _Feature("the model's name", lambda reply: reply.model),
    _Feature("the time of creation", lambda reply: reply.created_s),
)

# What vendors want back with the next turn, by their names for it.
_SIGNATURES = frozenset({"signature", "thoughtSignature", "encrypted_content", "redacted_thinking"})


def _own(reply: Reply) -> set[tuple[str, str]]:
    """(wire, what) of the parts that only their own wire understands, and of signatures."""
    found: set[tuple[str, str]] = set()
    for part in _first(reply).parts:
        if part.vendor is None:
            continue
        if isinstance(part, OpaquePart):
            found.add((part.vendor.wire, _kind(part.vendor.data)))
        elif _is_signed(part.vendor.data):
            found.add((part.vendor.wire, "its signatures"))
    return found


def _kind(data: Any) -> str:
    """The vendor's word for an opaque part: its type, or what it has; perhaps one level down."""
    if not isinstance(data, dict):
        return "a part"
    inner = data if "type" in data else next((one for one in data.values() if isinstance(one, dict)), data)
    return str(inner.get("type") or ", ".join(map(str, inner)))


def _is_signed(data: Any) -> bool:
    """Whether a signature stands anywhere in it."""
    looked_at = [data]
    for one in looked_at:
        if isinstance(one, dict):
            if one.get("type") in _SIGNATURES or any(one[name] for name in _SIGNATURES & one.keys()):
                return True
            looked_at += one.values()
        elif isinstance(one, list):
            looked_at += one
    return False

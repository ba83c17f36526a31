"""Wires that are wrong in one way each: `MUTANTS` says which check finds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.testing.tiny_wire import tiny

from headrace.core.chunk import (
    Cancelled,
    CandidateEnd,
    Failure,
    Finish,
    UsageReport,
    VendorPart,
)
from headrace.errors import RequestError, Truncated, Unavailable
from headrace.framing.ndjson import NdjsonDecoder
from headrace.testing.conformance import NDJSON, Sample, WireCase
from headrace.wire.base import ParsedRequest

CASE: WireCase = tiny.CASE
Decoder: Any = tiny.LinesDecoder
Encoder: Any = tiny.LinesEncoder


def decoded_by(decoder: Any, case: WireCase = CASE) -> WireCase:
    return replace(case, wire=replace(case.wire, decoder=decoder))


def encoded_by(encoder: Any, case: WireCase = CASE) -> WireCase:
    return fronted(case, encoder=lambda _says, _parsed: encoder())


def fronted(case: WireCase = CASE, **changed: Any) -> WireCase:
    assert case.wire.front is not None
    return replace(case, wire=replace(case.wire, front=replace(case.wire.front, **changed)))


# --- decoders


class NeverClean(Decoder):
    def end(self, terminal: Any, out: list[Any]) -> None:
        super().end(replace_in(terminal, clean=False), out)


class LosesABytesAtOneCut(Decoder):
    def feed(self, batch: Sequence[bytes]) -> list[Any]:
        return super().feed([data[:-1] if len(data) == 7 else data for data in batch])


class NumbersBlocksFromOne(Decoder):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        said: list[Any] = []
        super().line(event, raw, said)
        out += [one if isinstance(one, VendorPart) else replace_in(one, block=1) for one in said]


class MakesUpAnEnd(Decoder):
    def close(self) -> list[Any]:
        if self.over or not self.count:
            return super().close()
        self.over = True
        return [tiny.BlockEnd(0), CandidateEnd("stop"), Finish()]


class LivesOn(Decoder):
    def close(self) -> list[Any]:
        out = super().close()
        self.over, self.lines = False, NdjsonDecoder()
        return out


class RaisesAtABadByte(Decoder):
    def take(self, lines: Any, out: list[Any]) -> None:
        if any(isinstance(line, bytes) and b"\xf0\x9f\x98" in line for line in lines):
            raise ValueError("a byte that is no text")
        super().take(lines, out)


class RaisesAtNull(Decoder):
    def take(self, lines: Any, out: list[Any]) -> None:
        if b"null" in lines:
            raise TypeError("None")
        super().take(lines, out)


class BlamesTheProviderForGarbage(Decoder):
    def end(self, terminal: Any, out: list[Any]) -> None:
        odd = (
            isinstance(terminal, Failure)
            and terminal.kind == "wire"
            and "not a JSON object" in terminal.message
        )
        super().end(Failure.of(Unavailable("busy")) if odd else terminal, out)


class RaisesAtAWrongType(Decoder):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        "".join([event.get("say", "")])
        super().line(event, raw, out)


class FailsUntyped(Decoder):
    def end(self, terminal: Any, out: list[Any]) -> None:
        odd = isinstance(terminal, Failure) and "is no count" in terminal.message
        super().end(Failure("generation", "oh no") if odd else terminal, out)


class DropsUnknownEvents(Decoder):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        said: list[Any] = []
        super().line(event, raw, said)
        out += [one for one in said if not isinstance(one, VendorPart)]


class DropsUnknownFields(Decoder):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        said: list[Any] = []
        super().line(event, raw, said)
        out += [replace_in(one, vendor=None) for one in said]


class CountsFromTheBeginning(Decoder):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        super().line(event, raw, out)
        for _ in range(self.count):
            pass


class RescansItsLine(Decoder):
    def __init__(self, *quirks: Any) -> None:
        super().__init__(*quirks)
        self.held = b""

    def feed(self, batch: Sequence[bytes]) -> list[Any]:
        for data in batch:
            self.held = (self.held + data).split(b"\n")[-1][-9999:]
        return super().feed(batch)


class KeepsAllLines(Decoder):
    def __init__(self, *quirks: Any) -> None:
        super().__init__(*quirks)
        self.all: list[bytes] = []

    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        if b"x_unknown" not in raw:  # those are another mutant's
            self.all.append(raw)
        super().line(event, raw, out)


class KeepsMoreThanCame(KeepsAllLines):
    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        super().line(event, raw * 100, out)


class RemembersNames(Decoder):
    def __init__(self, *quirks: Any) -> None:
        super().__init__(*quirks)
        self.seen: dict[str, Any] = {}

    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        self.seen.update(event)
        super().line(event, raw, out)


class HasNoLimit(Decoder):
    def __init__(self, *quirks: Any) -> None:
        super().__init__(*quirks)
        self.lines = NdjsonDecoder(2**30)


class TakesAPageForACut(Decoder):
    def take(self, lines: Any, out: list[Any]) -> None:
        if lines and isinstance(lines[0], bytes) and lines[0].startswith(b"<"):
            self.end(Failure.of(Truncated("cut")), out)
        super().take(lines, out)


class SaysBye(Decoder):
    """Right, of another protocol: {"bye": true} says that the stream is over, and may be missing."""

    clean_without = False

    def __init__(self, *quirks: Any) -> None:
        super().__init__(*quirks)
        self.held: Any = None

    def line(self, event: Any, raw: bytes, out: list[Any]) -> None:
        if self.held is not None and "bye" in event:
            self.over = True
            out.append(replace_in(self.held, vendor=tiny.kept(event, "bye")))
        else:
            super().line(event, raw, out)

    def end(self, terminal: Any, out: list[Any]) -> None:
        if isinstance(terminal, Finish):
            self.held = terminal
        else:
            super().end(terminal, out)

    def close(self) -> list[Any]:
        if self.held is None or self.over:
            return super().close()
        self.over = True
        return [replace_in(self.held, clean=self.clean_without)]


class ByeIsNotMissed(SaysBye):
    clean_without = True


WITH_BYE = WireCase(
    replace(tiny.WIRE, decoder=SaysBye, front=None),
    [Sample("bye", tiny.TEXT + b'{"bye":true}\n', CASE.samples[0].said, enough=3)],
    separated=NDJSON,
)

# --- encoders


class Numbered(Encoder):
    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def events(self, chunk: Any) -> list[Any]:
        self.number += 1
        events = super().events(chunk)
        return [{**one, "number": self.number} if "say" in one else one for one in events]


class AlwaysStops(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        return [{**one, "end": "stop"} if "end" in one else one for one in super().events(chunk)]


class ShowsItsBatches(Encoder):
    def feed(self, batch: Sequence[Any]) -> list[bytes]:
        return [b"\n" * (len(batch) > 1), *super().feed(batch)]


class MakesUpTheLastLine(Encoder):
    def close(self) -> list[bytes]:
        return self.feed([Finish()])


class CopiesCounts(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        if isinstance(chunk, UsageReport) and chunk.usage.vendor is not None:
            self.last |= chunk.usage.vendor.data
        return super().events(chunk)


class MixesUpCounts(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        if isinstance(chunk, UsageReport) and chunk.usage.vendor is not None:
            swapped = replace_in(
                chunk.usage, input_tokens=chunk.usage.output_tokens, output_tokens=chunk.usage.input_tokens
            )
            chunk = UsageReport(swapped)
        return super().events(chunk)


class CopiesOthersParts(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        vendor = getattr(chunk, "vendor", None)
        events = super().events(chunk)
        return [{**vendor.data, **one} for one in events] if vendor is not None else events


class ForgetsTheWord(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        return [{"error": one["error"]} if "error" in one else one for one in super().events(chunk)]


class TakesCancelledForDone(Encoder):
    def events(self, chunk: Any) -> list[Any]:
        return super().events(Finish() if isinstance(chunk, Cancelled) else chunk)


class CountsItsChunks(Encoder):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def events(self, chunk: Any) -> list[Any]:
        self.count += 1
        for _ in range(self.count):
            pass
        return super().events(chunk)


# --- requests and bodies


def build_without_extras(request: Any, quirks: Any) -> Any:
    return tiny.build(replace_in(request, vendor=None), quirks)


def build_with_a_warning(request: Any, quirks: Any) -> Any:
    return replace(tiny.build(request, quirks), warnings=("something was left out",))


def parse_that_quotes_it_all(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    try:
        parsed: ParsedRequest = tiny.parse(body, path)
    except RequestError as error:
        raise RequestError(f"{error.message} (it is {error.value})", field=error.field) from None
    return parsed


def parse_with_a_key_error(body: bytes, path: Mapping[str, str]) -> ParsedRequest:
    json.dumps(tiny.read_object(body)["ask"])
    parsed: ParsedRequest = tiny.parse(body, path)
    return parsed


def built_by(build: Any) -> WireCase:
    return replace(CASE, wire=replace(CASE.wire, build=build))


def replace_in(value: Any, **changed: Any) -> Any:
    import msgspec

    known = {name: one for name, one in changed.items() if hasattr(value, name)}
    return msgspec.structs.replace(value, **known)


SAID = CASE.samples[0].said
FULL_TEXT = tiny.TEXT.replace(b"stop", b"full")
FULL = replace(CASE, samples=[Sample("full", FULL_TEXT, replace(SAID, finish_reason="length"))])

# What is wrong -> (the wire, the one check that finds it, words of what it says).
MUTANTS: dict[str, tuple[WireCase, str, str]] = {
    "the sample is another": (
        replace(CASE, samples=[replace(CASE.samples[0], said=replace(SAID, text="Hullo"))]),
        "adds_up", "text is 'Hello', not 'Hullo'"),
    "never clean": (decoded_by(NeverClean), "adds_up", "clean Finish"),
    "a cut shows": (decoded_by(LosesABytesAtOneCut), "every_split", "cut at [7]"),
    "blocks from 1": (decoded_by(NumbersBlocksFromOne), "chunk_order", "the next block is number 0"),
    "a made-up end": (decoded_by(MakesUpAnEnd), "truncation", "cut at byte 14 of"),
    "a missing mark": (decoded_by(ByeIsNotMissed, WITH_BYE), "complete_without_its_end", "not clean"),
    "life after close": (decoded_by(LivesOn), "nothing_follows_the_end", "after close"),
    "a ping that says something": (fronted(ping=b'{"ping":1}\n'), "keep_alive", "before event 0"),
    "a raise over a byte": (decoded_by(RaisesAtABadByte), "garbage_bytes", "no text"),
    "a raise over an event": (decoded_by(RaisesAtNull), "garbage_events", "b'null' before event 0"),
    "garbage is the provider's": (decoded_by(BlamesTheProviderForGarbage), "garbage_events", "`wire`"),
    "a raise over a type": (decoded_by(RaisesAtAWrongType), "wrong_types", "event 0 with another say"),
    "an untyped failure": (decoded_by(FailsUntyped), "wrong_types", "event 2 with another read"),
    "unknown events lost": (decoded_by(DropsUnknownEvents), "unknown_events", "before event 0 of 3 was lost"),
    "unknown fields lost": (decoded_by(DropsUnknownFields), "unknown_fields", "event 0, the event itself"),
    "each event costs more": (decoded_by(CountsFromTheBeginning), "linear_in_events", "times the work"),
    "each byte costs more": (decoded_by(RescansItsLine), "linear_drip_fed", "item by item"),
    "a stream that is kept": (decoded_by(KeepsAllLines), "bounded_stream", "after 256"),
    "more than is to be kept": (
        decoded_by(KeepsMoreThanCame, replace(CASE, keeps=(b"say", b"end"))), "bounded_stream", "after 256"),
    "names that are kept": (decoded_by(RemembersNames), "bounded_names", "ever new fields"),
    "an endless event": (decoded_by(HasNoLimit), "bounded_event", "MiB"),
    "a page is a cut": (decoded_by(TakesAPageForACut), "misfits", "a page with a 200"),
    "a field more": (encoded_by(Numbered), "same_events", "event 0 became"),
    "another reason": (
        encoded_by(AlwaysStops, replace(FULL, spelling=lambda one: {**one, "end": one.get("say")})),
        "same_reply", "finish_reason is 'stop', not 'length'"),
    "batches show": (encoded_by(ShowsItsBatches), "any_grouping", "cut at"),
    "the encoder makes up an end": (encoded_by(MakesUpTheLastLine), "cut_source", "cut behind chunk"),
    "counts are copied": (encoded_by(CopiesCounts), "usage_converted", "copied"),
    "counts are mixed up": (encoded_by(MixesUpCounts), "usage_converted", "usage became"),
    "others' parts are lost": (replace(CASE, carries=True), "others_parts", "came back as parts of"),
    "others' parts go out": (encoded_by(CopiesOthersParts), "others_parts", "another wire"),
    "each chunk costs more": (encoded_by(CountsItsChunks), "encoder_linear", "again and again"),
    "the whole body says nothing": (fronted(body=lambda *_: b"{}"), "whole_body", "'Hello'"),
    "the whole body is no JSON": (fronted(body=lambda *_: b"{"), "whole_body", "no JSON"),
    "all failures are one": (encoded_by(ForgetsTheWord), "failures", "it came back as `unavailable`"),
    "cancelled is done": (encoded_by(TakesCancelledForDone), "cancelled", "became a success"),
    "an error body says nothing": (
        fronted(error_body=lambda failure: tiny.FRONT.error_body(replace_in(failure, message=""))),
        "error_bodies", "its message was lost"),
    "a field of the request lost": (built_by(build_without_extras), "same_request", "mood = 'nothing'"),
    "a warning too many": (built_by(build_with_a_warning), "same_request", "something was left out"),
    "a value is quoted whole": (fronted(parse=parse_that_quotes_it_all), "long_values", "the longest in"),
    "parse raises": (fronted(parse=parse_with_a_key_error), "bad_requests", "KeyError"),
}  # fmt: skip

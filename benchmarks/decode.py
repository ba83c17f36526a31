"""Decoding an OpenAI chat stream out of memory: cost a chunk, and that it is linear however it is cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from benchmarks.rig.figures import paired_ratio
from benchmarks.rig.options import Options, main
from benchmarks.rig.protocols import CHAT, chunk, words
from benchmarks.rig.result import Check, Claim, Result
from headrace.core.chunk import Failure, TextDelta
from headrace.framing.sse import SseDecoder
from headrace.wire import wire_named

READ_BYTES = 16 * 1024
CHUNKS = 100_000
PEER_CHUNKS = 10_000
DRIP_BYTES = 1_000_000
BIG_EVENT_BYTES = 1_000_000
PEER_RATIO_LIMIT = 1 / 20
LINEAR_LIMIT = 2.6  # twice the work may take twice the time, and some noise
UNIT = "us CPU a chunk"


def stream_bytes(pieces: int) -> bytes:
    """A whole answer's SSE body."""
    played = CHAT.played(pieces, True)
    return b"".join([*played.opening, *played.pieces, *played.ending])


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes in reads of `size`."""
    return (data[at : at + size] for at in range(0, len(data), size))


def headrace_text(reads: Iterable[bytes]) -> str:
    """The text by Headrace's wire. Raises RuntimeError on a failure."""
    stage = wire_named("openai_chat").decoder()
    found: list[str] = []
    for data in reads:
        found += [item.text for item in stage.feed([data]) if type(item) is TextDelta]
    for item in stage.close():
        if isinstance(item, Failure):
            raise RuntimeError(item.message)
    return "".join(found)


def framed_events(reads: Iterable[bytes]) -> int:
    """How many events Headrace's SSE decoder finds."""
    decoder = SseDecoder()
    count = sum(len(decoder.feed(data)) for data in reads)
    return count + len(decoder.close())


def openai_text(reads: Iterable[bytes]) -> str:
    """The text by openai-python's own SSE decoder and its own model of a chunk."""
    from openai._models import construct_type
    from openai._streaming import SSEDecoder
    from openai.types.chat import ChatCompletionChunk

    found: list[str] = []
    for event in SSEDecoder().iter_bytes(iter(reads)):
        if event.data.startswith("[DONE]"):
            break
        made = construct_type(type_=ChatCompletionChunk, value=event.json())
        assert isinstance(made, ChatCompletionChunk)
        found += [choice.delta.content or "" for choice in made.choices]
    return "".join(found)


def timed_s(work: Callable[[], object]) -> float:
    """CPU seconds of one call in this process."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def measure(options: Options) -> Result:
    """One process, CPU time, everything in memory; each case twice as large to show that time is linear."""
    scale = 10 if options.quick else 1
    result = Result("decode", "Decoding OpenAI chat chunks", {"runs": options.runs, "read_bytes": READ_BYTES})
    result.checks.append(same_text())
    for _ in range(options.runs):
        chunk_cost(result, PEER_CHUNKS // scale)
        for factor in (1, 2):
            long_streams(result, CHUNKS // scale, factor)
            dripped(result, DRIP_BYTES // scale, factor)
            big_events(result, BIG_EVENT_BYTES // scale, factor)
    state_claims(result)
    return result


def same_text() -> Check:
    """Both decoders read the same text, in reads of any size: else no figure means anything."""
    expected, body = "".join(words(500)), stream_bytes(500)
    read = {size: headrace_text(cut(body, size)) for size in (1, 7, 1000, READ_BYTES)}
    passed = openai_text([body]) == expected and set(read.values()) == {expected}
    return Check("both decoders give the text that was sent", passed)


def chunk_cost(result: Result, chunks: int) -> None:
    """The same bytes in the same reads through both."""
    body = stream_bytes(chunks - 3)
    for who, decode in {"headrace": headrace_text, "openai": openai_text}.items():
        spent_s = timed_s(lambda decode=decode: decode(cut(body, READ_BYTES)))  # type: ignore[misc]
        result.add_run("reads of 16 KiB", who, UNIT, spent_s * 1e6 / chunks)
    spent_s = timed_s(lambda: framed_events(cut(body, READ_BYTES)))
    result.add_run("reads of 16 KiB", "headrace, SSE alone", UNIT, spent_s * 1e6 / chunks)


def long_streams(result: Result, chunks: int, factor: int) -> None:
    """One stream of very many chunks."""
    body = stream_bytes(chunks * factor - 3)
    spent_s = timed_s(lambda: headrace_text(cut(body, READ_BYTES)))
    result.add_run("one stream of 100,000 chunks", f"headrace x{factor}", "s", spent_s)


def dripped(result: Result, size: int, factor: int) -> None:
    """One byte a read."""
    body = stream_bytes(size * factor // 300)[: size * factor]
    for who, work in {"headrace": headrace_framed_and_decoded, "headrace SSE": framed_events}.items():
        spent_s = timed_s(lambda work=work: work(cut(body, 1)))  # type: ignore[misc]
        result.add_run("1 MB, a byte a read", f"{who} x{factor}", "s", spent_s)


def headrace_framed_and_decoded(reads: Iterable[bytes]) -> int:
    """Chunks found in a body that may end anywhere."""
    stage = wire_named("openai_chat").decoder()
    return sum(len(stage.feed([data])) for data in reads)


def big_events(result: Result, size: int, factor: int) -> None:
    """Events of a megabyte of text, in ordinary reads."""
    delta = {"index": 0, "delta": {"content": "x" * (size * factor)}, "logprobs": None, "finish_reason": None}
    body = chunk([delta]) * 10
    spent_s = timed_s(lambda: headrace_framed_and_decoded(cut(body, READ_BYTES)))
    result.add_run("10 events of 1 MB", f"headrace x{factor}", "s", spent_s)


def state_claims(result: Result) -> None:
    """The peer's ratio, and twice the work over once the work."""
    case = "reads of 16 KiB"
    ratio = paired_ratio(result.runs(case, "headrace"), result.runs(case, "openai"))
    result.claims.append(Claim("decoding: headrace / openai-python", ratio, limit=PEER_RATIO_LIMIT))
    rows = [row for row in result.measures if row.who.endswith(("x1", "x2"))]
    rows.sort(key=lambda row: (row.case, row.who))
    for once, twice in pairwise(rows):
        if once.who.endswith("x1"):
            name = f"{once.case}, {once.who[:-3]}: twice as much / once"
            result.claims.append(Claim(name, paired_ratio(twice.runs, once.runs), limit=LINEAR_LIMIT))


if __name__ == "__main__":
    main("decode", measure)

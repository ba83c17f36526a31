"""Checks of failures: an error keeps its kind on its way; an answer that is no stream is named."""

from __future__ import annotations

from headrace.core.chunk import Cancelled, Chunk, Failure, Finish, Start
from headrace.core.fold import fold
from headrace.errors import KINDS, HeadraceError, ProviderError, RequestError, Truncated
from headrace.testing.conformance.case import Sample, WireCase
from headrace.testing.conformance.reading import failure_of, fault, read, read_any_way, short, write

SAID = "the far end said so"
_PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body>no</body></html>"
# What a status alone tells of a failure, where the protocol has no word for it.
_BY_STATUS = {
    "context_overflow": "bad_request",
    "content_blocked": "bad_request",
    "truncated": "unavailable",
}
# A cancellation has a terminal of its own, and a check; a gap is told to readers of a log, never by a wire's.
_NEVER_SENT = frozenset({"error", "config", "cancelled", "gap"})


def failures(case: WireCase, sample: Sample) -> None:
    """A failure before the first word and in the middle: encoded and decoded it is of the same kind.

    What was said before it is not lost.
    """
    chunks = read(case, sample.body)
    first = next((place for place, one in enumerate(chunks) if isinstance(one, Start)), 0)
    for count in (first + 1, len(chunks) // 2):
        said = fold(chunks[:count])
        for kind, error in _sent().items():
            where = f"a {kind} failure behind chunk {count} of {len(chunks)}"
            data = write(case, [*chunks[:count], Failure.of(error(SAID))], where)
            again = read_any_way(case, data, where)
            expected = case.fails_as.get(kind) or _told(kind)
            _same(Failure.of(error(SAID)), failure_of(again, where, data), expected, where, data)
            if not fold(again).text.startswith(said.text):
                raise fault(f"{where}: {said.text!r} came before it, but {fold(again).text!r} was read", data)


def cancelled(case: WireCase, sample: Sample) -> None:
    """An answer that was cancelled is no success to the client."""
    chunks: list[Chunk] = [*read(case, sample.body)[:-1], Cancelled("the owner stopped it")]
    data = write(case, chunks)
    last = read(case, data)[-1]
    if isinstance(last, Finish):
        raise fault("a cancelled answer became a success", data)


def error_bodies(case: WireCase) -> None:
    """A failure before the stream: its status and body are read as the same kind, as far as they tell it."""
    front = case.served
    assert front is not None
    headers = {"content-type": "application/json"}
    for kind, error in _sent().items():
        sent = Failure.of(error(SAID))
        body = front.error_body(sent)
        failure = case.wire.failure(sent.http_status, headers, body, "place")
        where = f"a {kind} failure with status {sent.http_status}"
        _same(sent, failure, _BY_STATUS.get(kind) or _told(kind), where, body)


def misfits(case: WireCase) -> None:
    """With a 200 there came no stream: nothing, a page, the beginning of JSON, an error: a typed failure."""
    bodies = {
        "nothing": (b"", "truncated"),
        "blank lines": (b"\r\n\n \n", "truncated"),
        "a page": (_PAGE, "wire"),
        "plain text": (b"upstream connect error\n", None),
        "JSON that is cut": (b'{"cut', None),
    }
    if case.served is not None:
        sent = Failure.of(KINDS["unavailable"](SAID))
        bodies["an error's body"] = (case.served.error_body(sent), "unavailable")
    for what, (body, kind) in bodies.items():
        failure = failure_of(read_any_way(case, body, f"{what} with a 200"), f"{what} with a 200", body)
        if kind is None:
            kind = failure.kind if failure.kind in ("wire", "truncated") else "wire"
        if failure.kind != kind:
            raise fault(f"{what} with a 200: expected a `{kind}` failure, not {short(failure)}", body)


def _same(sent: Failure, got: Failure, expected: str, where: str, data: bytes) -> None:
    if got.kind not in (sent.kind, expected):
        raise fault(f"{where}: it came back as `{got.kind}`, not `{expected}`: {short(got)}", data)
    if got.kind == sent.kind and got.retryable != sent.retryable:
        raise fault(f"{where}: whether to try again was {sent.retryable}, now it is {got.retryable}", data)
    if SAID not in got.message:
        raise fault(f"{where}: its message was lost: {short(got)}", data)


def _told(kind: str) -> str:
    """What a client hears of a failure: what is Headrace's own is its provider's failure, or its fault."""
    error = KINDS[kind]
    if issubclass(error, RequestError):
        return "bad_request"
    named = issubclass(error, ProviderError) and error is not ProviderError
    return kind if named or error is Truncated else "unavailable"


def _sent() -> dict[str, type[HeadraceError]]:
    return {kind: error for kind, error in KINDS.items() if kind not in _NEVER_SENT}

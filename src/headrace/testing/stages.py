"""The test kit for any stage: any cut, any truncation, garbage anywhere, inert afterwards, one terminal.

Each check takes `make_stage`, which makes a fresh stage, and `data`, what to feed it: bytes, text, or a list
of items (the batch to be cut up). A stage whose batch is a list of reads, such as a wire's decoder, is
wrapped: `reads(WIRE.decoder)`. Every check raises AssertionError with the cut that shows the fault.

    from headrace.testing import stages

    def test_my_guard() -> None:
        stages.check(MyGuard, [TextDelta(0, "call me at"), TextDelta(0, " 555-0100")], chunks=True)

Needs `pip install headrace[testing]` (hypothesis picks the cuts that are not tried exhaustively).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from typing import Any, Protocol, TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.core.chunk import TERMINALS, Failure

# Offsets tried exhaustively: each costs one run over the data, so the whole is quadratic in this number.
EXHAUSTIVE = 1024
GARBAGE: tuple[bytes, ...] = (b"\x00", b"\xff\xfe", b"\r", b"\n\n", b"{]}", b"\xf0\x9f\x98", b"data: {\n\n")


class AnyStage(Protocol):
    """A stage as the kit sees it."""

    def feed(self, batch: Any, /) -> Sequence[Any]: ...
    def close(self) -> Sequence[Any]: ...


MakeStage: TypeAlias = Callable[[], AnyStage]
Normal: TypeAlias = Callable[[list[Any]], Any]


class _Reads:
    """A stage of reads, fed with the bytes of one read."""

    def __init__(self, stage: AnyStage) -> None:
        self.stage = stage

    def feed(self, data: bytes) -> Sequence[Any]:
        return self.stage.feed([data])

    def close(self) -> Sequence[Any]:
        return self.stage.close()


def reads(make_stage: MakeStage) -> MakeStage:
    """The same for a stage that takes a list of reads, so that `data` can be one run of bytes."""
    return lambda: _Reads(make_stage())


def run(stage: AnyStage, pieces: Iterable[Any]) -> list[Any]:
    """All that comes out of feeding `pieces` one by one and closing."""
    out: list[Any] = []
    for piece in pieces:
        out += stage.feed(piece)
    out += stage.close()
    return out


def cut(data: Any, cuts: Iterable[int]) -> list[Any]:
    """`data` in pieces, cut before each offset in `cuts` (equal offsets give an empty piece)."""
    return [data[start:end] for start, end in pairwise([0, *sorted(cuts), len(data)])]


def joined(outputs: list[Any]) -> list[Any]:
    """Outputs with neighbouring bytes, and neighbouring text, put together.

    The `normal` form for stages such as encoders and relays, whose output is one run however it was given.
    """
    merged: list[Any] = []
    for kind, group in groupby(outputs, type):
        if kind in (bytes, str):
            whole = kind().join(group)
            merged += [whole] if whole else []
        else:
            merged += group
    return merged


def every_split(make_stage: MakeStage, data: Any, *, examples: int = 30, normal: Normal = list) -> list[Any]:
    """The output, after proving that it does not depend on where `data` was cut.

    Tried: whole, item by item, every cut in two (evenly spread offsets above 1024 items), `examples` sets of
    cuts chosen by hypothesis, empty pieces among them (0 inside a hypothesis test of your own, which cannot
    hold another). normal: what of the outputs must be equal.
    """
    whole = run(make_stage(), [data])
    expected = normal(whole)

    def same(cuts: Sequence[int]) -> None:
        got = run(make_stage(), cut(data, cuts))
        if normal(got) != expected:
            raise AssertionError(_difference(f"cut at {_short(cuts)}", expected, normal(got)))

    same(range(1, len(data)))
    for offset in _offsets(len(data)):
        same([offset])
    if examples:
        _hypothesis_cuts(len(data), examples, same)
    return whole


def every_truncation(
    make_stage: MakeStage, data: Any, *, chunks: bool = False, normal: Normal = list
) -> None:
    """Stop at every offset: nothing raises, whole and item by item give the same.

    chunks: the stage gives chunks, so each truncation must end in exactly one terminal.
    """
    for offset in _offsets(len(data)):
        _sound(make_stage, data[:offset], f"truncated at {offset}", chunks, normal)


def garbage_everywhere(
    make_stage: MakeStage,
    data: Any,
    garbage: Iterable[Any] = GARBAGE,
    *,
    chunks: bool = False,
    normal: Normal = list,
    most: int = EXHAUSTIVE,
) -> None:
    """Put each piece of `garbage` at every offset: nothing raises, whole and item by item give the same.

    For a stage of items, `garbage` holds lists of items that do not belong there. chunks: as above. most:
    how many offsets are tried; where `data` is longer they are evenly spread.
    """
    for bad in garbage:
        for offset in _offsets(len(data), most):
            torn = data[:offset] + bad + data[offset:]
            _sound(make_stage, torn, f"{bad!r} put in at {offset}", chunks, normal)


def inert_after_failure(make_stage: MakeStage, data: Any, more: Any = None) -> Failure:
    """The failure that `data` ends in, after proving that it came once and that nothing came after it.

    more: what is fed after the failure (`data` again where not given). Both `close` and further feeding must
    give nothing, and closing twice is allowed.
    """
    stage = make_stage()
    out = list(stage.feed(data))
    if not (out and isinstance(out[-1], Failure)):
        out += stage.close()
    failures = [one for one in out if isinstance(one, Failure)]
    if len(failures) != 1 or out[-1] != failures[0]:
        raise AssertionError(f"expected one failure, and that last, but got {_short(out)}")
    after = [*stage.feed(data if more is None else more), *stage.close(), *stage.feed(data), *stage.close()]
    if after:
        raise AssertionError(f"after its failure the stage still gave {_short(after)}")
    return failures[0]


def inert_after_close(make_stage: MakeStage, data: Any) -> None:
    """Feeding and closing after `close` gives nothing."""
    stage = make_stage()
    run(stage, [data])
    after = [*stage.feed(data), *stage.close()]
    if after:
        raise AssertionError(f"after close the stage still gave {_short(after)}")


def one_terminal(outputs: Sequence[Any]) -> Any:
    """The terminal of a stage of chunks, after proving that there is exactly one and that it is last."""
    terminals = [one for one in outputs if isinstance(one, TERMINALS)]
    if len(terminals) != 1 or outputs[-1] is not terminals[0]:
        raise AssertionError(f"expected one terminal, and that last, but got {_short(outputs)}")
    return terminals[0]


def check(
    make_stage: MakeStage,
    data: Any,
    *,
    garbage: Iterable[Any] | None = None,
    chunks: bool = False,
    normal: Normal = list,
) -> list[Any]:
    """All of the above on one input, and its output.

    garbage: for a stage of items, what does not belong there (none: the check is left out); for bytes there
    is a set of its own. chunks: the stage gives chunks and must end in exactly one terminal.
    """
    out = every_split(make_stage, data, normal=normal)
    if chunks:
        one_terminal(out)
    every_truncation(make_stage, data, chunks=chunks, normal=normal)
    if garbage is None and isinstance(data, bytes):
        garbage = GARBAGE
    garbage_everywhere(make_stage, data, garbage or (), chunks=chunks, normal=normal)
    inert_after_close(make_stage, data)
    return out


def _sound(make_stage: MakeStage, data: Any, what: str, chunks: bool, normal: Normal) -> None:
    try:
        whole = run(make_stage(), [data])
        pieces = run(make_stage(), cut(data, range(1, len(data))))
        if chunks:
            one_terminal(whole)
    except Exception as error:
        error.add_note(f"while fed {what}")
        raise
    if normal(whole) != normal(pieces):
        raise AssertionError(_difference(f"{what}, item by item", normal(whole), normal(pieces)))


def _hypothesis_cuts(size: int, examples: int, same: Callable[[list[int]], None]) -> None:
    # Derandomized: a kit that fails must fail again on the next run.
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.integers(0, size), max_size=12))
    def any_cuts(cuts: list[int]) -> None:
        same(cuts)

    any_cuts()


def _offsets(size: int, most: int = EXHAUSTIVE) -> Iterable[int]:
    """Every inner offset, or evenly spread ones where there are more than `most`."""
    if size <= most:
        return range(1, size)
    return sorted({1 + (size - 1) * step // most for step in range(most)})


def _difference(where: str, expected: Any, got: Any) -> str:
    at = next((i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), None)
    if at is None:
        at = min(len(expected), len(got))
    first = f"output {at} is {_short(got[at : at + 1])}, not {_short(expected[at : at + 1])}"
    return f"{where}: {first} ({len(got)} outputs, {len(expected)} expected)"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:150]} ... {text[-150:]}"

"""The test kit finds what it is there to find: each broken stage here must be caught."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from headrace.core.chunk import Cancelled, Failure, Finish, TextDelta
from headrace.framing.ndjson import NdjsonDecoder
from headrace.testing import stages, work

LINES = b"one\ntwo\n\nthree"


class Lines:
    """A right stage, for the broken ones to break: lines, the last one at close."""

    def __init__(self) -> None:
        self.held = bytearray()
        self.dead = False

    def feed(self, data: bytes) -> list[Any]:
        if self.dead:
            return []
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self.held) + lines[0]
            self.held.clear()
        self.held += rest
        return list(lines)

    def close(self) -> list[Any]:
        out = [] if self.dead else [bytes(self.held)]
        self.dead = True
        return out


class ForgetsTheTail(Lines):
    def feed(self, data: bytes) -> list[Any]:
        return data.split(b"\n")


class DropsAByteAtOneCut(Lines):
    def feed(self, data: bytes) -> list[Any]:
        return super().feed(data.removeprefix(b"w") if self.held == b"t" else data)


class Raises(Lines):
    def feed(self, data: bytes) -> list[Any]:
        out = super().feed(data)
        for line in out:
            line.decode()
        return out


class RaisesAtTheEnd(Lines):
    def close(self) -> list[Any]:
        return [self.held.decode()]


class Undead(Lines):
    def close(self) -> list[Any]:
        return [bytes(self.held)]


@pytest.mark.parametrize("broken", [ForgetsTheTail, DropsAByteAtOneCut])
def test_a_split_that_shows_is_found(broken: Callable[[], Lines]) -> None:
    with pytest.raises(AssertionError, match="cut at"):
        stages.every_split(broken, LINES)


def test_a_right_stage_passes_everything() -> None:
    assert stages.check(Lines, LINES) == [b"one", b"two", b"", b"three"]
    work.linear(Lines, b"abc\n")
    work.linear(Lines, b"abc")


def test_large_input_is_cut_at_spread_offsets() -> None:
    assert stages.every_split(Lines, b"0123456789\n" * 200, examples=3)[:-1] == [b"0123456789"] * 200


@pytest.mark.parametrize("broken", [Raises, RaisesAtTheEnd])
def test_a_raise_is_found_and_says_when(broken: Callable[[], Lines]) -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        stages.garbage_everywhere(broken, LINES)
    assert any("put in at" in note for note in caught.value.__notes__)


def test_a_raise_on_truncation_is_found() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        stages.every_truncation(RaisesAtTheEnd, "é\n€".encode())
    assert caught.value.__notes__ == ["while fed truncated at 1"]


def test_life_after_close_is_found() -> None:
    with pytest.raises(AssertionError, match="after close"):
        stages.inert_after_close(Undead, LINES)


class Fails:
    """Fails on `!`; `again` says what the broken ones do after that."""

    def __init__(self, again: Sequence[Any] = (), once: int = 1) -> None:
        self.again = again
        self.once = once
        self.failed = False

    def feed(self, data: bytes) -> list[Any]:
        if self.failed:
            return list(self.again)
        self.failed = b"!" in data
        return [Failure("wire", "bad")] * self.once if self.failed else [data]

    def close(self) -> list[Any]:
        return []


def test_inert_after_failure() -> None:
    assert stages.inert_after_failure(Fails, b"a!").message == "bad"
    with pytest.raises(AssertionError, match="after its failure"):
        stages.inert_after_failure(lambda: Fails(again=[b"more"]), b"a!")
    with pytest.raises(AssertionError, match="one failure"):
        stages.inert_after_failure(lambda: Fails(once=2), b"a!")
    with pytest.raises(AssertionError, match="one failure"):
        stages.inert_after_failure(Fails, b"a")


def test_one_terminal() -> None:
    text = TextDelta(0, "a")
    assert stages.one_terminal([text, Finish()]) == Finish()
    for wrong in ([], [text], [Finish(), text], [Finish(), Finish()], [Failure("wire", "x"), Cancelled()]):
        with pytest.raises(AssertionError, match="one terminal"):
            stages.one_terminal(wrong)


class Upper:
    """A stage of chunks that is right: it ends what was cut."""

    def __init__(self, ends: bool = True) -> None:
        self.ends = ends
        self.over = False

    def feed(self, batch: Sequence[Any]) -> list[Any]:
        out: list[Any] = []
        for chunk in batch:
            if self.over:
                break
            self.over = chunk.is_complete
            out.append(TextDelta(0, chunk.text.upper()) if isinstance(chunk, TextDelta) else chunk)
        return out

    def close(self) -> list[Any]:
        over, self.over = self.over, True
        return [Failure("truncated", "cut")] if not over and self.ends else []


def test_stages_of_chunks() -> None:
    chunks = [TextDelta(0, "a"), TextDelta(0, "b"), Finish()]
    garbage = [[Finish()], [Failure("wire", "x")]]
    out = stages.check(Upper, chunks, garbage=garbage, chunks=True)
    assert [chunk.text for chunk in out] == ["A", "B", ""]
    with pytest.raises(AssertionError, match="one terminal"):
        stages.every_truncation(lambda: Upper(ends=False), chunks, chunks=True)


def test_a_stage_of_reads_is_fed_bytes() -> None:
    class Count:
        """How many bytes came, told at the end."""

        def __init__(self) -> None:
            self.bytes = 0

        def feed(self, batch: Sequence[bytes]) -> list[int]:
            self.bytes += sum(len(read) for read in batch)
            return []

        def close(self) -> list[int]:
            out, self.bytes = self.bytes, 0
            return [out] if out else []

    assert stages.every_split(stages.reads(Count), b"12345") == [5]
    assert stages.every_split(Count, [b"1", b"23", b"45"]) == [5]


def test_joined_is_the_normal_form_of_runs() -> None:
    assert stages.joined([b"a", b"b", 1, "c", "d", b"", b"e", 2, 3]) == [b"ab", 1, "cd", b"e", 2, 3]
    echo = type("Echo", (Lines,), {"feed": lambda self, data: [data]})
    with pytest.raises(AssertionError, match="cut at"):
        stages.every_split(echo, LINES)
    assert stages.every_split(echo, LINES, normal=stages.joined)[0] == LINES


class Rescans(Lines):
    """Looks through all it holds at each read."""

    def feed(self, data: bytes) -> list[Any]:
        self.held += data
        if self.held.find(b"\n") < 0:
            return []
        *lines, rest = bytes(self.held).split(b"\n")
        self.held[:] = rest
        return list(lines)


class Resumes(Rescans):
    """The same from where it had stopped looking."""

    def feed(self, data: bytes) -> list[Any]:
        at = len(self.held)
        self.held += data
        if self.held.find(b"\n", at) < 0:
            return []
        *lines, rest = bytes(self.held).split(b"\n")
        self.held[:] = rest
        return list(lines)


class Reparses(Lines):
    """Goes over all that came, in Python, at each read."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[int] = []

    def feed(self, data: bytes) -> list[Any]:
        self.all += data
        total = 0
        for one in self.all:
            total += one
        return []


def test_a_stage_that_is_not_linear_is_found() -> None:
    work.linear(Resumes, b"abcdefgh")
    for broken in (Rescans, Reparses):
        with pytest.raises(AssertionError, match="times the work"):
            work.linear(broken, b"abcdefgh")


def test_work_is_the_same_each_time() -> None:
    counts = {work.work_of(NdjsonDecoder(), [b"abc\n"] * 50) for _ in range(5)}
    assert len(counts) == 1


def test_held_memory_is_found() -> None:
    assert work.bounded(lambda: NdjsonDecoder(1000), b"x" * 10, limit_bytes=4000) >= 1000
    with pytest.raises(AssertionError, match="holds"):
        work.bounded(Lines, b"x" * 10, limit_bytes=4000)
    with pytest.raises(AssertionError, match="holds"):
        work.bounded(Reparses, b"x", limit_bytes=4000)


def test_held_bytes_counts_what_hangs_on_an_object_once() -> None:
    big = b"x" * 10_000
    assert 10_000 < work.held_bytes({"a": [big], "b": (big,)}) < 12_000

"""The tap on a stream's pushes: one look at a clock a push, a few additions, nothing kept of a chunk.

A gap is the time between two pushes that hold content. A push of n pieces is n pieces: the first has the gap,
the others none. Where the stream was held in between, because its reader or its log was behind, the gap is
nobody's measure of the model and is left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import msgspec

from headrace.metrics.histogram import GAP_BUCKETS_S


class Targets(msgspec.Struct, frozen=True):
    """What a smooth stream is held against, in seconds.

    stall_s: a gap above it is a stall. first_s, token_s: the deadlines of the first piece and of each further
    one, for the fluidity: the share of deadlines that were kept.
    Source: A. Agrawal et al., "Etalon: Holistic Performance Evaluation Framework for LLM Inference Systems"
    (first called Metron), arXiv:2407.07000, the fluidity-index; read 2026-11-25. Slack that early pieces
    leave is kept for later ones; a late piece misses every deadline that has passed by, and sets them anew.
    Theirs foretells the time of the first piece from the prompt's length; ours is fixed.
    """

    stall_s: float = 1.0
    first_s: float = 2.0
    token_s: float = 0.1


TARGETS = Targets()


class StreamClock:
    """What one stream was like. Times are of `now_s`, monotonic; None before they have come.

    began_s: when the request was complete. first_bytes_s: the client was sent its first bytes. first_chunk_s:
    the source brought its first piece. first_content_s: the first content. first_answer_s: the first content
    that is no reasoning. last_content_s: the latest content. pieces: of content (chunks, or relayed events).
    gap_counts: how many gaps lie within each of `GAP_BUCKETS_S`. jitter_sum_s: of |gap - the gap before it|;
    jitter_count: how many of those. deadlines, missed: of the fluidity. holds, held_s: how often and how long
    it was held. sent_bytes: of the protocol's body.
    """

    __slots__ = (
        "_gap_s",
        "_held_at_s",
        "_held_since_s",
        "_since_s",
        "_slack_s",
        "began_s",
        "deadlines",
        "first_answer_s",
        "first_bytes_s",
        "first_chunk_s",
        "first_content_s",
        "gap_counts",
        "gap_most_s",
        "gap_sum_s",
        "held_between_s",
        "held_s",
        "holds",
        "jitter_count",
        "jitter_sum_s",
        "last_content_s",
        "missed",
        "now_s",
        "pieces",
        "sent_bytes",
        "stalled_s",
        "stalls",
        "targets",
    )

    def __init__(self, began_s: float, now_s: Callable[[], float], targets: Targets = TARGETS) -> None:
        self.began_s = began_s
        self.now_s = now_s
        self.targets = targets
        self.first_bytes_s: float | None = None
        self.first_chunk_s: float | None = None
        self.first_content_s: float | None = None
        self.first_answer_s: float | None = None
        self.last_content_s: float | None = None
        self.pieces = 0
        self.sent_bytes = 0
        self.gap_counts = [0] * (len(GAP_BUCKETS_S) + 1)
        self.gap_sum_s = 0.0
        self.gap_most_s = 0.0
        self.jitter_sum_s = 0.0
        self.jitter_count = 0
        self.stalls = 0
        self.stalled_s = 0.0
        self.deadlines = 0
        self.missed = 0
        self.holds = 0
        self.held_s = 0.0
        self.held_between_s = 0.0  # of held_s: before the latest content, behind the first
        self._since_s: float | None = None  # where the next gap begins, None where it must not be measured
        self._gap_s = -1.0  # the gap before, negative where there was none
        self._slack_s = 0.0
        self._held_at_s: float | None = None
        self._held_since_s = 0.0  # held since the latest content

    def push(self, content: int, answer: bool) -> None:
        """A push has come. content: how many pieces of content are in it. answer: some are no reasoning."""
        now_s = self.now_s()
        since_s = self._since_s
        if since_s is None or not content:
            self._unmeasured(now_s, content, answer)
            return
        self._since_s = self.last_content_s = now_s
        self.pieces += content
        if answer and self.first_answer_s is None:
            self.first_answer_s = now_s
        gap_s = now_s - since_s
        self.gap_counts[bisect_left(GAP_BUCKETS_S, gap_s)] += 1
        self.gap_sum_s += gap_s
        if gap_s > self.gap_most_s:
            self.gap_most_s = gap_s
        before_s = self._gap_s
        if before_s >= 0.0:
            self.jitter_sum_s += gap_s - before_s if gap_s > before_s else before_s - gap_s
            self.jitter_count += 1
        self._gap_s = gap_s
        if gap_s > self.targets.stall_s:
            self.stalls += 1
            self.stalled_s += gap_s
        # Deadlines: what came early is slack for what follows.
        token_s = self.targets.token_s
        slack_s = self._slack_s + token_s - gap_s
        if slack_s >= 0.0:
            self._slack_s = slack_s
            self.deadlines += 1
        else:
            self._late(-slack_s, token_s)
        if content > 1:
            self._together(content - 1)

    def sent(self) -> None:
        """The client is being sent its first bytes."""
        if self.first_bytes_s is None:
            self.first_bytes_s = self.now_s()

    def hold(self) -> None:
        """The source is held."""
        if self._held_at_s is None:
            self._held_at_s = self.now_s()
            self.holds += 1
            self._since_s = None

    def go_on(self) -> None:
        """The source goes on."""
        if self._held_at_s is not None:
            self._count_held(self.now_s())
            self._held_at_s = None
            self._since_s = None

    def end(self) -> float:
        """Now: the end. What is held is not held any longer."""
        self.go_on()
        return self.now_s()

    def _unmeasured(self, now_s: float, content: int, answer: bool) -> None:
        """A push without a gap: without content, the first, or the first after the stream was held."""
        if self.first_chunk_s is None:
            self.first_chunk_s = now_s
        if not content:
            return
        if self.first_content_s is None:
            self.first_content_s = now_s
            self._first(now_s - self.began_s)
        else:
            if self._held_at_s is not None:
                self._count_held(now_s)
            self.held_between_s += self._held_since_s
            self.deadlines += 1  # it may have been ready before it could be taken: it is not late
        if answer and self.first_answer_s is None:
            self.first_answer_s = now_s
        self._held_since_s = 0.0
        self._since_s = self.last_content_s = now_s
        self._gap_s = -1.0
        self.pieces += content
        if content > 1:
            self._together(content - 1)

    def _first(self, after_s: float) -> None:
        slack_s = self.targets.first_s - after_s
        if slack_s >= 0.0:
            self._slack_s = slack_s
            self.deadlines += 1
        else:
            self._late(-slack_s, self.targets.token_s)

    def _late(self, late_s: float, token_s: float) -> None:
        """Every deadline that has passed by is missed, and the next ones are set anew."""
        misses = int(late_s // token_s) + 1
        self._slack_s = 0.0
        self.deadlines += misses
        self.missed += misses

    def _together(self, more: int) -> None:
        """Further pieces of the same push."""
        self.gap_counts[0] += more
        if self._gap_s >= 0.0:
            self.jitter_sum_s += self._gap_s
            self.jitter_count += more
        else:
            self.jitter_count += more - 1
        self._gap_s = 0.0
        self._slack_s += more * self.targets.token_s
        self.deadlines += more

    def _count_held(self, now_s: float) -> None:
        held_s = 0.0 if self._held_at_s is None else now_s - self._held_at_s
        self._held_at_s = now_s
        self.held_s += held_s
        if self.first_content_s is not None:
            self._held_since_s += held_s

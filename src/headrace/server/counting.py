"""How many tokens a prompt has: Anthropic's `count_tokens` and Gemini's `countTokens`, for any model.

A model that can count is asked (a local one cuts the prompt itself, a provider whose protocol has an endpoint
for it is asked there). For any other the answer is an estimate, and its header `x-headrace-estimated` says
so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from headrace.core.chunk import Failure
from headrace.core.estimate import estimated_usage
from headrace.core.model import CountsTokens
from headrace.core.reply import Reply
from headrace.metrics.counters import Tally
from headrace.server.answers import NO_PATH, warning_fields
from headrace.server.app import App
from headrace.server.collect import CollectSink
from headrace.server.exchange import Exchange
from headrace.server.problem import JSON_TYPE
from headrace.wire.base import ParsedRequest

ESTIMATED = (b"x-headrace-estimated", b"true")
MAX_COUNT_BYTES = 65_536  # of a source's chunks: there is one


class Counts:
    """Answers one protocol's requests to count.

    parse, error_body: see `Front`. body: tokens -> the answer.
    """

    def __init__(
        self,
        app: App,
        parse: Callable[[bytes, Mapping[str, str]], ParsedRequest],
        body: Callable[[int], bytes],
        error_body: Callable[[Failure], bytes],
    ) -> None:
        self._app = app
        self._parse = parse
        self._body = body
        self._error_body = error_body

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request whose path says nothing of it."""
        self.answer(exchange, NO_PATH)

    def answer(self, exchange: Exchange, path: Mapping[str, str]) -> None:
        """Answer a request. path: what its path says, for `parse`."""
        exchange.error_body = self._error_body
        parsed = self._parse(exchange.body, path)
        exchange.release()
        request = parsed.request
        model = self._app.resolve(exchange, request.model)
        opened = model.open_count(request) if isinstance(model, CountsTokens) else None
        if opened is None:
            fields = [JSON_TYPE, ESTIMATED, *warning_fields(parsed.warnings)]
            exchange.respond(200, fields, self._body(estimated_usage(request).input_tokens))
            return
        CollectSink(
            exchange,
            model.card.id,
            self._counted,
            _no_report,
            max_bytes=MAX_COUNT_BYTES,
            fields=[JSON_TYPE, *warning_fields((*parsed.warnings, *opened.warnings))],
            has_answer=lambda reply: reply.usage is not None,
        ).begin(opened.source)

    def _counted(self, reply: Reply) -> bytes:
        assert reply.usage is not None  # else it has no answer
        return self._body(reply.usage.input_tokens)


def _no_report(_tally: Tally) -> None:
    """A count is no answer of a model: no total takes it in."""

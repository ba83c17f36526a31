"""Traces and metrics by OpenTelemetry's conventions for generative AI, through its own SDK.

A watcher: one span and four measurements for each answer that has ended, made at its end with the times that
the stream's clock knew. The SDK sends them from threads of its own; where they cannot be sent, it drops what
its bounded queue does not hold. Loaded only where `[telemetry]` asks for it.

Source: opentelemetry.io, "Semantic conventions for generative client AI spans" and "... metrics", status
Development, read 2026-11-25.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Histogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from headrace.core.chunk import Cancelled, Failure, Finish, Terminal
from headrace.metrics.histogram import DURATION_BUCKETS_S, TTFT_BUCKETS_S
from headrace.metrics.measures import Ended

# Of gen_ai.server.time_per_output_token and gen_ai.client.token.usage.
TPOT_BUCKETS_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
TOKEN_BUCKETS = tuple(4**power for power in range(14))
# By protocol, where it is not "chat"; the conventions have no value for sound, and allow one's own.
OPERATIONS = {
    "openai_completions": "text_completion",
    "ollama_generate": "text_completion",
    "openai_audio": "transcription",
    "openai_audio_speech": "speech",
    "": "speech",
}
# Well-known values of gen_ai.provider.name that differ from the names of our provider rows.
PROVIDERS = {
    "google": "gcp.gemini",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "mistral": "mistral_ai",
    "xai": "x_ai",
    "openai_audio": "openai",
    "openai_completions": "openai",
    "openai_responses": "openai",
}
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_CLOSE_MS = 5000


class Telemetry:
    """Tells a collector of every answer. A `Watcher`.

    processors, readers: where spans and metrics go.
    """

    def __init__(self, processors: Sequence[SpanProcessor], readers: Sequence[MetricReader]) -> None:
        resource = Resource.create({"service.name": "headrace", "service.version": version("headrace")})
        self._tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
        for processor in processors:
            self._tracers.add_span_processor(processor)
        self._meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
        self._tracer = self._tracers.get_tracer("headrace", version("headrace"))
        self._parent = TraceContextTextMapPropagator()
        meter = self._meters.get_meter("headrace", version("headrace"))

        def histogram(name: str, unit: str, says: str, bounds: Sequence[float]) -> Histogram:
            return meter.create_histogram(
                name, unit, says, explicit_bucket_boundaries_advisory=[float(bound) for bound in bounds]
            )

        self._duration_s = histogram(
            "gen_ai.server.request.duration", "s", "From the whole request to the end.", DURATION_BUCKETS_S
        )
        self._ttft_s = histogram(
            "gen_ai.server.time_to_first_token", "s", "Until the first content.", TTFT_BUCKETS_S
        )
        self._tpot_s = histogram(
            "gen_ai.server.time_per_output_token", "s", "Mean after the first token.", TPOT_BUCKETS_S
        )
        self._tokens = histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens, as reported.", TOKEN_BUCKETS
        )

    def __call__(self, ended: Ended) -> None:
        """Take one answer. Only puts it into the SDK's queues."""
        self._trace(ended)
        self._measure(ended)

    def close(self) -> None:
        """Send what is left, and end the SDK's threads. Blocks, some seconds where nobody answers."""
        self._tracers.force_flush(_CLOSE_MS)
        self._tracers.shutdown()
        self._meters.shutdown(_CLOSE_MS)

    def _trace(self, ended: Ended) -> None:
        call, tally = ended.call, ended.tally
        end_ns = int(ended.ended_s * 1e9)
        # W3C: a header that cannot be read is as none.
        parent = (
            self._parent.extract({"traceparent": call.traceparent})
            if _TRACEPARENT.fullmatch(call.traceparent)
            else None
        )
        span = self._tracer.start_span(
            f"{_operation(call.protocol)} {ended.label}",  # a name is not to be invented by clients
            parent,
            SpanKind.SERVER,
            {**_common(ended, call.asked), **_details(ended)},
            start_time=end_ns - int(tally.duration_s * 1e9),
        )
        if isinstance(tally.terminal, Failure):
            span.set_status(Status(StatusCode.ERROR))  # its words may quote the prompt
        span.end(end_ns)

    def _measure(self, ended: Ended) -> None:
        tally, figures = ended.tally, ended.figures
        common = _common(ended, ended.label)
        self._duration_s.record(tally.duration_s, common)
        if figures is not None and isinstance(tally.terminal, Finish):  # "for successful responses"
            if figures.ttft_s is not None:
                self._ttft_s.record(figures.ttft_s, common)
            if figures.tpot_s is not None:
                self._tpot_s.record(figures.tpot_s, common)
        if tally.usage is not None:
            self._tokens.record(tally.usage.input_tokens, {**common, "gen_ai.token.type": "input"})
            self._tokens.record(tally.usage.output_tokens, {**common, "gen_ai.token.type": "output"})


def otlp_telemetry(base_url: str) -> Telemetry:
    """Sends to an OTLP collector over HTTP, such as http://127.0.0.1:4318.

    Headers, such as a collector's key, are the SDK's own `OTEL_EXPORTER_OTLP_HEADERS`; so are its queues'
    bounds and the interval of metrics.
    """
    base = base_url.rstrip("/")
    spans = BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces"))
    return Telemetry([spans], [PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics"))])


def _operation(protocol: str) -> str:
    return OPERATIONS.get(protocol, "chat")


def _common(ended: Ended, model: str) -> dict[str, Any]:
    """What spans and metrics both tell; on metrics the model is a label of bounded number."""
    call = ended.call
    told = {
        "gen_ai.operation.name": _operation(call.protocol),
        "gen_ai.provider.name": PROVIDERS.get(call.owner, call.owner or "headrace"),
        "gen_ai.request.model": model,
    }
    if not isinstance(ended.tally.terminal, Finish):
        told["error.type"] = _error_type(ended.tally.terminal)
    return told


def _error_type(terminal: Terminal) -> str:
    """A kind of our own tree: of bounded number."""
    return "cancelled" if isinstance(terminal, Cancelled) else getattr(terminal, "kind", "error")


def _details(ended: Ended) -> dict[str, Any]:
    """What only the span tells."""
    call, tally, figures = ended.call, ended.tally, ended.figures
    told: dict[str, Any] = {
        "gen_ai.response.id": call.id,
        "headrace.stream.id": call.id,
        "headrace.protocol": call.protocol,
        "headrace.request.id": call.request_id,
        "headrace.streamed": figures is not None,
    }
    if isinstance(tally.terminal, Finish):
        told["gen_ai.response.model"] = call.model
        told["gen_ai.response.finish_reasons"] = (tally.terminal.finish_reason,)
    if tally.usage is not None:
        told["gen_ai.usage.input_tokens"] = tally.usage.input_tokens
        told["gen_ai.usage.output_tokens"] = tally.usage.output_tokens
    if figures is not None and figures.ttft_s is not None:
        told["headrace.time_to_first_token_s"] = figures.ttft_s
    return told

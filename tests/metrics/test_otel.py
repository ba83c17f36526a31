"""Traces and metrics as a collector gets them: in memory, and over HTTP on the loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from tests.metrics.answers import KEY, PROMPT, call, ended, tally

from headrace.config.settings import TelemetrySettings
from headrace.core.chunk import Cancelled, Failure
from headrace.errors import RateLimited
from headrace.metrics.measures import Ended
from headrace.metrics.otel import Telemetry, otlp_telemetry
from headrace.metrics.settings import telemetry_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def told(*answers: Ended) -> tuple[list, dict]:
    """The spans, and the data points by metric, of those answers."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    telemetry = Telemetry([SimpleSpanProcessor(spans)], [reader])
    for answer in answers:
        telemetry(answer)
    data = reader.get_metrics_data()
    points = {
        metric.name: list(metric.data.data_points)
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    finished = list(spans.get_finished_spans())
    telemetry.close()
    return finished, points


def test_a_span_an_answer_by_the_conventions() -> None:
    (span,), _ = told(ended(given_call=call(traceparent=PARENT, owner="google")))
    assert span.name == "chat sim/echo"
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "fast",
        "gen_ai.response.model": "sim/echo",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5,
        "headrace.stream.id": "chatcmpl-1",
        "headrace.protocol": "openai_chat",
        "headrace.request.id": "req_1",
        "headrace.streamed": True,
        "headrace.time_to_first_token_s": 0.5,
    }
    assert span.end_time == 1_800_000_000 * 10**9
    assert span.end_time - span.start_time == 10**9  # what PUSHES take together
    assert f"{span.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]
    assert span.parent.is_remote
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    "given", ["", "00-short-b7ad6b7169203331-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", KEY]
)
def test_a_parent_that_cannot_be_read_is_none(given: str) -> None:
    (span,), _ = told(ended(given_call=call(traceparent=given)))
    assert span.parent is None
    assert span.context.trace_id


def test_a_failure_has_its_type_and_not_its_words() -> None:
    failure = Failure.of(RateLimited(f"too much of {PROMPT!r}", status=429))
    (failed, cancelled), _ = told(
        ended(tally(terminal=failure)), ended(tally(terminal=Cancelled("gone"), usage=None))
    )
    assert failed.attributes["error.type"] == failure.kind
    assert failed.status.status_code is StatusCode.ERROR
    assert PROMPT not in failed.to_json()
    assert cancelled.attributes["error.type"] == "cancelled"
    assert "gen_ai.response.finish_reasons" not in cancelled.attributes
    assert "gen_ai.usage.input_tokens" not in cancelled.attributes


def test_metrics_by_the_conventions() -> None:
    failure = Failure.of(RateLimited("no", status=429))
    _, points = told(ended(), ended(tally(terminal=failure, usage=None)), ended(tally(pushes=None)))
    good = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "sim",
        "gen_ai.request.model": "sim/echo",
    }
    durations = {
        point.attributes.get("error.type"): point for point in points["gen_ai.server.request.duration"]
    }
    assert (durations[None].count, durations[None].sum) == (2, 4.0)
    assert durations[failure.kind].count == 1
    (ttft,) = points["gen_ai.server.time_to_first_token"]  # of the one that was streamed and went well
    assert (dict(ttft.attributes), ttft.sum, ttft.explicit_bounds[0]) == (good, 0.5, 0.001)
    (tpot,) = points["gen_ai.server.time_per_output_token"]
    assert (tpot.sum, tpot.explicit_bounds[0]) == (0.125, 0.01)
    tokens = {p.attributes["gen_ai.token.type"]: p.sum for p in points["gen_ai.client.token.usage"]}
    assert tokens == {"input": 14, "output": 10}


def test_models_that_clients_invent_are_no_labels() -> None:
    failure = Failure.of(RateLimited("no", status=429))
    (span,), points = told(ended(tally("up/invented", failure), call("up/invented", asked="up/invented")))
    labels = {point.attributes["gen_ai.request.model"] for found in points.values() for point in found}
    assert labels == {"other"}
    assert span.name == "chat other"
    assert span.attributes["gen_ai.request.model"] == "up/invented"


@contextmanager
def receiver() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """A collector: its address and the bodies by path."""
    bodies: dict[str, list[bytes]] = {}

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.setdefault(self.path, []).append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_collector_gets_them_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    with receiver() as (url, bodies):
        before = {thread.ident for thread in threading.enumerate()}
        telemetry = otlp_telemetry(url + "/")
        for _ in range(3):
            telemetry(ended())
        telemetry.close()
        assert {thread.ident for thread in threading.enumerate()} <= before
    assert set(bodies) == {"/v1/traces", "/v1/metrics"}
    sent = [ExportTraceServiceRequest.FromString(body) for body in bodies["/v1/traces"]]
    spans = [
        span
        for each in sent
        for of in each.resource_spans
        for scope in of.scope_spans
        for span in scope.spans
    ]
    assert [span.name for span in spans] == ["chat sim/echo"] * 3
    measured = ExportMetricsServiceRequest.FromString(bodies["/v1/metrics"][-1])
    (resource,) = measured.resource_metrics
    assert {metric.name for scope in resource.scope_metrics for metric in scope.metrics} >= {
        "gen_ai.server.request.duration"
    }
    names = {field.key: field.value.string_value for field in resource.resource.attributes}
    assert names["service.name"] == "headrace"


def test_nothing_is_loaded_where_it_is_off() -> None:
    assert telemetry_of(TelemetrySettings()) is None
    said = (
        "import sys; import headrace.metrics.settings as s;"
        "from headrace.config.settings import TelemetrySettings;"
        "import headrace.server.serve; s.telemetry_of(TelemetrySettings());"
        "print([m for m in sys.modules if m.startswith(('opentelemetry', 'prometheus_client', 'google.'))])"
    )
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"

"""Amazon Bedrock's Converse, both directions: one protocol for every model that Bedrock serves.

A provider row of this wire has the base URL `https://bedrock-runtime.REGION.amazonaws.com` and a Bedrock API
key, sent as a bearer token (the official clients read it from `AWS_BEARER_TOKEN_BEDROCK`). Requests that are
signed with an AWS access key (SigV4) are not made here: the API key does without. The model is a model's id,
an inference profile's or an ARN.

A stream is Bedrock's binary event stream; the decoder also reads its events as JSON lines. There is no
keep-alive in it: the front's ping is empty.
"""

from __future__ import annotations

from headrace.wire.base import Front, Wire
from headrace.wire.bedrock.build import build
from headrace.wire.bedrock.decode import ConverseDecoder
from headrace.wire.bedrock.encode import ConverseEncoder
from headrace.wire.bedrock.failure import error_body, failure_from_response
from headrace.wire.bedrock.models import LISTING
from headrace.wire.bedrock.parse import parse_request
from headrace.wire.bedrock.quirks import QUIRKS
from headrace.wire.bedrock.schema import WIRE_NAME
from headrace.wire.bedrock.whole import converse_body

__all__ = ["WIRE", "ConverseDecoder", "ConverseEncoder", "converse_body", "error_body", "parse_request"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_FRONT = Front(
    content_type=CONTENT_TYPE,
    ping=b"",
    parse=parse_request,
    encoder=lambda _says, _parsed: ConverseEncoder(),
    body=lambda reply, _says, _parsed: converse_body(reply),
    error_body=error_body,
)

WIRE = Wire(
    name=WIRE_NAME,
    content_type=CONTENT_TYPE,
    build=build,
    decoder=ConverseDecoder,
    failure=failure_from_response,
    front=_FRONT,
    listing=LISTING,
    quirks=QUIRKS,
    framings=("jsonl", "eventstream"),
)

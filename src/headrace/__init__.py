"""Headrace: one typed stream for every AI model. Call it, serve it, simulate it.

Every public name is here, loaded on first use: `import headrace` itself loads no server, no engine and none
of its dependencies. A name is typed as if it were imported in the ordinary way.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.config import Settings, load_config
    from headrace.core.chunk import (
        AudioDelta,
        BlockEnd,
        BlockStart,
        Cancelled,
        CandidateEnd,
        Chunk,
        Citation,
        Failure,
        Finish,
        FinishReason,
        ImageDelta,
        ReasoningDelta,
        RefusalDelta,
        Start,
        Step,
        Terminal,
        TextDelta,
        Token,
        ToolCallDelta,
        ToolResult,
        TranscriptDelta,
        UsageReport,
        VendorPart,
        Verdict,
        Word,
    )
    from headrace.core.fold import ReplyFold, fold
    from headrace.core.message import (
        AudioPart,
        FilePart,
        ImagePart,
        Message,
        OpaquePart,
        ReasoningPart,
        RefusalPart,
        TextPart,
        ToolCallPart,
        ToolResultPart,
        assistant,
        message,
        system,
        user,
    )
    from headrace.core.model import Model, ModelCard, Sink, Source
    from headrace.core.opaque import Opaque
    from headrace.core.reply import Candidate, Media, Reply, ToolCall
    from headrace.core.request import (
        GenerationSettings,
        Request,
        ResponseFormat,
        Speech,
        Tool,
        ToolChoice,
        Transcription,
    )
    from headrace.core.stage import Stage, pipe
    from headrace.core.usage import Usage
    from headrace.dispatch.names import anthropic, google, openai
    from headrace.dispatch.objects import ObjectResult, generate_object, stream_object, stream_object_sync
    from headrace.dispatch.runtime import Runtime
    from headrace.dispatch.text import TextResult, generate_text, stream_chunks, stream_sync, stream_text
    from headrace.dispatch.tools import ToolRun, run_tools, run_tools_sync
    from headrace.errors import (
        AuthError,
        BadRequest,
        ConfigError,
        ContentBlocked,
        ContextOverflow,
        HeadraceError,
        OutputError,
        ProviderError,
        RateLimited,
        RequestError,
        RunnerError,
        SlowReader,
        StreamCancelledException,
        StreamGenerationException,
        StreamingError,
        StreamTimeoutException,
        ToolError,
        Truncated,
        Unavailable,
        UnknownModel,
        WireError,
    )
    from headrace.framing.sse import Event, SseDecoder
    from headrace.metrics.streaming_tracker import StreamingMetricsTracker
    from headrace.metrics.tracker import MetricsTracker
    from headrace.sessions.managed.chunking import AdaptiveChunker, TokenChunker
    from headrace.sessions.managed.deltas import DeltaGenerator
    from headrace.sessions.managed.formatters import JSONLinesFormatter, PlainTextFormatter, SSEFormatter
    from headrace.sessions.managed.generators import (
        AudioStreamingGenerator,
        ChatStreamingGenerator,
        CompletionStreamingGenerator,
    )
    from headrace.sessions.managed.protocols import ChunkFormatter, StreamingGenerator
    from headrace.sessions.managed.stream import ManagedStream
    from headrace.sessions.managed.types import (
        ErrorSeverity,
        StreamChunk,
        StreamContext,
        StreamError,
        StreamMetrics,
        StreamStatus,
        StreamType,
    )
    from headrace.sessions.manager import StreamManager
    from headrace.stream.generation import (
        BufferedStream,
        GenerationChunk,
        GenerationResult,
        GenerationStream,
        StreamProgress,
        TextStream,
    )
    from headrace.stream.partial import PartialStream
    from headrace.stream.sync import SyncStream
    from headrace.structured.function import FunctionTool, tool
    from headrace.structured.growing import Growing, read_output
    from headrace.structured.schema import schema_of, strict_schema
    from headrace.transport.sse import stream_sse

__version__ = "0.1.0"

# Where each public name lives, room by room.
_ROOMS = {
    "headrace.config": "Settings load_config",
    "headrace.core.chunk": (
        "AudioDelta BlockEnd BlockStart Cancelled CandidateEnd Chunk Citation "
        "Failure Finish FinishReason ImageDelta ReasoningDelta RefusalDelta "
        "Start Step Terminal TextDelta Token ToolCallDelta ToolResult TranscriptDelta "
        "UsageReport VendorPart Verdict Word"
    ),
    "headrace.core.fold": "ReplyFold fold",
    "headrace.core.message": (
        "AudioPart FilePart ImagePart Message OpaquePart ReasoningPart RefusalPart "
        "TextPart ToolCallPart ToolResultPart assistant message system user"
    ),
    "headrace.core.model": "Model ModelCard Sink Source",
    "headrace.core.opaque": "Opaque",
    "headrace.core.reply": "Candidate Media Reply ToolCall",
    "headrace.core.request": "GenerationSettings Request ResponseFormat Speech Tool ToolChoice Transcription",
    "headrace.core.stage": "Stage pipe",
    "headrace.core.usage": "Usage",
    "headrace.dispatch.names": "anthropic google openai",
    "headrace.dispatch.objects": "ObjectResult generate_object stream_object stream_object_sync",
    "headrace.dispatch.runtime": "Runtime",
    "headrace.dispatch.text": "TextResult generate_text stream_chunks stream_sync stream_text",
    "headrace.dispatch.tools": "ToolRun run_tools run_tools_sync",
    "headrace.errors": (
        "AuthError BadRequest ConfigError ContentBlocked ContextOverflow "
        "HeadraceError OutputError ProviderError RateLimited RequestError RunnerError "
        "SlowReader StreamCancelledException StreamGenerationException "
        "StreamTimeoutException StreamingError ToolError Truncated Unavailable "
        "UnknownModel WireError"
    ),
    "headrace.framing.sse": "Event SseDecoder",
    "headrace.metrics.streaming_tracker": "StreamingMetricsTracker",
    "headrace.metrics.tracker": "MetricsTracker",
    "headrace.sessions.managed.chunking": "AdaptiveChunker TokenChunker",
    "headrace.sessions.managed.deltas": "DeltaGenerator",
    "headrace.sessions.managed.formatters": "JSONLinesFormatter PlainTextFormatter SSEFormatter",
    "headrace.sessions.managed.generators": (
        "AudioStreamingGenerator ChatStreamingGenerator CompletionStreamingGenerator"
    ),
    "headrace.sessions.managed.protocols": "ChunkFormatter StreamingGenerator",
    "headrace.sessions.managed.stream": "ManagedStream",
    "headrace.sessions.managed.types": (
        "ErrorSeverity StreamChunk StreamContext StreamError StreamMetrics StreamStatus StreamType"
    ),
    "headrace.sessions.manager": "StreamManager",
    "headrace.stream.generation": (
        "BufferedStream GenerationChunk GenerationResult GenerationStream StreamProgress TextStream"
    ),
    "headrace.stream.partial": "PartialStream",
    "headrace.stream.sync": "SyncStream",
    "headrace.structured.function": "FunctionTool tool",
    "headrace.structured.growing": "Growing read_output",
    "headrace.structured.schema": "schema_of strict_schema",
    "headrace.transport.sse": "stream_sse",
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}

# Written out, so that type checkers and editors see it; a test holds it against the rooms.
__all__ = [
    # config
    "Settings",
    "load_config",
    # core.chunk
    "AudioDelta",
    "BlockEnd",
    "BlockStart",
    "Cancelled",
    "CandidateEnd",
    "Chunk",
    "Citation",
    "Failure",
    "Finish",
    "FinishReason",
    "ImageDelta",
    "ReasoningDelta",
    "RefusalDelta",
    "Start",
    "Step",
    "Terminal",
    "TextDelta",
    "Token",
    "ToolCallDelta",
    "ToolResult",
    "TranscriptDelta",
    "UsageReport",
    "VendorPart",
    "Verdict",
    "Word",
    # core.fold
    "ReplyFold",
    "fold",
    # core.message
    "AudioPart",
    "FilePart",
    "ImagePart",
    "Message",
    "OpaquePart",
    "ReasoningPart",
    "RefusalPart",
    "TextPart",
    "ToolCallPart",
    "ToolResultPart",
    "assistant",
    "message",
    "system",
    "user",
    # core.model
    "Model",
    "ModelCard",
    "Sink",
    "Source",
    # core.opaque
    "Opaque",
    # core.reply
    "Candidate",
    "Media",
    "Reply",
    "ToolCall",
    # core.request
    "GenerationSettings",
    "Request",
    "ResponseFormat",
    "Speech",
    "Tool",
    "ToolChoice",
    "Transcription",
    # core.stage
    "Stage",
    "pipe",
    # core.usage
    "Usage",
    # dispatch.names
    "anthropic",
    "google",
    "openai",
    # dispatch.objects
    "ObjectResult",
    "generate_object",
    "stream_object",
    "stream_object_sync",
    # dispatch.runtime
    "Runtime",
    # dispatch.text
    "TextResult",
    "generate_text",
    "stream_chunks",
    "stream_sync",
    "stream_text",
    # dispatch.tools
    "ToolRun",
    "run_tools",
    "run_tools_sync",
    # errors
    "AuthError",
    "BadRequest",
    "ConfigError",
    "ContentBlocked",
    "ContextOverflow",
    "HeadraceError",
    "OutputError",
    "ProviderError",
    "RateLimited",
    "RequestError",
    "RunnerError",
    "SlowReader",
    "StreamCancelledException",
    "StreamGenerationException",
    "StreamTimeoutException",
    "StreamingError",
    "ToolError",
    "Truncated",
    "Unavailable",
    "UnknownModel",
    "WireError",
    # framing.sse
    "Event",
    "SseDecoder",
    # metrics
    "MetricsTracker",
    "StreamingMetricsTracker",
    # sessions.managed.chunking
    "AdaptiveChunker",
    "TokenChunker",
    # sessions.managed.deltas
    "DeltaGenerator",
    # sessions.managed.formatters
    "JSONLinesFormatter",
    "PlainTextFormatter",
    "SSEFormatter",
    # sessions.managed.generators
    "AudioStreamingGenerator",
    "ChatStreamingGenerator",
    "CompletionStreamingGenerator",
    # sessions.managed.protocols
    "ChunkFormatter",
    "StreamingGenerator",
    # sessions.managed.stream
    "ManagedStream",
    # sessions.managed.types
    "ErrorSeverity",
    "StreamChunk",
    "StreamContext",
    "StreamError",
    "StreamMetrics",
    "StreamStatus",
    "StreamType",
    # sessions.manager
    "StreamManager",
    # stream.generation
    "BufferedStream",
    "GenerationChunk",
    "GenerationResult",
    "GenerationStream",
    "StreamProgress",
    "TextStream",
    # stream.partial
    "PartialStream",
    # stream.sync
    "SyncStream",
    # structured.function
    "FunctionTool",
    "tool",
    # structured.growing
    "Growing",
    "read_output",
    # structured.schema
    "schema_of",
    "strict_schema",
    # transport.sse
    "stream_sse",
]


if not TYPE_CHECKING:  # a checker that saw it would believe in every name

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Every error Headrace raises, one closed tree.

HeadraceError                          (code, retryable, http_status)
├── WireError         bytes break the protocol: not retried on the same candidate, fallback may go on
├── ProviderError     the far end said no     (provider, status, retry_after_s)
│   ├── AuthError, BadRequest, ContextOverflow, ContentBlocked      passed through
│   ├── RateLimited   wait or fall back
│   └── Unavailable   overloaded, 5xx, refused: retry, then fall back
├── StreamingError    a stream ended wrongly   (stream_id)
│   ├── Truncated                  it stopped without a terminal event
│   ├── SlowReader                 the reader was dropped at its byte bound
│   ├── Gap                        records of a stream that were asked for are not kept any more
│   ├── StreamTimeoutException     one of the four clocks ran out (also a TimeoutError)
│   ├── StreamCancelledException   it was cancelled
│   └── StreamGenerationException  the source itself raised
├── OutputError       the answer is not of the form asked for (text, path)
├── ToolError         a function that the model called failed (tool, call_id)
├── RunnerError       a local engine failed   (E101..E504, G001..G100, recoverable)
├── RequestError      asked what cannot be done (field, value, why)
│   └── UnknownModel  no such model
└── ConfigError       headrace.toml or the environment is wrong (source, line, field)

`kind` names the class in data (a `Failure` chunk, a log line, a JSON body): `KINDS[kind]` is the class.
"""

from __future__ import annotations

from typing import Any, ClassVar

KINDS: dict[str, type[HeadraceError]] = {}


class HeadraceError(Exception):
    """The root: catch this to catch everything Headrace raises on purpose.

    code: a short stable word (or a documented code such as E404).
    retryable: whether the same request may succeed later.
    http_status: the status a server answers with when this happens before its 200.
    """

    kind: ClassVar[str] = "error"
    default_code: ClassVar[str] = ""
    default_retryable: ClassVar[bool] = False
    default_http_status: ClassVar[int] = 500

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        KINDS[cls.kind] = cls

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        retryable: bool | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code or self.kind
        self.retryable = self.default_retryable if retryable is None else retryable
        self.http_status = self.default_http_status if http_status is None else http_status

    @property
    def error_code(self) -> str:
        """The same as `code`, under the name users of other toolkits know."""
        return self.code

    def details(self) -> dict[str, Any]:
        """What this class adds to the root's fields, as plain data."""
        return {}


KINDS["error"] = HeadraceError


class WireError(HeadraceError):
    """Bytes that break the protocol they claim to speak."""

    kind = "wire"
    default_http_status = 502


class ProviderError(HeadraceError):
    """A remote place answered, and the answer is no.

    provider: its name in the registry. status: its HTTP status, where there was one.
    retry_after_s: how long it asked us to wait, in seconds.
    """

    kind = "provider"
    default_http_status = 502

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | None = None,
        retry_after_s: float | None = None,
        **root: Any,
    ) -> None:
        super().__init__(message, **root)
        self.provider = provider
        self.status = status
        self.retry_after_s = retry_after_s

    def details(self) -> dict[str, Any]:
        return {"provider": self.provider, "status": self.status, "retry_after_s": self.retry_after_s}


class AuthError(ProviderError):
    """The key is missing, wrong, or may not do this (401, 403)."""

    kind = "auth"
    default_http_status = 401


class BadRequest(ProviderError):
    """The far end cannot take the request as written (400, 404, 422)."""

    kind = "bad_request"
    default_http_status = 400


class ContextOverflow(ProviderError):
    """The prompt does not fit the model's context."""

    kind = "context_overflow"
    default_code = "context_length_exceeded"
    default_http_status = 400


class ContentBlocked(ProviderError):
    """A safety system refused the prompt or the answer."""

    kind = "content_blocked"
    default_http_status = 400


class RateLimited(ProviderError):
    """Too many requests or tokens (429): wait `retry_after_s`, or fall back."""

    kind = "rate_limited"
    default_retryable = True
    default_http_status = 429


class Unavailable(ProviderError):
    """Overloaded, 5xx, refused, unreachable: retry, then fall back."""

    kind = "unavailable"
    default_retryable = True
    default_http_status = 502


class StreamingError(HeadraceError):
    """A stream ended wrongly. stream_id: of a `StreamManager`'s stream; empty elsewhere."""

    kind = "streaming"
    default_http_status = 502

    def __init__(self, message: str, *, stream_id: str = "", **root: Any) -> None:
        super().__init__(message, **root)
        self.stream_id = stream_id


class Truncated(StreamingError):
    """The stream stopped without saying that it was complete."""

    kind = "truncated"
    default_retryable = True


class SlowReader(StreamingError):
    """The reader fell further behind than its bound allows."""

    kind = "slow_reader"


class Gap(StreamingError):
    """Records of a stream that were asked for are not kept any more."""

    kind = "gap"
    default_code = "records_gone"
    default_http_status = 410


class StreamTimeoutException(StreamingError, TimeoutError):
    """A clock ran out; `code` says which: connect, first_token, idle or total."""

    kind = "timeout"
    default_retryable = True
    default_http_status = 504


class StreamCancelledException(StreamingError):
    """The stream was cancelled by its reader or its owner."""

    kind = "cancelled"
    default_http_status = 499


class StreamGenerationException(StreamingError):
    """The source raised while it generated.

    error: of a `StreamManager`'s stream, the same as a `StreamError` value; None elsewhere.
    """

    kind = "generation"
    default_http_status = 500

    def __init__(self, message: str, *, error: Any = None, **root: Any) -> None:
        super().__init__(message, **root)
        self.error = error


class OutputError(HeadraceError):
    """The answer came, and is no value of what was asked for. Asking again may give one.

    code: invalid (JSON, but not of the type), not_json, incomplete (cut off: too few tokens), empty, refused,
    too_long. text: the answer as it came. path: where in it, such as `items[3].price`; empty for all of it.
    """

    kind = "output"
    default_code = "invalid"
    default_retryable = True
    default_http_status = 502

    def __init__(self, message: str, *, text: str = "", path: str = "", **root: Any) -> None:
        super().__init__(message, **root)
        self.text = text
        self.path = path

    def details(self) -> dict[str, Any]:
        return {"text": self.text, "path": self.path}


class ToolError(HeadraceError):
    """A call that the model made of a function could not be answered; raised where that is asked for.

    code: raised (by the function, which is the cause), timeout, bad_arguments, bad_result, unknown_tool,
    busy. tool: the name that was called. call_id: of the call.
    """

    kind = "tool"
    default_code = "raised"

    def __init__(self, message: str, *, tool: str = "", call_id: str = "", **root: Any) -> None:
        super().__init__(message, **root)
        self.tool = tool
        self.call_id = call_id

    def details(self) -> dict[str, Any]:
        return {"tool": self.tool, "call_id": self.call_id}


class RunnerError(HeadraceError):
    """A local engine failed.

    code: E101 processing, E102 streaming, E103 speech out, E400 input, E401 permission, E404 no runner,
    E405 capability, E406 streaming unsupported, E500 download, E501 resource, E502 load, E503 hardware,
    E504 memory; guardian G001, G002, G100.
    recoverable: whether the runner can take the next request.
    """

    kind = "runner"
    default_code = "E101"

    def __init__(self, message: str, *, recoverable: bool = True, **root: Any) -> None:
        super().__init__(message, **root)
        self.recoverable = recoverable

    def details(self) -> dict[str, Any]:
        return {"recoverable": self.recoverable}


class RequestError(HeadraceError):
    """Asked for what cannot be done.

    field: the dotted path of the field at fault, such as `messages.0.role`. value: what it held.
    """

    kind = "request"
    default_code = "invalid_request"
    default_http_status = 400

    def __init__(self, message: str, *, field: str = "", value: Any = None, **root: Any) -> None:
        super().__init__(message, **root)
        self.field = field
        self.value = value

    def details(self) -> dict[str, Any]:
        return {"field": self.field}


class UnknownModel(RequestError):
    """No provider, runner or alias answers to this model id."""

    kind = "unknown_model"
    default_code = "model_not_found"
    default_http_status = 404


class ConfigError(HeadraceError):
    """A line of configuration is wrong.

    source: the file or environment variable. line: 1-based, 0 where unknown. field: dotted path.
    """

    kind = "config"

    def __init__(
        self, message: str, *, source: str = "", line: int = 0, field: str = "", **root: Any
    ) -> None:
        super().__init__(message, **root)
        self.source = source
        self.line = line
        self.field = field

    def details(self) -> dict[str, Any]:
        return {"source": self.source, "line": self.line, "field": self.field}

"""What can be set, as frozen values. Every field here does something; an unknown one is an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from headrace.config.door import KeySettings, LimitSettings, PositiveInt, PositiveSeconds, QueueSettings
from headrace.config.secret import Secret

BaseUrl = Annotated[str, msgspec.Meta(pattern="^https?://[^/]")]
VariableName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Origin = Annotated[str, msgspec.Meta(pattern=r"^(\*|null|[a-z][a-z0-9+.-]*://[^/\s]+)$")]
_NO_BOUNDS = ("host", "port", "keys_file", "cors_origins", "compress")


class Clocks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The four clocks of a remote answer, in seconds of monotonic time.

    connect_s: name lookup, TCP, TLS and the wait for a free connection. first_token_s: from the request's
    start to the first content. idle_s: between two pieces after it. total_s: all of it. While the reader
    has paused the stream, first_token and idle stand still: a slow reader is not a slow model.
    """

    connect_s: PositiveSeconds = 30.0
    first_token_s: PositiveSeconds = 300.0
    idle_s: PositiveSeconds = 120.0
    total_s: PositiveSeconds = 3600.0


class ClockSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Clocks as they are written down: what is not, is as it was."""

    connect_s: PositiveSeconds | None = None
    first_token_s: PositiveSeconds | None = None
    idle_s: PositiveSeconds | None = None
    total_s: PositiveSeconds | None = None

    def over(self, clocks: Clocks) -> Clocks:
        """`clocks` with what is set here."""
        changed = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(clocks, **changed)


class ProviderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[providers.NAME]`: a place of one's own, or changes to a known one of that name.

    base_url_env: the environment variable with the address, read at each call. auth: "bearer", "none", or
    the name of the header that carries the key; the wire's own way where not said. api_key_env: the
    environment variable with the key, read at each call. api_key: the key itself (better not in a file).
    models: what `headrace models` lists without asking. ca_file: PEM file of the only authorities to trust.
    """

    wire: str | None = None
    base_url: BaseUrl | None = None
    base_url_env: VariableName | None = None
    api_key_env: VariableName | None = None
    api_key: Secret | None = None
    auth: str | None = None
    headers: dict[str, Secret] = {}
    quirks: dict[str, Any] = {}
    models: tuple[str, ...] = ()
    ca_file: str | None = None
    clocks: ClockSettings = ClockSettings()


class LocalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[local.NAME]`: a .gguf of one's own, used as `local/NAME`.

    n_ctx: context in tokens; None: the model's own, within memory. threads: None: chosen by the engine's
    worker. parallel: answers at once.
    """

    path: str
    n_ctx: PositiveInt | None = None
    threads: PositiveInt | None = None
    parallel: PositiveInt | None = None


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[server]`: the address, and the bounds of `headrace.server.limits` by their own names.

    keys_file: where `headrace keys` keeps API keys; headrace-keys.json beside this file by default.
    cors_origins: which web pages' scripts may ask, "*" for all; none by default. compress: whether clients
    that take gzip get whole bodies ("bodies") and streams ("all") in it.
    """

    host: str = "127.0.0.1"
    port: Port = 8787
    keys_file: str = ""
    cors_origins: tuple[Origin, ...] = ()
    compress: Literal["off", "bodies", "all"] = "off"
    max_body_bytes: PositiveInt | None = None
    max_head_bytes: PositiveInt | None = None
    max_reply_bytes: PositiveInt | None = None
    head_s: PositiveSeconds | None = None
    body_s: PositiveSeconds | None = None
    idle_s: PositiveSeconds | None = None
    max_pipelined: PositiveInt | None = None
    write_buffer_bytes: PositiveInt | None = None
    slow_reader_s: PositiveSeconds | None = None
    keepalive_after_s: PositiveSeconds | None = None
    drain_s: PositiveSeconds | None = None

    def limits(self) -> dict[str, float]:
        """The bounds that are set, ready for `Limits(**...)`."""
        return {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if value is not None and name not in _NO_BOUNDS
        }


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[streams]`: where streams are logged, for how long, and what slow readers do to them.

    log: "memory" (gone with the process), "sqlite" (one file, survives it), "valkey" (many servers, also
    Redis), or "none" (nothing can be read again, and events carry no ids). path: of the SQLite file. url: of
    the Valkey or Redis server; url_env: the environment variable with it, as it may hold a password.
    prefix: of every key there. slow_readers: what a client that is behind does to its stream: "pause" the
    source (once every reader is behind), "spill" (it reads from the log later) or "drop" (it is told, and
    left, when it is more than slow_bytes behind). stream_bytes: kept of one stream; total_bytes: of all;
    ended_s: how long an ended stream is kept.
    """

    log: Literal["memory", "sqlite", "valkey", "none"] = "memory"
    path: str = "headrace-streams.db"
    url: Secret | None = None
    url_env: VariableName | None = None
    prefix: str = "headrace:"
    slow_readers: Literal["pause", "spill", "drop"] = "pause"
    slow_bytes: PositiveInt = 2**20
    stream_bytes: PositiveInt = 8 * 2**20
    total_bytes: PositiveInt = 256 * 2**20
    ended_s: PositiveSeconds = 600.0


class TelemetrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[telemetry]`: where traces and metrics are sent, and what streams are measured against.

    otlp: the address of an OTLP collector (HTTP), such as http://127.0.0.1:4318; without it nothing is sent.
    stall_s: a gap above it is a stall. first_token_s, token_s: the deadlines of the first piece of an answer
    and of each further one; the fluidity is the share of them that was kept.
    """

    otlp: BaseUrl | None = None
    stall_s: PositiveSeconds = 1.0
    first_token_s: PositiveSeconds = 2.0
    token_s: PositiveSeconds = 0.1


class Settings(msgspec.Struct, frozen=True):
    """All of it. source: the file it was read from, empty where there is none.

    aliases: short name -> model id. clocks: of every provider that does not say otherwise.
    """

    providers: dict[str, ProviderSettings] = {}
    aliases: dict[str, str] = {}
    server: ServerSettings = ServerSettings()
    streams: StreamSettings = StreamSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    clocks: Clocks = Clocks()
    local: dict[str, LocalSettings] = {}
    keys: dict[str, KeySettings] = {}
    limits: LimitSettings = LimitSettings()
    queue: QueueSettings = QueueSettings()
    source: str = ""

"""`headrace serve`: every model over the OpenAI-compatible API."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from headrace.cli.terminal import clean, clean_json
from headrace.config import load_config

if TYPE_CHECKING:
    from headrace.metrics.measures import Watcher


@click.command("serve")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1, or the configuration's]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on, 0 for any free one.  [default: 8787, or the configuration's]",
)
@click.option("--config", metavar="FILE", help="Which headrace.toml to read.")
@click.option("--drain-s", type=click.FloatRange(0), help="How long running answers may go on after Ctrl-C.")
@click.option(
    "--log",
    type=click.Choice(["memory", "sqlite", "valkey", "none"]),
    help="Where streams are kept for clients that come back.  [default: memory, or the configuration's]",
)
@click.option(
    "--no-keys", is_flag=True, help="Let everybody in who can reach the address, with a key or without."
)
@click.option("--access-log", is_flag=True, help="One JSON line a request on stderr.")
@click.option(
    "--stream-log", is_flag=True, help="One JSON line of figures on stderr for each answer that has ended."
)
def command(
    host: str | None,
    port: int | None,
    config: str | None,
    drain_s: float | None,
    log: str | None,
    no_keys: bool,
    access_log: bool,
    stream_log: bool,
) -> None:
    """Serve every model over the OpenAI-compatible API.

    Runs until Ctrl-C or SIGTERM, then lets running answers end; a second signal waits no longer.

    \b
    Examples:
      headrace serve
      headrace serve --port 0
      headrace serve --host 0.0.0.0 --config /etc/headrace.toml
    """
    settings = load_config(config)
    try:
        from headrace.server.limits import Limits
        from headrace.server.serve import serve
        from headrace.server.settings import door_of
    except ModuleNotFoundError as error:
        raise click.UsageError(f"serving needs {error.name}: pip install 'headrace[server]'") from error
    from headrace.dispatch.runtime import Runtime
    from headrace.metrics.settings import targets_of, telemetry_of
    from headrace.metrics.stream_log import log_stream
    from headrace.sessions.settings import sessions_of

    streams = msgspec.structs.replace(settings.streams, log=log) if log else settings.streams
    bounds = settings.server.limits()
    if drain_s is not None:
        bounds["drain_s"] = drain_s
    _log_to_stderr(access=access_log, streams=stream_log)
    telemetry = telemetry_of(settings.telemetry)
    watchers: list[Watcher] = [log_stream] if stream_log else []
    if telemetry is not None:
        watchers.append(telemetry)
    runtime = Runtime(settings)

    async def on_end() -> None:
        await runtime.aclose()
        if telemetry is not None:
            await asyncio.to_thread(telemetry.close)

    serve(
        runtime,
        host=host or settings.server.host,
        port=settings.server.port if port is None else port,
        limits=Limits(**bounds),  # type: ignore[arg-type]
        sessions=sessions_of(streams),
        door=door_of(settings, no_keys=no_keys),
        open_to_all=no_keys,
        access_log=access_log,
        watchers=watchers,
        targets=targets_of(settings.telemetry),
        announce=click.echo,
        on_end=on_end,
    )


class _Cleaned(logging.Formatter):
    """Messages quote what came from outside: clients, model files, far ends."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class _Lines(logging.Formatter):
    """JSON, so what would steer a terminal is escaped and nothing is lost."""

    def format(self, record: logging.LogRecord) -> str:
        return clean_json(super().format(record))


def _log_to_stderr(*, access: bool, streams: bool) -> None:
    warnings = logging.StreamHandler(sys.stderr)
    warnings.setFormatter(_Cleaned("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[warnings])
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Lines("%(message)s"))
    for name, wanted in (("headrace.access", access), ("headrace.streams", streams)):
        if not wanted:
            continue
        logger = logging.getLogger(name)
        logger.addHandler(lines)
        logger.setLevel(logging.INFO)
        logger.propagate = False

"""`headrace top`: the streams of a running server, as they go."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from headrace.cli.terminal import clean_json, one_line
from headrace.config import load_config
from headrace.errors import AuthError, HeadraceError

if TYPE_CHECKING:
    from rich.console import Group

    from headrace.cli.top_table import Health, Stream
    from headrace.transport.http import Sender

KEY_ENV = "HEADRACE_API_KEY"


@click.command("top")
@click.argument("url", required=False)
@click.option("--once", is_flag=True, help="Print it once; a pipe gets it once too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a look.")
@click.option("--all", "all_", is_flag=True, help="Ended streams that are still kept, too.")
@click.option(
    "--interval-s", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Between two looks."
)
@click.option(
    "--key-env",
    metavar="NAME",
    default=KEY_ENV,
    show_default=True,
    help="The variable with the server's key.",
)
def command(url: str | None, once: bool, as_json: bool, all_: bool, interval_s: float, key_env: str) -> None:
    """Show the streams of a running server as they go.

    URL is the server's address, such as http://127.0.0.1:8787; where it is not given, the one of the
    configuration. Runs until Ctrl-C.

    \b
    Examples:
      headrace top
      headrace top --once
      headrace top http://127.0.0.1:8787 --json --interval-s 5
    """
    where = _Where(_address(url), os.environ.get(key_env, ""), key_env)
    if as_json:
        asyncio.run(_lines(where, all_, None if once else interval_s))
    elif once or not sys.stdout.isatty():
        asyncio.run(_once(where, all_))
    else:
        asyncio.run(_watch(where, all_, interval_s))


class _Where(NamedTuple):
    base_url: str
    key: str
    key_env: str


class _Look(NamedTuple):
    """What a server said. streams: those that are to be shown."""

    streams: list[Stream]
    health: Health


def _address(url: str | None) -> str:
    if url is None:
        server = load_config().server
        host = f"[{server.host}]" if ":" in server.host else server.host
        return f"http://{host}:{server.port}"
    return (url if "://" in url else f"http://{url}").rstrip("/").removesuffix("/v1")


async def _once(where: _Where, all_: bool) -> None:
    from headrace.cli.tables import drawn
    from headrace.transport.pool import pool_here

    sys.stdout.write(drawn(_shown(await _look(pool_here(), where, all_), "")))
    sys.stdout.flush()


async def _lines(where: _Where, all_: bool, interval_s: float | None) -> None:
    from headrace.transport.pool import pool_here

    while True:
        look = await _look(pool_here(), where, all_)
        health = look.health
        line = {"streams": look.streams, "waiting": health.waiting, "counters": health.counters}
        click.echo(clean_json(msgspec.json.encode(line).decode()))
        if interval_s is None:
            return
        await asyncio.sleep(interval_s)


async def _watch(where: _Where, all_: bool, interval_s: float) -> None:
    """Until Ctrl-C. A server that does not answer any more is waited for; the last that was known stays."""
    from rich.live import Live

    from headrace.cli.tables import console_of
    from headrace.transport.pool import pool_here

    look = await _look(pool_here(), where, all_)
    with Live(_shown(look, ""), console=console_of(), auto_refresh=False) as live:
        while True:
            await asyncio.sleep(interval_s)
            trouble = ""
            try:
                look = await _look(pool_here(), where, all_)
            except HeadraceError as error:
                trouble = error.message
            live.update(_shown(look, trouble), refresh=True)


def _shown(look: _Look, trouble: str) -> Group:
    from rich.console import Group, RenderableType
    from rich.text import Text

    from headrace.cli.top_table import stream_table, totals_line

    parts: list[RenderableType] = [stream_table(look.streams), totals_line(look.streams, look.health)]
    return Group(*parts, *([Text(one_line(trouble), "red")] if trouble else []))


async def _look(sender: Sender, where: _Where, all_: bool) -> _Look:
    """What the server says now. Raises: what asking it raises, such as AuthError for its key; WireError."""
    from headrace.cli.top_table import read_health, read_streams

    try:
        health = read_health(await _asked(sender, where, "/health"))
        streams = read_streams(await _asked(sender, where, "/v1/streams"))
    except AuthError as error:
        if error.status != 401:
            raise
        fault = "does not take the key in" if where.key else "needs a key: put it into"
        raise AuthError(f"{where.base_url} {fault} {where.key_env}", status=error.status) from None
    return _Look([stream for stream in streams if all_ or stream.is_live], health)


async def _asked(sender: Sender, where: _Where, path: str) -> bytes:
    from headrace.transport.fetch import fetch
    from headrace.transport.http import HttpRequest
    from headrace.transport.refusal import refusal
    from headrace.transport.url import parse_url

    headers = {"accept": "application/json"}
    if where.key:
        headers["authorization"] = f"Bearer {where.key}"
    url = where.base_url + path
    response = await fetch(sender, HttpRequest("GET", url, headers), connect_s=10, total_s=30)
    if response.status != 200:
        place = parse_url(url).host_header
        raise refusal(response.status, response.headers, response.body, place, headers).error()
    return response.body

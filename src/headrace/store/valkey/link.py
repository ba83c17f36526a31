"""One connection to a Valkey or Redis server: commands in, answers out, and again where it was cut.

Everything that waits is sent together, so that a round trip serves all who asked in the meantime. Whatever
was sent and not answered is sent again on a new connection: every command here may be done twice.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import (
    AuthenticationError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from headrace.config.secret import Secret
from headrace.errors import ConfigError, StreamingError
from headrace.store.valkey.scripts import SCRIPTS, Command

ANSWER_S = 5.0
RETRY_S = 4.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
Answers: TypeAlias = list[Any]  # bytes, int, None, a list of them, or a ResponseError
Done: TypeAlias = Callable[["Answers | StreamingError"], None]


class Address:
    """Where a server is. The password that the URL may have is never told.

    Raises: ConfigError where it is no such URL.
    """

    def __init__(self, url: Secret) -> None:
        text = url.reveal()
        scheme, _, rest = text.partition("://")
        scheme = {"valkey": "redis", "valkeys": "rediss"}.get(scheme, scheme)
        try:
            options: dict[str, Any] = dict(parse_url(f"{scheme}://{rest}"))
            self._kind: type[AbstractConnection] = options.pop("connection_class", Connection)
            self._options = options | {"protocol": 2, "socket_timeout": None, "driver_info": None}
            self.connection()
        except (ValueError, TypeError, RedisError):
            # What is wrong with it may quote it.
            raise ConfigError(
                "streams.url: must be redis://, rediss:// (TLS) or unix://, such as redis://127.0.0.1:6379/0",
                field="streams.url",
            ) from None
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        self.shown: str = options.get("path", f"{host}:{port}")

    def connection(self) -> AbstractConnection:
        """A connection that is not connected yet."""
        return self._kind(**self._options)


class _Asked(NamedTuple):
    commands: Sequence[Command]
    done: Done


class Link:
    """See the module. Belongs to one event loop.

    answer_s: the longest wait for an answer. retry_s: how long a lost connection is tried again.
    """

    def __init__(self, address: Address, *, answer_s: float = ANSWER_S, retry_s: float = RETRY_S) -> None:
        self._address = address
        self._answer_s = answer_s
        self._retry_s = retry_s
        self._asked: list[_Asked] = []
        self._pump: asyncio.Task[None] | None = None
        self._connection: AbstractConnection | None = None
        self._closed = False

    def submit(self, commands: Sequence[Command], done: Done) -> None:
        """Send them, as soon as what is under way is answered.

        done: is given the answers, in order, or the error where the server cannot be reached; must not raise.
        """
        if self._closed:
            done(unreachable("the stream log is closed"))
            return
        self._asked.append(_Asked(commands, done))
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._work())

    async def run(self, *commands: Command) -> Answers:
        """The same, awaited. Raises StreamingError where one of them is not carried out."""
        answers: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()

        def done(told: Answers | StreamingError) -> None:
            if answers.done():
                return  # whoever asked has gone
            if isinstance(told, StreamingError):
                answers.set_exception(told)
            else:
                answers.set_result(told)

        self.submit(commands, done)
        found = await answers
        for answer in found:
            if isinstance(answer, ResponseError):
                raise refused(answer)
        return found

    async def aclose(self) -> None:
        """Hang up; what is not answered yet fails."""
        self._closed = True
        pump = self._pump
        if pump is not None:
            pump.cancel()
            await asyncio.wait([pump])
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()

    async def _work(self) -> None:
        batch: list[_Asked] = []
        try:
            while self._asked:
                batch, self._asked = self._asked, []
                told = await self._told([command for asked in batch for command in asked.commands])
                at = 0
                batch.reverse()
                while batch:
                    asked = batch.pop()
                    count = len(asked.commands)
                    asked.done(told if isinstance(told, StreamingError) else told[at : at + count])
                    at += count
        except asyncio.CancelledError:
            for asked in (*batch, *self._asked):
                asked.done(unreachable("the stream log is closed"))
            self._asked = []
            raise
        finally:
            self._pump = None

    async def _told(self, commands: Sequence[Command]) -> Answers | StreamingError:
        now_s = asyncio.get_running_loop().time
        until_s, pause_s = now_s() + self._retry_s, _FIRST_PAUSE_S
        while True:
            try:
                async with asyncio.timeout(self._answer_s):
                    return await self._once(commands)
            except (OSError, RedisError) as error:  # a timeout is an OSError
                await self._hang_up()
                why = str(error) or f"no answer within {self._answer_s:g} s"
                if _is_final(error) or now_s() + pause_s > until_s:
                    return unreachable(f"the stream log at {self._address.shown} cannot be used: {why}")
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _once(self, commands: Sequence[Command]) -> Answers:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._address.connection()
            await connection.connect()  # type: ignore[no-untyped-call]
            loads = [("SCRIPT", "LOAD", script.text) for script in SCRIPTS]
            for answer in await _exchanged(connection, loads):
                if isinstance(answer, ResponseError):
                    raise answer
        return await _exchanged(connection, commands)

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _exchanged(connection: AbstractConnection, commands: Sequence[Command]) -> Answers:
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    answers: Answers = []
    for _ in commands:
        try:
            answers.append(await connection.read_response(disable_decoding=True))
        except (NoScriptError, ReadOnlyError):
            raise  # the server is another one than it was: again, from the connection on
        except ResponseError as error:
            answers.append(error)
    return answers


def _is_final(error: Exception) -> bool:
    """Whether a new connection would hear the same."""
    if isinstance(error, ResponseError):
        return not isinstance(error, NoScriptError | ReadOnlyError)
    # Over a Unix socket the client wraps it once more.
    return isinstance(error, AuthenticationError) or isinstance(error.__cause__, AuthenticationError)


def refused(answer: ResponseError) -> StreamingError:
    """The server's no to one command."""
    return StreamingError(f"the stream log refuses: {answer}", code="log_failed", http_status=503)


def unreachable(message: str) -> StreamingError:
    """The server does not answer."""
    return StreamingError(message, code="log_failed", retryable=True, http_status=503)

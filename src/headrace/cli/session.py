"""A conversation at the terminal: one line a turn, history, and a few commands with a slash."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from headrace.cli.answer import Printer, answer
from headrace.cli.conversation import Conversation
from headrace.cli.pulling import prepare
from headrace.cli.terminal import has_colour, note, one_line
from headrace.dispatch.runtime import Runtime
from headrace.errors import HeadraceError

HISTORY_LINES = 1000
HELP = """\
/model NAME  go on with another model     /reset  forget the turns so far
/help        this list                    /quit   leave (Ctrl-D too)
Ctrl-C stops an answer and keeps the session. A line that ends in \\ goes on in the next."""


class Session:
    """Reads lines, asks, prints. `runner` owns the event loop, which stands still between two answers."""

    def __init__(
        self, conversation: Conversation, runtime: Runtime, runner: asyncio.Runner, *, stats: bool
    ) -> None:
        self._conversation = conversation
        self._runtime = runtime
        self._runner = runner
        self._stats = stats

    def run(self) -> None:
        """Until /quit or the end of input. Raises: UnknownModel where the first model is none."""
        prepare(self._runtime, self._runner, self._conversation.model)
        note(f"{self._conversation.model} · /help for help, Ctrl-D to leave", dim=True)
        while True:
            try:
                line = _read_turn(_prompt())
            except EOFError:
                sys.stdout.write("\n")
                return
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                continue
            if line.startswith("/"):
                if not self._command(line):
                    return
            elif line:
                self._turn(line)

    def _turn(self, text: str) -> None:
        printer = Printer()
        asking = answer(self._runtime, self._conversation.asking(text), printer, stats=self._stats)
        try:
            self._runner.run(asking)
        except KeyboardInterrupt:
            pass  # the answer was stopped; its line and its speed are printed
        except HeadraceError as error:
            note(f"error: {one_line(error.message)}", fg="red")
            return
        self._conversation.remember(text, printer.reply)

    def _command(self, line: str) -> bool:
        """Do what the line says; False to leave."""
        word, _, rest = line.partition(" ")
        match word:
            case "/quit" | "/exit":
                return False
            case "/help":
                note(HELP)
            case "/reset":
                self._conversation.reset()
                note("forgotten", dim=True)
            case "/model":
                self._switch(rest.strip())
            case _:
                note(f"no command is called {word}: /help lists them", fg="red")
        return True

    def _switch(self, name: str) -> None:
        if name:
            try:
                prepare(self._runtime, self._runner, name)
            except HeadraceError as error:
                note(f"error: {one_line(error.message)}", fg="red")
                return
            except KeyboardInterrupt:
                note("stopped", dim=True)
                return
            self._conversation.model = name
        note(self._conversation.model, dim=True)


def _prompt() -> str:
    # \001 and \002 tell readline which bytes take no place on the line.
    return "\001\x1b[1m\002>\001\x1b[0m\002 " if has_colour(sys.stdout) else "> "


def _read_turn(prompt: str) -> str:
    lines: list[str] = []
    while True:
        line = input(prompt if not lines else "  ")
        if not line.endswith("\\"):
            lines.append(line)
            return "\n".join(lines).strip()
        lines.append(line[:-1])


def keep_history(path: Path) -> Callable[[], None]:
    """Read the lines of earlier sessions from `path`; the function given back writes them again.

    Where the system has no readline, lines are read without history. A history that cannot be read or
    written is said once and harms nothing.
    """
    try:
        import readline
    except ImportError:
        return lambda: None
    readline.set_history_length(HISTORY_LINES)
    try:
        readline.read_history_file(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        note(f"warning: no history: {path}: {error.strerror}", fg="yellow")

    def write() -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            readline.write_history_file(path)
        except OSError as error:
            note(f"warning: history not kept: {path}: {error.strerror}", fg="yellow")

    return write

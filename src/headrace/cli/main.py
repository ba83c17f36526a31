"""The frame of the `headrace` command: which commands there are, and what becomes of an error.

Exit codes: 0 done; 1 the far end, the stream or the machine failed; 2 asked wrongly (usage, request,
configuration); 130 stopped by Ctrl-C; 141 the reader of our output went away.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from headrace.cli.standard import make_safe, unwritten
from headrace.cli.terminal import one_line, paint
from headrace.errors import ConfigError, HeadraceError, RequestError, RunnerError

# Name -> (module, what `headrace --help` says). A command's module is imported when it is run, so that
# the list needs no command's imports; a test holds these sentences equal to the commands' own.
COMMANDS = {
    "chat": ("headrace.cli.chat", "Talk to a model: one question, a pipe, or a conversation."),
    "completion": ("headrace.cli.completion", "Print the script that completes `headrace` in your shell."),
    "convert": ("headrace.cli.convert", "Convert recorded vendor streams into another protocol's."),
    "decode": ("headrace.cli.decode", "Decode recorded vendor streams into chunks or final replies."),
    "keys": ("headrace.cli.keys", "Make, list and revoke the API keys of the server."),
    "models": ("headrace.cli.models", "List the models, pull one, or say where its file is."),
    "serve": ("headrace.cli.serve", "Serve every model over the OpenAI-compatible API."),
    "top": ("headrace.cli.top", "Show the streams of a running server as they go."),
}
EPILOG = """\b
Examples:
  headrace chat "Why is the sky blue?"
  headrace serve
  headrace decode --wire openai_chat --final recording.sse

Exit codes: 0 done, 1 failed, 2 asked wrongly, 130 stopped by Ctrl-C.
"""


class ReaderGone(Exception):
    """Nobody reads our output any more. click would turn a BrokenPipeError into exit code 1 by itself."""


class CommandTable(click.Group):
    """A group whose commands are imported when they are asked for."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)  # which prints --help and --version
        except BrokenPipeError as error:
            raise ReaderGone from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderGone from error
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        command: click.Command = import_module(row[0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


def _version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"headrace {version('headrace')}")
        ctx.exit()


@click.group(cls=CommandTable, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def headrace() -> None:
    """One typed stream for every AI model: call it, serve it, simulate it."""


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; an error is one line on stderr."""
    try:
        code = headrace.main(args, prog_name="headrace", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stdout.write(error.format_message() + "\n")  # written out in `main`, as far as it can be
        return 0
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "headrace"
        return _say(f"{error.format_message()} (see `{path} --help`)", error.exit_code)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except HeadraceError as error:
        return _say(error.message, exit_code_of(error))
    except (click.Abort, KeyboardInterrupt):
        return 130
    except ReaderGone:
        return 141
    except OSError as error:
        said = error.strerror or str(error)
        return _say(f"{error.filename}: {said}" if error.filename else said, 1)
    return code if isinstance(code, int) else 0


def exit_code_of(error: HeadraceError) -> int:
    """2 where the asking was wrong, 1 where the doing failed."""
    if isinstance(error, RunnerError):
        return 2 if error.code in ("E400", "E404", "E405") else 1
    return 2 if isinstance(error, (RequestError, ConfigError)) else 1


def _say(message: str, code: int) -> int:
    try:
        click.echo(f"{paint('headrace: error:', sys.stderr, fg='red')} {one_line(message)}", err=True)
    except OSError:  # stderr is gone or full: there is nobody to tell, and the code still says it
        return code
    return code


def _flushed(code: int) -> int:
    """The exit code once everything is written out, or cannot be."""
    trouble = unwritten(sys.stdout)
    if trouble is not None and code == 0:
        gone = isinstance(trouble, BrokenPipeError)
        code = 141 if gone else _say(trouble.strerror or str(trouble), 1)
    unwritten(sys.stderr)
    return code


def main() -> None:
    """The console script."""
    make_safe()
    code = run()
    sys.exit(_flushed(code))

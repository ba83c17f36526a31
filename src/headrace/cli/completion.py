"""`headrace completion`: the script a shell sources to complete our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

VARIABLE = "_HEADRACE_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `headrace` in your shell.

    \b
    bash:  headrace completion bash > ~/.local/share/bash-completion/completions/headrace
    zsh:   headrace completion zsh > "${fpath[1]}/_headrace"
    fish:  headrace completion fish > ~/.config/fish/completions/headrace.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "headrace", VARIABLE).source())

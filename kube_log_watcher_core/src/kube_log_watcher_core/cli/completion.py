"""``completion``: scripts for shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

NAME = "kube-log-watcher"
VARIABLE = "_KUBE_LOG_WATCHER_COMPLETE"
"""What click makes of the program's name."""


@click.command(epilog='For bash, in ~/.bashrc: eval "$(kube-log-watcher completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands, options and agents' names."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click offers no completion for {shell}")
    click.echo(found(ctx.find_root().command, {}, NAME, VARIABLE).source())

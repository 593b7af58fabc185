"""The program and its commands."""

from __future__ import annotations

import click

from kube_log_watcher_core.cli.commands import Program


@click.group(
    cls=Program,
    invoke_without_command=True,
    help="Tell a node's log shippers which logs to follow. Without a command: `run`.",
    context_settings={"max_content_width": 110},
    epilog="Settings come from options, the environment or a YAML file, in this order: `run --help` lists "
    "those of the watcher, `agents` those of agents.",
)
@click.version_option(
    package_name="kube-log-watcher-core", prog_name="kube-log-watcher", message="%(prog)s %(version)s"
)
@click.pass_context
def program(ctx: click.Context) -> None:
    """Do what `run` does, where no command is named."""
    if ctx.invoked_subcommand is None:
        from kube_log_watcher_core.cli.run import run  # noqa: PLC0415 - as for each command: when it is called

        with run.make_context("run", [], parent=ctx) as inner:
            run.invoke(inner)

"""The command."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import click

from kube_log_watcher_core.plugins import installed
from kube_log_watcher_testing.new_agent.names import Names, is_good_name
from kube_log_watcher_testing.new_agent.templates import files


@click.command("new-agent")
@click.argument("name", metavar="NAME")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the distribution: an empty one, or one that is not there yet. Else one that is named "
    "for it, here.",
)
def new_agent(*, name: str, folder: Path | None) -> None:
    """Write a distribution with an agent called NAME, as in WATCHER_AGENTS.

    It installs, is listed by `kube-log-watcher agents` and passes the contract of agents; what its shipper
    reads is yours to fill in.
    """
    if not is_good_name(name):
        raise click.BadParameter(
            f"{name!r}: lower-case letters and digits, with single hyphens between, a letter first",
            param_hint="NAME",
        )
    taken = [offer for offer in installed() if offer.name == name]
    if taken:
        raise click.BadParameter(f"{name!r} is what the agent of {taken[0]} is called", param_hint="NAME")
    names = Names(name, core=importlib.metadata.version("kube-log-watcher-core"))
    folder = folder or Path(names.distribution)
    if folder.exists() and any(folder.iterdir()):
        raise click.BadParameter(f"{folder} is not empty", param_hint="--dir")
    for path, text in files(names):
        _write(folder / path, text)
    _say_what_is_next(names, folder)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Never over what is there, be it a file that came meanwhile.
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    click.echo(path)


def _say_what_is_next(names: Names, folder: Path) -> None:
    click.echo(
        f"\nNext:\n"
        f"  pip install -e '{folder}[test]'\n"
        f"  kube-log-watcher agents\n"
        f"  kube-log-watcher sample --change -a {names.name}\n"
        f"  pytest {folder}"
    )

"""The command."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import click

from kube_log_watcher_core.cli.stopping import unwind_on_sigterm

LOG = "watcher.log"


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to put everything: an empty folder, or one that is not there yet. Else a temporary one.",
)
@click.option(
    "--seconds-per-step",
    type=click.FloatRange(min=0.0),
    default=2.5,
    show_default=True,
    metavar="SECONDS",
    help="How long each step can be looked at.",
)
@click.option("--plain", is_flag=True, help="Print lines also in a terminal, no live table.")
@click.option(
    "-a", "--agents", "names", metavar="NAMES", help="Only these agents; else all that are installed."
)
def demo(*, folder: Path | None, seconds_per_step: float, plain: bool, names: str | None) -> None:
    """Show it at work on two made-up nodes, one of each layout; needs no cluster, and ends by itself."""
    unwind_on_sigterm()
    # Imported only here: the help of this command needs no fakes.
    from kube_log_watcher_testing.demo.story import tell  # noqa: PLC0415
    from kube_log_watcher_testing.demo.view import make_view  # noqa: PLC0415

    root = _empty_folder(folder)
    logging.basicConfig(
        filename=root / LOG, level="INFO", format="%(asctime)s %(levelname)s %(threadName)s %(message)s"
    )
    view = make_view(live=sys.stdout.isatty() and not plain)
    only = None if names is None else {name.strip().lower() for name in names.split(",")}
    sys.exit(tell(root, view=view, only=only, seconds_per_step=seconds_per_step))


def _empty_folder(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="kube-log-watcher-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise click.BadParameter(f"{folder} is not empty", param_hint="--dir")
    return folder.absolute()

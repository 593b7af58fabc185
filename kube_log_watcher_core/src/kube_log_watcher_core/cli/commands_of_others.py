"""Commands of other distributions, by the entry-point group ``kube_log_watcher.commands``.

They are found as agents are: by the metadata of what is installed. One is imported when it is called, and
when help or a completion tells what it does; one that can't be had says why, and the rest works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click

from kube_log_watcher_core.errors import PluginError
from kube_log_watcher_core.plugins import COMMANDS, Offer, installed, load_command

KIT = ("demo", "new-agent", "sample")
"""The commands of ``kube-log-watcher-testing``, which no node needs."""
HOW_TO_GET_KIT = "pip install 'kube-log-watcher[demo]'"


class Unusable(click.Command):
    """Stands for a command that can't be had; whoever calls it is told why."""

    def __init__(self, name: str, reason: click.ClickException | PluginError) -> None:
        super().__init__(name, short_help=str(reason), add_help_option=False)
        self.reason = reason

    def make_context(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise what is wrong with it."""
        raise self.reason


def offered() -> tuple[Offer, ...]:
    """List the commands that other distributions offer; imports nothing."""
    return installed(COMMANDS)


def command_of_others(name: str) -> click.Command | None:
    """Return the command that another distribution offers; what stands for it where it can't be had.

    None for a name that nobody knows.
    """
    offers = [offer for offer in offered() if offer.name == name]
    if not offers:
        return Unusable(name, _not_installed(name)) if name in KIT else None
    try:
        found = load_command(offers)
    except PluginError as error:
        return Unusable(name, error)
    if isinstance(found, click.Command):
        return found
    return Unusable(name, PluginError(f"command {name!r} of {offers[0]} is no click command: {found!r}"))


def callback_of(name: str) -> Callable[..., Any]:
    """Return the function of another distribution's command, for a command that does the same.

    Raises
    ------
    click.ClickException, PluginError
        when it can't be had.
    """
    found = command_of_others(name)
    if isinstance(found, Unusable):
        raise found.reason
    if found is None or found.callback is None:
        raise PluginError(f"command {name!r} can't be called by another one")
    return found.callback


def _not_installed(name: str) -> click.ClickException:
    origin = "kube-log-watcher-testing, which is not installed"
    return click.UsageError(f"{name!r} comes with {origin}: {HOW_TO_GET_KIT}")


def notes(own: Iterable[str]) -> Iterable[str]:
    """Tell of commands that there could be: those of the kit, and those whose names are taken."""
    offers = offered()
    missing = [name for name in KIT if name not in {offer.name for offer in offers}]
    if missing:
        yield f"Not installed: {', '.join(missing)}; {HOW_TO_GET_KIT}"
    for offer in offers:
        if offer.name in own:
            yield f"Not used: {offer.name!r} of {offer}, for the program has a command of that name"

"""Commands of other distributions, by the entry-point group ``kube_log_watcher.commands``.

They are found as agents are: by the metadata of what is installed. One is imported when it is called, and not
by ``--help`` or a completion; one that can't be had says why, and the rest works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from kube_log_watcher_core.errors import PluginError
from kube_log_watcher_core.plugins import COMMANDS, Offer, installed, load_command

KIT = {
    "demo": "Show it at work on made-up nodes; ends by itself.",
    "new-agent": "Write a distribution with an agent of your own.",
    "sample": "Show what agents write for a made-up node; needs no cluster.",
}
"""The commands that are for people and no node needs, and what they do."""
KIT_ORIGIN = "kube-log-watcher-testing"
HOW_TO_GET_KIT = "pip install 'kube-log-watcher[demo]'"


class OfferedCommand(click.Command):
    """Stands for a command that another distribution offers, until it is called."""

    def __init__(self, name: str, offers: Sequence[Offer]) -> None:
        is_of_kit = not offers or offers[0].origin == KIT_ORIGIN
        super().__init__(name, short_help=KIT.get(name) if is_of_kit else f"A command of {offers[0]}.")
        self._offers = offers

    def load(self) -> click.Command:
        """Import the command.

        Raises `click.UsageError` when it is known and not installed, and `PluginError` when several
        distributions offer it, or it can't be imported, or is no command.
        """
        if not self._offers:
            missing = f"{KIT_ORIGIN}, which is not installed"
            raise click.UsageError(f"{self.name!r} comes with {missing}: {HOW_TO_GET_KIT}")
        found = load_command(self._offers)
        if not isinstance(found, click.Command):
            raise PluginError(f"command {self.name!r} of {self._offers[0]} is no click command: {found!r}")
        return found

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Begin to call the command itself."""
        return self.load().make_context(info_name, args, parent, **extra)


def offered() -> tuple[Offer, ...]:
    """List the commands that other distributions offer; imports nothing."""
    return installed(COMMANDS)


def command_of_others(name: str) -> OfferedCommand | None:
    """Return what stands for the command of another distribution; None for a name that nobody knows."""
    offers = [offer for offer in offered() if offer.name == name]
    return OfferedCommand(name, offers) if offers or name in KIT else None


def callback_of(name: str) -> Callable[..., Any]:
    """Return the function of a command, for another one that does the same. Raises what `load` does."""
    callback = OfferedCommand(name, [offer for offer in offered() if offer.name == name]).load().callback
    if callback is None:
        raise PluginError(f"command {name!r} can't be called by another one")
    return callback


def notes(own: Iterable[str]) -> Iterable[str]:
    """Yield what is to be said of commands that could be there: of the kit's, and of names that are taken."""
    offers = offered()
    missing = [name for name in KIT if name not in {offer.name for offer in offers}]
    if missing:
        yield f"Not installed: {', '.join(missing)}; {HOW_TO_GET_KIT}"
    for offer in offers:
        if offer.name in own:
            yield f"Not used: {offer.name!r} of {offer}, for the program has a command of that name"

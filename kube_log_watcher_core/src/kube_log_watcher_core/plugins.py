"""Agents, and commands of others, from installed distributions; agents from files too; all by name.

stevedore alone says too little: it only warns about an unknown name, lets the last of two
distributions with one name win, and its errors name no distribution. So the installed metadata is
looked at first, which imports nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import logging
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
from stevedore.driver import DriverManager

from kube_log_watcher_core.agent import BaseAgent
from kube_log_watcher_core.errors import AgentConflict, AgentLoadError, AgentNotFound, NotAnAgent, PluginError
from kube_log_watcher_core.files.signature import signature_of

AGENTS = "kube_log_watcher.agents"
"""The entry-point group that agents are registered in."""
COMMANDS = "kube_log_watcher.commands"
"""The group of commands that come into the program from other distributions."""

AgentClass = type[BaseAgent[Any]]


@attrs.frozen
class Offer:
    """An agent or a command that can be had by its name, before anything of it is imported."""

    name: str
    """Lower case, as in ``WATCHER_AGENTS`` or on the command line."""
    origin: str
    """The distribution, or the file."""
    version: str = ""
    entry_point: str = ""
    """The entry point's own name, which may have capitals; empty for a file."""
    file: Path | None = None

    def __str__(self) -> str:
        return f"{self.origin} {self.version}".strip()


def installed(group: str = AGENTS) -> tuple[Offer, ...]:
    """List what the installed distributions offer in a group, sorted by name; imports nothing."""
    found = {
        Offer(
            name=entry.name.strip().lower(),
            origin=entry.dist.name if entry.dist else "an unknown distribution",
            version=entry.dist.version if entry.dist else "",
            entry_point=entry.name,
        )
        for entry in importlib.metadata.entry_points(group=group)
    }
    return tuple(sorted(found, key=lambda offer: (offer.name, str(offer))))


def load_agent(name: str, offers: Iterable[Offer]) -> AgentClass:
    """Import the one agent of this name.

    Raises
    ------
    AgentNotFound
        when nobody offers it; the message lists what is installed.
    AgentConflict
        when several do; the message names them.
    AgentLoadError
        when importing it fails.
    NotAnAgent
        when it is no subclass of `BaseAgent`.
    """
    offers = tuple(offers)
    matching = [offer for offer in offers if offer.name == name.lower()]
    if not matching:
        names = ", ".join(sorted({offer.name for offer in offers})) or "none"
        raise AgentNotFound(f"there is no agent {name!r}; installed: {names}")
    if len(matching) > 1:
        raise AgentConflict(
            f"agent {name!r} is offered by {' and by '.join(map(str, matching))}: uninstall one"
        )
    offer = matching[0]
    if offer.file:
        return agent_in_file(offer.file)
    # stevedore logs a traceback of its own before it raises; ours names the distribution.
    logging.getLogger("stevedore").setLevel(logging.CRITICAL)
    try:
        found: object = DriverManager(AGENTS, offer.entry_point).driver
    except (Exception, SystemExit) as error:  # importing somebody's module may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise AgentLoadError(f"agent {offer.name!r} of {offer} can't be imported: {reason}") from error
    return _checked(found, str(offer))


def load_command(offers: Sequence[Offer]) -> object:
    """Import the command that is offered under one name; what it is, the program has to look at.

    Raises
    ------
    PluginError
        when several distributions offer it, or when importing it fails.
    """
    offer = offers[0]
    if len(offers) > 1:
        origins = " and by ".join(map(str, offers))
        raise PluginError(f"command {offer.name!r} is offered by {origins}: uninstall one")
    try:
        # Not by stevedore, which would keep a cache in the home of whoever asks for help.
        entry, *_ = importlib.metadata.entry_points(group=COMMANDS, name=offer.entry_point)
        command: object = entry.load()
    except (Exception, SystemExit) as error:  # importing somebody's module may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"command {offer.name!r} of {offer} can't be imported: {reason}") from error
    return command


def _checked(found: object, origin: str) -> AgentClass:
    if not (isinstance(found, type) and issubclass(found, BaseAgent)):
        raise NotAnAgent(f"{origin}: {found!r} is no subclass of BaseAgent")
    settings_class = getattr(found, "settings_class", None)
    if not (isinstance(settings_class, type) and attrs.has(settings_class)):
        raise NotAnAgent(f"{origin}: {found.__name__}.settings_class must be an attrs class of settings")
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise NotAnAgent(f"{origin}: {found.__name__} lacks the methods {missing}")
    return found


def offers_with_files(
    files: Iterable[Path], found: Iterable[Offer]
) -> tuple[tuple[Offer, ...], list[tuple[Path, PluginError]]]:
    """Add the agents of files to what is installed, and tell which files can't be used, and why."""
    offers, failures = list(found), []
    for path in files:
        try:
            name = agent_in_file(path).name.lower()
        except PluginError as error:
            failures.append((path, error))
        else:
            offers.append(Offer(name=name, origin=str(path), file=path))
    return tuple(offers), failures


def agent_in_file(path: Path) -> AgentClass:
    """Load the agent class that a Python file defines.

    The file runs with all rights of the watcher, so one that others than its owner can write is
    refused.

    Raises
    ------
    AgentLoadError
        when the file can't be read or imported, or others may write it.
    NotAnAgent
        when it doesn't define exactly one agent with a ``name``.
    """
    module = _import_file(path, _trusted(path))
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseAgent) and value.__module__ == module.__name__
    ]
    named = [agent for agent in classes if agent.name]
    if len(named) != 1:
        raise NotAnAgent(f"{path} must define one subclass of BaseAgent with a name; it defines {len(named)}")
    return _checked(named[0], str(path))


def _trusted(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise AgentLoadError(f"{path} can't be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise AgentLoadError(f"{path} is no regular file")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise AgentLoadError(f"{path} can be written by others than its owner: chmod go-w {path}")
    if status.st_uid not in {0, os.geteuid()}:
        raise AgentLoadError(f"{path} belongs to uid {status.st_uid}, neither to root nor to this process")
    return status


def _import_file(path: Path, status: os.stat_result) -> ModuleType:
    # One module a version of the file: a reload that changes nothing keeps the same class.
    name = f"_kube_log_watcher_extra_{abs(hash((path, signature_of(status)))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AgentLoadError(f"{path} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # somebody's module may raise anything
        del sys.modules[name]
        raise AgentLoadError(f"{path} can't be imported: {type(error).__name__}: {error}") from error
    return module

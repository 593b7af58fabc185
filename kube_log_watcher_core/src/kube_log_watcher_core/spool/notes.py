"""What lies beside files that wait: whose they are, for the process that comes after this one.

It is in the spool and not in the state file, because it is to be there before the first link is made.
"""

from __future__ import annotations

import json

import attrs

from kube_log_watcher_core.discovery.logfile import Roots
from kube_log_watcher_core.models import Container
from kube_log_watcher_core.records import container_of, doubt_about, fields_of
from kube_log_watcher_core.spool.spooled import Spooled, waiting_stem


class NotBelieved(Exception):
    """A note is damaged, or says what the disk could not have shown."""


def note_of(container: Container) -> str:
    """Return what is noted of a container; nothing of it changes with a rotation."""
    return json.dumps(fields_of(container, without={"obstacle", "spool", "inode"})) + "\n"


def noted_container(log: Spooled, roots: Roots) -> Container:
    """Return the container that a note tells of.

    Raises
    ------
    NotBelieved
        for what can't be true.
    """
    try:
        container = container_of(json.loads(log.note))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotBelieved(f"it is damaged: {error!r:.200}") from error
    if waiting_stem(container.key) != log.stem:
        raise NotBelieved(f"it tells of {container.key!r:.200}, whose files have other names")
    doubt = doubt_about(container, container.id, roots)
    if doubt is not None:
        raise NotBelieved(doubt)
    return attrs.evolve(container, spool=log.spool)

"""The friendly links: names for people, beside which the log's real path is what is shipped."""

from __future__ import annotations

import re
from pathlib import Path

from kube_log_watcher_core import Link, LogTarget, Owned

NONE = "none"
"""Stands for a label that a pod lacks."""

_HOSTILE = re.compile(r"[^A-Za-z0-9._-]")
# Together with the hyphen and ".log" no more than the 255 bytes that a file name may have.
_LONGEST_NAME = 187
_LONGEST_VERSION = 63


def application_name(target: LogTarget) -> str:
    """Name a target's application; a pod without that label goes by its own name."""
    return target.application or target.pod_name


def friendly_name(target: LogTarget) -> str:
    """Return ``<application>-<version>.log``, safe as a file name whatever the labels hold."""
    name = _safe(application_name(target))[:_LONGEST_NAME]
    version = _safe(target.version or NONE)[:_LONGEST_VERSION]
    return f"{name}-{version}.log"


def _safe(text: str) -> str:
    """Keep what a label may hold; a leading dot would hide the name or lead out of the folder."""
    name = _HOSTILE.sub("_", text)
    return "_" + name[1:] if name.startswith(".") else name or NONE


def link(dest: Path, target: LogTarget) -> Link:
    """Return a target's friendly link, in a folder with the container's id."""
    return Link(path=dest / target.id / friendly_name(target), target=target.log_path)


def owned_links(dest: Path) -> Owned:
    """Name all links that `link` can give, and no others."""
    return Owned(dest, ("[0-9a-f]{64}", r".+-.+\.log"), links=True)

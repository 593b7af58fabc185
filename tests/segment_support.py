"""Segments of a spool, made by hand for a real shipper and an agent without a watcher."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import LogTarget
from kube_log_watcher_testing.factories import make_container, make_target


def target_in(spool: Path, number: int, **labels: str) -> LogTarget:
    """Return a target whose segments lie in a spool."""
    target = make_target(attrs.evolve(make_container(number), spool=spool), labels=labels)
    return attrs.evolve(target, pattern=f"{spool}/default_shop-{number}_uid-{number}/main-{target.id}.*.log")


def write_segment(target: LogTarget, *lines: str, number: int = 1) -> Path:
    """Append lines to a segment of a target; return its path."""
    path = target.file(f"main-{target.id}.{number:010}.log")
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as log:
        log.writelines(f"{line}\n" for line in lines)
    return path


def cri(message: str) -> str:
    """Return a line as a CRI runtime writes it."""
    return f"2026-11-25T03:00:00.000000000Z stdout F {message}"

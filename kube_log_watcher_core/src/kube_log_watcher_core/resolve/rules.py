"""What the operator decided, what is known from before, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.annotations import SETTINGS
from kube_log_watcher_core.models import LogTarget, NodeContext, Pod, Remark, Skipped


@attrs.frozen
class Rules:
    """What the operator decided about targets."""

    node: NodeContext = attrs.field(factory=NodeContext)
    strict_labels: tuple[str, ...] = ()
    labels_as_attributes: tuple[str, ...] = ()
    log_path_map: tuple[tuple[Path, Path], ...] = ()
    namespaces: tuple[str, ...] = ()
    """Names or globs; none stands for all."""
    exclude_namespaces: tuple[str, ...] = ()
    """Names or globs; excluding beats including."""
    annotations: frozenset[str] = SETTINGS
    """What pods may ask for, of the watcher and its agents, as annotations name it after the prefix."""


@attrs.frozen
class Known:
    """What is known from before: decisions that stay, once made."""

    targets: Mapping[str, LogTarget] = attrs.field(factory=dict)
    """The last targets by their container's key."""
    current: Collection[str] = frozenset()
    """Keys of those that the last pass made by the same rules: an unchanged container is the same target."""
    gone: Mapping[str, Pod] = attrs.field(factory=dict)
    """By uid: the last states of pods that have left the API while their containers are on the disk."""
    waited: Collection[str] = frozenset()
    """Keys of containers whose pod or id was waited for long enough."""
    names_decide: bool = False
    """Whether a name is believed although the uids differ.

    So it is while not one pod of the API has ever had a folder here by its uid: the uids of such an API
    (a simulation, a proxy) say nothing about this node.
    """


@attrs.frozen
class Resolution:
    """All containers of the node: each one is a target or skipped with a reason."""

    targets: tuple[LogTarget, ...] = ()
    """Sorted by id."""
    skipped: tuple[Skipped, ...] = ()
    """Sorted by the container's key."""
    remarks: tuple[Remark, ...] = ()
    """Annotations that were not understood."""

"""Containers as they are written down for the next process: as JSON, and believed no more than the disk.

Whoever may write to where they are kept can make up labels, but no log outside the log roots.
"""

from __future__ import annotations

import os
import stat
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from kube_log_watcher_core.discovery.logfile import Roots
from kube_log_watcher_core.discovery.names import is_container_id, parse_docker_log, parse_run_path
from kube_log_watcher_core.models import Container, Departed, FrozenMap, Layout, Owner, Pod, PodContainer


def fields_of(value: Container | Pod, *, without: set[str]) -> dict[str, Any]:
    """Return the fields of a container or a pod as JSON has them."""
    names = [field.name for field in attrs.fields(type(value)) if field.name not in without]
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, FrozenMap):
        return dict(value)
    return value.value if isinstance(value, Layout) else value


def container_of(item: Mapping[str, Any]) -> Container:
    """Return the container that JSON tells of. Raises anything for what is none."""
    fields = dict(item)
    fields["layout"], fields["log_path"] = Layout(fields["layout"]), Path(fields["log_path"])
    if fields.get("spool") is not None:
        fields["spool"] = Path(fields["spool"])
    container: Container = sound(Container(**fields))
    return container


def sound(value: Any) -> Any:
    """Give an object back whose fields are what its class says. Raises `TypeError` for any other."""
    for name, kinds in _KINDS[type(value)].items():
        found = getattr(value, name)
        texts = found.values() if isinstance(found, FrozenMap) else ()
        if not isinstance(found, kinds) or not all(isinstance(text, str) for text in texts):
            raise TypeError(f"{name} is of another type")
    return value


def _kinds(hint: Any) -> tuple[type, ...]:
    options = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = tuple(get_origin(option) or option for option in options)
    return (*kinds, int) if float in kinds else kinds


_KINDS = {
    declared: {field.name: _kinds(get_type_hints(declared)[field.name]) for field in attrs.fields(declared)}
    for declared in (Container, Pod, PodContainer, Owner, Departed)
}
"""The types that the fields of each class may have."""


def doubt_about(container: Container, identity: str | None, roots: Roots) -> str | None:
    """Say what the disk could not have shown of a container like this; None when all agrees.

    ``identity`` is the id that was chosen for it, where one was.
    """
    if container.id is not None and not is_container_id(container.id):
        return f"the id {container.id!r:.80} is none"
    path = str(container.log_path)
    if not _agrees(identity, container):
        return f"the key {container.key!r:.200} and the log {path!r:.200} don't agree"
    if not roots.hold(path):
        return f"{path!r:.200} is outside the log roots ({roots})"
    return _doubt_about_path(path)


def _doubt_about_path(path: str) -> str | None:
    try:
        if os.path.realpath(path) != path:
            return f"{path!r:.200} leads elsewhere"
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return f"{path!r:.200} is no regular file"
    except FileNotFoundError:
        return None  # it may have gone since
    except (OSError, ValueError) as error:
        return f"{path!r:.200} can't be looked at: {error}"
    return None


def _agrees(identity: str | None, container: Container) -> bool:
    """Whether id, key, names and log are of one container, as they are where discovery finds one."""
    path, it = str(container.log_path), container
    run, docker_id = parse_run_path(path), parse_docker_log(path)
    is_run = it.key == f"{it.namespace}/{it.pod_name}/{it.pod_uid}/{it.name}/{it.restart_count}"
    if docker_id is not None:
        folder = path.rpartition("/")[0].rpartition("/")[2]
        is_own = it.key == docker_id and identity in (None, docker_id)
        return docker_id == it.id == folder and (is_run or is_own)
    pod = f"{it.namespace}_{it.pod_name}_{it.pod_uid}"
    named = None if run is None else (run.pod, run.container, run.number)
    return is_run and named == (pod, it.name, it.restart_count)

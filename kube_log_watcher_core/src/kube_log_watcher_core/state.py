"""What survives a restart: the last targets and drains, as one file that is written atomically.

It serves pods that have left the API, container ids that were made up, and a restart while the API
is down. It holds labels and annotations of pods, so nobody else may read it.
"""

from __future__ import annotations

import json
import logging
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import attrs

from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.files import Disk, File
from kube_log_watcher_core.files.disk import is_temporary_of
from kube_log_watcher_core.models import (
    Container,
    Departed,
    FrozenMap,
    Layout,
    LogTarget,
    Owner,
    Pod,
    PodContainer,
    Work,
)

logger = logging.getLogger(__name__)

NAME = "state.json"
VERSION = 1
LONGEST = 64 * 1024 * 1024

_ID = re.compile("[0-9a-f]{64}")


class StateFile:
    """The state on disk, below ``WATCHER_STATE_DIR``."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._encoded: dict[LogTarget, bytes] = {}

    def load(self) -> Work:
        """Read what agents were handed last; nothing when there is no usable file.

        Raises
        ------
        OSError
            when the folder can't be opened.
        """
        with self._disk.folder(self._folder) as fd:
            if not self._disk.kind(fd, NAME):
                return Work()
            content = self._disk.read(fd, NAME, limit=LONGEST)
        try:
            return _decode(content or b"")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            logger.warning("%s is not usable and is started anew: %r", self._folder / NAME, error)
            return Work()

    def save(self, work: Work) -> None:
        """Write what agents are handed.

        Raises
        ------
        WatcherError
            when it can't be written; the old file stays.
        """
        content = _document(self._texts(work.targets), [self._text(each) for each in work.departed])
        path = self._folder / NAME
        try:
            with self._disk.folder(self._folder) as fd:
                self._disk.write(fd, File(path, content, mode=0o600))
        except OSError as error:
            raise WatcherError(f"{path} can't be written: {error.strerror}") from error

    def _texts(self, targets: Sequence[LogTarget]) -> list[bytes]:
        # Most targets are those of the last time: of a thousand, one is encoded anew.
        known = self._encoded
        self._encoded = {target: known.get(target) or _json(_encode(target)) for target in targets}
        return [self._encoded[target] for target in targets]

    @staticmethod
    def _text(departed: Departed) -> bytes:
        return _json({"since": departed.since, "size": departed.size, "target": _encode(departed.target)})

    def tidy(self) -> None:
        """Remove what a killed process left in the making.

        Raises
        ------
        OSError
            when the folder can't be read.
        """
        with self._disk.folder(self._folder) as fd:
            for name in self._disk.names(fd):
                if is_temporary_of(name, re.compile(re.escape(NAME))):
                    self._disk.remove(fd, name)


def _document(targets: Iterable[bytes], departed: Iterable[bytes]) -> bytes:
    """Put the file together in one go: with 1,000 targets, each copy of it is a megabyte."""
    head = b'{"version": %d,\n"targets": [\n' % VERSION
    return b"".join([head, *_listed(targets), b'],\n"departed": [\n', *_listed(departed), b"]}\n"])


def _listed(texts: Iterable[bytes]) -> Iterator[bytes]:
    for number, text in enumerate(texts):
        yield b",\n" if number else b""
        yield text


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode("ascii")


def _encode(target: LogTarget) -> dict[str, Any]:
    flat = {
        field.name: _plain(getattr(target, field.name))
        for field in attrs.fields(LogTarget)
        if field.name not in {"container", "pod"}
    }
    container, pod = target.container, target.pod
    return flat | {
        "container": _fields_of(container, without={"obstacle"}),
        "pod": _fields_of(pod, without={"containers", "owner"})
        | {
            "owner": attrs.astuple(pod.owner) if pod.owner else None,
            "containers": [attrs.astuple(each) for each in pod.containers],
        },
    }


def _fields_of(value: Container | Pod, *, without: set[str]) -> dict[str, Any]:
    names = [field.name for field in attrs.fields(type(value)) if field.name not in without]
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, FrozenMap):
        return dict(value)
    return value.value if isinstance(value, Layout) else value


def _decode(content: bytes) -> Work:
    document = json.loads(content)
    if document["version"] != VERSION:
        raise ValueError(f"version {document['version']!r}")
    return Work(
        targets=tuple(_decode_target(item) for item in document["targets"]),
        departed=tuple(
            _sound(Departed(_decode_target(item["target"]), since=float(item["since"]), size=item["size"]))
            for item in document["departed"]
        ),
    )


def _decode_target(item: Mapping[str, Any]) -> LogTarget:
    container, pod = dict(item["container"]), dict(item["pod"])
    container["layout"] = Layout(container["layout"])
    container["log_path"] = Path(container["log_path"])
    pod["owner"] = _sound(Owner(*pod["owner"])) if pod["owner"] else None
    pod["containers"] = tuple(_sound(PodContainer(*each)) for each in pod["containers"])
    rest = {key: value for key, value in item.items() if key not in {"container", "pod", "log_path"}}
    made = {"container": _sound(Container(**container)), "pod": _sound(Pod(**pod))}
    target: LogTarget = _sound(LogTarget(**made, log_path=Path(item["log_path"]), **rest))
    if not _ID.fullmatch(target.id):
        raise ValueError("an id is none")
    return target


def _sound(value: Any) -> Any:
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
    for declared in (LogTarget, Container, Pod, PodContainer, Owner, Departed)
}
"""The types that the fields of each class may have."""

"""What survives a restart: the last targets and drains, as one file that is written atomically.

It serves pods that have left the API, container ids that were made up, and a restart while the API
is down. It holds labels and annotations of pods, so nobody else may read it. It is believed no more than
the disk: whoever may write it can make up labels, but no log outside the log roots.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.discovery.logfile import Roots
from kube_log_watcher_core.discovery.names import is_container_id
from kube_log_watcher_core.errors import WatcherError
from kube_log_watcher_core.files import Disk, File
from kube_log_watcher_core.files.disk import is_temporary_of
from kube_log_watcher_core.models import Container, Departed, LogTarget, Owner, Pod, PodContainer, Work
from kube_log_watcher_core.records import container_of, doubt_about, fields_of, sound
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target

logger = logging.getLogger(__name__)

NAME = "state.json"
VERSION = 2
MOST_BYTES = 24 * 1024 * 1024
"""So long the file gets: some 20 times what a thousand ordinary logs need."""
MOST_BYTES_OF_POD = 512 * 1024
"""So much of it one pod may have, with all its logs: twice what the API allows annotations to have."""
_LONGEST = 2 * MOST_BYTES


class StateFile:
    """The state on disk, below ``WATCHER_STATE_DIR``."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._pods: dict[str, tuple[Pod, bytes]] = {}
        self._targets: dict[str, tuple[LogTarget, bytes]] = {}
        self._left_out: frozenset[str] = frozenset()

    def load(self, rules: Rules, roots: Sequence[Path]) -> Work:
        """Read what agents were handed last, as the rules of now make it; nothing without a usable file.

        An entry that the disk under these roots could not have shown is left out, and that is told.
        Raises `OSError` when the folder can't be opened.
        """
        path = self._folder / NAME
        with self._disk.folder(self._folder) as fd:
            if not self._disk.kind(fd, NAME):
                return Work()
            content = self._disk.read(fd, NAME, limit=_LONGEST)
        try:
            reader = _Reader(rules, Roots(roots))
            work = reader.read(content or b"")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            logger.warning("%s is not usable and is started anew: %r", path, error)
            return Work()
        if reader.doubts:
            text = "%d entries of %s are not believed, the first because %s"
            logger.warning(text, len(reader.doubts), path, reader.doubts[0], extra={"event": "state-doubted"})
        return work

    def save(self, work: Work) -> None:
        """Write what agents are handed, as far as the bounds for each pod allow.

        Raises `WatcherError` when it can't be written; the old file stays.
        """
        path = self._folder / NAME
        content = b"".join(self._document(work))
        try:
            with self._disk.folder(self._folder) as fd:
                self._disk.write(fd, File(path, content, mode=0o600))
        except OSError as error:
            raise WatcherError(f"{path} can't be written: {error.strerror}") from error

    def tidy(self) -> None:
        """Remove what a killed process left in the making.

        Raises `OSError` when the folder can't be read.
        """
        with self._disk.folder(self._folder) as fd:
            for name in self._disk.names(fd):
                if is_temporary_of(name, re.compile(re.escape(NAME))):
                    self._disk.remove(fd, name)

    def _document(self, work: Work) -> Iterator[bytes]:
        """Yield the file's pieces; each pod stands in it once, and targets name it by its uid."""
        # A log that is there tells its pod's latest state; one that drains may have an older one.
        pods = {each.pod.uid: each.pod for each in (*(gone.target for gone in work.departed), *work.targets)}
        # Nearly all are those of the last time: of a thousand, one is encoded anew.
        before = self._pods
        self._pods = {
            uid: before[uid] if uid in before and before[uid][0] is pod else (pod, _json(_encode_pod(pod)))
            for uid, pod in pods.items()
        }
        known, self._targets = self._targets, {}
        targets = [(each.pod.uid, self._text_of(each, known)) for each in work.targets]
        departed = [
            (
                each.target.pod.uid,
                b'{"since": %s, "size": %s, "target": %s}'
                % (_json(each.since), _json(each.size), self._text_of(each.target, known)),
            )
            for each in work.departed
        ]
        kept = self._within_bounds(targets + departed)
        yield b'{"version": %d,\n"pods": {\n' % VERSION
        yield from _listed(
            b"%s: %s" % (_json(uid), text) for uid, (_, text) in self._pods.items() if uid in kept
        )
        yield b'},\n"targets": [\n'
        yield from _listed(text for uid, text in targets if uid in kept)
        yield b'],\n"departed": [\n'
        yield from _listed(text for uid, text in departed if uid in kept)
        yield b"]}\n"

    def _text_of(self, target: LogTarget, known: Mapping[str, tuple[LogTarget, bytes]]) -> bytes:
        key = target.container.key
        found = known.get(key)
        if found is None or found[0] is not target:
            container = fields_of(target.container, without={"obstacle"})
            found = target, _json({"id": target.id, "pod": target.pod.uid, "container": container})
        self._targets[key] = found
        return found[1]

    def _within_bounds(self, logs: Iterable[tuple[str, bytes]]) -> Collection[str]:
        """Return the uids of the pods that may be in the file: small ones before large ones."""
        sizes: dict[str, int] = defaultdict(int, {uid: len(text) for uid, (_, text) in self._pods.items()})
        for uid, text in logs:
            sizes[uid] += len(text)
        kept, total = set(), 0
        for size, uid in sorted((size, uid) for uid, size in sizes.items()):
            total += size
            if size <= MOST_BYTES_OF_POD and total <= MOST_BYTES:
                kept.add(uid)
        left_out = frozenset(self._pods.keys() - kept)
        if left_out - self._left_out:
            names = sorted(
                f"{pod.namespace}/{pod.name}" for uid, (pod, _) in self._pods.items() if uid in left_out
            )
            told = (
                "%d pods are too large for the state file, %s first: after a restart only the API knows them"
            )
            logger.warning(told, len(names), names[0], extra={"event": "state-too-large"})
        self._left_out = left_out
        return kept


def _listed(texts: Iterable[bytes]) -> Iterator[bytes]:
    for number, text in enumerate(texts):
        yield b",\n" if number else b""
        yield text


def _json(value: object) -> bytes:
    return json.dumps(value).encode("ascii")


def _encode_pod(pod: Pod) -> Mapping[str, Any]:
    return fields_of(pod, without={"uid", "containers", "owner"}) | {
        "owner": attrs.astuple(pod.owner) if pod.owner else None,
        "containers": [attrs.astuple(each) for each in pod.containers],
    }


class _Reader:
    """Makes targets of what the file says, and believes no more of it than of the disk."""

    def __init__(self, rules: Rules, roots: Roots) -> None:
        self._rules = rules
        self._roots = roots
        self._pods: dict[str, Pod] = {}
        self._taken: set[str] = set()
        self.doubts: list[str] = []
        """Why entries are left out."""

    def read(self, content: bytes) -> Work:
        """Return what the file says. Raises anything for one that is damaged."""
        document = json.loads(content)
        if document["version"] != VERSION:
            raise ValueError(f"version {document['version']!r:.40}")
        self._pods = {uid: _pod(uid, item) for uid, item in document["pods"].items()}
        targets = [self._target(item) for item in document["targets"]]
        departed = [
            sound(Departed(target, since=float(item["since"]), size=item["size"]))
            for item in document["departed"]
            if (target := self._target(item["target"])) is not None
        ]
        if not all(math.isfinite(each.since) for each in departed):
            raise ValueError("a time is none")
        return Work(tuple(target for target in targets if target is not None), tuple(departed))

    def _target(self, item: Mapping[str, Any]) -> LogTarget | None:
        container, pod, identity = container_of(item["container"]), self._pods[item["pod"]], item["id"]
        if not isinstance(identity, str):
            raise TypeError("an id is none")
        doubt = self._doubt(identity, container, pod)
        if doubt is not None:
            self.doubts.append(doubt)
            return None
        self._taken |= {identity, container.key}
        return make_target(identity, container, pod, self._rules)

    def _doubt(self, identity: str, container: Container, pod: Pod) -> str | None:
        """Say what the disk could not have shown like this; None when all agrees."""
        if not is_container_id(identity):
            return f"the id {identity!r:.80} is none"
        if self._taken & {identity, container.key}:
            return f"the id {identity} or the key {container.key!r:.200} is there twice"
        if (container.namespace, container.pod_name) != (pod.namespace, pod.name):
            return f"{container.key!r:.200} is said to be of the pod {pod.namespace}/{pod.name}"
        return doubt_about(container, identity, self._roots)


def _pod(uid: str, item: Mapping[str, Any]) -> Pod:
    fields = dict(item)
    fields["owner"] = sound(Owner(*fields["owner"])) if fields["owner"] else None
    fields["containers"] = tuple(sound(PodContainer(*each)) for each in fields["containers"])
    pod: Pod = sound(Pod(uid=uid, **fields))
    return pod

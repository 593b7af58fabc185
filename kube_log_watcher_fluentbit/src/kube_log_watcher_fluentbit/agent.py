"""The agent: one file of metadata for each pod, and no log in Fluent Bit's sight before its pod's stands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path

from kube_log_watcher_core import (
    AgentConfigError,
    File,
    Item,
    LogFile,
    LogTarget,
    NodeContext,
    Objection,
    Owned,
    Progress,
)
from kube_log_watcher_fluentbit.database import TailDatabase, is_sqlite_there
from kube_log_watcher_fluentbit.leftovers import Leftovers
from kube_log_watcher_fluentbit.metadata import MULTILINE_SETTING, metadata, refused
from kube_log_watcher_fluentbit.names import Name, holders, name_of, pod_of
from kube_log_watcher_fluentbit.settings import FluentBitSettings
from kube_log_watcher_fluentbit.standing import ENDING, Standing, read_all, standing
from kube_log_watcher_static import StaticAgent, check_configuration, redaction_asked

logger = logging.getLogger(__name__)

_NAME = r"(?=.{1,255}$)[a-z0-9-]+_[a-z0-9.-]+\.meta"
"""Names of pods are legal in file names, but together may be longer than one can be."""
LOOK_SECONDS = 2.0
"""How soon to look again whether the last log has gone of a pod of which nothing is followed."""
PATIENCE_SECONDS = 30.0
"""How long a pod waits for its name before that is told: as a rule it is two seconds."""


class FluentBitAgent(StaticAgent[FluentBitSettings]):
    """Keeps a file for each pod, from which Fluent Bit's Kubernetes filter learns whose a line is."""

    settings_class = FluentBitSettings
    annotations = (MULTILINE_SETTING,)

    def __init__(
        self,
        settings: FluentBitSettings,
        node: NodeContext,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(settings, node)
        self._clock = clock
        self._wall = wall
        self._database = None if settings.database is None else TailDatabase(settings.database)
        self._wanted: Mapping[Name, Standing] = {}
        """By name: what is to stand."""
        self._files: Mapping[Name, File] = {}
        """By name: that as a file."""
        self._standing: dict[Name, str] = {}
        """By name: the pod whose metadata Fluent Bit finds."""
        self._leftovers = Leftovers()
        self._is_contested = False
        """Whether a pod waits for a name that another one has."""
        self._is_blocked = False
        """Whether a pod waits for a name that one has of which nothing is followed."""
        self._waiting: dict[str, tuple[LogTarget, float]] = {}
        """By key: logs whose name another pod has, and since when they wait."""
        self._left_out: Sequence[Sequence[Objection]] = ()
        """What pods ask for in words that Fluent Bit would not understand."""
        self._is_new = True
        self._is_blind = False
        """Whether it was told that the database can't be read."""

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return a file for each name, of the pod that has it."""
        if self._is_new:
            self._look_at_what_is_left(targets)
        followed = [target for target in targets if _counts(target)]
        pods = {pod_of(target) for target in followed}
        left = self._leftovers.names(pods)
        taken = self._taken(pods, left)
        free = [target for target in followed if name_of(target) not in taken and name_of(target) not in left]
        by_name = holders(free, {name: stands.pod for name, stands in self._wanted.items()})
        self._is_contested = any(pod_of(by_name[name_of(each)]) != pod_of(each) for each in free)
        self._is_blocked = len(free) < len(followed)
        logs = _logs_of(free)
        texts = self.each(list(by_name.values()), self._metadata)
        self._left_out = self.each(list(by_name.values()), _left_out)
        self._wanted = taken | {
            name: self._standing_of(name, pod_of(target), text, logs[pod_of(target)])
            for (name, target), text in zip(by_name.items(), texts, strict=True)
        }
        (ours,) = self.owned()
        files = {name: File(self._path(name), stands.content) for name, stands in self._wanted.items()}
        self._files = {name: file for name, file in files.items() if ours.matches(file.path)}
        return self._files.values()

    def _look_at_what_is_left(self, targets: Sequence[LogTarget]) -> None:
        """Learn from the disk who has the names, and of whom there are segments."""
        self._is_new = False
        kept = {target.container.spool for target in targets if target.container.spool is not None}
        self._leftovers.find({*self.node.spool_dirs, *kept})
        self._wanted = dict(read_all(self.settings.folder))

    def _taken(self, followed: Container[str], left: Container[Name]) -> dict[Name, Standing]:
        """Return the names that pods have of which nothing is followed, with what stays of them.

        Of one that the spool still shows (``left``) all stays; of one whose log lives on, nothing is shipped.
        """
        taken = {}
        for name, stands in self._wanted.items():
            if name in left:
                taken[name] = stands
            elif stands.pod not in followed and (lives_on := stands.lives_on()):
                taken[name] = standing(stands.pod, stands.content, lives_on, excluded=lives_on)
        return taken

    def _standing_of(self, name: Name, pod: str, text: str, logs: Mapping[str, str]) -> Standing:
        """Return what is to stand of a pod with these logs, and without those that are followed no longer."""
        before = self._wanted.get(name)
        if before is None or before.pod != pod:
            return standing(pod, text, logs)
        lives_on = before.lives_on(but=logs)
        all_logs = {**lives_on, **logs}
        if before.is_made_of(text, all_logs, lives_on):
            return before
        return standing(pod, text, all_logs, excluded=lives_on)

    def sync(self, targets: Sequence[LogTarget]) -> float | None:
        """Write what differs, and come again while a log waits for its name."""
        super().sync(targets)
        if self._is_blocked:
            return LOOK_SECONDS
        return PATIENCE_SECONDS if self._is_contested else None

    def ready(self, targets: Sequence[LogTarget]) -> Iterable[LogTarget]:
        """Return the targets whose own pod's file stands: the next pod of that name has to wait."""
        for name, file in self._files.items():
            if self.placed(file.path) == file:
                self._standing[name] = self._wanted[name].pod
        self._standing = {name: pod for name, pod in self._standing.items() if name in self._wanted}
        allowed = self.without_held(targets)
        shown = [target for target in allowed if self._standing.get(name_of(target)) == pod_of(target)]
        keys = {target.container.key for target in shown}
        now = self._clock()
        self._waiting = {
            key: (target, self._waiting.get(key, (target, now))[1])
            for target in allowed
            if (key := target.container.key) not in keys
        }
        return shown

    def objections(self) -> Iterable[Objection]:
        """Return what is held or left out, also the logs that have waited long for their name."""
        yield from super().objections()
        for left_out in self._left_out:
            yield from left_out
        now = self._clock()
        for target, since in self._waiting.values():
            if now - since >= PATIENCE_SECONDS:
                yield Objection(
                    target,
                    "",
                    f"the metadata of its name ({self._path(name_of(target)).name}) are not its own yet",
                    "see whether Fluent Bit reads on: another pod of this name has segments left",
                    holds=True,
                    until="they have been read",
                )

    def owned(self) -> Sequence[Owned]:
        """Return the names of these files."""
        return [Owned(self.settings.folder, _NAME)]

    def check(self) -> None:
        """Look at the folders, at the database's, and at Fluent Bit's configuration where it is named."""
        super().check()
        database = self.settings.database
        if database is not None and not database.parent.is_dir():
            raise AgentConfigError(
                f"{database.parent} is no folder: mount the one in which Fluent Bit keeps {database.name}"
            )
        if database is not None and not is_sqlite_there():
            raise AgentConfigError(f"this Python has no sqlite3, which {database} needs: use another one")
        if self.settings.config is not None:
            names = [*self.node.spool_dirs, self.settings.folder, *([database] if database else [])]
            check_configuration(self.settings.config, names)

    def read_up_to(self, target: LogTarget, file: LogFile) -> Progress | None:
        """Return how far Fluent Bit has read a file, by its database.

        What the database doesn't tell is not read: who names one wants nothing to go by time.
        """
        if self._database is None or file.inode is None:
            return None
        progress = self._database.progress(file)
        if self._database.trouble and not self._is_blind:
            logger.warning("how far Fluent Bit has read can't be told: %s", self._database.trouble)
        self._is_blind = bool(self._database.trouble)
        return Progress(read_bytes=0, at=self._wall()) if progress is None else progress

    def describe(self, target: LogTarget) -> Sequence[Item]:
        """Return the file that stands for a target's pod, if it is of that very pod."""
        item = self.placed(self._path(name_of(target)))
        return [] if item is None or self._standing.get(name_of(target)) != pod_of(target) else [item]

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()

    def _metadata(self, target: LogTarget) -> str:
        return metadata(target, self.settings.annotations)

    def _path(self, name: Name) -> Path:
        return self.settings.folder / f"{name[0]}_{name[1]}{ENDING}"


def _left_out(target: LogTarget) -> Sequence[Objection]:
    return [
        Objection(target, annotation, f"it is left out, for it is not {expected}")
        for annotation, expected in refused(target.annotations).items()
    ]


def _logs_of(targets: Iterable[LogTarget]) -> Mapping[str, Mapping[str, str]]:
    """Return the paths of logs on the node by their pods and containers."""
    logs: dict[str, dict[str, str]] = {}
    for target in targets:
        of_pod = logs.setdefault(pod_of(target), {})
        path = target.container.log_path
        if path is not None and str(path).isascii():
            of_pod[target.container_name] = str(path)
    return logs


def _counts(target: LogTarget) -> bool:
    """Whether a log lets its pod have the name: not one that is held and was never shown.

    Nobody reads that, so that the next pod of the name would wait for ever.
    """
    spool = target.container.spool
    if spool is None or redaction_asked(target) is None:
        return spool is not None
    folder, pattern = Path(target.pattern).parts[-2:]
    return any((spool / folder).glob(pattern))

"""Stands between discovery and resolution: what the spool keeps of a log outlives the log's own files.

Each container whose log is kept goes on as one that says where; a container that is gone goes on as long
as one of its segments is left. So nobody behind it has to know of rotations, removals and drains.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.discovery.logfile import Roots
from kube_log_watcher_core.models import Container, LogFile, LogTarget, Reason, Skipped
from kube_log_watcher_core.segments import Place, place_of_container
from kube_log_watcher_core.spool.janitor import Chores, SegmentKey, Swept
from kube_log_watcher_core.spool.notes import NotBelieved, note_of, noted_container
from kube_log_watcher_core.spool.release import SpoolRules, seconds_between_looks
from kube_log_watcher_core.spool.spool import CannotSpool, Spool
from kube_log_watcher_core.spool.spooled import Spooled
from kube_log_watcher_core.spool.view import FOLLOWED_BEFORE

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How soon a link that failed is tried again."""
CLOCK_SET_SECONDS = 1.0
"""By how much the wall clock must differ from the time that has passed: less is a clock that is steered."""

_GOING = frozenset({Reason.NO_LOG, Reason.NO_CONFIG, Reason.BROKEN_CONFIG})
"""What a container's folder shows while its files go one by one."""
_MAY_COME = frozenset(
    {Reason.POD_AWAITED, Reason.POD_UNKNOWN, Reason.POD_REPLACED, Reason.POD_UNREADABLE, Reason.ID_UNKNOWN}
)
"""Reasons that may pass: until then the log's files wait. What is skipped for another is not wanted."""
_NO_ID = "0" * 64


@attrs.frozen
class ClosedSegment:
    """A segment about which shippers are asked."""

    key: str
    number: int
    path: Path
    """Where it lies, as the watcher sees it."""
    inode: int
    since: float
    """Seconds since the epoch at which it was closed."""

    @property
    def file(self) -> LogFile:
        """What an agent is asked about."""
        return LogFile(self.path, self.inode)


class SpoolKeeper:
    """Decides which logs are kept, shown and dropped. Called by the main thread.

    Parameters
    ----------
    spool
        what is linked, freshly loaded.
    left
        what an earlier process followed: a log keeps the form for life in which it was configured.
    roots
        where logs may be; what is noted beside files that wait is believed no more than the disk.
    clock
        goes on evenly, whatever somebody does to the wall clock.
    """

    def __init__(
        self,
        spool: Spool,
        left: Iterable[LogTarget],
        *,
        roots: Sequence[Path],
        wall: Callable[[], float],
        clock: Callable[[], float],
        rules: SpoolRules,
    ) -> None:
        self._spool = spool
        self._wall = wall
        self._clock = clock
        self._offset = wall() - clock()
        self.rules = rules
        self.by_path: dict[str, str] = {}
        """Keys of the logs that are followed by their real path, and why."""
        self._unwanted: set[str] = set()
        self._kept: dict[str, tuple[Container, Container]] = {}
        """By key: a container as it was found, and as it goes on."""
        self._before: tuple[tuple[Container, ...], tuple[Container, ...]] | None = None
        self._places: dict[str, Place] = {}
        self._dropped: list[Spooled] = []
        self._unclaimed: list[Spooled] = []
        self._failing: dict[str, str] = {}
        """What was told of logs, by key, of which a file can't be kept."""
        self._hidden_when_sent: set[str] = set()
        """Keys of logs that waited when the janitor was sent."""
        self._roots = Roots(roots)
        self._resume(left)
        self.resume_waiting()

    @property
    def logs(self) -> Mapping[str, Spooled]:
        """What is held of each log."""
        return self._spool.logs

    def _resume(self, left: Iterable[LogTarget]) -> None:
        for target in left:
            container = target.container
            if container.spool is None:
                self.by_path[container.key] = FOLLOWED_BEFORE
                continue
            place = place_of_container(container, target.id)
            if place is not None and self._spool.find(container.key, place=place) is not None:
                self._kept[container.key] = (container, container)
                self._places[container.key] = place

    def resume_waiting(self) -> None:
        """Know the logs again that waited for their pods, whatever has become of their containers.

        It is for what was loaded just now.
        """
        for log in [each for each in self._spool.left if each.note]:
            try:
                container = noted_container(log, self._roots)
            except NotBelieved as error:
                text = "what %s says is not believed: %s"
                logger.warning(text, log.note_path, error, extra={"event": "note-doubted"})
                continue
            if container.key in self.by_path:
                continue
            place = None if container.id is None else place_of_container(container, container.id)
            if self._spool.find(container.key, place=place) is not None:
                self._kept[container.key] = (container, container)
                self._before = None

    def keep(self, containers: tuple[Container, ...]) -> tuple[Container, ...]:
        """Link what is new; return the containers as they go on, and those that only the spool still has."""
        if self._before is not None and self._before[0] is containers and not self._spool.troubled:
            return self._before[1]
        going_on = [self._keep(container) for container in containers]
        below = tuple(f"{each.key}/" for each in containers if _is_unreadable(each))
        there = {container.key for container in containers}
        # Unknown is not gone.
        unseen = {key for key in (*self._spool.logs, *self.by_path) if below and key.startswith(below)}
        for key in [key for key in self._spool.logs if key not in there]:
            if key not in unseen:
                self._spool.close(key)
            going_on.append(self._kept[key][1])
        for key in self._kept.keys() - there - self._spool.logs.keys():
            del self._kept[key]
            self._failing.pop(key, None)
        self._unwanted &= there
        self.by_path = {key: why for key, why in self.by_path.items() if key in there | unseen}
        self._before = containers, tuple(going_on)
        return self._before[1]

    def mend(self, containers: Iterable[Container]) -> None:
        """Make links again that somebody has removed; for a look now and then, not for each."""
        for container in containers:
            if (
                container.key in self._spool.logs
                and container.obstacle is None
                and container.log_path is not None
            ):
                self._spool.mend(container.key, container.log_path)

    def mind_the_clock(self) -> None:
        """Go by elapsed time where somebody sets the wall clock: no segment ends its wait by that."""
        offset = self._wall() - self._clock()
        if abs(offset - self._offset) >= CLOCK_SET_SECONDS:
            self._spool.restate(offset - self._offset)
            self._offset = offset

    def _keep(self, container: Container) -> Container:
        """Return a container as it goes on, with what is new of its log kept."""
        key, known = container.key, self._spool.logs.get(container.key)
        if container.obstacle is not None:
            return container if known is None else self._with_obstacle(container, container.obstacle.reason)
        if key in self.by_path or key in self._unwanted or container.log_path is None:
            return container
        if known is None or container.inode is None or not known.is_live(container.inode):
            known = self._link(container, container.log_path)
            if known is None:
                return container
            self._tell_trouble(container, known)
        found, kept = self._kept.get(key, (None, container))
        if found is not container:
            if key in self._spool.hidden:
                self._spool.note(key, note_of(container))
            # An id stays what it was when the first segment got its name.
            identity = container.id if known.place is None else known.place.container_id
            kept = attrs.evolve(container, spool=known.spool, id=identity)
            self._kept[key] = (container, kept)
        return kept

    def _with_obstacle(self, container: Container, reason: Reason) -> Container:
        """Return what becomes of a kept log whose container shows something that stands against it."""
        if reason in _GOING:
            self._spool.close(container.key)
        elif reason is not Reason.UNREADABLE:  # unknown is not gone
            return container
        return self._kept[container.key][1]

    def _link(self, container: Container, log: Path) -> Spooled | None:
        """Link what is new of a log; None for one that is followed by its path, for the rest of its life."""
        key = container.key
        own = place_of_container(container, container.id) if container.id else None
        place = self._places.get(key, own)
        is_off = not self._spool.folders
        if is_off and (_obstacle(container) or self._spool.find(key, place=place, log=log) is None):
            self.by_path[key] = FOLLOWED_BEFORE
            return None
        try:
            if obstacle := _obstacle(container):
                raise CannotSpool(obstacle)
            note = "" if key in self._spool.logs else note_of(container)
            return self._spool.keep(key, log, place=place, note=note)
        except CannotSpool as error:
            self.by_path[key] = str(error)
            text = "%s/%s, container %s, is followed by its path: it can't be kept in the spool: %s"
            names = (container.namespace, container.pod_name, container.name)
            logger.warning(text, *names, error, extra={"event": "not-spooled", "container": container.name})
            return None

    def _tell_trouble(self, container: Container, log: Spooled) -> None:
        """Tell once that a file of a log has no link or can't be shown, and once that all have and can."""
        told = self._failing.get(log.key)
        names = (container.namespace, container.pod_name, container.name)
        if log.trouble and log.trouble != told:
            self._failing[log.key] = log.trouble
            text = "the newest file of %s/%s, container %s, can't be kept in the spool yet: %s"
            logger.warning(text, *names, log.trouble, extra={"event": "link-failed"})
        elif told is not None and log.shown and not log.trouble:
            del self._failing[log.key]
            text = "all files of %s/%s, container %s, are kept in the spool again"
            logger.info(text, *names, extra={"event": "link-back"})

    def is_wanted_again(self, targets: Iterable[LogTarget]) -> bool:
        """Whether a log is wanted that was not so far: then it is to be kept first, and resolved anew."""
        again = {target.container.key for target in targets} & self._unwanted if self._unwanted else set()
        self._unwanted -= again
        if again:
            self._before = None
        return bool(again)

    def settle(
        self, targets: Iterable[LogTarget], skipped: Iterable[Skipped], *, ready: Collection[str] | None
    ) -> None:
        """Show the logs that are followed, and drop those that nobody wants.

        ``ready`` has the keys of those that every agent which must know of a log before its shipper sees it
        has written; None where there is no such agent.
        """
        for target in targets if self._spool.hidden else ():
            key = target.container.key
            if key in self._spool.hidden and (ready is None or key in ready):
                place = self._spool.logs[key].place or place_of_container(target.container, target.id)
                if place is not None:
                    if target.container.id is None:  # killed half-way, the next process finds the rest by it
                        noted = attrs.evolve(target.container, id=place.container_id)
                        self._spool.note(key, note_of(noted))
                    self._spool.show(key, place)
                    self._places[key] = place
                    self._tell_trouble(target.container, self._spool.logs[key])
        for skip in skipped:
            key = skip.container.key
            known = self._spool.logs.get(key)
            if skip.reason not in _MAY_COME:
                if skip.container.obstacle is None:
                    self._unwanted.add(key)
                if known is not None and skip.reason is not Reason.UNREADABLE:
                    self._drop(known)
            elif known is not None and skip.reason is not Reason.POD_AWAITED and self._is_waited_for(known):
                self._unclaimed.append(known)
                self._forget(known)

    def _is_waited_for(self, log: Spooled) -> bool:
        """Whether a gone container's pod has had its time to show."""
        ends = [each.closed for each in log.segments]
        return all(end is not None and self._wall() - end >= self.rules.seconds for end in ends)

    def _drop(self, log: Spooled) -> None:
        self._dropped.append(log)
        self._forget(log)

    def _forget(self, log: Spooled) -> None:
        self._spool.forget(log.key)
        self._places.pop(log.key, None)
        self._failing.pop(log.key, None)
        self._before = None

    @property
    def is_any_closed(self) -> bool:
        """Whether anything may be held that nobody else has; from any thread."""
        return bool(self._spool.closed or self._spool.left)

    @property
    def is_any_dropped(self) -> bool:
        """Whether segments that nobody wants are still to be removed."""
        return bool(self._dropped or self._unclaimed)

    def closed(self) -> tuple[ClosedSegment, ...]:
        """Return the segments about which shippers are to be asked."""
        logs = [self._spool.logs[key] for key in self._spool.closed - self._spool.hidden]
        return tuple(
            ClosedSegment(log.key, each.number, log.path(each), each.inode, each.closed)
            for log in logs
            for each in log.segments
            if each.closed is not None
        )

    def chores(self, done: Collection[SegmentKey], accounts: Mapping[SegmentKey, int]) -> Chores | None:
        """Return what the janitor is to do; None when there is nothing to remove or to look at."""
        dropped, unclaimed = self._take_dropped()
        self._hidden_when_sent = self._spool.closed & self._spool.hidden
        left = self._spool.take_overdue(self.rules.seconds)
        logs = (*(self._spool.logs[key] for key in sorted(self._spool.closed)), *self._spool.left)
        if not (logs or dropped or unclaimed or left):
            return None
        return Chores(
            logs=logs,
            done=frozenset(done),
            dropped=dropped,
            unclaimed=unclaimed,
            left=left,
            read_bytes=dict(accounts),
            rules=self.rules,
        )

    def chores_at_once(self) -> Chores | None:
        """Return what is not to wait until the janitor looks again at all that is closed."""
        if not self.is_any_dropped:
            return None
        dropped, unclaimed = self._take_dropped()
        return Chores(is_look=False, dropped=dropped, unclaimed=unclaimed, rules=self.rules)

    def _take_dropped(self) -> tuple[tuple[Spooled, ...], tuple[Spooled, ...]]:
        dropped, self._dropped = (*self._dropped, *self._spool.take_twins()), []
        unclaimed, self._unclaimed = tuple(self._unclaimed), []
        return dropped, unclaimed

    def swept(self, swept: Swept) -> None:
        """Take what the janitor has done; what nobody wants and could not be removed is tried again."""
        self._dropped.extend(swept.undone)
        by_key: dict[str, set[int]] = {}
        for key, number in swept.removed:
            if key not in self._hidden_when_sent or key in self._spool.hidden:
                by_key.setdefault(key, set()).add(number)
            # else it was shown since the janitor was sent, and missed where it was
        for key, numbers in by_key.items():
            is_known = key in self._spool.logs
            self._spool.released(key, numbers)
            if is_known and key not in self._spool.logs:
                self._before = None  # a container that is gone goes with its last segment

    def seconds_to_look(self) -> float | None:
        """Return how soon to look again although nothing hints at it."""
        if self._spool.troubled:
            return RETRY_SECONDS
        logs = [*(self._spool.logs[key] for key in self._spool.closed), *self._spool.left]
        return seconds_between_looks(sum(len(log.segments) for log in logs)) if logs else None


def _obstacle(container: Container) -> str:
    """Return why a container's segments can't have names; nothing when they can."""
    if container.pod_uid is None:
        return "the node doesn't tell its pod's uid"
    return (
        ""
        if place_of_container(container, _NO_ID)
        else "its names are too long, or none that Kubernetes allows"
    )


def _is_unreadable(container: Container) -> bool:
    return container.obstacle is not None and container.obstacle.reason is Reason.UNREADABLE

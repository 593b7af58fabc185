"""Level-triggered reconciliation: each pass takes all that is there, whatever happened since the last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.discovery import size_of_log
from kube_log_watcher_core.models import Container, Departed, LogTarget, Pod, Pods, Remark, Skipped, Work
from kube_log_watcher_core.reconcile.drain import DrainRules, ends_unasked, next_look
from kube_log_watcher_core.reconcile.fresh_lists import FreshLists
from kube_log_watcher_core.reconcile.life import (
    WAITS,
    WAITS_FOR_POD,
    Change,
    Life,
    Pass,
    Seen,
    State,
    seen_of_skipped,
    seen_of_target,
)
from kube_log_watcher_core.resolve import Known, Rules, owns, resolve, shown_pod_of

POLL_SECONDS = 1.0
"""How often the logs of pods that are being deleted are looked at: their last lines are to come."""


@attrs.frozen
class Timeouts:
    """How long to wait for what."""

    gate_seconds: float = 30.0
    """For a pod's metadata, and for a container's id: its link comes within 1 s, its status within 2 s."""
    drain: DrainRules = attrs.field(factory=DrainRules)


_Remarks = Mapping[str, frozenset[Remark]]
"""By the container's key."""


@attrs.frozen(kw_only=True)
class _Given:
    """What a pass goes by: the same for all logs."""

    now: float
    wall: float
    pods: Pods
    rules: Rules
    known: Known
    appeared_at: float | None
    read: Collection[tuple[str, float]]


class Reconciler:
    """Decides about all logs, again and again, with a record of each.

    Parameters
    ----------
    left
        what an earlier process handed to its agents.
    clock
        a monotonic clock, for what happens in this process.
    wall
        seconds since the epoch, for what outlives the process.
    size_of
        looks how many bytes a log has; None when it can't be seen.
    """

    def __init__(
        self,
        left: Work,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        size_of: Callable[[Path], int | None] = size_of_log,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._size_of = size_of
        self._lives = {life.key: life for life in _left_behind(left, now=clock(), wall=wall())}
        self._index: tuple[Mapping[str, LogTarget], Collection[str]] | None = None
        """What the records say to the next pass, until one of them changes."""
        self._changes: list[Change] = []
        self._awaited: list[str] = []
        self._going: list[str] = []
        self._rules: Rules | None = None
        self._uids_agree = any(owns(target.pod, target.container) for target in left.targets)
        self._gone: Mapping[str, Pod] = {}
        """By uid: the last states of pods that have left the API while their folders are on the disk."""
        self._left_pods = [life.target.pod for life in self._lives.values() if life.target is not None]
        """What an earlier process knew of pods: some may have left the API since."""
        self._fresh_lists = FreshLists()
        self._timeouts = Timeouts()
        self.work = Work(left.targets, tuple(it.departed for it in self._lives.values() if it.departed))
        """What agents are to be handed now."""
        self.wants_fresh_list = False
        """A pod has been unknown for so long that the watch is doubted."""

    def with_remarks(self) -> tuple[Life, ...]:
        """Return the records of the containers with annotations that were not understood."""
        return tuple(life for life in self._lives.values() if life.remarks)

    def life_of(self, key: str) -> Life | None:
        """Return the record of a container's log; from any thread."""
        return self._lives.get(key)

    def reconcile(
        self,
        containers: Sequence[Container],
        pods: Pods,
        *,
        rules: Rules,
        timeouts: Timeouts,
        gone: Mapping[str, Pod] | None = None,
        read: Collection[tuple[str, float]] = (),
        appeared_at: float | None = None,
        full: bool = False,
    ) -> Pass:
        """Give each container a target or a reason, and each log the state that follows.

        Parameters
        ----------
        gone
            the last states of pods that have just left the API, by uid.
        read
            the drains that no agent waits for any more, as `Departed.drain` names them.
        appeared_at
            when what is new to this pass appeared, by the monotonic clock; None at the first look, when
            nobody knows how long it has been there.
        full
            look at the sizes of all logs, not only of new ones and of those that are going.
        """
        now, self._timeouts = self._clock(), timeouts
        # One folder whose uid is that of a pod of the API: uids tell whose logs are.
        self._uids_agree = self._uids_agree or any(
            each.pod_uid and shown_pod_of(each, pods) is not None for each in containers
        )
        if self._left_pods:
            self._gone = {pod.uid: pod for pod in self._left_pods if pods.by_uid(pod.uid) is None}
            self._left_pods = []
        if self._gone or gone:
            # A pod's last state is kept for as long as its folder is on the disk.
            uids = {container.pod_uid for container in containers}
            kept = {uid: pod for uid, pod in self._gone.items() if {uid, pod.config_hash} & uids}
            self._gone = {**kept, **(gone or {})}
        known = self._known(rules, now)
        given = _Given(
            now=now,
            wall=self._wall(),
            pods=pods,
            rules=rules,
            known=known,
            appeared_at=appeared_at,
            read=read,
        )
        resolution = resolve(containers, pods, rules, known)
        remarks: dict[str, frozenset[Remark]] = {}
        for remark in resolution.remarks:
            key = remark.container.key
            remarks[key] = remarks.get(key, frozenset()) | {remark}
        self._changes, self._awaited, self._going = [], [], []
        for target in resolution.targets:
            life = self._lives.get(target.container.key)
            # Nearly all of them are what they were.
            if life is None or life.target is not target or life.state is not State.FOLLOWED:
                self._follow(target, remarks, given)
        for skip in resolution.skipped:
            self._skip(skip, remarks, given)
        on_disk = {container.key for container in containers}
        if len(resolution.targets) + len(resolution.skipped) > len(on_disk):
            # What is below a folder that can't be read is followed unseen.
            on_disk.update(target.container.key for target in resolution.targets)
        for key in sorted(self._lives.keys() - on_disk):
            self._put(self._lives[key], self._seen(self._lives[key], Seen.NOTHING, given))
        departed = self._drain(resolution.targets, on_disk, given)
        self._look_at_sizes(resolution.targets if full else ())
        due = self._fresh_lists.due(self._without_pod(), now)
        self.wants_fresh_list = bool(due)
        for life in due:
            self._lives[life.key] = attrs.evolve(life, is_listed_for=True)
        self._rules, self.work = rules, Work(resolution.targets, departed)
        return Pass(resolution, self.work, tuple(self._changes))

    def next_deadline(self) -> float | None:
        """Return when to reconcile again although nothing has changed, by the monotonic clock."""
        now = self._clock()
        gates = [self._lives[key].since + self._timeouts.gate_seconds for key in self._awaited]
        deadlines = (
            min((gate for gate in gates if gate > now), default=None),
            self._fresh_lists.next_deadline(self._without_pod()),
            next_look(self.work.departed, self._timeouts.drain, now),
            now + POLL_SECONDS if self._going else None,
        )
        return min((at for at in deadlines if at is not None), default=None)

    # ------------------------------------------------------------------ the chapters of a pass

    def _known(self, rules: Rules, now: float) -> Known:
        """Return the decisions that stay, for the next ones."""
        if self._index is None:
            lives = self._lives.values()
            self._index = (
                {life.key: life.target for life in lives if life.target is not None},
                frozenset(life.key for life in lives if life.is_followed),
            )
        targets, followed = self._index
        gate = self._timeouts.gate_seconds
        return Known(
            targets,
            # What was followed longer ago is known still, and was perhaps made by other rules.
            current=followed if rules == self._rules else frozenset(),
            gone=self._gone,
            waited=frozenset(key for key in self._awaited if now - self._lives[key].since >= gate),
            names_decide=not self._uids_agree,
        )

    def _follow(self, target: LogTarget, remarks: _Remarks, given: _Given) -> None:
        """Take a log that is new, changed, or going."""
        before = self._life(target.container.key, given)
        after = self._seen(before, seen_of_target(target), given)
        if after.state is State.GOING:
            self._going.append(after.key)
        if after is before and before.target is target:
            return
        appeared = None
        if before.is_new and given.appeared_at is not None:
            appeared = before.since if before.state is State.AWAITED else given.appeared_at
        made_anew = before.target is not target
        after = attrs.evolve(
            after,
            target=target,
            skip=None,
            remarks=remarks.get(before.key, frozenset()) if made_anew else before.remarks,
            is_new=False,
            is_listed_for=False,
        )
        self._put(before, after, appeared)

    def _skip(self, skip: Skipped, remarks: _Remarks, given: _Given) -> None:
        """Take a log that can't be followed, or is not to be."""
        before = self._life(skip.container.key, given)
        after = self._seen(before, seen_of_skipped(skip), given)
        is_awaited = skip.reason in WAITS
        if is_awaited:
            self._awaited.append(before.key)
        is_new, told = before.is_new, before.remarks
        # What can't be seen for a moment, in a rotation say, is neither refused nor new when it is back.
        if skip.container.obstacle is None:
            is_new = is_new and is_awaited and given.appeared_at is not None
            told = remarks.get(before.key, frozenset())
        if after is before and (skip, is_new, told) == (before.skip, before.is_new, before.remarks):
            return
        is_listed_for = before.is_listed_for and is_awaited
        after = attrs.evolve(after, skip=skip, is_new=is_new, remarks=told, is_listed_for=is_listed_for)
        self._put(before, after)

    def _drain(
        self, followed: Sequence[LogTarget], on_disk: Collection[str], given: _Given
    ) -> tuple[Departed, ...]:
        """Release the gone logs that were read or waited for; return those that agents are still handed.

        These have their pods' latest states: a rule for the shipper may be in it. What a pod no longer
        wants is over, too.
        """
        keys = [each.target.container.key for each in self.work.departed]
        keys += [change.after.key for change in self._changes if change.after.state is State.GONE]
        lives = [life for key in dict.fromkeys(keys) if (life := self._lives.get(key)) and life.departed]
        if not lives:
            return ()
        targets = {life.key: life.target for life in lives if life.target is not None}
        current = targets.keys() if given.rules == self._rules else frozenset[str]()
        known = attrs.evolve(given.known, targets=targets, current=current)
        containers = [target.container for target in targets.values()]
        renewed = resolve(containers, given.pods, given.rules, known)
        # A state file may say that a log that is gone had the id of one that is there.
        taken = {target.id for target in followed}
        latest = {each.container.key: each for each in renewed.targets if each.id not in taken}
        draining = []
        for life in lives:
            target, departed = latest.get(life.key), life.departed
            if (
                departed is None
                or target is None
                or departed.drain in given.read
                or ends_unasked(departed, self._timeouts.drain, given.now)
            ):
                after = life.after(Seen.READ, given.now)
                self._put(life, after if life.key in on_disk else after.after(Seen.NOTHING, given.now))
                continue
            # A clock that was set back would make all that a shipper says from now on older than the end.
            since = min(departed.since, given.wall)
            if target is not departed.target or since != departed.since:
                departed = attrs.evolve(departed, target=target, since=since)
                self._put(life, attrs.evolve(life, target=target, departed=departed))
            draining.append(departed)
        return tuple(draining)

    def _look_at_sizes(self, all_targets: Iterable[LogTarget]) -> None:
        """Look how long logs are: a gone log's size tells later whether its shipper has read it all."""
        new = [it.after.key for it in self._changes if it.after.is_followed and not it.before.is_followed]
        for key in {*new, *self._going, *(target.container.key for target in all_targets)}:
            life = self._lives[key]
            path = life.target.container.log_path if life.target is not None else None
            size = None if path is None else self._size_of(path)
            if size is None:
                size = life.size or 0  # it is going this very moment: what was seen before counts
            if size != life.size:
                self._lives[key] = attrs.evolve(life, size=size)

    def _without_pod(self) -> list[Life]:
        lives = [self._lives[key] for key in self._awaited]
        return [life for life in lives if life.skip is not None and life.skip.reason in WAITS_FOR_POD]

    # ------------------------------------------------------------------ the records

    def _life(self, key: str, given: _Given) -> Life:
        known = self._lives.get(key)
        return known or Life(key=key, since=given.now, first_seen=given.wall)

    def _seen(self, before: Life, seen: Seen, given: _Given) -> Life:
        """Return the record after this was seen of it: what is gone from now on begins to drain."""
        after = before.after(seen, given.now)
        if after.state is State.AWAITED and after is not before and given.appeared_at is not None:
            return attrs.evolve(after, since=given.appeared_at)
        if after.state is State.GONE and after.target is not None and after.departed is None:
            if after.target.is_spooled:  # it went with its last segment: that was its drain
                return after.after(Seen.READ, given.now).after(seen, given.now)
            departed = Departed(after.target, since=given.wall, size=after.size, began=given.now)
            return attrs.evolve(after, departed=departed)
        return after

    def _put(self, before: Life, after: Life, appeared: float | None = None) -> None:
        """Take a log's next record, or forget it: there is no other way."""
        if after is before:
            return
        self._changes.append(Change(before, after, appeared))
        self._index = None
        if after.state is State.ABSENT:
            self._lives.pop(after.key, None)
        else:
            self._lives[after.key] = after


def _left_behind(left: Work, *, now: float, wall: float) -> Iterator[Life]:
    """Yield the records of what an earlier process followed, and of what drained.

    How long that has been is known by the wall clock alone, which may have been set since.
    """
    for target in left.targets:
        yield Life(key=target.container.key, state=State.LEFT, since=now, first_seen=wall, target=target)
    for each in left.departed:
        since = min(each.since, wall)
        departed = attrs.evolve(each, since=since, began=now - (wall - since))
        yield Life(
            key=each.target.container.key,
            state=State.GONE,
            since=departed.began,
            first_seen=wall,
            target=each.target,
            size=each.size,
            departed=departed,
        )

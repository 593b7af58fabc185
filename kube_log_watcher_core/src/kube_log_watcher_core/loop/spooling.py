"""The spool at work: what a pass asks of it, and the thread that removes what is done with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import attrs

from kube_log_watcher_core.agents import Claim, FolderLocks, Turn, Worker
from kube_log_watcher_core.models import Container, LogTarget, Work
from kube_log_watcher_core.resolve import Resolution
from kube_log_watcher_core.spool import (
    LOOK_SECONDS,
    Chores,
    ClosedSegment,
    Janitor,
    SegmentKey,
    Spool,
    SpoolKeeper,
    SpoolRules,
    SpoolView,
    Swept,
    seconds_between_looks,
)

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.2
"""How often a folder is tried that another watcher has."""
MOST_GIVEN_UP = 500
"""Of how many logs it is remembered that they had to go unread."""
MOST_NAMES = 5
"""How many segments one message names."""


class Spooling:
    """Keeps logs for the main thread, and has a janitor in a thread of its own.

    Without folders it keeps nothing, and lets every container go on as it is.

    Parameters
    ----------
    left
        what an earlier process handed to its agents.
    on_swept
        is called by the janitor's thread when it is done.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        left: Work,
        *,
        roots: Sequence[Path],
        rules: SpoolRules,
        locks: FolderLocks,
        wall: Callable[[], float],
        clock: Callable[[], float],
        on_swept: Callable[[], None],
    ) -> None:
        self._folders = tuple(folders)
        self._roots = tuple(roots)
        self._rules = rules
        self._locks = locks
        self._wall = wall
        self._clock = clock
        self._on_swept = on_swept
        self._spool = Spool(folders, wall=wall)
        self._left = _targets_of(left)
        self._claims = [Claim(locks, folders)]
        """On the present folders, the last; and on earlier ones, in which logs may still be kept."""
        self._turn = Turn("the spool", self._claims[-1], clock=clock)
        self._is_moving = False
        """Whether new logs are still kept in earlier folders, for another watcher has the present ones."""
        self._keeper: SpoolKeeper | None = None
        self._janitor = Worker[Chores]("spool", self._sweep, title="the spool")
        self._mutex = threading.Lock()
        self._sweeping = False
        self._sweep_at = float("-inf")
        """When the janitor may look again at all that is closed, by the monotonic clock."""
        self._ask_at = float("-inf")
        """When agents may be asked again, by the monotonic clock."""
        self._closed: tuple[ClosedSegment, ...] = ()
        self._wanted_again = False
        """Whether somebody waits for the janitor to be done."""
        self._swept: list[Swept] = []
        self.last = Swept()
        """What the janitor found when it looked last."""
        self._given_up: dict[str, int] = {}
        """Of the last logs, by their containers' keys."""
        self.given_up_bytes = 0
        """Bytes that had to go unread."""
        self._held_bytes = 0

    def begin(self, left_by_other: Callable[[], Work]) -> bool:
        """Take the folders, and what an earlier process left there; False while another is at work.

        After a wait for another watcher, what that one has left is asked for: it went on after we began.
        """
        if self._keeper is None:
            if not self._turn():
                return False
            if self._turn.waited:
                self._left = _targets_of(left_by_other())
            self._spool.load()
            self._keeper = SpoolKeeper(
                self._spool,
                self._left,
                roots=self._roots,
                wall=self._wall,
                clock=self._clock,
                rules=self._rules,
            )
            self._left = ()
            self._janitor.start()
            self._janitor.begin()
        return True

    @property
    def obstacle(self) -> Path | None:
        """The folder that another watcher has."""
        return self._claims[-1].obstacle

    def view(self) -> SpoolView:
        """Return how it stands; from any thread: a dict is copied in one step of the interpreter."""
        keeper, last = self._keeper, self.last
        if keeper is None:
            return SpoolView(folders=self._folders, obstacle=self.obstacle)
        logs = dict(keeper.logs)
        return SpoolView(
            folders=self._folders,
            logs=logs,
            by_path=dict(keeper.by_path) if self._folders else {},
            # What was found last is of before: with the last closed segment nothing is looked at any more.
            held_bytes=self._held_bytes if keeper.is_any_closed else 0,
            given_up_bytes=self.given_up_bytes,
            given_up=self._given_up.copy(),
            sweep_trouble=last.trouble,
            obstacle=self.obstacle,
        )

    @property
    def keeper(self) -> SpoolKeeper:
        """What is kept. Only after `begin`."""
        if self._keeper is None:
            raise RuntimeError("the spool has not begun")
        return self._keeper

    def use(self, folders: Sequence[Path], rules: SpoolRules) -> None:
        """Keep new logs in these folders from now on, or as soon as no other watcher has them."""
        if self._keeper is not None:
            self._keeper.rules = rules
        if tuple(folders) != self._folders:
            self._folders = tuple(folders)
            self._claims.append(Claim(self._locks, folders))
            self._turn = Turn("the spool", self._claims[-1], clock=self._clock)
            self._is_moving = True
            self._move()

    def _move(self) -> None:
        if self._keeper is None:
            self._spool.use(self._folders)
            self._is_moving = False
        elif self._turn():
            self._spool.use(self._folders)
            self._spool.load()
            self._keeper.resume_waiting()
            self._is_moving = False

    def settle(
        self,
        resolution: Resolution,
        *,
        ready: Collection[str] | None,
        read: Callable[[], tuple[Collection[SegmentKey], Mapping[SegmentKey, int]]],
    ) -> None:
        """Show what is followed, drop what nobody wants, and have the janitor remove what is done with.

        ``read`` returns the segments that agents are done with, and how far others are read. Where passes
        come in quick succession, only what is dropped goes at once: all that is closed is looked at from
        time to time.
        """
        self.keeper.settle(resolution.targets, resolution.skipped, ready=ready)
        with self._mutex:
            if self._sweeping and not self._swept:
                self._wanted_again = self.keeper.is_any_dropped
                return
        self._take_swept()
        now = self._clock()
        if now >= self._sweep_at:
            chores = self.keeper.chores(*read())
            self._sweep_at = now + LOOK_SECONDS
        else:
            chores = self.keeper.chores_at_once()
        if chores is not None:
            self._sweeping = True
            self._janitor.submit(chores)

    def closed(self) -> tuple[ClosedSegment, ...]:
        """Return the segments that agents are to be asked about; the very same until they are to be again."""
        now = self._clock()
        if now >= self._ask_at:
            self._closed = self.keeper.closed()
            self._ask_at = now + seconds_between_looks(len(self._closed))
        return self._closed

    def keep(self, containers: tuple[Container, ...], *, full: bool = False) -> tuple[Container, ...]:
        """Link what is new; return the containers, with those that only the spool still has.

        ``full``: see as well whether somebody has removed links of files that are written to.
        """
        self._take_swept()
        if self._is_moving:
            self._move()
        self.keeper.mind_the_clock()
        going_on = self.keeper.keep(containers)
        if full:
            self.keeper.mend(containers)
        return going_on

    def seconds_to_look(self) -> float | None:
        """Return how soon to look again although nothing hints at it."""
        if self.obstacle is not None:
            return WAIT_SECONDS
        return None if self._keeper is None else self._keeper.seconds_to_look()

    def close(self, *, wait_seconds: float) -> None:
        """Stop. What is kept stays."""
        self._janitor.stop(wait_seconds=wait_seconds)
        for claim in self._claims:
            claim.release()

    def _take_swept(self) -> None:
        with self._mutex:
            swept, self._swept = self._swept, []
        for each in swept:
            self._sweeping = False
            self.keeper.swept(each)
            if each.held_bytes is not None:
                self._held_bytes = each.held_bytes
            elif not each.trouble:  # it did not look at what there was trouble with
                each = attrs.evolve(each, trouble=self.last.trouble)  # noqa: PLW2901 - the very same, completed
            self.last = each
            if each.taken:
                text = "somebody else has removed %d segments from the spool, read or not: %s"
                names = ", ".join(str(path) for path in each.taken[:MOST_NAMES])
                logger.warning(text, len(each.taken), names, extra={"event": "segments-taken"})
            for log in each.unclaimed:
                self.given_up_bytes += log.unread_bytes
                logger.warning(
                    "the pod of %s has not shown: %d files with %d bytes are removed unread",
                    log.key,
                    log.files,
                    log.unread_bytes,
                    extra={"event": "waiting-given-up"},
                )
            for lost in each.given_up:
                self.given_up_bytes += lost.unread_bytes
                before = self._given_up.pop(lost.key, 0)
                self._given_up[lost.key] = before + lost.unread_bytes
                while len(self._given_up) > MOST_GIVEN_UP:
                    del self._given_up[next(iter(self._given_up))]
                logger.warning(
                    "the spool is full: segment %d of %s had to go with %d bytes unread",
                    lost.number,
                    lost.key,
                    lost.unread_bytes,
                    extra={"event": "segment-given-up"},
                )

    def _sweep(self, chores: Chores, _recheck: bool) -> bool:  # noqa: FBT001 - the worker's call
        swept = Janitor().sweep(chores)
        if swept.trouble and swept.trouble != self.last.trouble:
            logger.warning("segments can't be removed: %s", swept.trouble)
        with self._mutex:
            self._swept.append(swept)
            wanted_again, self._wanted_again = self._wanted_again, False
        if swept.removed or wanted_again:
            self._on_swept()
        return True


def _targets_of(left: Work) -> Sequence[LogTarget]:
    return (*left.targets, *(each.target for each in left.departed))

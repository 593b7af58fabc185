"""What happens in the demo, step by step."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import click

from kube_log_watcher_core.cli.stopping import pause
from kube_log_watcher_testing.demo.cast import ARRIVAL, CAST, NODES, Part, Stage
from kube_log_watcher_testing.demo.files import Snapshot, changes, snapshot
from kube_log_watcher_testing.demo.sample_settings import Sample, sample_settings
from kube_log_watcher_testing.demo.view import View
from kube_log_watcher_testing.demo.watching import READ, SPOOL, Row, Watching, watch
from kube_log_watcher_testing.fake_api import FakeApi
from kube_log_watcher_testing.fake_node import FakeNode

LONGEST_STEP_SECONDS = 10.0
POLL_SECONDS = 0.05
QUIET_SECONDS = 0.3
"""Files that did not change for so long are those of this step."""


@attrs.frozen
class Step:
    """Something that happens, and what must come of it."""

    title: str
    act: Callable[[], None]
    holds: Callable[[Sequence[Row]], bool]
    writes: bool = True
    """Whether files of agents or of the spool must have come, changed or gone."""


def tell(root: Path, *, view: View, only: Collection[str] | None, seconds_per_step: float) -> int:
    """Play all steps; give the exit code: 1 when something that was expected did not come."""
    with FakeApi() as api, _playing(root, api, only) as play:
        view.begin()
        try:
            missed = [
                step.title for step in play.steps() if not play.do(step, view, seconds=seconds_per_step)
            ]
        finally:
            view.end()
        play.sum_up(missed)
    return 1 if missed else 0


@contextmanager
def _playing(root: Path, api: FakeApi, only: Collection[str] | None) -> Iterator[Play]:
    stage = Stage({name: FakeNode(root / name / "node", layout) for name, layout in NODES.items()}, api)
    for part in CAST:
        stage.enter(part)
    watching: list[Watching] = []
    try:
        for name, node in stage.nodes.items():
            samples = _usable(sample_settings(root / name / "agents", only=only), tell=not watching)
            watching.append(watch(name, node, api, samples, root / name))
        yield Play(root, stage, watching)
    finally:
        for each in watching:
            each.stop(wait_seconds=2.0)


def _usable(samples: Sequence[Sample], *, tell: bool) -> list[Sample]:
    for sample in samples:
        if sample.obstacle and tell:
            click.echo(f"agent {sample.name} takes no part: {sample.obstacle}", err=True)
    return [sample for sample in samples if not sample.obstacle]


class Play:
    """The nodes, the API and the daemons, and what has been seen of them."""

    def __init__(self, root: Path, stage: Stage, watching: Sequence[Watching]) -> None:
        self._root = root
        self._stage = stage
        self._watching = watching
        self._seen: Snapshot = {}

    def steps(self) -> list[Step]:
        """Return what happens, in order."""
        rotating, label, going = CAST[6], CAST[0], CAST[2]
        followed = {part.name: f"{part.namespace}/{part.name}/" for part in (*CAST, ARRIVAL)}
        return [
            Step(
                f"{len(CAST)} pods on two nodes: what is followed, and what isn't and why",
                lambda: None,
                lambda rows: (
                    len({row.node for row in rows if row.followed}) == len(NODES)
                    and _settled(rows)
                    and self._are_shown(rows)
                ),
            ),
            Step(
                f"a pod arrives: {ARRIVAL.name}",
                lambda: self._stage.enter(ARRIVAL),
                lambda rows: _is_followed(rows, followed[ARRIVAL.name]) and self._are_shown(rows),
            ),
            Step(
                f"a label changes: {label.name} gets version=1.5.0",
                lambda: self._relabel(label.namespace, label.name),
                lambda rows: _is_followed(rows, followed[label.name], about="shop 1.5.0"),
            ),
            Step(
                f"a log rotates: {rotating.name}; its new file is in the spool, no agent need know",
                lambda: self._rotate(rotating.node, rotating.name),
                lambda _: len(self._segments(rotating)) == 2 * len(rotating.containers),
            ),
            Step(
                f"a pod goes: {going.name}; its last lines stay in the spool until they are read",
                lambda: self._stage.leave(going),
                lambda rows: _is_followed(rows, followed[going.name]) and self._is_held_alone(going),
                writes=False,
            ),
            Step(
                f"the shipper has read them: {going.name} goes, and what {rotating.name} has rotated",
                self._read_everything,
                lambda rows: (
                    not _is_followed(rows, followed[going.name])
                    and not self._segments(going)
                    and len(self._segments(rotating)) == len(rotating.containers)
                ),
            ),
        ]

    def _relabel(self, namespace: str, name: str) -> None:
        self._stage.api.relabel(namespace, name, version="1.5.0")

    def _rotate(self, node: str, name: str) -> None:
        for container in self._stage.containers[name]:
            self._stage.nodes[node].rotate(container)
            self._stage.nodes[node].write(container, "a new file begins")

    def _read_everything(self) -> None:
        for name in NODES:
            (self._root / name / READ).touch()

    def _segments(self, part: Part) -> list[Path]:
        return sorted((self._root / part.node / SPOOL).glob(f"{part.namespace}_{part.name}_*/*.log"))

    def _are_shown(self, rows: Sequence[Row]) -> bool:
        """Whether the spool shows the log of each row that is followed: some agents take seconds for that."""
        shown = [path for name in NODES for path in (self._root / name / SPOOL).glob("*/*.log")]
        return len(shown) == sum(row.followed for row in rows)

    def _is_held_alone(self, part: Part) -> bool:
        """Whether nobody else has the pod's files any more."""
        return all(path.stat().st_nlink == 1 for path in self._segments(part))

    def do(self, step: Step, view: View, *, seconds: float) -> bool:
        """Do a step, wait for what must come of it, and let people look; tell whether it came."""
        view.step(step.title)
        step.act()
        began = time.monotonic()
        before = self._seen
        holds = self._await(lambda: step.holds(self._rows()))
        if step.writes:
            holds &= self._await(lambda: self._files() != before)
        self._seen = self._files_at_rest()
        view.show(self._rows(), changes(before, self._seen, self._root) or ["  no file has changed"])
        pause(began + seconds - time.monotonic())
        return holds

    def _await(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + LONGEST_STEP_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _files_at_rest(self) -> Snapshot:
        deadline = time.monotonic() + LONGEST_STEP_SECONDS
        seen, since = self._files(), time.monotonic()
        while time.monotonic() < min(since + QUIET_SECONDS, deadline):
            time.sleep(POLL_SECONDS)
            now = self._files()
            if now != seen:
                seen, since = now, time.monotonic()
        return seen

    def _files(self) -> Snapshot:
        return snapshot(self._root / name / inner for name in NODES for inner in ("agents", SPOOL))

    def _rows(self) -> list[Row]:
        return [row for each in self._watching for row in each.rows()]

    def sum_up(self, missed: Sequence[str]) -> None:
        """Tell how it went and where the files are."""
        rows = self._rows()
        reasons = Counter(row.about.partition(":")[0] for row in rows if not row.followed)
        skipped = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        click.echo(
            f"\n{sum(row.followed for row in rows)} logs followed, {sum(reasons.values())} not: {skipped}"
        )
        for title in missed:
            click.echo(f"NOT seen within {LONGEST_STEP_SECONDS:g} s: {title}")
        click.echo("What the agents have written, and what the spool has:")
        for folder, count in sorted(Counter(self._folder(path) for path in self._seen).items()):
            click.echo(f"   {folder}: {count} files and links")
        click.echo(f"The nodes' own folders, and watcher.log, are in {self._root}, too.")

    def _folder(self, path: Path) -> Path:
        """Return the folder of the agent that has written a file, or the spool."""
        node, inner, agent = path.relative_to(self._root).parts[:3]
        return self._root / node / inner / ("" if inner == SPOOL else agent)


def _is_followed(rows: Sequence[Row], place: str, about: str = "") -> bool:
    return any(row.followed and row.container.startswith(place) and about in row.about for row in rows)


def _settled(rows: Sequence[Row]) -> bool:
    """Whether every pod of the API is known by now."""
    unknown = [row for row in rows if row.about.startswith("pod-unknown")]
    return len(unknown) == sum(not part.in_api for part in CAST)

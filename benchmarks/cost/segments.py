"""What the spool costs: a rotation, its latency, and a thousand containers with five segments each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
from inotify_simple import INotify, flags

from benchmarks.cost.figures import Figure, median, percentile
from benchmarks.cost.passing import AIMS_MS, ROUNDS, RULES
from benchmarks.cost.plan import Plan
from benchmarks.cost.process import cpu_seconds, resident_mib, system_calls
from benchmarks.cost.shelf import WAIT_SECONDS
from benchmarks.cost.stage import Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_core.models import Pods, Work
from kube_log_watcher_core.reconcile import Reconciler, Timeouts
from kube_log_watcher_core.spool import Janitor, Spool, SpoolKeeper, SpoolRules
from kube_log_watcher_testing.factories import make_container, make_pod
from kube_log_watcher_testing.fake_node import FakeContainer

GROUP = "The spool"
SEGMENTS = 5
"""Of each container, when memory and start are measured: the live one, and four that are closed."""
ROTATIONS = 10_000
TRACED_SECONDS = 1.5
"""Less than the pause between two looks at how far shippers have read."""


class Spooled:
    """A stage with a spool beside its logs, and what lies in it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder = folder
        self.spool = folder / "node" / "spool"
        # No shipper reads: nothing is let go of while it is counted.
        environ = {"WATCHER_SPOOL_DIR": str(self.spool), "WATCHER_SPOOL_SECONDS": "86400"}
        self.stage = Stage(folder, Layout.CRI, plan.largest, plan=plan, environ=environ)
        self.spool.mkdir()

    def segments(self, container: FakeContainer) -> Path:
        """Name the folder of a container's segments: here each pod has one container."""
        return self.spool / f"{container.namespace}_{container.pod}_{container.uid}"

    def rotate(self, container: FakeContainer) -> float:
        """Rotate a log; return the seconds until its new file is linked. Raises TimeoutError."""
        with INotify(nonblocking=False, inheritable=False) as inotify:
            inotify.add_watch(self.segments(container), flags.CREATE | flags.MOVED_TO)
            began = time.monotonic()
            self.stage.node.rotate(container)
            if not inotify.read(timeout=int(WAIT_SECONDS * 1000)):
                raise TimeoutError(f"no segment of {container.pod} came: {self.stage.watcher.log[-2000:]}")
            return time.monotonic() - began

    def rotate_all(self, times: int) -> None:
        """Rotate each log so often, and wait until each file is linked. Raises TimeoutError."""
        for _ in range(times):
            wanted = self.count() + len(self.stage.containers)
            for each in self.stage.containers:
                self.stage.node.rotate(each)
            self.wait_count(wanted)

    def count(self) -> int:
        """Count the segments that shippers see."""
        return sum(1 for _ in self.spool.glob("*_*/*.log"))

    def wait_count(self, wanted: int) -> None:
        """Wait for so many segments. Raises TimeoutError."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (count := self.count()) < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} of {wanted} segments: {self.stage.watcher.log[-2000:]}")
            time.sleep(0.05)


def measure(plan: Plan, folder: Path) -> Iterator[Figure]:
    """Measure with the largest number of containers: a pass, single rotations, then with all segments."""
    yield _quiet_pass(plan, folder / "quiet")
    yield from _long_log(folder / "long")
    spooled = Spooled(folder / "spool", plan)
    with spooled.stage as stage:
        stage.started()
        spooled.wait_count(plan.largest)
        resident = resident_mib(stage.pid)
        yield from _rotations(spooled, plan, folder)
        spooled.rotate_all(SEGMENTS - 1)
        stage.settle()
        yield from _many(spooled, plan, resident)
        yield from _start(spooled)


def _quiet_pass(plan: Plan, folder: Path) -> Figure:
    """Measure a pass by itself that links nothing, with and without what keeps the logs, on real files."""
    spool = folder / "spool"
    spool.mkdir(parents=True)
    containers = []
    for number in range(1, plan.largest + 1):
        log = folder / "logs" / str(number) / "0.log"
        log.parent.mkdir(parents=True)
        log.touch()
        made = make_container(number, pod=f"app-{number}", layout=Layout.CRI)
        containers.append(attrs.evolve(made, log_path=log, inode=log.stat().st_ino))
    node, pods = tuple(containers), Pods([make_pod(container) for container in containers])
    keeper = SpoolKeeper(
        Spool([spool], wall=time.time),
        (),
        roots=[folder],
        wall=time.time,
        clock=time.monotonic,
        rules=SpoolRules(),
    )
    spent = []
    for keeps in (False, True):
        reconciler = Reconciler(Work(), clock=time.monotonic, wall=time.time)
        rounds = []
        for _ in range(ROUNDS):
            began = time.thread_time()
            going_on = keeper.keep(node) if keeps else node
            found = reconciler.reconcile(going_on, pods, rules=RULES, timeouts=Timeouts())
            if keeps:
                keeper.settle(found.resolution.targets, found.resolution.skipped, ready=None)
                keeper.closed()
            rounds.append(time.thread_time() - began)
        spent.append(median(rounds) * 1000)
    name = f"{plan.largest} containers, a quiet pass by itself"
    return Figure(GROUP, name, spent[1], "ms", spent[0], "without the spool", AIMS_MS.get(plan.largest))


def _long_log(folder: Path) -> Iterator[Figure]:
    """Rotate one log ten thousand times, by itself, on real files, while no shipper reads any of it."""
    spool, log = folder / "spool", folder / "default_app_uid" / "main" / "0.log"
    for made in (spool, log.parent):
        made.mkdir(parents=True)
    keeper = SpoolKeeper(
        Spool([spool], wall=time.time),
        (),
        roots=[folder],
        wall=time.time,
        clock=time.monotonic,
        rules=SpoolRules(min_free_percent=0),
    )
    container = attrs.evolve(make_container(1, pod="app", layout=Layout.CRI), log_path=log)
    spent = []
    for number in range(ROTATIONS):
        if number:
            log.rename(f"{log}.20261124-{number:06d}")
            log.with_name(f"{log.name}.20261124-{number - 1:06d}").unlink(missing_ok=True)
        log.touch()
        began = time.thread_time()
        keeper.keep((attrs.evolve(container, inode=log.stat().st_ino),))
        spent.append(time.thread_time() - began)
    first, last = (median(each) * 1000 for each in (spent[:100], spent[-100:]))
    name = f"one log, rotated {ROTATIONS:,} times and not read"
    yield Figure(GROUP, f"{name}, CPU of its last rotations", last, "ms", first, "of its first hundred")
    chores = keeper.chores((), {})
    if chores is not None:
        began = time.thread_time()
        Janitor().sweep(chores)
        yield Figure(GROUP, f"{name}, CPU of a look at all of it", (time.thread_time() - began) * 1000, "ms")


def _rotations(spooled: Spooled, plan: Plan, folder: Path) -> Iterator[Figure]:
    stage, name = spooled.stage, f"{plan.largest} containers, one rotation"
    latencies, spent = [], []
    for number in range(plan.latencies):
        stage.quiet_down()
        latencies.append(spooled.rotate(stage.containers[number % plan.largest]) * 1000)
    for number in range(plan.changes):
        stage.settle()
        before = cpu_seconds(stage.pid)
        spooled.rotate(stage.containers[number % plan.largest])
        stage.settle()
        spent.append(cpu_seconds(stage.pid) - before)
    yield Figure(GROUP, f"{name}, until its new file is linked, p50", median(latencies), "ms")
    yield Figure(GROUP, f"{name}, until its new file is linked, p99", percentile(latencies, 0.99), "ms")
    yield Figure(GROUP, f"{name}, CPU", median(spent) * 1000, "ms")
    calls = _traced(spooled, folder, rotate=True)
    quiet = _traced(spooled, folder, rotate=False)
    if calls is not None and quiet is not None:
        yield Figure(GROUP, f"{name}, system calls", calls, "calls", quiet, "as long without a rotation")


def _traced(spooled: Spooled, folder: Path, *, rotate: bool) -> int | None:
    spooled.stage.settle()
    rotation = threading.Timer(TRACED_SECONDS / 3, spooled.stage.node.rotate, (spooled.stage.containers[0],))
    if rotate:
        rotation.start()
    try:
        return system_calls(spooled.stage.pid, seconds=TRACED_SECONDS, folder=folder)
    finally:
        rotation.cancel()


def _many(spooled: Spooled, plan: Plan, resident: float) -> Iterator[Figure]:
    stage, name = spooled.stage, f"{plan.largest} containers with {SEGMENTS} segments each"
    before = cpu_seconds(stage.pid)
    time.sleep(plan.idle_seconds)
    spent = cpu_seconds(stage.pid) - before
    yield Figure(GROUP, f"{name}, CPU while nothing happens", spent * 60_000 / plan.idle_seconds, "ms/min")
    yield Figure(
        GROUP, f"{name}, resident", resident_mib(stage.pid), "MiB", resident, "with one segment each"
    )


def _start(spooled: Spooled) -> Iterator[Figure]:
    stage, count = spooled.stage, spooled.count()
    stage.watcher.stop()
    began = time.monotonic()
    stage.watcher.start()
    for agent in ("scalyr", "appdynamics"):
        stage.wait_metric("kube_log_watcher_agent_syncs_total", 1, agent=agent, result="success")
    taken, cpu = time.monotonic() - began, cpu_seconds(stage.pid)
    stage.settle()
    yield Figure(GROUP, f"restart with {count:,} segments, until both agents are done", taken, "s")
    yield Figure(GROUP, f"restart with {count:,} segments, CPU, imports and all", cpu, "s")
    changed = abs(spooled.count() - count)
    yield Figure(
        GROUP,
        "restart: segments made anew or removed",
        changed,
        "segments",
        count,
        "segments that are there",
        0.0,
    )

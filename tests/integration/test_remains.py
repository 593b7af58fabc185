"""What remains of containers that came and went: nothing, by number of objects and entries."""

from __future__ import annotations

import contextlib
import gc
import types
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from clock_support import Clocks, at_work
from daemon_support import AGENTS, SHOP, Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_core.agents.endings import MOST_REMEMBERED
from kube_log_watcher_core.loop import Daemon
from support import wait_until

BATCH = 200
WARM_BATCHES = MOST_REMEMBERED // BATCH
"""What is kept of the last so-and-so many is kept by then: their ends, for one."""
BATCHES = 7
ALLOWED = 35
"""Of 1,400 containers, so many objects of a kind may be left by chance, and so many entries."""

ELSEWHERE = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.FrameType)
OURS = ("kube_log_watcher_core", *(f"kube_log_watcher_{agent}" for agent in AGENTS))


def come_and_go(stage: Stage, batch: int) -> None:
    """Let pods come, each with a label of its own, change once, and go."""
    names = [f"{batch}-{number}" for number in range(BATCH)]
    made = [stage.run(f"pod-{each}", labels={**SHOP, f"label-{each}": each}) for each in names]
    wait_until(lambda: stage.follows(*made), what="following all")
    for each in names:
        stage.api.relabel("default", f"pod-{each}", version=f"v-{each}")
    for container in made:
        stage.end(container)
    stage.api.compact()
    wait_until(lambda: stage.ignores(*made), what="the end of all drains")


def objects(kinds: Iterable[str]) -> Counter[str]:
    """Count the objects of our classes."""
    gc.collect()
    found = (type(each) for each in gc.get_objects())
    return Counter(kind.__qualname__ for kind in found if str(kind.__module__).partition(".")[0] in kinds)


def too_many(more: Counter[str]) -> dict[str, int]:
    """Give the kinds of which more objects are there than by chance."""
    return {kind: count for kind, count in more.items() if count > ALLOWED}


def entries(daemon: Daemon) -> int:
    """Count what is in all mappings, lists and sets that the daemon holds, however deep."""
    seen, count = set[int](), 0
    ahead = deque[Any]([daemon])
    while ahead:
        each = ahead.popleft()
        if id(each) in seen or isinstance(each, ELSEWHERE):
            continue
        seen.add(id(each))
        if isinstance(each, Mapping | list | tuple | set | frozenset | deque):
            count += len(each)
        ahead.extend(gc.get_referents(each))
    return count


@pytest.mark.long
@pytest.mark.timeout(240)
def test_of_thousands_of_containers_that_come_and_go_nothing_remains(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_DRAIN_SECONDS": "0.2",
        "WATCHER_LABELS_AS_ATTRIBUTES": "*",
    }
    with Stage(tmp_path, Layout.CRI, environ=environ) as stage, at_work(stage, Clocks()) as daemon:
        stage.run("stays")
        for batch in range(WARM_BATCHES):
            come_and_go(stage, batch)
        before, entries_before = objects(OURS), entries(daemon)
        for batch in range(WARM_BATCHES, WARM_BATCHES + BATCHES):
            come_and_go(stage, batch)
        wait_until(lambda: entries(daemon) - entries_before <= ALLOWED, what="letting go of all entries")
        with contextlib.suppress(AssertionError):  # what is too many is told below
            wait_until(lambda: not too_many(objects(OURS) - before), what="letting go of all objects")
        assert too_many(objects(OURS) - before) == {}

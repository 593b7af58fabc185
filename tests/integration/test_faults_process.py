"""The process itself: as process 1, in the middle of everything, over many changes, with clocks that jump."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clock_support import Clocks, at_work
from daemon_support import CART, EVENTS_ALONE, SHOP, Stage, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_core.loop import Daemon
from kube_log_watcher_testing.fake_api import Endless, Fault, Refuse, Silent, Slow
from support import SOON_SECONDS, wait_until

DOCKER, CRI = Layout.DOCKER, Layout.CRI
DAY_SECONDS = 86_400.0


# ---------------------------------------------------------------------- process 1


def as_process_1() -> list[str]:
    """Give the beginning of a command whose process is the first of its namespace, as in a container."""
    prefix = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no process namespaces here")
    return prefix


def first_process(stage: Stage) -> int:
    """Give the watcher's process id out here, once it takes signals: without a handler it gets none."""
    children = Path(f"/proc/{stage.watcher.pid}/task/{stage.watcher.pid}/children")
    stage.watcher.wait_for(lambda: children.read_text().split(), what="a child")
    pid = int(children.read_text().split()[0])

    def handles_sigterm() -> bool:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)

    stage.watcher.wait_for(handles_sigterm, what="a handler")
    return pid


def ends_at_once(stage: Stage, pid: int) -> bool:
    os.kill(pid, signal.SIGTERM)
    return stage.watcher.wait_for_exit(timeout=SOON_SECONDS) == 0


def test_as_process_1_it_ends_at_once_at_any_moment_of_its_start(tmp_path: Path) -> None:
    with Stage(tmp_path, DOCKER, prefix=as_process_1()) as stage:
        stage.run("shop-1")
        for wait_seconds in (0.0, 0.1, 0.2, 0.4):
            stage.watcher.start()
            pid = first_process(stage)
            moment = time.monotonic() + wait_seconds
            wait_until(lambda moment=moment: time.monotonic() >= moment)  # type: ignore[misc]
            assert ends_at_once(stage, pid)
            assert "Traceback" not in stage.watcher.log
            assert stage.leftovers() == set()


@pytest.mark.parametrize(
    "fault", [Silent(), Slow(60.0), Endless(0.01), Refuse(500)], ids=lambda fault: type(fault).__name__
)
def test_as_process_1_it_ends_at_once_whatever_it_waits_for(tmp_path: Path, fault: Fault) -> None:
    with Stage(tmp_path, DOCKER, prefix=as_process_1()) as stage:
        stage.api.fail(fault, times=None)
        stage.watcher.start()
        pid = first_process(stage)
        stage.watcher.wait_for(lambda: stage.api.requests, what="a request")
        assert ends_at_once(stage, pid)


def test_it_ends_at_once_in_the_middle_of_a_burst(tmp_path: Path) -> None:
    with staged(tmp_path, DOCKER, prefix=as_process_1()) as stage:
        pid = first_process(stage)
        pods = [stage.run(f"pod-{number}") for number in range(60)]
        stage.watcher.wait_for(lambda: any(stage.jobs.iterdir()), what="the first job")
        assert ends_at_once(stage, pid)
        assert stage.leftovers() == set()
        stage.agent_json()
        stage.start()
        stage.wait_followed(*pods)


# ---------------------------------------------------------------------- memory


def resident_kib(pid: int) -> int:
    """Give the memory that a process really uses."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss_Anon"))


def change_labels(stage: Stage, *, times: int) -> None:
    """Let labels change so often, and pods come and go in between, each of a kind that was never there."""
    for number in range(times):
        stage.api.relabel("default", f"shop-{number % 10}", version=f"v{number}", note=f"n{number}")
        if number % 20 == 0:
            stage.end(
                stage.run(f"brief-{number}", namespace="brief", labels={**SHOP, f"l{number}": "x" * 50})
            )
    stage.settle()


def test_memory_stays_flat_over_two_thousand_changes(tmp_path: Path) -> None:
    """Warm by the first quarter of them: what would grow without bound would grow with every further one."""
    (tmp_path / "state").mkdir()
    environ = {"WATCHER_STATE_DIR": tmp_path / "state", "WATCHER_LABELS_AS_ATTRIBUTES": "*"}
    with staged(tmp_path, CRI, environ=environ) as stage:
        for number in range(10):
            stage.run(f"shop-{number}")
        change_labels(stage, times=500)
        warm = resident_kib(stage.watcher.pid)
        change_labels(stage, times=1500)
        assert resident_kib(stage.watcher.pid) - warm < 1536


# ---------------------------------------------------------------------- clocks


def wait(condition: Callable[[], object], what: str) -> None:
    wait_until(condition, what=what)


@pytest.mark.parametrize("jump_seconds", [-DAY_SECONDS, DAY_SECONDS], ids=["back", "forth"])
def test_a_wall_clock_that_jumps_changes_nothing_about_what_is_followed(
    tmp_path: Path, jump_seconds: float
) -> None:
    clocks = Clocks()
    with Stage(tmp_path, CRI, interval=EVENTS_ALONE) as stage, at_work(stage, clocks):
        one = stage.run("shop-1")
        wait(lambda: stage.follows(one), "following")
        before = stage.identities()
        clocks.wall_ahead = jump_seconds
        two = stage.run("cart-1", labels=CART)
        wait(lambda: stage.follows(one, two), "following both")
        assert {name: stage.identities()[name] for name in before if "agent.json" not in name} == {
            name: kept for name, kept in before.items() if "agent.json" not in name
        }
        stage.end(one)
        wait(lambda: stage.ignores(one), "letting go")
        assert stage.follows(two)


def targets_of(daemon: Daemon) -> set[str]:
    return {target.id for target in daemon.resolution.targets} if daemon.resolution else set()


def test_a_drain_ends_although_the_clock_was_set_back_meanwhile(tmp_path: Path) -> None:
    """Else a log would stay configured for as long as the clock was wrong."""
    clocks = Clocks()
    with (
        Stage(tmp_path, CRI, environ={"WATCHER_DRAIN_SECONDS": "1"}) as stage,
        at_work(stage, clocks) as daemon,
    ):
        goes, stays = stage.run("goes"), stage.run("stays")
        wait(lambda: stage.follows(goes, stays), "following")
        stage.end(goes)
        wait(lambda: goes.id not in targets_of(daemon), "noticing that it has gone")
        clocks.wall_ahead = -DAY_SECONDS
        wait(lambda: stage.ignores(goes), "the end of the drain")
        assert stage.follows(stays)


def test_a_drain_is_not_cut_short_by_a_clock_that_is_set_forth(tmp_path: Path) -> None:
    clocks = Clocks()
    with (
        Stage(tmp_path, CRI, environ={"WATCHER_DRAIN_SECONDS": "300"}) as stage,
        at_work(stage, clocks) as daemon,
    ):
        goes, stays = stage.run("goes"), stage.run("stays")
        wait(lambda: stage.follows(goes, stays), "following")
        stage.end(goes)
        wait(lambda: goes.id not in targets_of(daemon), "noticing that it has gone")
        clocks.wall_ahead = DAY_SECONDS
        later = stage.run("later")
        wait(lambda: stage.follows(goes, stays, later), "following all, the gone one among them")
        clocks.monotonic_ahead = 301.0
        latest = stage.run("latest")
        wait(lambda: stage.follows(stays, later, latest) and stage.ignores(goes), "the end of the drain")

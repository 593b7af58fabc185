"""The watcher comes and goes; what the shippers read stays right."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from daemon_support import CART, SHOP, Stage, layouts, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_api import Silent, pod_object
from kube_log_watcher_testing.watcher_process import WatcherProcess
from support import SOON_SECONDS, wait_until

DOCKER, CRI = Layout.DOCKER, Layout.CRI


def ends_at_once(watcher: WatcherProcess, number: signal.Signals = signal.SIGTERM) -> bool:
    watcher.signal(number)
    return watcher.wait_for_exit(timeout=SOON_SECONDS) == 0


def is_past(moment: float) -> bool:
    return time.monotonic() >= moment


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_at_once_and_leaves_everything_in_place(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        with staged(tmp_path, DOCKER) as stage:
            stage.wait_followed(stage.run("shop-1"))
            wait_until(lambda: stage.leftovers() == set())
            before = stage.identities()
            assert ends_at_once(stage.watcher, number)
            assert stage.identities() == before
            assert "Traceback" not in stage.watcher.log

    def test_it_ends_at_once_while_the_api_keeps_silent(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER) as stage:
            stage.api.fail(Silent(), verb="watch", times=None)
            stage.start()
            assert ends_at_once(stage.watcher)

    def test_it_ends_at_once_while_nobody_answers_at_all(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER, environ={"WATCHER_KUBE_URL": "http://192.0.2.1"}) as stage:
            stage.watcher.start()
            stage.watcher.wait_for_log("wrote")
            assert ends_at_once(stage.watcher)

    def test_it_ends_at_any_moment_of_its_start(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER) as stage:
            stage.run("shop-1")
            for wait_seconds in (0.05, 0.15, 0.25, 0.35, 0.45):
                stage.watcher.start()
                wait_until(partial(is_past, time.monotonic() + wait_seconds))
                stage.watcher.signal(signal.SIGTERM)
                assert stage.watcher.wait_for_exit() in (0, -signal.SIGTERM)
                assert "Traceback" not in stage.watcher.log
                assert stage.leftovers() == set()


def any_exists(files: Sequence[Path]) -> bool:
    return any(file.exists() for file in files)


class TestStartingAgain:
    @layouts
    def test_a_restart_rewrites_nothing_that_is_right(self, tmp_path: Path, layout: Layout) -> None:
        with staged(tmp_path, layout) as stage:
            pods = [stage.run(f"shop-{number}") for number in range(3)]
            stage.wait_followed(*pods)
            before = stage.identities()
            stage.restart()
            stage.watcher.wait_for_log("follows 3 logs", times=3)
            assert stage.identities() == before

    @layouts
    def test_a_restart_removes_what_is_stale_and_ours_and_nothing_else(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with staged(tmp_path, layout) as stage:
            goes, stays = stage.run("goes"), stage.run("stays")
            stage.wait_followed(goes, stays)
            foreign = [
                stage.jobs / "sample.job",
                stage.jobs / "container-by-hand-jobfile.job",
                stage.dest / "notes.txt",
                stage.dest / goes.id / "notes.txt",
                stage.tree / "notes.txt",
                stage.tree / "mine" / "deep.log",
                stage.config.parent / "agent.json.bak",
            ]

            def meanwhile() -> None:
                stage.end(goes)
                for path in foreign:
                    path.parent.mkdir(exist_ok=True)
                    path.write_text("of somebody else")

            stage.restart(meanwhile=meanwhile)
            stage.wait_ignored(goes)
            stage.settle()
            assert stage.follows(stays)
            assert [path.read_text() for path in foreign] == ["of somebody else"] * len(foreign)
            assert not (stage.tree / goes.id).exists()

    @layouts
    def test_what_changed_while_it_was_down_is_right_after_the_start(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with staged(tmp_path, layout) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            stage.restart(meanwhile=lambda: stage.api.relabel("default", "shop-1", application="store"))
            stage.wait_application(one, "store")
            stage.settle()
            assert len(list((stage.dest / one.id).iterdir())) == 1
            assert len(list((stage.tree / one.id).iterdir())) == 1

    def test_files_in_the_making_that_a_killed_watcher_left_are_removed(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER, environ={"WATCHER_STATE_DIR": tmp_path / "state"}) as stage:
            (tmp_path / "state").mkdir()
            one = stage.run("shop-1")
            left = [
                stage.config.parent / ".agent.json.0123abcd.klw-tmp",
                stage.jobs / f".container-{one.id}-jobfile.job.0123abcd.klw-tmp",
                tmp_path / "state" / ".state.json.0123abcd.klw-tmp",
            ]
            for path in left:
                path.write_text("half")
            stage.start()
            stage.wait_followed(one)
            stage.watcher.wait_for(lambda: not any(path.exists() for path in left), what="clean folders")

    def test_whenever_it_is_killed_what_it_leaves_can_be_read_and_the_next_one_goes_on(
        self, tmp_path: Path
    ) -> None:
        with Stage(tmp_path, CRI) as stage:
            for round_number in range(4):
                stage.start()
                pods = [stage.run(f"shop-{round_number}-{number}") for number in range(20)]
                # Somewhere in the middle of its work: as soon as the first of the files is there.
                files = [stage.job_file(pod) for pod in pods]
                stage.watcher.wait_for(partial(any_exists, files), what="the first job")
                stage.watcher.kill()
                stage.agent_json()
                assert all(stage.job(pod) for pod in pods if stage.job_file(pod).exists())
            stage.start()
            stage.wait_followed(*pods)
            assert len(stage.agent_json()["logs"]) == 80
            assert stage.leftovers() == set()


class TestDrains:
    """A shipper reads on in a deleted file, but only as long as the file is configured."""

    @layouts
    def test_a_gone_log_stays_configured_for_a_while(self, tmp_path: Path, layout: Layout) -> None:
        with staged(tmp_path, layout, environ={"WATCHER_DRAIN_SECONDS": "1"}) as stage:
            goes, stays = stage.run("goes"), stage.run("stays")
            stage.wait_followed(goes, stays)
            went = time.monotonic()
            stage.end(goes)
            stage.wait_ignored(goes)
            assert time.monotonic() - went >= 1.0
            assert stage.follows(stays)

    def test_it_does_so_across_a_restart_where_there_is_a_state_folder(self, tmp_path: Path) -> None:
        (tmp_path / "state").mkdir()
        environ = {"WATCHER_DRAIN_SECONDS": "2", "WATCHER_STATE_DIR": tmp_path / "state"}
        with staged(tmp_path, CRI, environ=environ) as stage:
            goes = stage.run("goes")
            stage.wait_followed(goes)
            went = time.monotonic()
            stage.end(goes)
            stage.watcher.wait_for_log("no longer following default/goes/main")
            stage.restart()
            stage.wait_ignored(goes)
            assert time.monotonic() - went >= 2.0

    def test_changes_wait_while_the_scalyr_agent_may_be_reading_a_gone_log(self, tmp_path: Path) -> None:
        """It opens all files anew at a change, and can't open one that is gone."""
        with staged(tmp_path, CRI, environ={"WATCHER_DRAIN_SECONDS": "3"}) as stage:
            goes = stage.run("goes")
            stage.wait_followed(goes)
            went = time.monotonic()
            stage.end(goes)
            stage.watcher.wait_for_log("no longer following default/goes/main")
            comes = stage.run("comes")
            seen = set()

            def only_one_has_come() -> bool:
                seen.add(tuple(entry["path"] for entry in stage.agent_json()["logs"]))
                return stage.follows(comes)

            stage.watcher.wait_for(only_one_has_come, what="following")
            assert time.monotonic() - went >= 3.0
            assert seen <= {(str(goes.log),), (str(comes.log),)}


class TestWhatIsKnownBeforeTheFirstSync:
    @layouts
    def test_with_the_api_down_at_the_start_a_configuration_that_is_there_stays_as_it_is(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with staged(tmp_path, layout) as stage:
            goes, stays = stage.run("goes"), stage.run("stays")
            stage.wait_followed(goes, stays)
            before = stage.identities()
            stage.watcher.stop()
            stage.api.stop()
            stage.node.remove(goes)
            stage.watcher.start()
            stage.watcher.wait_for_log("kube")
            stage.watcher.wait_for_log("refused")
            assert stage.identities() == before
            stage.api.start()
            stage.wait_ignored(goes)
            assert stage.follows(stays)

    def test_without_a_readable_agent_json_one_without_logs_is_written_at_once(self, tmp_path: Path) -> None:
        with Stage(tmp_path, DOCKER) as stage:
            stage.api.stop()
            stage.config.write_text("{ half")
            stage.run("shop-1")
            stage.watcher.start()
            stage.watcher.wait_for(lambda: stage.config.read_text() != "{ half", what="an agent.json")
            assert stage.agent_json()["logs"] == []
            assert stage.agent_json()["api_key"] == "key-0001"

    def test_a_huge_agent_json_is_not_read_into_memory_and_replaced_by_the_first_sync(
        self, tmp_path: Path
    ) -> None:
        with Stage(tmp_path, DOCKER) as stage:
            with stage.config.open("w") as file:
                file.write("{")
                file.seek(1_500_000_000)
                file.write("}")
            one = stage.run("shop-1")
            stage.start()
            # Not before: this process would read it into memory.
            stage.watcher.wait_for(lambda: stage.config.stat().st_size < 1_000_000, what="a new one")
            stage.wait_followed(one)
            memory = Path(f"/proc/{stage.watcher.pid}/status").read_text()
            peak = next(line.split()[1] for line in memory.splitlines() if line.startswith("VmHWM"))
            assert int(peak) < 200_000, "KiB"

    def test_with_no_containers_folder_the_configuration_stays_until_the_folder_comes(
        self, tmp_path: Path
    ) -> None:
        with staged(tmp_path, DOCKER) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            before = stage.identities()
            folder = stage.node.containers_path
            away = folder.with_name("away")
            stage.restart(meanwhile=lambda: folder.rename(away))
            stage.watcher.wait_for_log("can't be listed, what is configured stays")
            assert stage.identities() == before
            away.rename(folder)
            two = stage.run("shop-2")
            stage.wait_followed(one, two)
            assert "can be listed again" in stage.watcher.log


class TestTheStateFolder:
    @pytest.fixture
    def stage(self, tmp_path: Path) -> Stage:
        (tmp_path / "state").mkdir()
        return Stage(tmp_path, CRI, environ={"WATCHER_STATE_DIR": tmp_path / "state"})

    def test_a_pod_that_left_the_api_stays_followed_across_a_restart(self, stage: Stage) -> None:
        with stage:
            stage.start()
            one = stage.run("shop-1")
            stage.wait_followed(one)
            stage.api.add(pod_object("no-log"))  # a list without any pod would be doubted for some seconds
            stage.api.delete("default", "shop-1")
            before = stage.identities()
            stage.restart()
            stage.watcher.wait_for_log("follows 1 logs", times=3)
            assert stage.identities() == before

    def test_a_re_created_pod_is_not_mixed_up_across_a_restart(self, stage: Stage) -> None:
        with stage:
            stage.start()
            old = stage.run("db-0", uid="uid-old")
            stage.wait_followed(old)
            stage.api.delete("default", "db-0")
            new = stage.run("db-0", uid="uid-new", labels=CART)
            stage.wait_followed(old, new)
            stage.restart()
            stage.watcher.wait_for_log("follows 2 logs", times=3)
            assert stage.applications(old) == {"shop"}
            assert stage.applications(new) == {"cart"}

    def test_without_it_the_successor_still_is_not_taken_for_the_old_pod(self, tmp_path: Path) -> None:
        with staged(tmp_path, CRI) as stage:
            old = stage.run("db-0", uid="uid-old")
            stage.wait_followed(old)
            stage.api.delete("default", "db-0")
            new = stage.run("db-0", uid="uid-new", labels=CART)
            stage.wait_followed(old, new)
            stage.restart()
            stage.wait_ignored(old)
            assert stage.applications(new) == {"cart"}

    def test_what_came_just_before_the_end_is_known_after_the_restart(self, stage: Stage) -> None:
        """The state is written once a second at most; the last write is not left out at the end."""
        with stage:
            stage.start()
            pods = [stage.run("shop-0")]
            stage.wait_followed(*pods)
            pods.append(stage.run("shop-1"))
            stage.wait_followed(*pods)
            stage.watcher.stop()
            state = json.loads((stage.root / "state" / "state.json").read_text())
            assert {target["id"] for target in state["targets"]} == {pod.id for pod in pods}

    def test_nobody_else_can_read_it(self, stage: Stage) -> None:
        with stage:
            stage.start()
            stage.wait_followed(stage.run("shop-1"))
            path = stage.root / "state" / "state.json"
            stage.watcher.wait_for(path.exists, what="the state")
            assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("content", ["{", "\0" * 64], ids=["half", "zeros"])
    def test_a_damaged_state_is_started_anew(self, stage: Stage, content: str) -> None:
        with stage:
            path = stage.root / "state" / "state.json"
            path.write_text(content)
            stage.start()
            stage.wait_followed(stage.run("shop-1"))
            stage.watcher.wait_for(lambda: path.read_text().count('"main"'), what="a new state")
            assert "is started anew" in stage.watcher.log

    def test_where_it_can_t_be_had_the_watcher_works_without(self, stage: Stage) -> None:
        with stage:
            folder = stage.root / "state"
            folder.rmdir()
            stage.start()
            stage.wait_followed(stage.run("shop-1"))
            stage.watcher.wait_for_log("state.json")
            assert "Traceback" not in stage.watcher.log
            folder.mkdir()
            stage.wait_followed(stage.run("shop-2"))
            stage.watcher.wait_for(lambda: "state.json" in os.listdir(folder), what="a state")


def test_restarts_leave_the_friendly_name_of_a_moved_label(tmp_path: Path) -> None:
    """Several restarts in a row, each with another label: one name is left at the end."""
    with staged(tmp_path, CRI) as stage:
        one = stage.run("shop-1", labels={**SHOP, "version": "v0"})
        for number in range(1, 3):
            stage.wait_followed(one)
            stage.restart(meanwhile=partial(stage.api.relabel, "default", "shop-1", version=f"v{number}"))
        stage.watcher.wait_for(
            lambda: [path.name for path in (stage.dest / one.id).iterdir()] == ["shop-v2.log"]
        )

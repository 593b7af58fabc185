"""One agent's trouble is its own: the others go on, and it recovers by itself."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from daemon_support import AGENTS, CART, Stage, layouts, staged
from kube_log_watcher_core import Layout
from mount_support import in_a_mount_namespace
from support import soon

DOCKER = Layout.DOCKER

LISTER = """
    from pathlib import Path

    import attrs

    from kube_log_watcher_core import PATH, AgentError, File, FileAgent, Owned, setting

    @attrs.frozen
    class ListerSettings:
        folder: Path = setting(PATH, help="folder of the list")

    class Lister(FileAgent[ListerSettings]):
        name = "lister"
        settings_class = ListerSettings

        def render(self, targets):
            text = "".join(f"{target.pod_name}\\n" for target in targets)
            yield File(self.settings.folder / "list.txt", text)

        def owned(self):
            return [Owned(self.settings.folder, r"list\\.txt")]
"""


def with_method(method: str) -> str:
    """Give the agent with one more method."""
    return LISTER + textwrap.indent(textwrap.dedent(method), " " * 8)


def extra_stage(
    root: Path, source: str = LISTER, *, arguments: tuple[str, ...] = (), **options: Any
) -> Stage:
    """Give a stage on which the agent of a file is enabled beside the others."""
    file = root / "lister.py"
    file.write_text(textwrap.dedent(source))
    file.chmod(0o644)  # also where the umask is lax: one that others may write to is refused
    (root / "list").mkdir()
    environ = {
        "WATCHER_EXTRA_AGENT": None if arguments else file,
        "WATCHER_LISTER_FOLDER": root / "list",
        **options.pop("environ", {}),
    }
    stage = Stage(root, DOCKER, agents=(*AGENTS, "lister"), environ=environ, **options)
    stage.watcher.command += arguments
    return stage


def listed(stage: Stage) -> list[str]:
    """Give the pods that the extra agent was told of."""
    path = stage.root / "list" / "list.txt"
    return path.read_text().split() if path.exists() else []


class TestFailures:
    @layouts
    def test_an_agent_whose_folder_is_gone_fails_alone_and_recovers(
        self, tmp_path: Path, layout: Layout
    ) -> None:
        with staged(tmp_path, layout) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            away = tmp_path / "away"
            stage.jobs.rename(away)
            stage.jobs.write_text("a file where the folder was")
            two = stage.run("cart-1", labels=CART)
            stage.watcher.wait_for(lambda: stage.entry(two) and stage.link(two).name, what="the others")
            stage.watcher.wait_for_log("agent appdynamics failed, it is tried again")
            stage.jobs.unlink()
            away.rename(stage.jobs)
            stage.wait_followed(one, two)
            stage.watcher.wait_for_log("agent appdynamics works again")
            assert stage.watcher.log.count("agent appdynamics failed") == 1
            assert "Traceback" not in stage.watcher.log

    def test_a_full_disk_leaves_no_half_file_and_is_survived(self, tmp_path: Path) -> None:
        mounts = f"mount -t tmpfs -o size=64k none '{tmp_path}/jobs'"
        with staged(tmp_path, DOCKER, prefix=in_a_mount_namespace(mounts)) as stage:
            # What the watcher sees there, in its own mount namespace.
            stage.jobs = Path(f"/proc/{stage.watcher.pid}/root{tmp_path}/jobs")
            one = stage.run("shop-1")
            stage.wait_followed(one)
            filler = stage.jobs / "filler"
            space = os.statvfs(stage.jobs)
            filler.write_bytes(b"x" * (space.f_bavail * space.f_frsize))
            two = stage.run("cart-1", labels=CART)
            stage.watcher.wait_for_log("No space left on device")
            assert set(os.listdir(stage.jobs)) == {"filler", stage.job_file(one).name}
            assert stage.follows(one)
            filler.unlink()
            stage.wait_followed(one, two)

    def test_an_agent_that_can_t_work_at_the_start_is_named_with_all_others(self, tmp_path: Path) -> None:
        environ = {"WATCHER_APPDYNAMICS_DEST_PATH": "/no/jobs", "WATCHER_SYMLINK_DIR": "/no/tree"}
        with Stage(tmp_path, DOCKER, environ=environ) as stage:
            stage.watcher.start()
            assert stage.watcher.wait_for_exit() == os.EX_CONFIG
            assert "agent appdynamics" in stage.watcher.log
            assert "agent symlinker" in stage.watcher.log
            assert "Traceback" not in stage.watcher.log
            assert not stage.config.exists()

    def test_pods_that_go_while_the_disk_is_full_make_room_for_those_that_come(self, tmp_path: Path) -> None:
        """Nothing is pruned while something could not be written: on a full disk that must not last."""
        mounts = f"mount -t tmpfs -o size=16k none '{tmp_path}/jobs'"
        with staged(tmp_path, DOCKER, prefix=in_a_mount_namespace(mounts)) as stage:
            stage.jobs = Path(f"/proc/{stage.watcher.pid}/root{tmp_path}/jobs")
            old = [stage.run(f"old-{number}") for number in range(4)]
            stage.wait_followed(*old)
            new = stage.run("new-1")
            stage.watcher.wait_for_log("No space left on device")
            for pod in old:
                stage.end(pod)
            stage.wait_followed(new)


class TestAgentsFromFiles:
    def test_an_agent_from_a_file_is_told_of_every_log_like_the_installed_ones(self, tmp_path: Path) -> None:
        with extra_stage(tmp_path) as stage:
            stage.start()
            one, two = stage.run("shop-1"), stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
            stage.watcher.wait_for(lambda: sorted(listed(stage)) == ["cart-1", "shop-1"], what="the list")
            stage.end(one)
            stage.watcher.wait_for(lambda: listed(stage) == ["cart-1"], what="the shorter list")

    def test_it_can_be_named_on_the_command_line(self, tmp_path: Path) -> None:
        with extra_stage(tmp_path, arguments=("--extra-agent", str(tmp_path / "lister.py"))) as stage:
            stage.start()
            stage.run("shop-1")
            stage.watcher.wait_for(lambda: listed(stage) == ["shop-1"], what="the list")

    @pytest.mark.parametrize("mode", [0o620, 0o602], ids=["group", "others"])
    def test_a_file_that_others_can_write_is_refused(self, tmp_path: Path, mode: int) -> None:
        with extra_stage(tmp_path) as stage:
            (tmp_path / "lister.py").chmod(mode)
            stage.watcher.start()
            assert stage.watcher.wait_for_exit() == os.EX_CONFIG
            assert "can be written by others" in stage.watcher.log
            assert listed(stage) == []

    @pytest.mark.parametrize(
        ("source", "told"),
        [
            (LISTER.replace('"lister"', '"scalyr"'), "is offered by"),
            (LISTER.replace('name = "lister"', "pass"), "must define one"),
            ("not python at all", "SyntaxError"),
            ("import sys; sys.exit(3)", "SystemExit"),
            ("raise RuntimeError('boom')", "boom"),
        ],
        ids=["conflict", "nameless", "syntax", "exit", "raises"],
    )
    def test_one_that_can_t_be_used_is_told_with_its_file(
        self, tmp_path: Path, source: str, told: str
    ) -> None:
        with extra_stage(tmp_path, source) as stage:
            stage.watcher.start()
            assert stage.watcher.wait_for_exit() == os.EX_CONFIG
            assert told in stage.watcher.log
            assert str(tmp_path / "lister.py") in stage.watcher.log
            assert "Traceback" not in stage.watcher.log

    @pytest.mark.parametrize(
        "statement",
        ["raise RuntimeError('boom')", "raise AgentError('boom')", "raise SystemExit('boom')", "{}['boom']"],
        ids=["anything", "agent-error", "exit", "bug"],
    )
    def test_whatever_it_raises_it_is_tried_again_and_the_others_go_on(
        self, tmp_path: Path, statement: str
    ) -> None:
        method = f"""
            def sync(self, targets):
                if (self.settings.folder / "broken").exists():
                    {statement}
                super().sync(targets)
        """
        with extra_stage(tmp_path, with_method(method)) as stage:
            broken = tmp_path / "list" / "broken"
            broken.touch()
            stage.start()
            one = stage.run("shop-1")
            stage.wait_followed(one)
            stage.watcher.wait_for_log("agent lister failed, it is tried again")
            assert "boom" in stage.watcher.log
            assert listed(stage) == []
            broken.unlink()
            stage.watcher.wait_for(lambda: listed(stage) == ["shop-1"], what="the list")
            assert stage.watcher.log.count("agent lister failed") == 1

    def test_one_that_hangs_holds_up_neither_the_others_nor_the_end(self, tmp_path: Path) -> None:
        method = """
            def sync(self, targets):
                import threading
                threading.Event().wait()
        """
        with extra_stage(tmp_path, with_method(method)) as stage:
            stage.start()
            one = stage.run("shop-1")
            stage.wait_followed(one)
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
            with soon("the end"):
                assert stage.watcher.stop() == 0
            assert "agent lister is left in the middle of a sync" in stage.watcher.log

    @pytest.mark.parametrize("method", ["__init__(self, *_)", "check(self)"])
    @pytest.mark.parametrize("statement", ["raise KeyError('boom')", "raise SystemExit('boom')"])
    def test_one_that_fails_at_the_start_is_told_by_name(
        self, tmp_path: Path, method: str, statement: str
    ) -> None:
        with extra_stage(tmp_path, with_method(f"def {method}:\n    {statement}\n")) as stage:
            stage.watcher.start()
            assert stage.watcher.wait_for_exit() == os.EX_CONFIG
            assert "agent lister can't work here" in stage.watcher.log
            assert "boom" in stage.watcher.log

    def test_one_that_is_broken_by_an_upgrade_is_refused_on_a_reload(self, tmp_path: Path) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text("interval: 3600\n")
        with extra_stage(tmp_path, environ={"WATCHER_CONFIG": config}) as stage:
            stage.start()
            stage.run("shop-1")
            stage.watcher.wait_for(lambda: listed(stage) == ["shop-1"], what="the list")
            broken = with_method("def check(self):\n    raise KeyError('boom')\n")
            (tmp_path / "lister.py").write_text(textwrap.dedent(broken))
            config.write_text("cluster_alias: green\n")
            stage.watcher.wait_for_log("the new settings can't be used, the old ones stay")
            stage.run("shop-2")
            stage.watcher.wait_for(lambda: sorted(listed(stage)) == ["shop-1", "shop-2"], what="the list")

    def test_one_that_fails_at_the_end_keeps_nobody_from_ending_well(self, tmp_path: Path) -> None:
        method = "def close(self):\n    raise KeyError('boom')\n"
        with extra_stage(tmp_path, with_method(method)) as stage:
            stage.start()
            stage.wait_followed(stage.run("shop-1"))
            assert stage.watcher.stop() == 0
            assert "agent lister failed to let go" in stage.watcher.log
            assert "stopped; the configuration stays in place" in stage.watcher.log

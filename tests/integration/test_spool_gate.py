"""A shipper that finds logs by a pattern over the spool sees none of which it does not know all it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import run_cli
from daemon_support import SHOP, Stage
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.fake_node import FakeContainer
from support import wait_until

GATING = """
from pathlib import Path
import attrs
from kube_log_watcher_core import PATH, File, FileAgent, Owned, setting


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="metadata")


class Gating(FileAgent[Settings]):
    name, settings_class, gates = "gating", Settings, True

    def render(self, targets):
        folder = self.settings.folder
        return [File(folder / f"{each.id}.json", each.application or "") for each in targets]

    def owned(self):
        return [Owned(self.settings.folder, r"[0-9a-f]+\\.json")]

    def ready(self, targets):
        held = self.settings.folder / "held"
        return [target for target in targets if not held.exists() or target.pod_name not in held.read_text()]
"""
EXCLUDED = {"kubernetes-log-watcher/exclude": "true"}


@pytest.fixture(params=list(Layout), ids=lambda layout: str(layout.value))
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    (tmp_path / "gating.py").write_text(GATING)
    for name in ("meta", "node", "state"):
        (tmp_path / name).mkdir()
    spool = tmp_path / "node" / "spool"
    spool.mkdir()
    environ: dict[str, str | Path | None] = {
        "WATCHER_EXTRA_AGENT": tmp_path / "gating.py",
        "WATCHER_GATING_FOLDER": tmp_path / "meta",
        "WATCHER_SPOOL_DIR": spool,
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_INTERVAL": "1",
    }
    with Stage(tmp_path, request.param, agents=("gating", "scalyr"), environ=environ) as stage:
        stage.start()
        yield stage


def shown(stage: Stage, made: FakeContainer) -> list[str]:
    return [path.read_text() for path in sorted((stage.root / "node" / "spool").glob(f"*/*{made.id}.*.log"))]


def kept(stage: Stage) -> list[str]:
    return [path.read_text() for path in sorted((stage.root / "node" / "spool" / ".waiting").glob("*"))]


def explained(stage: Stage) -> str:
    environ = {name: str(value) for name, value in stage.watcher.environ.items() if value is not None}
    return run_cli("explain", "shop-1", environ={**environ, "HOME": str(stage.root)}).stdout


def test_a_log_is_shown_once_its_metadata_is_in_place(stage: Stage) -> None:
    made = stage.run("shop-1")
    stage.node.write(made, "one")
    wait_until(lambda: len(shown(stage, made)) == 1)
    assert (stage.root / "meta" / f"{made.id}.json").read_text() == "shop"


def test_what_the_agent_holds_back_is_kept_out_of_sight_and_lost_by_no_rotation_nor_restart(
    stage: Stage,
) -> None:
    (stage.root / "meta" / "held").write_text("shop-1")
    held, other = stage.run("shop-1"), stage.run("shop-2")
    wait_until(lambda: len(shown(stage, other)) == 1)
    stage.node.write(held, "one")
    stage.node.rotate(held)
    stage.node.write(held, "two")
    wait_until(lambda: len(kept(stage)) == 2)
    stage.watcher.kill()
    stage.start()
    wait_until((stage.root / "meta" / f"{held.id}.json").exists)
    assert shown(stage, held) == []
    wait_until(lambda: "kept, and not shown to shippers until agent gating may show it" in explained(stage))
    (stage.root / "meta" / "held").unlink()
    wait_until(lambda: len(shown(stage, held)) == 2)
    assert [text.count("one") for text in shown(stage, held)] == [1, 0]
    assert kept(stage) == []


@pytest.mark.parametrize("unwanted", [{"annotations": EXCLUDED}, {"labels": {"application": "shop"}}])
def test_what_is_not_wanted_is_never_shown_and_not_kept(
    stage: Stage, unwanted: dict[str, dict[str, str]]
) -> None:
    hidden = stage.run("secret-1", **{"labels": SHOP, **unwanted})  # type: ignore[arg-type]
    other = stage.run("shop-2")
    wait_until(lambda: len(shown(stage, other)) == 1)
    wait_until(lambda: kept(stage) == [])
    assert shown(stage, hidden) == []
    assert stage.node.containers_path.exists()


def test_without_a_spool_nothing_is_said_of_it(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    with Stage(tmp_path, Layout.CRI) as stage:
        stage.start()
        made = stage.run("shop-1")
        stage.wait_followed(made)
        assert "kept in the spool" not in stage.watcher.log
        assert "WARNING" not in stage.watcher.log

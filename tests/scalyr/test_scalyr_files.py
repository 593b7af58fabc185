"""What the agent does on the disk."""

from __future__ import annotations

import grp
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentConfigError, AgentError
from kube_log_watcher_core.configuration import ChosenAgent
from kube_log_watcher_scalyr import ScalyrAgent
from scalyr_support import a_target, an_agent, container_id, written


def links_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink())


def test_each_target_gets_a_friendly_link_to_its_log(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(1), a_target(2, labels={"application": "cart"})])
    assert links_below(agent.settings.dest_path) == [
        f"{container_id(1)}/shop-v7.log",
        f"{container_id(2)}/cart-none.log",
    ]
    link = agent.settings.dest_path / container_id(1) / "shop-v7.log"
    assert link.readlink() == a_target(1).log_path


def test_a_target_that_goes_takes_its_link_its_folder_and_its_entry_along(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(1), a_target(2)])
    agent.sync([a_target(1)])
    assert os.listdir(agent.settings.dest_path) == [container_id(1)]
    assert len(written(agent)["logs"]) == 1


def test_a_changed_label_replaces_the_friendly_link(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target()])
    agent.sync([a_target(labels={"application": "shop", "version": "v8"})])
    assert links_below(agent.settings.dest_path) == [f"{container_id(1)}/shop-v8.log"]


def test_a_restart_removes_what_is_stale_and_ours_and_nothing_else(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target(1), a_target(2)])
    dest = agent.settings.dest_path
    foreign = [
        dest / "README",
        dest / container_id(2) / "notes.txt",
        dest / container_id(3) / "shop-v7.log",
        agent.settings.config_path.parent / "agent.d",
    ]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.write_text("somebody's own")
    an_agent(tmp_path).sync([a_target(1)])
    assert links_below(dest) == [f"{container_id(1)}/shop-v7.log"]
    assert all(path.read_text() == "somebody's own" for path in foreign)


def test_a_restart_rewrites_nothing_that_is_right(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target()])
    before = agent.settings.config_path.stat()
    an_agent(tmp_path).sync([a_target()])
    after = agent.settings.config_path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_damaged_or_deleted_file_is_put_right_by_the_next_full_pass(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([a_target()])
    for damage in ("{oops", None):
        agent.settings.config_path.unlink()
        if damage is not None:
            agent.settings.config_path.write_text(damage)
        agent.sync([a_target()])
        assert len(written(agent)["logs"]) == 1


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.sync([])
    assert agent.settings.config_path.stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("by_name", [True, False])
def test_with_a_group_a_new_file_is_readable_to_it(tmp_path: Path, *, by_name: bool) -> None:
    group = grp.getgrgid(os.getgroups()[-1] if os.geteuid() else 1)
    agent = an_agent(tmp_path, config_group=group.gr_name if by_name else str(group.gr_gid))
    agent.sync([])
    status = agent.settings.config_path.stat()
    assert (status.st_mode & 0o7777, status.st_gid) == (0o640, group.gr_gid)


def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    agent = an_agent(tmp_path)
    agent.settings.config_path.write_text("{}")
    agent.settings.config_path.chmod(0o604)
    agent.sync([a_target()])
    assert agent.settings.config_path.stat().st_mode & 0o7777 == 0o604
    assert len(written(agent)["logs"]) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_that_is_there_keeps_its_owner_and_group(tmp_path: Path) -> None:
    """The Scalyr agent runs itself again as the owner of this file."""
    agent = an_agent(tmp_path, config_group="0")
    agent.settings.config_path.write_text("{}")
    os.chown(agent.settings.config_path, 12345, 54321)
    agent.sync([])
    status = agent.settings.config_path.stat()
    assert (status.st_uid, status.st_gid) == (12345, 54321)


def test_a_link_in_the_place_of_the_configuration_is_replaced_and_not_followed(tmp_path: Path) -> None:
    agent, elsewhere = an_agent(tmp_path), tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    agent.settings.config_path.symlink_to(elsewhere)
    agent.sync([])
    assert elsewhere.read_text() == "precious"
    assert not agent.settings.config_path.is_symlink()


def test_a_link_in_the_place_of_a_containers_folder_is_not_followed(tmp_path: Path) -> None:
    agent, elsewhere = an_agent(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (agent.settings.dest_path / container_id(1)).symlink_to(elsewhere)
    agent.sync([a_target()])
    assert os.listdir(elsewhere) == []
    assert links_below(agent.settings.dest_path) == [f"{container_id(1)}/shop-v7.log"]


HUGE = 1_500_000_000
PREPARED = """
import resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from scalyr_support import an_agent
resource.setrlimit(resource.RLIMIT_AS, (800_000_000, 800_000_000))
an_agent(Path({folder!r})).prepare()
"""


class TestPrepare:
    @pytest.mark.parametrize("content", [None, b"", b"{oops", b"[]", b"null", b"\xff", b"[" * 100_000])
    def test_a_file_that_is_no_object_is_replaced_by_one_with_the_key_and_no_logs(
        self, tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        agent = an_agent(tmp_path)
        if content is not None:
            agent.settings.config_path.write_bytes(content)
        with caplog.at_level(logging.INFO):
            agent.prepare()
        assert (written(agent)["api_key"], written(agent)["logs"]) == ("key-0001", [])
        assert "key-0001" not in caplog.text

    def test_a_file_with_an_object_keeps_every_byte(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path)
        content = json.dumps({"api_key": "old", "logs": [{"path": "/x"}]})
        agent.settings.config_path.write_text(content)
        agent.prepare()
        assert agent.settings.config_path.read_text() == content

    @pytest.mark.parametrize(("ends", "stays"), [("{}", True), ("{]", False), ("[}", False), ("[]", False)])
    def test_of_a_huge_file_only_the_ends_are_read(self, tmp_path: Path, ends: str, *, stays: bool) -> None:
        """In a process that can't have a fraction of its length."""
        path = an_agent(tmp_path).settings.config_path
        with path.open("w") as file:
            file.write(f" {ends[0]}")
            file.seek(HUGE - 2)
            file.write(f"{ends[1]}\n")
        script = PREPARED.format(tests=str(Path(__file__).parents[1]), folder=str(tmp_path))
        subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
        assert (path.stat().st_size == HUGE) is stays

    @pytest.mark.parametrize("kind", ["fifo", "link"])
    def test_what_is_no_regular_file_is_replaced(self, tmp_path: Path, kind: str) -> None:
        agent = an_agent(tmp_path)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("{}")
        if kind == "fifo":
            os.mkfifo(agent.settings.config_path)
        else:
            agent.settings.config_path.symlink_to(elsewhere)
        agent.prepare()
        assert written(agent)["logs"] == []
        assert elsewhere.read_text() == "{}"

    def test_links_of_an_earlier_life_stay_until_the_first_sync(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path)
        agent.sync([a_target()])
        agent.settings.config_path.unlink()
        later = an_agent(tmp_path)
        later.prepare()
        assert len(links_below(later.settings.dest_path)) == 1
        later.sync([])
        assert links_below(later.settings.dest_path) == []

    def test_the_first_file_is_its_owners_alone(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path)
        agent.prepare()
        assert agent.settings.config_path.stat().st_mode & 0o7777 == 0o600

    def test_a_missing_folder_is_an_error_that_names_the_file(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path)
        agent.settings.config_path.parent.rmdir()
        with pytest.raises(AgentError, match=r"agent\.json|config"):
            agent.prepare()


class TestCheck:
    def test_all_is_well_where_the_folders_are_there(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path, config_group="0")
        agent.check()
        assert os.listdir(agent.settings.config_path.parent) == []

    @pytest.mark.parametrize(
        ("folder", "variable"),
        [("dest", "WATCHER_SCALYR_DEST_PATH"), ("config", "WATCHER_SCALYR_CONFIG_PATH")],
    )
    def test_a_missing_folder_is_named_with_its_variable_and_a_remedy(
        self, tmp_path: Path, folder: str, variable: str
    ) -> None:
        agent = an_agent(tmp_path)
        (tmp_path / folder).rmdir()
        with pytest.raises(AgentConfigError) as raised:
            agent.check()
        told = ChosenAgent("scalyr", ScalyrAgent, agent.settings).with_variables(str(raised.value))
        assert told.startswith(f"{tmp_path / folder} is no folder: create it, or mount it into the container")
        assert f"({variable}={tmp_path / folder}" in told

    def test_a_folder_in_the_place_of_the_file_is_named(self, tmp_path: Path) -> None:
        agent = an_agent(tmp_path)
        agent.settings.config_path.mkdir()
        with pytest.raises(AgentConfigError, match=r"WATCHER_SCALYR_CONFIG_PATH=.*is a folder"):
            agent.check()

    @pytest.mark.parametrize("group", ["no-such-group", str(2**32 - 1), "9" * 30])
    def test_an_unknown_group_is_named_with_a_remedy(self, tmp_path: Path, group: str) -> None:
        agent = an_agent(tmp_path, config_group=group)
        with pytest.raises(AgentConfigError, match=f"WATCHER_SCALYR_CONFIG_GROUP={group}.*number"):
            agent.check()

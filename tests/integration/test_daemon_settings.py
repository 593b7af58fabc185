"""What the settings say is done, and a change of their files takes effect without a restart."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from daemon_support import AGENTS, CART, SHOP, Stage, layouts, staged
from kube_log_watcher_core import Layout
from kube_log_watcher_testing.watcher_process import WatcherProcess
from support import wait_until

DOCKER, CRI = Layout.DOCKER, Layout.CRI
USABLE = "new settings are in use"
UNUSABLE = "the new settings can't be used, the old ones stay"


class ConfigMap:
    """A folder as the kubelet mounts a ConfigMap or Secret: replaced as a whole, by one rename."""

    def __init__(self, folder: Path, **files: str) -> None:
        self.folder = folder
        self._revision = 0
        folder.mkdir()
        self.replace(**files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def replace(self, **files: str) -> None:
        """Let the kubelet bring a new revision."""
        self._revision += 1
        revision = self.folder / f"..{self._revision}"
        revision.mkdir()
        for name, text in files.items():
            (revision / name).write_text(text)
        new = self.folder / "..data_tmp"
        new.symlink_to(revision.name)
        new.rename(self.folder / "..data")
        old = self.folder / f"..{self._revision - 1}"
        if old.exists():
            for path in old.iterdir():
                path.unlink()
            old.rmdir()


def settings(**given: Any) -> str:
    """Give a settings file's text."""
    return yaml.safe_dump(given)


class TestEffects:
    @layouts
    def test_paths_are_written_as_the_shipper_sees_them(self, tmp_path: Path, layout: Layout) -> None:
        environ = {"WATCHER_LOG_PATH_MAP": f"{tmp_path.resolve()}/node=/host"}
        with staged(tmp_path, layout, environ=environ) as stage:
            one = stage.run("shop-1")
            seen = Path("/host") / one.log.relative_to(stage.root / "node")
            stage.watcher.wait_for(lambda: stage.entry(one).get("path") == str(seen), what="the path")
            stage.watcher.wait_for(lambda: stage.job(one) and stage.link(one).name, what="all of them")
            assert stage.job(one)["source"]["path"] == str(seen.parent)
            assert (stage.tree / stage.link(one)).readlink() == seen

    def test_labels_are_handed_on_as_attributes_by_name_or_glob(self, tmp_path: Path) -> None:
        environ = {"WATCHER_LABELS_AS_ATTRIBUTES": "team,app.example.org/*"}
        with staged(tmp_path, CRI, environ=environ) as stage:
            extra = {"team": "x", "app.example.org/tier": "web", "secret": "no", "application": "shop"}
            one = stage.run("shop-1", labels={**SHOP, **extra})
            stage.wait_followed(one)
            attributes = stage.entry(one)["attributes"]
            assert attributes.items() >= {"team": "x", "app.example.org/tier": "web"}.items()
            assert "secret" not in attributes
            assert stage.job(one)["fields"]["team"] == "x"

    def test_without_needed_labels_every_pod_is_followed(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER, environ={"WATCHER_STRICT_LABELS": ""}) as stage:
            bare, empty = stage.run("bare", labels=None), stage.run("empty", labels={"application": ""})
            stage.wait_followed(bare, empty)
            assert stage.job(bare)["fields"]["application_id"] == "bare"

    def test_needed_labels_can_be_others(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER, environ={"WATCHER_STRICT_LABELS": " team , owner "}) as stage:
            good = stage.run("good", labels={"team": "a", "owner": "b"})
            bad = stage.run("bad", labels={"team": "a"})
            stage.wait_followed(good)
            assert stage.ignores(bad)

    def test_the_cluster_shows_in_what_is_written(self, tmp_path: Path) -> None:
        environ = {"CLUSTER_ALIAS": "blue", "CLUSTER_ENVIRONMENT": "staging"}
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            server = stage.agent_json()["server_attributes"]
            assert (server["cluster"], server["cluster_alias"], server["environment"]) == (
                "cluster-1",
                "blue",
                "staging",
            )
            assert stage.link(one).parts[4] == "staging"

    def test_the_log_can_be_json(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER, environ={"WATCHER_LOG_FORMAT": "json"}) as stage:
            stage.wait_followed(stage.run("shop-1"))
            lines = [json.loads(line) for line in stage.watcher.log.splitlines()]
            assert {"time", "level", "logger", "message"} <= lines[0].keys()

    def test_no_secret_is_ever_logged(self, tmp_path: Path) -> None:
        environ = {"WATCHER_DEBUG": "true", "WATCHER_SCALYR_API_KEY": "very-precious"}
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            stage.wait_followed(stage.run("shop-1"))
            stage.watcher.signal(signal.SIGHUP)
            stage.watcher.wait_for_log(USABLE)
            assert "very-precious" not in stage.watcher.log
            assert stage.agent_json()["api_key"] == "very-precious"


class TestWrongSettings:
    def refused(self, node: Path, environ: Mapping[str, str | Path | None]) -> str:
        with WatcherProcess(node, "http://127.0.0.1:9", environ=environ) as watcher:
            assert watcher.wait_for_exit() == os.EX_CONFIG
            assert "Traceback" not in watcher.log
            return watcher.log

    def test_all_problems_are_told_together_and_nothing_is_written(self, tmp_path: Path) -> None:
        jobs = tmp_path / "jobs"
        jobs.mkdir()
        log = self.refused(
            tmp_path,
            {
                "WATCHER_AGENTS": "scalyr,appdynamics,nobody",
                "WATCHER_INTERVAL": "soon",
                "WATCHER_SCALYR_API_KEY": "",
                "WATCHER_SCALYR_DEST_PATH": tmp_path,
                "WATCHER_APPDYNAMICS_DEST_PATH": jobs,
            },
        )
        for told in ("WATCHER_INTERVAL", "WATCHER_SCALYR_API_KEY", "nobody"):
            assert told in log
        assert list(jobs.iterdir()) == []

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("WATCHER_INTERVAL", "1e9"),
            ("WATCHER_GATE_SECONDS", "1e300"),
            ("WATCHER_SCALYR_WRITE_INTERVAL", "1e10"),
            ("WATCHER_HTTP_ADDRESS", f"{'x' * 64}.example.org:9090"),
            ("WATCHER_KUBE_URL", f"http://{'x' * 64}.example.org"),
            ("WATCHER_SCALYR_SAMPLING_RULES", "[" * 100_000),
            ("WATCHER_SCALYR_JOURNALD_ATTRIBUTES", '{"a":' * 900 + "1" + "}" * 900),
        ],
        ids=lambda text: text[:40],
    )
    def test_a_value_beyond_all_bounds_is_told_with_its_variable(
        self, tmp_path: Path, variable: str, value: str
    ) -> None:
        environ: dict[str, str | Path | None] = {
            "WATCHER_AGENTS": "scalyr",
            "WATCHER_SCALYR_API_KEY": "key",
            "WATCHER_SCALYR_DEST_PATH": tmp_path,
            "WATCHER_SCALYR_CONFIG_PATH": tmp_path / "agent.json",
        }
        log = self.refused(tmp_path, {**environ, variable: value})
        assert variable in log
        assert "expected" in log

    def test_a_pipe_as_settings_file_is_refused_at_once(self, tmp_path: Path) -> None:
        pipe = tmp_path / "watcher.yaml"
        os.mkfifo(pipe)
        log = self.refused(tmp_path, {"WATCHER_CONFIG": pipe})
        assert f"WATCHER_CONFIG={pipe} (environment): expected a file that can be read (no regular" in log

    def test_a_missing_folder_is_told_with_its_variable(self, tmp_path: Path) -> None:
        log = self.refused(
            tmp_path,
            {"WATCHER_AGENTS": "appdynamics", "WATCHER_APPDYNAMICS_DEST_PATH": tmp_path / "nowhere"},
        )
        assert "WATCHER_APPDYNAMICS_DEST_PATH" in log
        assert "create it" in log

    def test_a_variable_of_a_service_that_is_called_watcher_only_warns(self, tmp_path: Path) -> None:
        environ = {"WATCHER_SERVICE_HOST": "10.0.0.1", "WATCHER_PORT_80_TCP": "tcp://10.0.0.1:80"}
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            stage.wait_followed(stage.run("shop-1"))
            assert "WATCHER_SERVICE_HOST" in stage.watcher.log


class TestReloading:
    def test_a_config_maps_good_change_is_applied_and_a_bad_one_reported(self, tmp_path: Path) -> None:
        folder = ConfigMap(tmp_path / "config", **{"watcher.yaml": settings(cluster_alias="blue")})
        environ = {"WATCHER_CONFIG": folder.folder / "watcher.yaml"}
        with staged(tmp_path, CRI, environ=environ) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)

            def alias() -> str:
                found: str = stage.agent_json()["server_attributes"]["cluster_alias"]
                return found

            assert alias() == "blue"
            folder.replace(**{"watcher.yaml": settings(cluster_alias="green", strict_labels=["team"])})
            stage.watcher.wait_for(lambda: alias() == "green", what="the new alias")
            stage.wait_ignored(one)
            for number, bad in enumerate(
                ("{", "hello", settings(intervall=3), settings(cluster_alias=["x"])), 1
            ):
                folder.replace(**{"watcher.yaml": bad})
                stage.watcher.wait_for_log(UNUSABLE, times=number)
            assert alias() == "green"
            two = stage.run("shop-2", labels={"team": "x"})
            stage.wait_followed(two)
            folder.replace(**{"watcher.yaml": settings(cluster_alias="red")})
            stage.wait_followed(one)
            assert alias() == "red"

    @pytest.mark.parametrize(
        "bad",
        [
            settings(interval=1e9),
            settings(gate_seconds=1e300),
            settings(scalyr={"write_interval": 1e10}),
            settings(http_address=f"{'x' * 64}.example.org:9090"),
            settings(kube_url=f"http://{'x' * 64}.example.org"),
            "scalyr: {sampling_rules: " + "[" * 200 + "]" * 200 + "}",
            "scalyr: {sampling_rules: '" + "[" * 100_000 + "'}",
            "a: " + "{a: " * 5000,
            None,
        ],
        ids=lambda text: text[:30] if text else "a pipe",
    )
    def test_whatever_the_new_settings_say_the_old_ones_stay_and_everything_goes_on(
        self, tmp_path: Path, bad: str | None
    ) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text(settings(cluster_alias="blue"))
        environ = {"WATCHER_CONFIG": config, "WATCHER_INTERVAL": None, "WATCHER_KUBE_URL": None}
        environ["WATCHER_SCALYR_WRITE_INTERVAL"] = None
        with Stage(tmp_path, DOCKER, environ=environ) as stage:
            config.write_text(settings(kube_url=stage.api.url, scalyr={"write_interval": 0}))
            stage.start()
            one = stage.run("shop-1")
            stage.wait_followed(one)
            new = tmp_path / "new.yaml"
            if bad is None:
                os.mkfifo(new)
            else:
                new.write_text(bad)
            new.rename(config)
            stage.watcher.wait_for_log(UNUSABLE)
            two, three = stage.run("cart-1", labels=CART), stage.run("shop-2")
            stage.wait_followed(one, two, three)
            assert "Traceback" not in stage.watcher.log
            assert stage.watcher.stop() == 0

    def test_a_file_that_is_edited_in_place_is_read_again(self, tmp_path: Path) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text(settings(cluster_alias="blue"))
        with staged(tmp_path, DOCKER, environ={"WATCHER_CONFIG": config}) as stage:
            config.write_text(settings(cluster_alias="green"))
            stage.watcher.wait_for_log(USABLE)
            wait_until(lambda: stage.agent_json()["server_attributes"]["cluster_alias"] == "green")

    def test_a_file_that_goes_changes_nothing_and_counts_again_when_it_is_back(self, tmp_path: Path) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text(settings(cluster_alias="blue"))
        with staged(tmp_path, DOCKER, environ={"WATCHER_CONFIG": config}) as stage:
            config.unlink()
            stage.watcher.wait_for_log(UNUSABLE)
            config.write_text(settings(cluster_alias="green"))
            wait_until(lambda: stage.agent_json()["server_attributes"]["cluster_alias"] == "green")

    def test_a_rotated_api_key_reaches_agent_json_and_nothing_else_changes(self, tmp_path: Path) -> None:
        secret = ConfigMap(tmp_path / "secret", key="first-key\n")
        environ = {
            "WATCHER_SCALYR_API_KEY": None,
            "WATCHER_SCALYR_API_KEY_FILE": secret.folder / "key",
        }
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            assert stage.agent_json()["api_key"] == "first-key"
            before = {name: kept for name, kept in stage.identities().items() if "agent.json" not in name}
            entry = stage.entry(one)
            secret.replace(key="second-key\n")
            stage.watcher.wait_for(
                lambda: stage.agent_json()["api_key"] == "second-key", what="the second key"
            )
            after = {name: kept for name, kept in stage.identities().items() if "agent.json" not in name}
            assert after == before
            assert stage.entry(one) == entry
            assert "-key" not in stage.watcher.log.replace("api-key", "")

    def test_an_agent_that_is_taken_out_leaves_its_files_and_one_that_joins_writes_its_own(
        self, tmp_path: Path
    ) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text(settings(agents=["scalyr", "appdynamics"]))
        environ = {"WATCHER_CONFIG": config, "WATCHER_AGENTS": None}
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            one = stage.run("shop-1")
            stage.watcher.wait_for(lambda: stage.entry(one) and stage.job(one), what="following")
            config.write_text(settings(agents=["scalyr", "symlinker"]))
            stage.wait_followed(one)
            job = stage.job_file(one).read_bytes()
            two = stage.run("cart-1", labels=CART)
            stage.watcher.wait_for(lambda: stage.entry(two) and stage.link(two).name, what="following")
            assert stage.job_file(one).read_bytes() == job
            assert stage.job(two) == {}

    def test_an_agent_that_can_t_work_is_refused_on_a_reload_and_the_others_go_on(
        self, tmp_path: Path
    ) -> None:
        config = tmp_path / "watcher.yaml"
        config.write_text(settings(interval=3600))
        environ = {"WATCHER_CONFIG": config, "WATCHER_APPDYNAMICS_DEST_PATH": None, "WATCHER_AGENTS": None}
        config.write_text(settings(agents=["scalyr"]))
        with staged(tmp_path, DOCKER, environ=environ) as stage:
            bad = settings(agents=["scalyr", "appdynamics"], appdynamics={"dest_path": "/nowhere/at/all"})
            config.write_text(bad)
            stage.watcher.wait_for_log(UNUSABLE)
            one = stage.run("shop-1")
            stage.watcher.wait_for(lambda: stage.entry(one), what="following")

    def test_new_paths_and_a_new_api_are_taken_without_losing_what_is_known(self, tmp_path: Path) -> None:
        """The containers move to another folder, the API to another address that is down at first."""
        config = tmp_path / "watcher.yaml"
        other = tmp_path / "other"
        with Stage(tmp_path, CRI, environ={"WATCHER_CONFIG": config, "WATCHER_KUBE_URL": None}) as stage:
            config.write_text(settings(kube_url=stage.api.url, interval=3600))
            one = stage.run("shop-1")
            stage.start()
            stage.wait_followed(one)
            config.write_text(settings(kube_url="http://127.0.0.1:9", interval=3600))
            stage.watcher.wait_for_log(USABLE)
            stage.watcher.wait_for_log("refused")
            assert stage.follows(one)
            other.mkdir()
            config.write_text(
                settings(kube_url=f"{stage.api.url}/", interval=3600, log_roots=[str(tmp_path)])
            )
            stage.watcher.wait_for_log(USABLE, times=2)
            stage.wait_followed(one, stage.run("cart-1", labels=CART))

    def test_a_storm_of_sighup_is_survived(self, tmp_path: Path) -> None:
        with staged(tmp_path, DOCKER) as stage:
            one = stage.run("shop-1")
            stage.wait_followed(one)
            before = stage.identities()
            for _ in range(500):
                stage.watcher.signal(signal.SIGHUP)
            stage.watcher.wait_for_log(USABLE)
            two = stage.run("cart-1", labels=CART)
            stage.wait_followed(one, two)
            after = stage.identities()
            assert {name: after[name] for name in before if "agent.json" not in name} == {
                name: kept for name, kept in before.items() if "agent.json" not in name
            }
            assert stage.watcher.stop() == 0


@pytest.mark.parametrize(
    "agents", ["SCALYR, AppDynamics ,symlinker", " scalyr,appdynamics,,symlinker,scalyr"]
)
def test_agents_are_named_in_any_case_with_spaces_and_twice(tmp_path: Path, agents: str) -> None:
    with staged(tmp_path, DOCKER, environ={"WATCHER_AGENTS": agents}) as stage:
        stage.wait_followed(stage.run("shop-1"))
        assert stage.watcher.log.count("follows 1 logs") <= len(AGENTS)

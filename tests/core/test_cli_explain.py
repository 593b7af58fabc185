"""``explain``: why a pod's log is shipped, or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cli_support import KEY, in_terminal, run_cli
from explain_support import Asked, asked
from kube_log_watcher_core.explain.remedies import REMEDIES
from kube_log_watcher_core.models import Layout, Reason
from kube_log_watcher_testing.fake_api import pod_object


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Asked]:
    with asked(tmp_path) as made:
        yield made


@pytest.fixture(params=[Layout.DOCKER, Layout.CRI], ids=["docker", "cri"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    with asked(tmp_path, request.param) as made:
        yield made


def test_the_running_watcher_tells_where_a_log_is_and_what_an_agent_wrote(both: Asked) -> None:
    container = both.here.add("shop-1")
    with both.watcher():
        code, document = both.explain("shop-1")
    assert (code, document["kind"], document["source"]) == (0, "explanation", "watcher")
    (report,) = document["containers"]
    assert report["state"] == "followed"
    assert report["log_path"] == str(container.log)
    assert report["first_seen"] <= document["at"]
    assert (report["pod"]["source"], report["pod"]["labels"]["application"]) == ("watch", "shop")
    (agent,) = report["agents"]
    assert (agent["name"], agent["trouble"]) == ("lister", None)
    written = {item["path"]: (item["kind"], item["content"]) for item in agent["written"]}
    assert written == {
        str(both.here.folder / f"{container.id}.log"): ("link", str(container.log)),
        str(both.here.folder / "list.txt"): ("file", f"shop-1 1.0 {container.log}"),
    }


def test_a_label_that_is_missing_is_named_with_the_remedy(here: Asked) -> None:
    here.here.add("debug", labels={"application": "debug"})
    with here.watcher():
        done = run_cli("explain", "debug", environ=here.environ)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["CONTAINER", "STATE", "WHY", "AGENTS", "SEEN"]
    assert lines[1].split()[:3] == ["default/debug/main", "skipped", "label-missing"]
    assert any(line.startswith("  decision") and "no label version" in line for line in lines)
    assert any(line.startswith("  remedy") and "WATCHER_STRICT_LABELS" in line for line in lines)


def test_a_pod_that_is_not_there_is_no_error_and_similar_ones_are_named(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher():
        done = run_cli("explain", "shp-1", environ=here.environ)
    assert (done.returncode, done.stderr) == (3, "")
    assert "nothing on this node matches shp-1" in done.stdout
    assert "  similar: default/shop-1" in done.stdout.splitlines()


def test_a_pod_without_a_log_yet_is_told(here: Asked) -> None:
    here.here.add("shop-1")
    here.here.api.add(pod_object("pending", labels={"application": "pending"}))
    with here.watcher():
        code, document = here.explain("pending")
    assert code == 1
    assert [each["state"] for each in document["containers"]] == ["no-log"]
    assert "kubectl describe pod" in document["containers"][0]["remedy"]


def test_labels_and_namespaces_choose_as_in_kubectl(here: Asked) -> None:
    here.here.add("shop-1")
    here.here.add("cart-1", labels={"application": "cart", "version": "2"})

    def names(*arguments: str) -> list[str]:
        return [each["pod_name"] for each in here.explain(*arguments)[1]["containers"]]

    with here.watcher():
        assert names("-l", "application in (cart)") == ["cart-1"]
        assert names("-l", "application!=cart", "-n", "default") == ["shop-1"]
        assert names("-n", "elsewhere") == []
        assert names("default/*") == ["cart-1", "shop-1"]
        assert names() == ["cart-1", "shop-1"]


def test_wide_shows_the_part_of_each_file_that_is_about_the_container(here: Asked) -> None:
    container = here.here.add("shop-1")
    here.here.add("cart-1", labels={"application": "cart", "version": "2"})
    with here.watcher():
        done = run_cli("explain", "-o", "wide", "shop-1", environ=here.environ)
    assert f"| shop-1 1.0 {container.log}" in done.stdout
    assert "application=shop, version=1.0" in done.stdout
    assert "cart-1" not in done.stdout


def test_yaml_is_the_same_document_as_json(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher():
        done = run_cli("explain", "-o", "yaml", "shop-1", environ=here.environ)
        _, document = here.explain("shop-1")
    loaded = yaml.safe_load(done.stdout)
    assert loaded["containers"][0]["key"] == document["containers"][0]["key"]
    assert loaded.keys() == document.keys()


def test_an_agent_that_fails_is_told_with_its_error(here: Asked, tmp_path: Path) -> None:
    here.here.add("shop-1")
    failing = tmp_path / "failing.py"
    failing.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import AgentError, BaseAgent\n"
        "class Failing(BaseAgent):\n"
        "    name = 'failing'\n"
        "    settings_class = attrs.make_class('Settings', [])\n"
        "    def sync(self, targets): raise AgentError('the disk is full')\n"
    )
    failing.chmod(0o644)
    here.environ["WATCHER_AGENTS"] = "failing,lister"
    here.environ["WATCHER_EXTRA_AGENT"] += f",{failing}"
    with here.watcher() as watcher:
        watcher.wait_for("the disk is full")
        code, document = here.explain("shop-1")
        status_code, status = here.status()
    assert code == 1
    troubles = {each["name"]: each["trouble"] for each in document["containers"][0]["agents"]}
    assert troubles == {
        "failing": "its last sync failed: AgentError: the disk is full",
        "lister": None,
    }
    assert status_code == 1
    assert any("agent failing failed" in problem for problem in status["problems"])
    assert {agent["name"]: agent["state"] for agent in status["agents"]}["failing"] == "failing"


def test_without_a_watcher_it_works_from_the_state_file_the_disk_and_the_api(both: Asked) -> None:
    container = both.here.add("shop-1")
    with both.watcher() as watcher:
        watcher.process.kill()
        watcher.process.wait(30)
    assert (both.state / "watcher.sock").exists()
    late = both.here.add("late-1")
    code, document = both.explain()
    assert (code, document["source"]) == (1, "offline")
    assert "no watcher runs" in document["notes"][0]
    assert "the state file" in document["notes"][1]
    reports = {each["pod_name"]: each for each in document["containers"]}
    assert reports["shop-1"]["state"] == reports["late-1"]["state"] == "followed"
    assert reports["shop-1"]["log_path"] == str(container.log)
    assert reports["shop-1"]["agents"][0]["written"]
    assert "not on the disk yet" in reports["late-1"]["agents"][0]["trouble"]
    assert not (both.here.folder / f"{late.id}.log").is_symlink()


def test_without_watcher_and_api_the_state_file_tells_of_pods(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher() as watcher:
        watcher.process.kill()
        watcher.process.wait(30)
    here.here.api.stop()
    code, document = here.explain("--timeout", "0.3", "shop-1")
    assert code == 0
    assert "the pods can't be had within 0.3 s" in document["notes"][1]
    assert document["containers"][0]["pod"]["source"] == "state-file"


def test_with_nothing_to_go_by_one_may_try_again(here: Asked) -> None:
    here.here.add("shop-1")
    here.here.api.stop()
    done = run_cli("explain", "--timeout", "0.3", "shop-1", environ=here.environ)
    assert (done.returncode, done.stdout) == (75, "")
    assert "no state file tells of pods" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_folder_for_state_it_says_why_the_watcher_is_not_asked(here: Asked) -> None:
    here.here.add("shop-1")
    del here.environ["WATCHER_STATE_DIR"]
    done = run_cli("explain", "shop-1", environ=here.environ)
    assert done.returncode == 1  # the agent has written nothing yet
    assert "note: WATCHER_STATE_DIR is not set" in done.stderr


def test_without_a_watcher_nothing_is_written(here: Asked) -> None:
    here.here.add("shop-1")
    run_cli("explain", "shop-1", environ=here.environ)
    assert list(here.here.folder.iterdir()) == []
    assert list(here.state.iterdir()) == []


def test_a_wrong_name_or_selector_is_wrong_usage(here: Asked) -> None:
    for arguments in (["a/b/c/d"], ["-l", "a in b"]):
        done = run_cli("explain", *arguments, environ=here.environ)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_secrets_do_not_show(here: Asked) -> None:
    here.here.add("shop-1", labels={"application": KEY, "version": "1"})
    with here.watcher():
        shown = run_cli("explain", "-o", "wide", environ=here.environ).stdout
        document = json.dumps(here.explain()[1]["containers"][0]["agents"])
        status = json.dumps(here.status()[1])
    assert "api_key" not in shown
    assert KEY not in document
    assert KEY not in status


def test_what_pod_authors_wrote_can_not_command_a_terminal(here: Asked) -> None:
    evil = "evil\x1b[2Jname\nfound: nothing"
    here.here.add(evil, labels={"application": "\x1b]0;owned\x07", "version": "1\r2"})
    environ = here.environ
    with here.watcher():
        for output in ("table", "wide", "json", "yaml"):
            done = run_cli("explain", "-o", output, environ=environ)
            text = done.stdout.replace("\n", "")
            assert text.isprintable(), output
        _, shown = in_terminal("explain", "-o", "wide", environ=environ)
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown


def test_a_terminal_gets_colours_and_a_pipe_none(here: Asked) -> None:
    here.here.add("shop-1")
    with here.watcher():
        code, shown = in_terminal("explain", "shop-1", environ=here.environ)
        piped = run_cli("explain", "shop-1", environ=here.environ).stdout
    assert code == 0
    assert "\x1b[" in shown
    assert "\x1b" not in piped


def test_every_reason_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Reason)


def test_other_settings_need_not_be_complete_where_a_watcher_answers(here: Asked) -> None:
    """Whoever runs it by ``kubectl exec`` has not the arguments that the watcher was given."""
    here.here.add("shop-1")
    with here.watcher():
        environ = {
            name: value
            for name, value in here.environ.items()
            if not name.startswith("WATCHER_") or name == "WATCHER_STATE_DIR"
        }
        done = run_cli("explain", "shop-1", environ=environ)
    assert done.returncode == 0, done.stderr


def test_a_path_that_no_socket_can_have_is_told(here: Asked) -> None:
    here.here.add("shop-1")
    deep = here.tmp_path / ("x" * 100)
    deep.mkdir()
    here.environ["WATCHER_STATE_DIR"] = str(deep)
    done = run_cli("explain", "shop-1", environ=here.environ)
    assert "shorten WATCHER_STATE_DIR" in done.stderr
    assert len(os.fsencode(deep)) > 107

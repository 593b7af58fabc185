"""Settings that can't be used, as the operator sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_support import KEY, clean_environ, run_cli, write_lister


def test_without_any_settings_the_required_one_is_named(tmp_path: Path) -> None:
    shown = run_cli(environ=clean_environ(tmp_path))
    assert shown.returncode == 78
    assert shown.stderr.startswith("kube-log-watcher: WATCHER_AGENTS (required, not set): expected names")
    assert shown.stdout == ""


@pytest.mark.parametrize("command", [[], ["run"], ["init"], ["once"], ["once", "--dry-run"]])
def test_all_problems_of_all_sources_are_told_at_once_each_on_its_line(
    tmp_path: Path, command: list[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"strict_label: [a]\ncluster_id: 5\nlister: {{folders: x, api_key: [{KEY}]}}\n")
    environ = clean_environ(
        tmp_path,
        WATCHER_AGENTS="lister,unheard-of",
        WATCHER_EXTRA_AGENT=str(write_lister(tmp_path)),
        WATCHER_INTERVAL="soon",
        WATCHER_KUBE_URL="ftp://api",
        WATCHER_STATE_DIR="relative",
    )
    arguments = [*command, "--config", str(config), "--containers-layout", "flat", "--set", "lister.fold=/x"]
    shown = run_cli(*arguments, environ=environ)
    lines = shown.stderr.splitlines()
    assert shown.returncode == 78
    for part in (
        "--containers-layout='flat' (command line): expected one of docker, cri, auto",
        f"cluster_id=5 ({config}): expected text",
        "WATCHER_INTERVAL='soon' (environment): expected a number of seconds, 0.1 to 604800",
        "WATCHER_STATE_DIR='relative' (environment): expected an absolute path",
        "WATCHER_KUBE_URL=ftp://api (environment): expected an http or https URL",
        "WATCHER_AGENTS=unheard-of (environment): expected an agent that can be loaded",
        "WATCHER_LISTER_FOLDER (required, not set): expected an absolute path (folder of the list)",
        f"lister.api_key=*** ({config}): expected text",
        f"strict_label ({config}): expected a known name (did you mean strict_labels?)",
        f"lister.folders ({config}): expected a known name (did you mean lister.folder?)",
        "--set lister.fold (command line): expected a known name (did you mean lister.folder?)",
    ):
        assert sum(part in line for line in lines) == 1, part
    assert len(lines) == 11
    assert all(line.startswith("kube-log-watcher: ") for line in lines)
    assert KEY not in shown.stderr


def test_a_broken_file_does_not_hide_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    """What is missing is not told: it may be in that file."""
    config = tmp_path / "config.yaml"
    config.write_text(f"lister: {{api_key: {KEY}\n")
    shown = run_cli(environ=clean_environ(tmp_path, WATCHER_CONFIG=str(config), WATCHER_INTERVAL="soon"))
    lines = shown.stderr.splitlines()
    assert shown.returncode == 78
    assert len(lines) == 2
    assert lines[0].startswith(
        f"kube-log-watcher: WATCHER_CONFIG={config} (environment): expected a YAML mapping"
    )
    assert "line 2, column 1" in lines[0]
    assert KEY not in shown.stderr
    assert "WATCHER_INTERVAL='soon'" in lines[1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    shown = run_cli("--config", "/nowhere.yaml", environ=clean_environ(tmp_path, WATCHER_AGENTS="x"))
    assert shown.returncode == 78
    assert (
        "--config=/nowhere.yaml (command line): expected a file that can be read (No such file or directory)"
        in shown.stderr
    )


def test_an_agent_that_cannot_work_names_its_variable_and_the_remedy(tmp_path: Path) -> None:
    environ = clean_environ(
        tmp_path,
        WATCHER_AGENTS="lister",
        WATCHER_EXTRA_AGENT=str(write_lister(tmp_path)),
        WATCHER_LISTER_FOLDER=str(tmp_path / "missing"),
        WATCHER_LISTER_API_KEY=KEY,
    )
    shown = run_cli("run", environ=environ)
    assert shown.returncode == 78
    assert (
        f"agent lister: {tmp_path}/missing is no folder: create it, or mount it into the container "
        f"(WATCHER_LISTER_FOLDER={tmp_path}/missing)" in shown.stderr
    )
    assert "Traceback" not in shown.stderr


def test_an_agent_that_breaks_while_it_is_imported_is_a_setting_to_change(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('told\\nto go')\n")
    broken.chmod(0o600)
    shown = run_cli("-a", "broken", "--extra-agent", str(broken), environ=clean_environ(tmp_path))
    assert shown.returncode == 78
    lines = shown.stderr.splitlines()
    assert f"--extra-agent={broken} (command line)" in lines[0]
    assert "SystemExit: told to go" in lines[0]
    assert "Traceback" not in shown.stderr


def test_options_are_taken_before_and_after_the_command(tmp_path: Path) -> None:
    """What stands nearer to the command counts."""
    outer = ["--interval", "early", "--strict-labels", "", "-v"]
    shown = run_cli(*outer, "once", "--interval", "late", environ=clean_environ(tmp_path))
    assert "--interval='late'" in shown.stderr
    assert "early" not in shown.stderr

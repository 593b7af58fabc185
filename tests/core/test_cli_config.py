"""``config``: every setting that counts, with its source, and no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli_support import KEY, LISTER, run_cli


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    agent = tmp_path / "lister.py"
    agent.write_text(LISTER)
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"interval: 30\nlister: {{folder: {tmp_path}}}\n")
    return {
        "WATCHER_CONFIG": str(settings),
        "WATCHER_EXTRA_AGENT": str(agent),
        "WATCHER_AGENTS": "lister",
        "WATCHER_CLUSTER_ID": "kube-1",
        "WATCHER_LISTER_API_KEY_FILE": str(tmp_path / "key"),
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    }


def test_each_setting_is_shown_with_its_source(environ: Mapping[str, str]) -> None:
    done = run_cli("config", "-o", "json", "--log-format", "json", environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    found = {each["name"]: (each["value"], each["source"]) for each in json.loads(done.stdout)}
    assert found["cluster_id"] == ("kube-1", "environment")
    assert found["interval"] == ("30", environ["WATCHER_CONFIG"])
    assert found["log_format"] == ("json", "command line")
    assert found["gate_seconds"] == ("30", "default")
    assert found["lister.folder"][1] == environ["WATCHER_CONFIG"]


def test_a_secret_is_masked_and_its_file_is_named(environ: Mapping[str, str]) -> None:
    done = run_cli("config", environ=environ)
    assert KEY not in done.stdout + done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("lister.api_key"))
    assert line.split()[1] == "***"


def test_what_is_wrong_is_shown_in_its_place_and_told(environ: Mapping[str, str]) -> None:
    done = run_cli("config", environ={**environ, "WATCHER_INTERVAL": "often"})
    assert done.returncode == 78
    assert "WATCHER_INTERVAL='often' (environment): expected" in done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("interval"))
    assert line.endswith("environment: wrong")


def test_what_is_required_and_missing_is_not_set(environ: Mapping[str, str]) -> None:
    left = {name: value for name, value in environ.items() if name != "WATCHER_LISTER_API_KEY_FILE"}
    done = run_cli("config", environ=left)
    assert done.returncode == 78
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("lister.api_key"))
    assert line.endswith("not set")

"""``agents``: which there are, how they are, and what they can be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_support import KEY, clean_environ, run_cli, write_lister


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return clean_environ(tmp_path, WATCHER_EXTRA_AGENT=str(write_lister(tmp_path)))


def listed(*arguments: str, environ: dict[str, str]) -> dict[str, dict[str, Any]]:
    done = run_cli("agents", "--output", "json", *arguments, environ=environ)
    assert done.returncode == 0, done.stderr
    return {record["name"]: record for record in json.loads(done.stdout)}


def test_it_needs_no_settings(tmp_path: Path) -> None:
    done = run_cli("agents", environ=clean_environ(tmp_path))
    assert done.returncode == 0
    assert done.stderr == ""


def test_an_agent_that_is_not_asked_for_is_installed(environ: dict[str, str], tmp_path: Path) -> None:
    record = listed(environ=environ)["lister"]
    assert record["status"] == "installed"
    assert record["distribution"] == str(tmp_path / "lister.py")
    assert record["settings"] == [
        {
            "name": "lister.folder",
            "variable": "WATCHER_LISTER_FOLDER",
            "kind": "an absolute path",
            "required": True,
            "default": "",
            "help": "folder of the list",
        },
        {
            "name": "lister.api_key",
            "variable": "WATCHER_LISTER_API_KEY or WATCHER_LISTER_API_KEY_FILE",
            "kind": "text",
            "required": True,
            "default": "",
            "help": "key for the list",
        },
    ]


def test_an_agent_with_all_it_needs_is_enabled(environ: dict[str, str], tmp_path: Path) -> None:
    sets = ["--set", f"lister.folder={tmp_path}", "--set", f"lister.api_key={KEY}"]
    record = listed("-a", "Lister", *sets, environ=environ)["lister"]
    assert (record["status"], record["reasons"]) == ("enabled", [])


def test_wrong_settings_are_all_told(environ: dict[str, str]) -> None:
    record = listed("-a", "lister", "--set", "lister.folder=here", environ=environ)["lister"]
    assert record["status"] == "wrong settings"
    assert record["reasons"][0].startswith(
        "--set lister.folder='here' (command line): expected an absolute path"
    )
    assert record["reasons"][1].startswith("WATCHER_LISTER_API_KEY or WATCHER_LISTER_API_KEY_FILE (required")


def test_an_agent_that_cannot_work_here_tells_why(environ: dict[str, str]) -> None:
    environ |= {"WATCHER_LISTER_FOLDER": "/nowhere", "WATCHER_LISTER_API_KEY": KEY}
    record = listed("-a", "lister", environ=environ)["lister"]
    assert record["status"] == "failed its own check"
    assert "WATCHER_LISTER_FOLDER=/nowhere" in record["reasons"][0]
    assert KEY not in json.dumps(record)


def test_an_agent_that_nobody_offers_is_shown_too(environ: dict[str, str]) -> None:
    record = listed("-a", "unheard-of", environ=environ)["unheard-of"]
    assert record["status"] == "could not be loaded"
    assert "no distribution offers it; installed: " in record["reasons"][0]


def test_the_text_has_the_same(environ: dict[str, str], tmp_path: Path) -> None:
    done = run_cli("agents", "-a", "lister", environ=environ)
    lines = done.stdout.splitlines()
    assert f"lister ({tmp_path / 'lister.py'}): wrong settings:" in lines
    assert "  WATCHER_LISTER_FOLDER" in lines
    assert "      folder of the list (an absolute path; required)" in lines

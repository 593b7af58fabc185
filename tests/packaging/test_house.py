"""The page for newcomers: the house as it is drawn and told is the one that stands."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from types import ModuleType

import pytest

from documents import ROOT

PAGE = ROOT / "docs" / "explanation" / "house.rst"
CORE = ROOT / "kube_log_watcher_core" / "src" / "kube_log_watcher_core"
GROUND_FLOOR = {"annotations", "backoff", "errors"}
"""What the room of models stands for in the picture."""


@pytest.fixture(scope="module")
def house() -> ModuleType:
    """Load the script that draws it."""
    spec = importlib.util.spec_from_file_location("house", ROOT / "scripts" / "house.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"``([a-z_/0-9]+\.py)``", PAGE.read_text())
    assert len(set(named)) > 30
    assert [name for name in named if not ((CORE / name).is_file() or (ROOT / name).is_file())] == []


def test_every_method_of_the_daemon_that_it_names_is_there() -> None:
    named = re.findall(r"``Daemon\.(\w+)``", PAGE.read_text())
    text = (CORE / "loop" / "daemon.py").read_text()
    assert [name for name in named if f"    def {name}(" not in text] == []


def test_the_picture_is_what_the_script_draws(house: ModuleType) -> None:
    """Else: `python scripts/house.py docs/_static/house.svg`."""
    assert (ROOT / "docs" / "_static" / "house.svg").read_text() == house.picture()


def test_the_picture_has_the_rooms_of_the_import_rules_from_the_roof_down(house: ModuleType) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["name"] == "The core's layers"]
    floors = [set(layer.split(" | ")) - GROUND_FLOOR for layer in layers]
    expected = [floor for floor in floors if floor - {"testing", "__main__"}]
    drawn, at = list(house.rooms()), 0
    for floor in expected:
        assert set(drawn[at : at + len(floor)]) == floor
        at += len(floor)
    assert at == len(drawn)

"""What is built: the right files, the right metadata, nothing else."""

from __future__ import annotations

import email
import email.message
import re
import tarfile
import zipfile
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path, PurePosixPath

import pytest

from documents import ROOT
from kube_log_watcher_core.cli import commands_of_others
from packaging_support import AGENTS, FOLDERS, Built

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.timeout(600)]

UMBRELLA = "kube-log-watcher"
JUDGE = "kube-log-watcher-backtracking"
KIT = "kube-log-watcher-testing"
PLUGIN = "kube-log-watcher-kubectl"
WITH_CODE = sorted(FOLDERS.keys() - {UMBRELLA})


def in_wheel(built: Built) -> set[PurePosixPath]:
    with zipfile.ZipFile(built.wheel) as wheel:
        return {PurePosixPath(name) for name in wheel.namelist()}


def in_sdist(built: Built) -> set[PurePosixPath]:
    """Give the files below the archive's one folder."""
    with tarfile.open(built.sdist) as sdist:
        files = [PurePosixPath(member.name) for member in sdist if member.isfile()]
    return {PurePosixPath(*path.parts[1:]) for path in files}


def sources(checkout: Path, name: str) -> set[PurePosixPath]:
    """Give what the checkout has below ``src``, relative to it."""
    folder = checkout / FOLDERS[name] / "src"
    return {PurePosixPath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def metadata(built: Built) -> email.message.Message:
    return email.message_from_string(dist_info(built, "METADATA"))


def dist_info(built: Built, file: str) -> str:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(f".dist-info/{file}")]
        return wheel.read(name).decode()


def entry_points(built: Built) -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    parser.read_string(dist_info(built, "entry_points.txt"))
    return {section: dict(parser[section]) for section in parser.sections()}


def requirements(built: Built) -> set[str]:
    return {value.replace(" ", "") for value in metadata(built).get_all("Requires-Dist", [])}


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_wheel_holds_the_package_and_nothing_else(
    built: Mapping[str, Built], checkout: Path, name: str
) -> None:
    packaged = {path for path in in_wheel(built[name]) if not path.parts[0].endswith(".dist-info")}
    assert packaged == sources(checkout, name)
    assert PurePosixPath(FOLDERS[name], "py.typed") in packaged


@pytest.mark.parametrize("name", WITH_CODE)
def test_an_sdist_holds_what_is_needed_to_build_it(
    built: Mapping[str, Built], checkout: Path, name: str
) -> None:
    expected = {"PKG-INFO", "README.rst", "LICENSE", "pyproject.toml"}
    assert {str(path) for path in in_sdist(built[name]) if len(path.parts) == 1} - {".gitignore"} == expected
    assert {path for path in in_sdist(built[name]) if len(path.parts) > 1} == {
        PurePosixPath("src") / path for path in sources(checkout, name)
    }


def test_the_umbrella_has_no_code(built: Mapping[str, Built]) -> None:
    """Folders that lie around in the checkout are packages to setuptools unless it is told otherwise."""
    assert {path.parts[0] for path in in_wheel(built[UMBRELLA])} == {"kube_log_watcher-0.1.0.dist-info"}
    assert dist_info(built[UMBRELLA], "top_level.txt").strip() == ""
    assert not [path for path in in_sdist(built[UMBRELLA]) if path.suffix == ".py"]


@pytest.mark.parametrize("name", FOLDERS)
def test_every_distribution_brings_its_licence_and_its_readme(built: Mapping[str, Built], name: str) -> None:
    folder = ROOT / FOLDERS[name]
    assert dist_info(built[name], "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    told = metadata(built[name])
    assert "MIT" in (told["License-Expression"] or told["License"])
    assert told["Requires-Python"] == ">=3.11"
    assert told["Description-Content-Type"].startswith("text/x-rst")
    # The format of metadata has no empty last lines.
    assert str(told.get_payload()).rstrip() == (folder / "README.rst").read_text().rstrip()


def test_all_distributions_have_the_same_version(built: Mapping[str, Built]) -> None:
    (version,) = {metadata(item)["Version"] for item in built.values()}
    agents = {f"kube-log-watcher-{agent}" for agent in AGENTS}
    for name in {*agents, KIT}:
        assert f"kube-log-watcher-core=={version}" in requirements(built[name])
    extras = {f"{name}=={version};extra=={name.removeprefix('kube-log-watcher-')!r}" for name in agents}
    every = {f"{name}=={version};extra=='all'" for name in agents}
    assert {item.replace('"', "'") for item in requirements(built[UMBRELLA])} == {
        f"kube-log-watcher-core=={version}",
        *extras,
        *every,
        f"{PLUGIN}=={version};extra=='kubectl'",
        f"{KIT}=={version};extra=='demo'",
        f"{KIT}[contract]=={version};extra=='testing'",
    }


def test_the_judge_of_expressions_needs_nothing_of_ours(built: Mapping[str, Built]) -> None:
    (version,) = {metadata(item)["Version"] for item in built.values()}
    assert requirements(built[JUDGE]) == {"attrs>=23.1"}
    users = {name for name in FOLDERS if f"{JUDGE}=={version}" in requirements(built[name])}
    assert users == {"kube-log-watcher-scalyr"}


@pytest.mark.parametrize("name", sorted(FOLDERS.keys() - {KIT}))
def test_the_kit_comes_by_its_extras_only(built: Mapping[str, Built], name: str) -> None:
    """What goes to every node does without it."""
    brought = [each for each in requirements(built[name]) if each.startswith(KIT)]
    assert [each for each in brought if not re.search(r"extra==.(demo|testing)\b", each)] == []


@pytest.mark.parametrize("name", [KIT, PLUGIN])
def test_the_image_is_built_without_what_is_for_people(name: str) -> None:
    assert FOLDERS[name] not in (ROOT / "Dockerfile").read_text()
    assert f"\n{FOLDERS[name]}\n" in (ROOT / ".dockerignore").read_text()


def test_the_kubectl_plugin_needs_nothing_and_brings_its_completion(built: Mapping[str, Built]) -> None:
    assert requirements(built[PLUGIN]) == set()
    assert entry_points(built[PLUGIN]) == {
        "console_scripts": {
            "kubectl-log_watcher": "kube_log_watcher_kubectl.command:main",
            "kubectl_complete-log_watcher": "kube_log_watcher_kubectl.completion:main",
        }
    }


def test_the_core_brings_the_command_and_no_agent(built: Mapping[str, Built]) -> None:
    assert entry_points(built["kube-log-watcher-core"]) == {
        "console_scripts": {"kube-log-watcher": "kube_log_watcher_command:main"}
    }


def test_the_kit_brings_the_commands_that_are_for_people(built: Mapping[str, Built]) -> None:
    assert entry_points(built[KIT])["kube_log_watcher.commands"].keys() == commands_of_others.KIT.keys()
    assert entry_points(built[KIT]) == {
        "kube_log_watcher.commands": {
            "demo": "kube_log_watcher_testing.demo:demo",
            "new-agent": "kube_log_watcher_testing.new_agent:new_agent",
            "sample": "kube_log_watcher_testing.sample:sample",
        }
    }


@pytest.mark.parametrize(("agent", "found"), AGENTS.items())
def test_an_agents_distribution_brings_that_agent(built: Mapping[str, Built], agent: str, found: str) -> None:
    assert entry_points(built[f"kube-log-watcher-{agent}"]) == {"kube_log_watcher.agents": {agent: found}}
    assert found.casefold() == f"kube_log_watcher_{agent}:{agent}agent"


def test_the_checkout_without_an_installation_is_no_package(checkout: Path) -> None:
    """A folder without ``__init__.py`` imports as an empty package: code must not be found through it."""
    assert not list(checkout.glob("kube_log_watcher_*/*.py"))
    assert not list(checkout.glob("kube_log_watcher_*/kube_log_watcher_*"))

"""The agent's settings, read by the core."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_appdynamics import AppDynamicsSettings
from kube_log_watcher_core.errors import SettingsError
from kube_log_watcher_core.settings import Sources, load


def read(sources: Sources) -> AppDynamicsSettings:
    return load(AppDynamicsSettings, sources, section="appdynamics").unwrap()


def test_the_folder_comes_from_the_environment() -> None:
    environ = {"WATCHER_APPDYNAMICS_DEST_PATH": "/opt/job"}
    assert read(Sources(environ=environ)).dest_path == Path("/opt/job")


def test_the_folder_comes_from_the_section_of_the_yaml_file() -> None:
    document = {"appdynamics": {"dest_path": "/opt/job"}}
    assert read(Sources(document=document, path=Path("w.yaml"))).dest_path == Path("/opt/job")


def test_without_the_folder_the_variable_and_its_meaning_are_told() -> None:
    with pytest.raises(SettingsError, match=r"WATCHER_APPDYNAMICS_DEST_PATH .*conf/job"):
        read(Sources())


def test_a_relative_folder_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected an absolute path"):
        read(Sources(environ={"WATCHER_APPDYNAMICS_DEST_PATH": "job"}))

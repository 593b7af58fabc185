"""The settings' names, kinds and defaults, as the core reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core.settings import Sources, fields_of, load
from kube_log_watcher_scalyr import ScalyrAgent
from kube_log_watcher_scalyr.settings import ScalyrSettings

REQUIRED = {"WATCHER_SCALYR_API_KEY": "key-0001", "WATCHER_SCALYR_DEST_PATH": "/dest"}


def loaded(environ: Mapping[str, str], document: Mapping[str, Any] | None = None) -> ScalyrSettings:
    sources = Sources(environ=environ, document=document or {}, path=Path("w.yaml"))
    return load(ScalyrSettings, sources, section="scalyr").unwrap()


def test_the_variables_are_the_documented_ones() -> None:
    names = [
        "API_KEY",
        "DEST_PATH",
        "CONFIG_PATH",
        "CONFIG_GROUP",
        "DATA_PATH",
        "BAD_REDACTION",
        "LINKED_PATHS",
        "CONFIG_CHECK_INTERVAL",
        "WRITE_INTERVAL",
        "HOLD_SECONDS",
        "SERVER",
        "ENABLE_PROFILING",
        "PARSE_LINES_JSON",
        "JOURNALD",
        "JOURNALD_ATTRIBUTES",
        "JOURNALD_EXTRA_FIELDS",
        "JOURNALD_PATH",
        "JOURNALD_WRITE_RATE",
        "JOURNALD_WRITE_BURST",
        "SAMPLING_RULES",
    ]
    fields = fields_of(ScalyrAgent.settings_class, "scalyr")
    assert [field.variable for field in fields] == [f"WATCHER_SCALYR_{name}" for name in names]
    assert fields[0].file_variable == "WATCHER_SCALYR_API_KEY_FILE"


def test_key_and_destination_are_required() -> None:
    found = load(ScalyrSettings, Sources(), section="scalyr")
    assert [problem.name for problem in found.problems] == [
        "WATCHER_SCALYR_API_KEY or WATCHER_SCALYR_API_KEY_FILE",
        "WATCHER_SCALYR_DEST_PATH",
    ]


def test_defaults_are_as_documented() -> None:
    settings = loaded(REQUIRED)
    assert settings.config_path == Path("/etc/scalyr-agent-2/agent.json")
    assert (settings.journald, settings.parse_lines_json, settings.sampling_rules) == (False, (), ())
    assert (settings.journald_write_rate, settings.journald_write_burst) == (10_000, 200_000)
    assert (settings.data_path, settings.bad_redaction, settings.linked_paths) == (None, "hold", False)
    assert (settings.config_check_interval, settings.write_interval) == (10.0, 5.0)
    assert (settings.server, settings.enable_profiling, settings.config_group) == (None, None, None)


def test_the_key_file_wins_and_its_last_newline_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    settings = loaded({**REQUIRED, "WATCHER_SCALYR_API_KEY_FILE": str(tmp_path / "key")})
    assert settings.api_key.reveal() == "from-file"
    assert "from-file" not in repr(settings)


def test_values_of_the_environment_have_their_types() -> None:
    settings = loaded(
        {
            **REQUIRED,
            "WATCHER_SCALYR_PARSE_LINES_JSON": "plain, fancy=better,*",
            "WATCHER_SCALYR_JOURNALD": "true",
            "WATCHER_SCALYR_JOURNALD_ATTRIBUTES": '{"role": "worker"}',
            "WATCHER_SCALYR_JOURNALD_WRITE_RATE": "77",
            "WATCHER_SCALYR_ENABLE_PROFILING": "false",
        }
    )
    assert settings.parse_lines_json == ("plain", "fancy=better", "*")
    assert settings.journald is True
    assert settings.journald_attributes == {"role": "worker"}
    assert settings.journald_write_rate == 77
    assert settings.enable_profiling is False


@pytest.mark.parametrize("document", [{"scalyr": {"sampling_rules": [1]}}, {"scalyr_sampling_rules": [1]}])
def test_sampling_rules_stand_in_the_section_or_under_their_old_name(document: dict[str, Any]) -> None:
    assert loaded(REQUIRED, document).sampling_rules == (1,)

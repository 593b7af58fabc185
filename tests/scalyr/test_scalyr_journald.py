"""The journal's monitor and log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kube_log_watcher_core import AgentConfigError, NodeContext
from kube_log_watcher_scalyr.journald import DOCUMENTED_PATH, USUAL_PATH, journal_path
from scalyr_support import JWT_RULE, an_agent, settings_in, synced


def test_without_journald_there_is_neither_monitor_nor_log(tmp_path: Path) -> None:
    document = synced(tmp_path)
    assert document["monitors"] == []
    assert "journald_logs" not in document


def test_the_monitor_reads_the_journal_with_the_agents_own_fields_and_more(tmp_path: Path) -> None:
    (monitor,) = synced(
        tmp_path,
        journald=True,
        journald_path=Path("/run/log/journal"),
        journald_extra_fields={"_COMM": "process", "_PID": "number"},
        journald_write_rate=77,
        journald_write_burst=88,
    )["monitors"]
    assert monitor["module"] == "scalyr_agent.builtin_monitors.journald_monitor"
    assert monitor["journal_path"] == "/run/log/journal"
    assert (monitor["monitor_log_write_rate"], monitor["monitor_log_max_write_burst"]) == (77, 88)
    assert monitor["journal_fields"] == {
        "_SYSTEMD_UNIT": "unit",
        "_PID": "number",
        "_MACHINE_ID": "machine_id",
        "_BOOT_ID": "boot_id",
        "_SOURCE_REALTIME_TIMESTAMP": "timestamp",
        "_COMM": "process",
    }


def test_write_rates_have_the_originals_defaults(tmp_path: Path) -> None:
    (monitor,) = synced(tmp_path, journald=True)["monitors"]
    assert (monitor["monitor_log_write_rate"], monitor["monitor_log_max_write_burst"]) == (10_000, 200_000)


def test_the_log_is_for_all_units_and_redacted(tmp_path: Path) -> None:
    assert synced(tmp_path, journald=True)["journald_logs"] == [
        {
            "journald_unit": ".*",
            "parser": "journald_monitor",
            "attributes": {"cluster": "cluster-1", "node": "node-1"},
            "redaction_rules": [JWT_RULE],
        }
    ]


def test_given_attributes_come_besides_cluster_and_node(tmp_path: Path) -> None:
    given = {"role": "worker", "rank": 3, "on": True, "cluster": None}
    document = synced(tmp_path, journald=True, journald_attributes=given)
    expected = {"role": "worker", "rank": 3, "on": "true", "cluster": "cluster-1", "node": "node-1"}
    assert document["monitors"][0]["attributes"] == expected
    assert document["journald_logs"][0]["attributes"] == expected


def test_a_cluster_without_an_id_is_left_out(tmp_path: Path) -> None:
    document = synced(tmp_path, journald=True, node=NodeContext(node="node-1"))
    assert document["journald_logs"][0]["attributes"] == {"node": "node-1"}


@pytest.mark.parametrize(
    "given",
    [
        {"journald_attributes": {"zones": ["a", "b"]}},
        {"journald_attributes": {"zone": {"a": "b"}}},
        {"journald_attributes": {"zone": float("nan")}},
        {"journald_extra_fields": {"_COMM": 7}},
        {"journald_extra_fields": {"_COMM": ""}},
    ],
)
def test_what_the_scalyr_agent_would_refuse_is_refused_by_name_and_never_written(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    agent = an_agent(tmp_path, journald=True, **given)
    with pytest.raises(AgentConfigError, match=next(iter(given)).upper()):
        agent.check()
    document = synced(tmp_path, journald=True, **given)
    assert document["journald_logs"][0]["attributes"] == {"cluster": "cluster-1", "node": "node-1"}
    assert "_COMM" not in document["monitors"][0]["journal_fields"]


def test_values_that_are_not_used_are_not_checked(tmp_path: Path) -> None:
    an_agent(tmp_path, journald_attributes={"zones": []}).check()


def test_a_configured_path_wins_and_else_the_folder_that_is_there(tmp_path: Path) -> None:
    assert journal_path(settings_in(tmp_path, journald_path=Path("/j"))) == Path("/j")
    found = DOCUMENTED_PATH if DOCUMENTED_PATH.is_dir() else USUAL_PATH
    assert journal_path(settings_in(tmp_path)) == found


@pytest.mark.parametrize("fields", [{"_SYSTEMD_UNIT": "service"}, {"_COMM": "unit"}])
def test_no_extra_field_takes_the_name_of_the_unit_away(tmp_path: Path, fields: dict[str, str]) -> None:
    """By that name the Scalyr agent finds the rules for a unit, its redaction among them."""
    agent = an_agent(tmp_path, journald=True, journald_extra_fields=fields)
    with pytest.raises(AgentConfigError, match=r"EXTRA_FIELDS has .*rules for a unit"):
        agent.check()
    (monitor,) = synced(tmp_path, journald=True, journald_extra_fields=fields)["monitors"]
    assert [name for name, given in monitor["journal_fields"].items() if given == "unit"] == ["_SYSTEMD_UNIT"]


def test_a_file_in_the_place_of_the_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    with pytest.raises(AgentConfigError, match=r"WATCHER_SCALYR_JOURNALD_PATH=.*no folder"):
        an_agent(tmp_path, journald=True, journald_path=tmp_path / "journal").check()


def test_a_journal_that_only_the_scalyr_agent_may_see_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    an_agent(tmp_path, journald=True, journald_path=tmp_path / "journal").check()
    (record,) = caplog.records
    assert "refuses its whole configuration" in record.message
    caplog.clear()
    (tmp_path / "journal").mkdir()
    an_agent(tmp_path, journald=True, journald_path=tmp_path / "journal").check()
    assert caplog.records == []

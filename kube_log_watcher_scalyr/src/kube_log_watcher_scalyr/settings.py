"""The settings of the Scalyr agent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core import (
    ENTRIES,
    FLAG,
    JSON_OBJECT,
    NAMES,
    PATH,
    SECRET,
    TEXT,
    Secret,
    choice,
    count,
    seconds,
    setting,
)


@attrs.frozen
class ScalyrSettings:
    """What the agent needs to know to write ``agent.json``."""

    api_key: Secret = setting(
        SECRET, secret=True, from_file=True, help="the Scalyr account's key for writing logs"
    )
    dest_path: Path = setting(
        PATH, help="folder of friendly links, <container id>/<application>-<version>.log"
    )
    config_path: Path = setting(
        PATH, default=Path("/etc/scalyr-agent-2/agent.json"), help="the Scalyr agent's configuration"
    )
    config_group: str | None = setting(
        TEXT,
        default=None,
        help="group, by name or id, that may read a new agent.json (0640); unset: its owner alone (0600)",
    )
    data_path: Path | None = setting(
        PATH,
        default=None,
        help="the Scalyr agent's data folder as mounted here (read-only will do): its checkpoints tell when "
        "a gone log is read to its end; unset: gone logs stay for WATCHER_DRAIN_SECONDS",
    )
    bad_redaction: str = setting(
        choice("hold", "ship"),
        default="hold",
        help="a log whose pod asks for a redaction that can't be done: hold it back until that is mended, or "
        "ship it without that rule",
    )
    linked_paths: bool = setting(
        FLAG,
        default=False,
        help="name the friendly links in agent.json, as the original watcher; the Scalyr agent then loses "
        "lines when logs rotate, and ships a log again when its labels change",
    )
    config_check_interval: float = setting(
        seconds(least=0.1),
        default=10.0,
        help="how often the Scalyr agent looks whether agent.json has changed",
    )
    write_interval: float = setting(
        seconds(),
        default=5.0,
        help="least time between two changes of agent.json, for each stops all copying for a moment; "
        "the first change after quiet is written at once",
    )
    hold_seconds: float = setting(
        seconds(),
        default=6.0,
        help="seconds that a change waits after a log is gone, for the Scalyr agent to read its end: it "
        "comes round every 5 s, and at a change it can't open the file again",
    )
    server: str | None = setting(TEXT, default=None, help="the Scalyr server, as the Scalyr agent has it")
    enable_profiling: bool | None = setting(
        FLAG, default=None, help="whether the Scalyr agent profiles itself; unset: as it does by default"
    )
    parse_lines_json: tuple[str, ...] = setting(
        NAMES,
        default=(),
        help="parsers whose Docker lines the Scalyr agent decodes; a=b also renames parser a to b, "
        "* means every parser",
    )
    journald: bool = setting(FLAG, default=False, help="also ship the node's journal")
    journald_attributes: Mapping[str, Any] = setting(
        JSON_OBJECT, default=attrs.Factory(dict), help="attributes of the journal besides cluster and node"
    )
    journald_extra_fields: Mapping[str, Any] = setting(
        JSON_OBJECT,
        default=attrs.Factory(dict),
        help="journal fields to ship besides the Scalyr agent's own, each with the name it gets",
    )
    journald_path: Path | None = setting(
        PATH,
        default=None,
        help="the journal's folder; unset: /var/log/journald if that is there, else /var/log/journal",
    )
    journald_write_rate: int = setting(
        count(), default=10_000, help="bytes per second that the journal monitor may write on average"
    )
    journald_write_burst: int = setting(
        count(), default=200_000, help="bytes that the journal monitor may write at once"
    )
    sampling_rules: tuple[Any, ...] = setting(
        ENTRIES,
        default=(),
        yaml_alias="scalyr_sampling_rules",
        help="sampling rules by application, component and probability; the first that applies "
        "replaces the pod's annotation",
    )

"""The journal: a monitor that reads it, and the log that this monitor's lines belong to."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path

from kube_log_watcher_core import AgentConfigError, NodeContext
from kube_log_watcher_scalyr.plain import as_plain, shortened
from kube_log_watcher_scalyr.rules import JWT_RULE
from kube_log_watcher_scalyr.settings import ScalyrSettings

logger = logging.getLogger(__name__)

DOCUMENTED_PATH = Path("/var/log/journald")
"""What the original watcher's documentation named. Nothing is there but where somebody mounts it."""
USUAL_PATH = Path("/var/log/journal")

AGENT_FIELDS = {
    "_SYSTEMD_UNIT": "unit",
    "_PID": "pid",
    "_MACHINE_ID": "machine_id",
    "_BOOT_ID": "boot_id",
    "_SOURCE_REALTIME_TIMESTAMP": "timestamp",
}
"""The Scalyr agent's own ``journal_fields``. A given object replaces them; without ``unit``, unit rules
stop matching, so extra fields are merged into these."""


UNIT_FIELD = "_SYSTEMD_UNIT"


def journal_path(settings: ScalyrSettings) -> Path:
    """Find the journal's folder: the configured one, else the first that is there."""
    if settings.journald_path is not None:
        return settings.journald_path
    return DOCUMENTED_PATH if DOCUMENTED_PATH.is_dir() else USUAL_PATH


def check_journald(settings: ScalyrSettings) -> None:
    """Look whether the Scalyr agent would take the attributes, the fields and the folder.

    Whether it has Python's systemd binding can't be seen from here, nor whether it sees a folder that
    the watcher doesn't.

    Raises
    ------
    AgentConfigError
        when it would refuse its whole configuration for one of them, or not match units any more.
    """
    for name, value in settings.journald_attributes.items():
        if _scalar(value) is None:
            raise AgentConfigError(
                f"WATCHER_SCALYR_JOURNALD_ATTRIBUTES has {name}={shortened(value)}: "
                "give text or a number, the Scalyr agent takes nothing else"
            )
    for name, value in settings.journald_extra_fields.items():
        if not isinstance(value, str) or not value:
            raise AgentConfigError(
                f"WATCHER_SCALYR_JOURNALD_EXTRA_FIELDS has {name}={shortened(value)}: "
                "give the name under which the field is shipped"
            )
        if not _is_harmless(name, value):
            raise AgentConfigError(
                f"WATCHER_SCALYR_JOURNALD_EXTRA_FIELDS has {name}={shortened(value)}: {UNIT_FIELD} alone has "
                f"the name {AGENT_FIELDS[UNIT_FIELD]}, by which the Scalyr agent finds the rules for a unit"
            )
    path = journal_path(settings)
    if not path.exists():
        logger.warning(
            "%s can't be seen from here; where the Scalyr agent doesn't see it either, it refuses its whole "
            "configuration",
            path,
        )
    elif not path.is_dir():
        raise AgentConfigError(f"WATCHER_SCALYR_JOURNALD_PATH={path}: this is no folder")


def monitor(settings: ScalyrSettings, node: NodeContext, path: Path) -> Mapping[str, object]:
    """Describe the monitor."""
    extra = {
        as_plain(name): as_plain(value)
        for name, value in settings.journald_extra_fields.items()
        if isinstance(value, str) and value and _is_harmless(name, value)
    }
    return {
        "module": "scalyr_agent.builtin_monitors.journald_monitor",
        "journal_path": as_plain(str(path)),
        "journal_fields": AGENT_FIELDS | extra,
        "monitor_log_write_rate": settings.journald_write_rate,
        "monitor_log_max_write_burst": settings.journald_write_burst,
        # The agent ships the attributes of the log, below; here they are for whoever reads the file.
        "attributes": attributes(settings, node),
    }


def log(settings: ScalyrSettings, node: NodeContext) -> Mapping[str, object]:
    """Describe the log of all units."""
    return {
        "journald_unit": ".*",
        "parser": "journald_monitor",
        "attributes": attributes(settings, node),
        "redaction_rules": [JWT_RULE],
    }


def attributes(settings: ScalyrSettings, node: NodeContext) -> Mapping[str, object]:
    """Return the journal's attributes: cluster and node, and what is configured."""
    own = {"cluster": node.cluster_id, "node": node.node}
    given = {as_plain(name): _scalar(value) for name, value in settings.journald_attributes.items()}
    return {name: value for pairs in (own, given) for name, value in pairs.items() if value is not None}


def _is_harmless(name: str, value: str) -> bool:
    """Whether a field leaves the unit's name alone."""
    return (name == UNIT_FIELD) == (value == AGENT_FIELDS[UNIT_FIELD])


def _scalar(value: object) -> object:
    """Return a value that the agent takes: a single false would make it refuse everything."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return as_plain(value)
    return value if isinstance(value, int | float) and math.isfinite(value) else None

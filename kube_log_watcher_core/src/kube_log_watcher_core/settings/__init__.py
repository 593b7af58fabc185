"""Settings: one schema, attrs classes of `setting` fields, read from three sources."""

from __future__ import annotations

from kube_log_watcher_core.settings.fields import Field, fields_of, setting
from kube_log_watcher_core.settings.kinds import (
    ADDRESS,
    ENTRIES,
    FLAG,
    JSON_OBJECT,
    NAMES,
    PATH,
    PATH_MAP,
    PATHS,
    SECRET,
    TEXT,
    Address,
    Kind,
    Secret,
    choice,
    count,
    seconds,
)
from kube_log_watcher_core.settings.load import Loaded, load, unknown_keys, unknown_options, unknown_variables
from kube_log_watcher_core.settings.sources import CONFIG_VARIABLE, Sources, read_sources
from kube_log_watcher_core.settings.watcher import WatcherSettings

__all__ = [
    "ADDRESS",
    "CONFIG_VARIABLE",
    "ENTRIES",
    "FLAG",
    "JSON_OBJECT",
    "NAMES",
    "PATH",
    "PATHS",
    "PATH_MAP",
    "SECRET",
    "TEXT",
    "Address",
    "Field",
    "Kind",
    "Loaded",
    "Secret",
    "Sources",
    "WatcherSettings",
    "choice",
    "count",
    "fields_of",
    "load",
    "read_sources",
    "seconds",
    "setting",
    "unknown_keys",
    "unknown_options",
    "unknown_variables",
]

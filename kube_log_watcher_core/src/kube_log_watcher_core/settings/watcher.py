"""The watcher's own settings."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core.settings.fields import setting
from kube_log_watcher_core.settings.kinds import (
    ADDRESS,
    FLAG,
    NAMES,
    PATH,
    PATH_MAP,
    PATHS,
    TEXT,
    Address,
    choice,
    count,
    percent,
    seconds,
)


@attrs.frozen
class WatcherSettings:
    """What the watcher itself needs to know. Agents have classes of their own."""

    agents: tuple[str, ...] = setting(
        NAMES, flags=("-a",), help="agents by entry-point name, comma-separated, in any case"
    )
    containers_path: Path | None = setting(
        PATH,
        default=None,
        flags=("-c",),
        help="folder of containers as mounted from the host; unset: the first there of "
        "/var/lib/docker/containers, /var/log/pods, /mnt/containers",
    )
    containers_layout: str = setting(
        choice("docker", "cri", "auto"),
        default="auto",
        help="its layout; auto: decided per entry",
    )
    log_roots: tuple[Path, ...] = setting(
        PATHS,
        default=(),
        help="where resolved logs may lie; unset: the containers path (with the pods folder beside a folder "
        "of links), /var/log/pods, /var/lib/docker/containers",
    )
    log_path_map: tuple[tuple[Path, Path], ...] = setting(
        PATH_MAP, default=(), help="path prefixes as the watcher sees them = as the shipper sees them"
    )
    cluster_id: str | None = setting(TEXT, default=None, flags=("-i",), help="cluster id")
    kube_url: str | None = setting(
        TEXT,
        default=None,
        flags=("-u",),
        help="API through a proxy that authenticates (kubectl proxy); no service account is then used",
    )
    kubernetes_update_certificates: bool = setting(
        FLAG,
        default=False,
        flags=("--updated-certificates",),
        help="deprecated: also run update-ca-certificates with the service account's ca.crt",
    )
    interval: float = setting(
        seconds(least=0.1),
        default=60.0,
        help="seconds between full passes; events make changes appear at once, this is the safety net",
    )
    state_dir: Path | None = setting(
        PATH, default=None, help="folder for what must survive a restart; unset: memory only"
    )
    strict_labels: tuple[str, ...] = setting(
        NAMES,
        default=("application", "version"),
        empty=(),
        help="labels that a pod must have, not empty; an empty value means none",
    )
    labels_as_attributes: tuple[str, ...] = setting(
        NAMES, default=(), help="further labels, by name or glob, handed to agents as attributes"
    )
    namespaces: tuple[str, ...] = setting(
        NAMES, default=(), help="namespaces to follow, by name or glob; unset: all"
    )
    exclude_namespaces: tuple[str, ...] = setting(
        NAMES, default=(), help="namespaces not to follow, by name or glob; beats the former"
    )
    drain_seconds: float = setting(
        seconds(),
        default=300.0,
        help="seconds that a gone container stays configured, for its shipper to read the rest; 0: no drain",
    )
    drain_max_seconds: float = setting(
        seconds(),
        default=900.0,
        help="bound in seconds where the shipper's own account says that it is still reading",
    )
    gate_seconds: float = setting(
        seconds(),
        default=30.0,
        help="seconds that a log waits for its pod's metadata before it counts as skipped",
    )
    spool_dir: tuple[Path, ...] = setting(
        PATHS,
        default=(),
        help="folders for hard links that keep each file of a log until it has been read; the first in which "
        "a link to the log works is used (it must be on the logs' own mount); unset: none",
    )
    spool_seconds: float = setting(
        seconds(),
        default=900.0,
        help="seconds that a file is kept after its end, for a shipper that gives no account of its reading",
    )
    spool_max_bytes: int = setting(
        count(most=2**60),
        default=1024**3,
        help="bytes of what only the spool still holds; beyond, the oldest go",
    )
    spool_min_free_percent: float = setting(
        percent(),
        default=15.0,
        help="percent of the file system that stay free; below, the oldest files that the spool holds go",
    )
    http_address: Address | None = setting(
        ADDRESS,
        default=None,
        help="host:port on which /livez, /readyz and /metrics are served; unset: no port is opened",
    )
    events: bool = setting(
        FLAG,
        default=False,
        help="tell pods' authors by Events which of their annotations are refused, and which logs are held "
        "for that; needs create and patch on events of events.k8s.io",
    )
    extra_agent: tuple[Path, ...] = setting(
        PATHS, default=(), help="Python file with an agent class, under its name; may be given several times"
    )
    debug: bool = setting(
        FLAG, default=False, flags=("-v", "--verbose"), help="log everything; wins over the level"
    )
    loglevel: str = setting(
        choice("debug", "info", "warning", "error", "critical"),
        default="info",
        variable="LOGLEVEL",
        help="least level that is logged",
    )
    log_format: str = setting(choice("text", "json"), default="text", help="how log lines look")
    cluster_node_name: str | None = setting(
        TEXT, default=None, variable="CLUSTER_NODE_NAME", help="this node's name, from the downward API"
    )
    cluster_alias: str = setting(TEXT, default="none", variable="CLUSTER_ALIAS", help="cluster alias")
    cluster_environment: str = setting(
        TEXT,
        default="production",
        variable="CLUSTER_ENVIRONMENT",
        help="environment of pods without such a label",
    )

"""``run``: the daemon."""

from __future__ import annotations

import importlib.metadata
import logging
import threading

import click

from kube_log_watcher_core.cli.commands import Daemonic
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.kube.certificates import update_certificates
from kube_log_watcher_core.loop import Daemon
from kube_log_watcher_core.observe.logs import set_up_logging

logger = logging.getLogger(__name__)


@click.command(cls=Daemonic)
def run(given: Given) -> None:
    """Keep the agents' configuration up to date until asked to stop."""
    configuration = configure(given)
    daemon = Daemon(given, configuration)
    set_up_logging(configuration.log_level, json=configuration.watcher.log_format == "json")
    log_decisions(configuration)
    if configuration.watcher.kubernetes_update_certificates:
        logger.warning(
            "WATCHER_KUBERNETES_UPDATE_CERTIFICATES=true is deprecated: "
            "the API is always verified by the service account's ca.crt"
        )
        if (ca_file := configuration.access.ca_file) is not None:
            # It may take seconds, and nothing waits for it.
            work = threading.Thread(
                target=update_certificates, args=(ca_file,), name="update-certificates", daemon=True
            )
            work.start()
    daemon.run()


def log_decisions(configuration: Configuration) -> None:
    """Log what was decided, and why where nobody said so."""
    watcher = configuration.watcher
    version = importlib.metadata.version("kube-log-watcher-core")
    logger.info("kube-log-watcher %s", version, extra={"event": "started"})
    path = configuration.paths.containers
    if watcher.containers_path is not None:
        logger.info("containers are in %s", path)
    elif path.is_dir():
        logger.info("containers are in %s: found by looking, WATCHER_CONTAINERS_PATH is not set", path)
    else:
        logger.warning("WATCHER_CONTAINERS_PATH is not set, and none of the usual folders is there: %s", path)
    for agent in configuration.agents:
        logger.info("agent %s (%s)", agent.name, agent.origin)
    node = watcher.cluster_node_name or "unknown (CLUSTER_NODE_NAME is not set)"
    logger.info("node %s, API %s, full pass every %g s", node, configuration.access.url, watcher.interval)
    logger.debug("all settings: %r", watcher)
    for agent in configuration.agents:
        logger.debug("settings of agent %s: %r", agent.name, agent.settings)
    for warning in configuration.warnings:
        logger.warning("%s", warning)

"""Fakes, factories and the contract of agents, for those who write an agent and for the demo.

The names listed here are the public ones; ``kube_log_watcher_core.testing`` has them too. Each is imported
when it is first asked for: the demo needs neither pytest nor hypothesis, a list of commands needs no fakes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kube_log_watcher_testing import hostile, strategies
    from kube_log_watcher_testing.contract import (
        AgentContract,
        MakeAgent,
        MakeReader,
        PositionContract,
        ReadUpTo,
    )
    from kube_log_watcher_testing.factories import (
        container_id,
        make_container,
        make_pod,
        make_spooled,
        make_target,
    )
    from kube_log_watcher_testing.fake_api import ContainerStatus, FakeApi, pod_object
    from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
    from kube_log_watcher_testing.watcher_process import WatcherProcess

__all__ = [
    "AgentContract",
    "ContainerStatus",
    "FakeApi",
    "FakeContainer",
    "FakeNode",
    "MakeAgent",
    "MakeReader",
    "PositionContract",
    "ReadUpTo",
    "WatcherProcess",
    "container_id",
    "hostile",
    "make_container",
    "make_pod",
    "make_spooled",
    "make_target",
    "pod_object",
    "strategies",
]

_HOMES: Final = {
    "contract": ("AgentContract", "MakeAgent", "MakeReader", "PositionContract", "ReadUpTo"),
    "factories": ("container_id", "make_container", "make_pod", "make_spooled", "make_target"),
    "fake_api": ("ContainerStatus", "FakeApi", "pod_object"),
    "fake_node": ("FakeContainer", "FakeNode"),
    "watcher_process": ("WatcherProcess",),
    "hostile": (),
    "strategies": (),
}
"""The public names by the module that they are in; a module without names is itself one."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(_imported(module), name)
        if name == module and not names:
            return _imported(module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        if error.name not in {"pytest", "hypothesis"}:
            raise
        remedy = "pip install 'kube-log-watcher-testing[contract]'"
        raise ModuleNotFoundError(f"{error}, which the kit needs: {remedy}", name=error.name) from error

"""Fakes, factories and contracts for authors of agents: the extra ``testing`` of this distribution.

The names listed here are the public ones. What needs pytest or hypothesis is imported when it is
first asked for: the demo uses the fakes where neither is installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from kube_log_watcher_core.testing import hostile
from kube_log_watcher_core.testing.factories import container_id, make_container, make_pod, make_target
from kube_log_watcher_core.testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_core.testing.fake_node import FakeContainer, FakeNode
from kube_log_watcher_core.testing.watcher_process import WatcherProcess

if TYPE_CHECKING:
    from kube_log_watcher_core.testing import strategies
    from kube_log_watcher_core.testing.contract import AgentContract, MakeAgent

__all__ = [
    "AgentContract",
    "ContainerStatus",
    "FakeApi",
    "FakeContainer",
    "FakeNode",
    "MakeAgent",
    "WatcherProcess",
    "container_id",
    "hostile",
    "make_container",
    "make_pod",
    "make_target",
    "pod_object",
    "strategies",
]

_CONTRACT: Final = "kube_log_watcher_core.testing.contract"
_LATE: Final = {
    "AgentContract": _CONTRACT,
    "MakeAgent": _CONTRACT,
    "strategies": "kube_log_watcher_core.testing.strategies",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LATE[name])
    return module if module.__name__.endswith(f".{name}") else getattr(module, name)

"""The kit for authors of agents, under its other name: see ``kube_log_watcher_testing``.

It is a distribution of its own, which no node needs; the extra ``testing`` of this one brings it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kube_log_watcher_testing import *  # noqa: F403 - these names and no others

try:
    import kube_log_watcher_testing as _kit
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "kube_log_watcher_testing is not installed: pip install 'kube-log-watcher-core[testing]'",
        name=_error.name,
    ) from _error

__all__ = _kit.__all__


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(_kit, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

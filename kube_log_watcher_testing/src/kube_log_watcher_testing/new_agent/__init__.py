"""``new-agent``: the beginning of an agent, as a distribution that works from the first minute."""

from __future__ import annotations

from kube_log_watcher_testing.new_agent.command import new_agent

__all__ = ["new_agent"]

"""The last look at ``agent.json`` before it is put in place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kube_log_watcher_core import AgentError


def verify(text: str, head: Mapping[str, object], logs: Sequence[Mapping[str, object]]) -> None:
    """Parse a whole file and compare it with what it is to say: some 5 microseconds for each log.

    Raises
    ------
    AgentError
        when it says anything else; what is on the disk then stays. The message tells no values.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"agent.json is not written, it would be no JSON ({error})") from None
    found = document.pop("logs", None) if isinstance(document, dict) else None
    if document != head:
        raise AgentError("agent.json is not written, its settings would not be those that were meant")
    if found != list(logs):
        raise AgentError("agent.json is not written, its logs would not be those that were meant")

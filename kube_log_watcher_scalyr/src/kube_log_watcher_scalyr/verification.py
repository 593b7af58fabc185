"""The last look at ``agent.json`` before it is put in place.

The file is put together from the text of each log, so that a change costs as much as what changed: each
text is read back once, when it is made, and the frame around them once for each set of settings. Texts that
are each one whole JSON object make an array of these objects when commas join them, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from kube_log_watcher_core import AgentError


def verify(text: str, head: Mapping[str, object], logs: Sequence[Mapping[str, object]]) -> None:
    """Parse a whole file and compare it with what it is to say: some 5 microseconds for each log in it.

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


def verify_log(text: str, meant: Mapping[str, object]) -> None:
    """Parse the text of one log and compare it with what it is to say.

    Raises
    ------
    AgentError
        when it says anything else, or is not one whole object.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"agent.json is not written, a log of it would be no JSON ({error})") from None
    if not isinstance(found, dict) or found != meant:
        raise AgentError("agent.json is not written, its logs would not be those that were meant")

"""A file that does not say what was meant is never put in place."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from kube_log_watcher_core import AgentError
from kube_log_watcher_scalyr.render import as_text, document
from kube_log_watcher_scalyr.verification import verify
from scalyr_support import a_target, an_agent, container_id

HEAD: dict[str, object] = {"api_key": "key-0001", "monitors": []}
LOGS: list[dict[str, object]] = [
    {"path": "/a", "copy_from_start": True},
    {"path": "/b", "copy_from_start": True},
]


def whole(head: dict[str, object], logs: list[dict[str, object]]) -> str:
    return document({name: as_text(value) for name, value in head.items()}, map(as_text, logs))


def test_a_file_that_says_what_was_meant_is_good() -> None:
    verify(whole(HEAD, LOGS), HEAD, LOGS)
    verify(whole(HEAD, []), HEAD, [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        whole(HEAD, LOGS)[:-3],
        whole(HEAD, LOGS[:1]),
        whole(HEAD, LOGS[::-1]),
        whole(HEAD, [*LOGS, LOGS[0]]),
        whole({**HEAD, "api_key": "other"}, LOGS),
        whole({**HEAD, "more": 1}, LOGS),
        json.dumps(HEAD),
    ],
    ids=range(11),
)
def test_anything_else_is_refused_without_telling_the_key(text: str) -> None:
    with pytest.raises(AgentError, match="not written") as caught:
        verify(text, HEAD, LOGS)
    assert "key-0001" not in str(caught.value)


def test_a_file_that_fails_leaves_the_one_that_is_there(tmp_path: Path) -> None:
    """What can't be written so that it reads the same is found before anything is touched."""
    agent = an_agent(tmp_path)
    agent.sync([a_target(1)])
    before = agent.settings.config_path.read_bytes()
    # A tuple is written as a list, and read as one.
    odd = an_agent(tmp_path, enable_profiling=("a", "b"))
    with pytest.raises(AgentError, match="settings would not be those that were meant"):
        odd.sync([a_target(2)])
    assert agent.settings.config_path.read_bytes() == before
    assert os.listdir(agent.settings.dest_path) == [container_id(1)]

"""Whatever pods say, the file is valid JSON with exactly that, and nothing is written elsewhere."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kube_log_watcher_core import Layout, LogTarget
from kube_log_watcher_scalyr.render import as_text, document
from scalyr_support import (
    ATTRIBUTES,
    LINE_GROUPERS,
    PARSER,
    REDACTION,
    SAMPLING,
    a_target,
    an_agent,
    wishes_of,
    written,
)

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
HOSTILE = TEXT | st.sampled_from(
    ["../../x", "$HOME", '"}', "\n", "\0", "." * 300, "{{x}}", "😀", "\u2028", "\ud83d"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=8,
)
MEMBERS = [
    "match_expression",
    "sampling_rate",
    "replacement",
    "hash_salt",
    "start",
    "continueThrough",
    "haltBefore",
]
RULES = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, JSON | st.sampled_from(["a+", "(a)", 0.5])))
    | JSON,
    max_size=3,
)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"container": st.just("main") | JSON},
        optional={
            "parser": JSON,
            "sampling-rules": RULES | JSON,
            "redaction-rules": RULES | JSON,
            "line-groupers": RULES | JSON,
            "attributes": JSON,
        },
    )
    | JSON,
    max_size=3,
)
ANNOTATION = (ENTRIES | RULES | JSON).map(json.dumps) | HOSTILE
NAMES = [
    f"{name}{suffix}"
    for name in (PARSER, SAMPLING, REDACTION, ATTRIBUTES, LINE_GROUPERS)
    for suffix in ("", ".main")
]


@st.composite
def hostile_targets(draw: st.DrawFn) -> list[LogTarget]:
    labels = st.dictionaries(
        st.sampled_from(["application", "component", "version", "release", "environment"]), HOSTILE
    )
    annotations = st.dictionaries(st.sampled_from(NAMES), ANNOTATION)
    return [
        a_target(
            number,
            labels=draw(labels),
            annotations=draw(annotations),
            attributes=draw(st.dictionaries(HOSTILE, HOSTILE, max_size=3)),
            layout=draw(st.sampled_from(Layout)),
        )
        for number in range(draw(st.integers(min_value=0, max_value=3)))
    ]


def plain(text: str) -> str:
    return "".join(
        "\ufffd" if character > "\uffff" or "\ud800" <= character <= "\udfff" else character
        for character in text
    )


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@settings(max_examples=150, deadline=None)
@given(targets=hostile_targets())
def test_the_file_is_valid_json_that_says_what_the_pods_say(targets: list[LogTarget]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agent = an_agent(folder, parse_lines_json=("*",), bad_redaction="ship")
        agent.sync(targets)
        assert agent.settings.config_path.read_bytes().isascii()
        logs = written(agent)["logs"]
        assert [entry["attributes"]["container_id"] for entry in logs] == [target.id for target in targets]
        for entry, target in zip(logs, targets, strict=True):
            if target.application:
                assert entry["attributes"]["application"] == plain(target.application)
            assert all(type(value) in {str, int, float} for value in entry["attributes"].values())
            assert "$" not in entry["rename_logfile"]
        assert sorted(os.listdir(folder)) == ["config", "dest"]
        assert os.listdir(folder / "config") == ["agent.json"]
        assert sorted(os.listdir(folder / "dest")) == [target.id for target in targets]
        for target in targets:
            (link,) = (folder / "dest" / target.id).iterdir()
            assert link.readlink() == target.log_path


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@settings(max_examples=100, deadline=None)
@given(members=st.lists(HOSTILE, max_size=4), logs=st.lists(JSON, max_size=4))
def test_the_text_of_the_whole_is_the_sum_of_its_parts(members: list[str], logs: list[object]) -> None:
    """The file is joined from texts that were rendered one by one."""
    texts = []
    for log in logs:
        try:
            texts.append(as_text(log))
        except ValueError:  # NaN and infinity, which JSON has not
            continue
    whole = json.loads(document({name: as_text(name) for name in members}, texts))
    assert whole.pop("logs") == [json.loads(text) for text in texts]
    assert whole == {name: name for name in members if name != "logs"}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@settings(max_examples=100, deadline=None)
@given(targets=hostile_targets())
def test_by_default_a_log_is_shipped_with_all_its_redaction_or_not_at_all(targets: list[LogTarget]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        agent = an_agent(folder)
        agent.sync(targets)
        shipped = {entry["attributes"]["container_id"] for entry in written(agent)["logs"]}
        faulty = {target.id for target in targets if wishes_of(target, hold=True).held}
        assert shipped == {target.id for target in targets} - faulty
        assert set(os.listdir(folder / "dest")) == shipped

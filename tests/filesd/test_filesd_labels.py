"""The names of labels are valid, each pod's label has one of its own, and none takes the place of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_filesd.labels import NAME, labels_of, valid_names
from kube_log_watcher_static import cut, metadata_of
from kube_log_watcher_testing import hostile, strategies
from kube_log_watcher_testing.factories import make_target


@pytest.mark.parametrize(
    ("names", "valid"),
    [
        (["app"], {"app": "app"}),
        (["app.kubernetes.io/name"], {"app.kubernetes.io/name": "app_kubernetes_io_name"}),
        (["a.b", "a_b"], {"a_b": "a_b", "a.b": "a_b_2e7336dc"}),
        (["a.b", "a/b"], {"a.b": "a_b", "a/b": "a_b_c14cddc0"}),
        (
            ["a.b", "a_b", "a_b_2e7336dc"],
            {"a_b": "a_b", "a_b_2e7336dc": "a_b_2e7336dc", "a.b": "a_b_2e7336dc_"},
        ),
        (["ü", "٣"], {"ü": "_", "٣": "__1a4fd527"}),
    ],
    ids=str,
)
def test_each_name_becomes_a_valid_one_of_its_own(names: list[str], valid: dict[str, str]) -> None:
    assert dict(valid_names(names)) == valid


@given(st.sets(strategies.texts() | st.sampled_from(["a.b", "a/b", "a_b", "a_b_2e7336dc"]), max_size=8))
def test_no_two_names_become_the_same(names: set[str]) -> None:
    found = dict(valid_names(names))
    assert found.keys() == names
    assert len(set(found.values())) == len(names)


def test_a_label_that_is_attached_takes_no_name_of_ours() -> None:
    theirs = {"__path__": "/etc/shadow", "namespace": "kube-system", "__address__": "example.org", "7up": "x"}
    target = make_target(labels=theirs, labels_as_attributes=("*",))
    labels = labels_of(target, metadata_of(target))
    assert labels["__path__"] == target.pattern
    assert labels["namespace"] == "default"
    assert {
        name: labels[name] for name in labels if labels[name] in theirs.values() and "_meta_" not in name
    } == {
        "label___path__": "/etc/shadow",
        "namespace_9359f3bb": "kube-system",
        "label___address__": "example.org",
        "label_7up": "x",
    }


@pytest.mark.parametrize("text", [text for text in hostile.TEXTS if text], ids=hostile.shown)
def test_a_hostile_name_and_value_give_valid_labels(text: str) -> None:
    target = make_target(labels={text: text, "application": text}, labels_as_attributes=("*",))
    labels = labels_of(target, metadata_of(target))
    assert [name for name in labels if not NAME.fullmatch(name)] == []
    assert labels["application"] == cut(text)


def test_what_is_not_known_has_no_label() -> None:
    target = make_target(labels={})
    labels = labels_of(target, metadata_of(target))
    assert not {"application", "component", "version", "release"} & labels.keys()

"""What is told of a log: one document for all shippers, complete, and bounded."""

from __future__ import annotations

import json

from kube_log_watcher_static import MOST_BYTES, metadata_of, to_json, without_nul
from kube_log_watcher_testing.factories import container_id, make_container, make_target

MANY = {f"example.org/{number}": "\N{SNOWMAN}" * 1000 for number in range(10)}


def test_the_document_tells_pod_container_labels_and_what_the_watcher_derives() -> None:
    assert metadata_of(make_target(make_container(7), labels={"application": "shop", "version": "v7"})) == {
        "namespace_name": "default",
        "pod_name": "shop-1",
        "pod_id": "uid-7",
        "host": "node-1",
        "container_name": "main",
        "container_id": container_id(7),
        "container_image": "registry.example.org/team/app:1.0",
        "cluster_id": "cluster-1",
        "environment": "production",
        "application": "shop",
        "version": "v7",
        "image": "app",
        "image_version": "1.0",
        "labels": {"application": "shop", "version": "v7"},
    }


def test_only_annotations_that_were_asked_for_are_told() -> None:
    target = make_target(annotations={"team": "blue", "secret": "s"})
    assert "annotations" not in metadata_of(target)
    assert metadata_of(target, annotations={"team"})["annotations"] == {"team": "blue"}


def test_a_document_beyond_its_bound_loses_annotations_first_and_says_so() -> None:
    document = metadata_of(make_target(annotations=MANY), annotations=MANY)
    assert document["truncated"] == ["annotations"]
    assert document["labels"] == {"application": "shop", "version": "v7"}


def test_a_document_that_is_still_too_large_loses_its_labels_too() -> None:
    document = metadata_of(make_target(labels=MANY, annotations=MANY), annotations=MANY)
    assert document["truncated"] == ["annotations", "labels"]
    assert document["pod_name"] == "shop-1"
    assert len(to_json(document)) < MOST_BYTES


def test_what_asks_for_redaction_is_told_to_be_held() -> None:
    annotations = {"kubernetes-log-watcher/scalyr-redaction-rules": '[{"match_expression": "a"}]'}
    assert metadata_of(make_target(annotations=annotations))["held"] == next(iter(annotations))
    assert "held" not in metadata_of(make_target())


def test_json_is_on_one_line_of_ascii() -> None:
    text = to_json(metadata_of(make_target(labels={"application": "a\nb\u2028c\x85"})))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["labels"] == {"application": "a\nb\u2028c\x85"}


def test_a_long_value_is_cut_and_changes_no_more_than_itself() -> None:
    document = metadata_of(make_target(labels={"application": "x" * 262_144, "version": "v7"}))
    assert (
        document["application"] == document["labels"]["application"] == "x" * 999 + "\N{HORIZONTAL ELLIPSIS}"
    )
    assert document["version"] == "v7"
    assert "truncated" not in document


def test_a_nul_is_replaced_in_names_and_values_at_any_depth() -> None:
    document = without_nul(metadata_of(make_target(labels={"a\0": "b\0c", "application": "\\u0000"})))
    assert document["labels"] == {"a\ufffd": "b\ufffdc", "application": "\\u0000"}
    assert document["pod_name"] == "shop-1"

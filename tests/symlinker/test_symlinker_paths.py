"""Where a log's link stands."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_support import container_id, make_target
from kube_log_watcher_symlinker import link_path, safe_part

ID = container_id(1)


def test_the_path_carries_all_the_metadata() -> None:
    labels = {"application": "shop", "version": "v7", "component": "api", "environment": "live"}
    assert str(link_path(make_target(labels=labels))) == f"{ID}/shop/api/default/live/v7/main/shop-1.log"


def test_a_missing_component_is_the_application() -> None:
    assert str(link_path(make_target())) == f"{ID}/shop/shop/default/production/v7/main/shop-1.log"


def test_what_is_missing_is_none() -> None:
    path = link_path(make_target(labels={}, pod="bare-1"))
    assert str(path) == f"{ID}/none/none/default/production/none/main/bare-1.log"


def test_an_empty_label_counts_as_missing() -> None:
    labels = {"application": "", "component": "", "version": "", "environment": ""}
    path = link_path(make_target(labels=labels))
    assert str(path) == f"{ID}/none/none/default/none/none/main/shop-1.log"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1.2", "1_2"),
        ("..", "__"),
        ("a/b", "a_b"),
        ("ümlaut", "_mlaut"),
        ("٣", "_"),
        ("a\nb\0c", "a_b_c"),
        ("A-z_9", "A-z_9"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_anything_but_ascii_letters_digits_dash_and_underscore_becomes_an_underscore(
    text: str | None, part: str
) -> None:
    assert safe_part(text) == part


def test_a_part_ends_after_200_bytes() -> None:
    assert safe_part("a" * 201) == "a" * 200


@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=300))
def test_every_path_has_eight_safe_parts(label: str, name: str) -> None:
    labels = dict.fromkeys(("application", "component", "version", "environment"), label)
    path = link_path(make_target(labels=labels, pod=name, namespace=name, name=name))
    *folders, leaf = path.parts
    assert len(folders) == 7
    assert not path.is_absolute()
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,200}", part) for part in (*folders, leaf.removesuffix(".log")))

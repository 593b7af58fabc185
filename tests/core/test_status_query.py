"""What names and selectors of ``explain`` stand for."""

from __future__ import annotations

import pytest

from kube_log_watcher_core.explain.query import parse_query, parse_selector

SHOP = {"application": "shop", "tier": "web"}


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("shop-1", None),
        ("shop-1", "prod"),
        ("prod/shop-1", None),
        ("shop-1/main", None),
        ("shop-1/main", "prod"),
        ("prod/shop-1/main", None),
        ("prod/shop-1/main", "prod"),
        ("shop-*", None),
        ("*/shop-?/m*", None),
        ("", None),
        ("", "prod"),
        ("/shop-1/", None),
    ],
)
def test_a_container_is_named_by_its_pod_with_or_without_namespace_and_container(
    name: str, namespace: str | None
) -> None:
    assert parse_query(name, namespace=namespace).match("prod", "shop-1", "main", SHOP)


@pytest.mark.parametrize(
    ("name", "namespace"),
    [
        ("shop-2", None),
        ("shop", None),
        ("test/shop-1", None),
        ("shop-1", "test"),
        ("prod/shop-1/other", None),
    ],
)
def test_another_container_is_not_meant(name: str, namespace: str | None) -> None:
    assert not parse_query(name, namespace=namespace).match("prod", "shop-1", "main", SHOP)


@pytest.mark.parametrize(("name", "namespace"), [("a/b/c/d", None), ("a/b/c", "other")])
def test_what_names_no_container_is_an_error(name: str, namespace: str | None) -> None:
    with pytest.raises(ValueError, match=r"is not \[NAMESPACE/\]POD\[/CONTAINER\]"):
        parse_query(name, namespace=namespace)


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ("", True),
        ("application=shop", True),
        ("application==shop,tier=web", True),
        ("application=cart", False),
        ("application!=cart", True),
        ("absent!=cart", True),
        ("tier", True),
        ("absent", False),
        ("!absent", True),
        ("!tier", False),
        ("tier in (web, db)", True),
        ("tier in (db)", False),
        ("tier notin (db),application", True),
        ("tier notin (web)", False),
        ("absent notin (web)", True),
    ],
)
def test_a_selector_matches_labels_as_in_kubectl(selector: str, *, matches: bool) -> None:
    query = parse_query("", selector=selector)
    assert query.match("prod", "shop-1", "main", SHOP) is matches


@pytest.mark.parametrize("selector", ["=", "a=b=c", "a in b", "a,,b", "tier in (web", "a b"])
def test_what_is_no_selector_is_an_error(selector: str) -> None:
    with pytest.raises(ValueError, match="no part of a label selector"):
        parse_selector(selector)


def test_similar_pods_are_named_the_likeliest_first() -> None:
    pods = [("prod", "shop-1"), ("test", "shop-1"), ("prod", "shop-backend-5d4"), ("prod", "unrelated")]
    assert parse_query("shop-backend").similar(pods) == ["prod/shop-backend-5d4"]
    assert parse_query("shp-1").similar(pods)[:2] == ["prod/shop-1", "test/shop-1"]
    assert parse_query("zzz").similar(pods) == []


def test_no_more_than_five_similar_pods_are_named() -> None:
    assert len(parse_query("shop").similar([("prod", f"shop-{n}") for n in range(50)])) == 5

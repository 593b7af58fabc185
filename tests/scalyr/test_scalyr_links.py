"""The friendly links."""

from __future__ import annotations

from pathlib import Path

import pytest

from kube_log_watcher_scalyr.links import friendly_name, link, owned_links
from scalyr_support import a_target


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"application": "shop", "version": "v7"}, "shop-v7.log"),
        ({"application": "My_Shop.Web-2", "version": "2024.01_rc-1"}, "My_Shop.Web-2-2024.01_rc-1.log"),
        ({"application": "only"}, "only-none.log"),
        ({"version": "v1"}, "shop-1-v1.log"),
        ({}, "shop-1-none.log"),
        ({"application": "../../escaped", "version": "v7"}, "_._.._escaped-v7.log"),
        ({"application": "..", "version": ".."}, "_.-_..log"),
        ({"application": "a/b\0c\nd", "version": "\x1b[2J"}, "a_b_c_d-__2J.log"),
        ({"application": 'sh"op\\', "version": "é\ud800"}, "sh_op_-__.log"),
    ],
)
def test_names_are_kept_where_safe_and_made_safe_where_not(labels: dict[str, str], name: str) -> None:
    assert friendly_name(a_target(labels=labels)) == name


def test_no_name_is_longer_than_a_folder_takes() -> None:
    longest = a_target(labels={"application": "a" * 300, "version": "v" * 300})
    assert len(friendly_name(longest)) == 255
    assert len(friendly_name(a_target(labels={}, pod="p" * 253))) <= 255


def test_every_link_is_one_of_the_owned_names() -> None:
    dest = Path("/dest")
    target = a_target(labels={"application": "..", "version": ""})
    assert owned_links(dest).matches(link(dest, target).path)


@pytest.mark.parametrize("name", ["shop-v7.log", "abc/shop-v7.log", "{id}/shop.log", "{id}/x/shop-v7.log"])
def test_other_names_in_the_folder_are_not_owned(name: str) -> None:
    dest = Path("/dest")
    assert not owned_links(dest).matches(dest / name.format(id="0" * 64))

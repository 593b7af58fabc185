"""The names of segments: what a static configuration takes apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kube_log_watcher_core.segments import Place, is_pod_folder, parse_segment, place_of

ID = "0123456789abcdef" * 4
STATIC = re.compile(
    r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_(?P<uid>[^/_]+)/(?P<container>[^/]+)-(?P<id>[0-9a-f]{64})\.\d+\.log$"
)
"""What the reference tells operators to write."""


def place(**changes: str) -> Place | None:
    given = {"namespace": "shop", "pod": "web-0", "pod_uid": "u-1", "container": "main", "container_id": ID}
    return place_of(**{**given, **changes})


def test_a_static_expression_finds_every_part_in_a_segments_path() -> None:
    found = place(container="my-app-1")
    assert found is not None
    match = STATIC.search(f"/spool/{found.folder}/{found.segment(7)}")
    assert match is not None
    assert match.groupdict() == {
        "namespace": "shop",
        "pod": "web-0",
        "uid": "u-1",
        "container": "my-app-1",
        "id": ID,
    }


def test_numbers_sort_as_text() -> None:
    found = place()
    assert found is not None
    names = [found.segment(number) for number in (1, 2, 9, 10, 99, 100, 12345678)]
    assert names == sorted(names)
    assert [parse_segment(name) for name in names] == [
        (found.stem, number) for number in (1, 2, 9, 10, 99, 100, 12345678)
    ]


def test_the_longest_names_of_kubernetes_fit() -> None:
    folder = place(namespace="n" * 63, pod="p" * 154, pod_uid="u" * 36)
    assert folder is not None
    assert len(folder.folder) == 255
    container = place(container="c" * 63)
    assert container is not None
    assert len(container.segment(1)) <= 255


@pytest.mark.parametrize(
    "changes",
    [
        {"pod": "../../etc"},
        {"pod": "a/b"},
        {"pod": "a_b_c"},
        {"namespace": ""},
        {"container": ".."},
        {"container": "x*"},
        {"container": "x\n"},
        {"container_id": "short"},
        {"pod": "p" * 250},
    ],
)
def test_a_name_that_is_none_of_kubernetes_has_no_place(changes: dict[str, str]) -> None:
    assert place(**changes) is None


def test_the_pattern_matches_the_segments_of_one_container_alone(tmp_path: Path) -> None:
    mine, others = place(), place(container_id="f" * 64)
    assert mine is not None
    assert others is not None
    folder = tmp_path / mine.folder
    folder.mkdir()
    for each in (mine, others):
        (folder / each.segment(1)).touch()
    matched = list(tmp_path.glob(str(Path(mine.pattern(tmp_path)).relative_to(tmp_path))))
    assert [path.name for path in matched] == [mine.segment(1)]


def test_what_waits_is_in_no_pods_folder() -> None:
    assert not is_pod_folder(".waiting")
    assert is_pod_folder("shop_web-0_u-1")

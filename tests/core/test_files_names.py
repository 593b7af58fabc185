"""Which names belong to an agent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kube_log_watcher_core import Owned

FOLDER = Path("/dest")
ANYTHING = r".*"


@pytest.mark.parametrize(
    ("pattern", "name", "ours"),
    [
        (r"[a-z]+\.conf", "a.conf", True),
        (r"[a-z]+\.conf", "a.conf.bak", False),
        (r"[a-z]+\.conf", "sub/a.conf", False),
        (r"[a-z]+\.conf", "a.conf\n", False),
        ((r"[0-9]+", r"[a-z]+\.log"), "12/a.log", True),
        ((r"[0-9]+", r"[a-z]+\.log"), "12/x/a.log", False),
        ((r"[0-9]+", r"[a-z]+\.log"), "12", False),
        ((r"[0-9]+", r"[a-z]+\.log"), "x/a.log", False),
    ],
)
def test_a_pattern_stands_for_whole_names_at_one_depth(
    pattern: str | tuple[str, ...], name: str, *, ours: bool
) -> None:
    assert Owned(FOLDER, pattern).matches(FOLDER / name) is ours


@pytest.mark.parametrize("path", ["/elsewhere/a", "/destination/a", "/", "/dest"])
def test_a_path_elsewhere_belongs_to_nobody(path: str) -> None:
    assert not Owned(FOLDER, ANYTHING).matches(Path(path))


@pytest.mark.parametrize("name", ["..", "a\0b", "\ud800"])
def test_no_pattern_admits_what_is_no_name(name: str) -> None:
    """The parent folder, a NUL and half a surrogate pair match `.*` as text."""
    assert not Owned(FOLDER, ANYTHING).matches(FOLDER / name)
    assert not Owned(FOLDER, (ANYTHING, ANYTHING)).matches(FOLDER / name / "a")


@given(
    st.lists(st.text(st.characters(), max_size=8) | st.sampled_from(["..", ".", "a"]), min_size=1, max_size=4)
)
def test_an_owned_path_stays_in_its_folder(parts: list[str]) -> None:
    path = FOLDER.joinpath(*(part.lstrip("/") for part in parts))
    if any(Owned(FOLDER, (ANYTHING,) * count).matches(path) for count in range(1, 5)):
        assert path.resolve().is_relative_to(FOLDER)

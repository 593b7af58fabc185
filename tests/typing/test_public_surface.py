"""What is public is listed: it changes on purpose, and users are told."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest

import public_surface
from kube_log_watcher_testing import AgentContract

STABILITY = public_surface.ROOT / "docs" / "reference" / "stability.rst"


def stored() -> str:
    return public_surface.STORED.read_text()


def test_the_public_surface_is_as_it_is_listed() -> None:
    """A change on purpose: write a fragment, then `python tests/public_surface.py FRAGMENT`."""
    listed, found = public_surface.body_of(stored()), public_surface.listing()
    difference = "\n".join(
        difflib.unified_diff(listed.splitlines(), found.splitlines(), "listed", "found", "", "", 0)
    )
    assert not difference, f"the public surface has changed:\n{difference}"


def test_users_are_told_of_the_last_change() -> None:
    """The seal is over the list and the news of it: neither changes alone."""
    source, body = public_surface.source_of(stored()), public_surface.body_of(stored())
    assert stored() == public_surface.sealed(body, source)


def test_a_change_needs_news_of_its_own(tmp_path: Path) -> None:
    """With a fragment that told of an earlier change, the list is not written anew."""
    copy = tmp_path / "checkout"
    (copy / "tests" / "data").mkdir(parents=True)
    (copy / "newsfragments").mkdir()
    (copy / "CHANGELOG.rst").write_text("")
    script = copy / "tests" / "public_surface.py"
    script.write_text(
        Path(public_surface.__file__)
        .read_text()
        .replace("ROOT = Path(__file__).parent.parent", f"ROOT = Path({str(copy)!r})")
    )
    (copy / "newsfragments" / "1.feature.rst").write_text("something new")

    def write(fragment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, script, fragment], capture_output=True, text=True, check=False, timeout=60
        )

    assert write("1.feature.rst").returncode == 0
    listed = copy / "tests" / "data" / "public_surface.txt"
    source, body = public_surface.source_of(listed.read_text()), public_surface.body_of(listed.read_text())
    assert (source, body) == ("1.feature.rst", public_surface.listing())

    earlier = script.read_text().replace('"kube_log_watcher_testing")', ")")
    script.write_text(earlier)  # now there is less to list: a change
    assert "tells of an earlier change" in write("1.feature.rst").stderr
    assert "neither a file in newsfragments nor a version" in write("2.removal.rst").stderr
    (copy / "newsfragments" / "2.removal.rst").write_text("the kit is gone")
    assert write("2.removal.rst").returncode == 0


@pytest.mark.parametrize("name", public_surface.MODULES)
def test_every_public_name_is_listed_where_it_is_imported_from(name: str) -> None:
    module = sys.modules[name]
    for each in module.__all__:
        assert getattr(module, each) is not None
        assert f"\n{name}.{each}" in stored()


def test_every_rule_of_the_contract_is_part_of_it() -> None:
    """A new rule may break somebody's build: it is a change like others."""
    rules = [name for name in dir(AgentContract) if name.startswith("test_")]
    assert all(f".AgentContract.{rule}(" in stored() for rule in rules)


def test_the_page_of_promises_names_the_modules() -> None:
    text = STABILITY.read_text()
    assert all(f"``{name}``" in text for name in public_surface.MODULES)

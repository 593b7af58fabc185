"""The release script: what it takes for equal, and what it would not release."""

from __future__ import annotations

import importlib.util
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from documents import ROOT
from packaging_support import FOLDERS, Built

EPOCH = 1_700_000_000
WHEEL = "my_agent-1.0-py3-none-any.whl"


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script, and give it a time."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    spec = importlib.util.spec_from_file_location("release", ROOT / "scripts" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return content.getvalue()


def sdist(path: Path, *, names: list[str], time: int, owner: int) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.uname = len(name), time, owner, f"user{owner}"
            archive.addfile(member, io.BytesIO(name.encode()))
    return path


def test_it_knows_all_distributions(release: ModuleType) -> None:
    assert sorted(release.FOLDERS) == sorted(FOLDERS.values())


def test_source_archives_of_the_same_content_are_the_same_bytes(release: ModuleType, tmp_path: Path) -> None:
    """Whoever packed them, when, and in which order."""
    first = sdist(tmp_path / "a.tar.gz", names=["x/LICENSE", "x/module.py"], time=1, owner=0)
    second = sdist(tmp_path / "b.tar.gz", names=["x/module.py", "x/LICENSE"], time=2, owner=1000)
    other = sdist(tmp_path / "c.tar.gz", names=["x/module.py", "x/NOTICE"], time=1, owner=0)
    settled = release._settled(first)
    assert settled == release._settled(second) != release._settled(other)
    with tarfile.open(fileobj=io.BytesIO(settled)) as archive:
        assert {(each.mtime, each.uid, each.uname) for each in archive} == {(EPOCH, 0, "")}
        assert archive.extractfile("x/module.py").read() == b"x/module.py"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (("my_agent/py.typed", "my_agent/__init__.py"), "no licence"),
        (("LICENSE", "my_agent/__init__.py"), "no my_agent/py.typed"),
        (("LICENSE", "my_agent/py.typed", "my_agent/__pycache__/a.pyc"), "no part of it"),
        (("my_agent-1.0.dist-info/LICENSE", "my_agent/py.typed", "tests/test_a.py"), "tests/test_a.py"),
    ],
)
def test_it_refuses_a_wheel_that_is_not_in_order(
    release: ModuleType, names: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(release.ReleaseError, match=complaint):
        release._look_at(WHEEL, release._names_in(WHEEL, wheel(*names)))


def test_it_refuses_distributions_of_two_versions(release: ModuleType) -> None:
    with pytest.raises(release.ReleaseError, match="expected a wheel and an sdist"):
        release.verify({WHEEL: b"", "my_agent-1.1.tar.gz": b""})


@pytest.mark.packaging
@pytest.mark.xdist_group("packaging")
@pytest.mark.timeout(600)
def test_what_is_built_here_is_in_order(release: ModuleType, built: Mapping[str, Built]) -> None:
    for path in (path for item in built.values() for path in (item.sdist, item.wheel)):
        release._look_at(path.name, release._names_in(path.name, release._settled(path)))


def test_what_is_kept_has_its_checksums(release: ModuleType, tmp_path: Path) -> None:
    release.keep({WHEEL: b""}, tmp_path / "dist", quiet=True)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (tmp_path / "dist" / "SHA256SUMS").read_text() == f"{empty}  {WHEEL}\n"

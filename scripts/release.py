"""Builds all distributions twice, in two folders, and compares them byte for byte.

Then looks at what was built: one version, descriptions that render, the licence, nothing that is no part of
it. They are left in ``dist``, with ``SHA256SUMS``. Times in archives are that of the last commit, or
``SOURCE_DATE_EPOCH``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (*sorted(path.parent.name for path in ROOT.glob("kube_log_watcher_*/pyproject.toml")), ".")
MODULES_BESIDE = {"kube_log_watcher_core": ("kube_log_watcher_command.py",)}
"""What is in a wheel beside its package: the command, which holds signals back before it imports more."""
LEFT_OUT = (".*", "__pycache__", "build", "dist", "_build", "*.egg-info")
"""What builds leave behind, and what is no source."""


class ReleaseError(Exception):
    """What was built must not be released."""


def main() -> int:
    """Build, compare, look, and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="the folder for what was built")
    parser.add_argument("--no-isolation", action="store_true", help="build with the tools that are installed")
    arguments = parser.parse_args()
    options = ["--no-isolation"] if arguments.no_isolation else []
    try:
        built = build_twice(options)
        verify(built)
    except (ReleaseError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    shutil.rmtree(arguments.into, ignore_errors=True)
    keep(built, arguments.into)
    return 0


def build_twice(options: Sequence[str]) -> Mapping[str, bytes]:
    """Build from two copies of the sources. Raises ReleaseError where they differ."""
    first, second = (_build_all(options), _build_all(options))
    if first.keys() != second.keys():
        raise ReleaseError(f"one build has what the other has not: {sorted(first.keys() ^ second.keys())}")
    unlike = sorted(name for name in first if first[name] != second[name])
    if unlike:
        raise ReleaseError(f"not the same in two builds: {', '.join(unlike)}")
    return first


def _build_all(options: Sequence[str]) -> Mapping[str, bytes]:
    environ = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch()), "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch, "source"), Path(scratch, "out")
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for folder in FOLDERS:
            command = [sys.executable, "-m", "build", *options, "--outdir", str(out), str(source / folder)]
            subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
        return {path.name: _settled(path) for path in sorted(out.iterdir())}


def epoch() -> int:
    """Return the time that all files get."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


def _settled(path: Path) -> bytes:
    """Return a file's content; a source archive gets one order, time and owner: setuptools sees to none."""
    if path.suffix != ".gz":
        return path.read_bytes()
    packed = io.BytesIO()
    with (
        tarfile.open(path) as source,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for member in sorted(source.getmembers(), key=lambda each: each.name):
            content = source.extractfile(member)
            tar.addfile(_plain(member), content)
    return gzip.compress(packed.getvalue(), mtime=epoch())


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime, member.uid, member.gid = epoch(), 0, 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.pax_headers = {}
    return member


def verify(built: Mapping[str, bytes]) -> None:
    """Look at what was built. Raises ReleaseError, or CalledProcessError of twine."""
    versions = {name.split("-")[1].removesuffix(".tar.gz") for name in built}
    if len(versions) != 1 or len(built) != 2 * len(FOLDERS):
        raise ReleaseError(f"expected a wheel and an sdist of {len(FOLDERS)} distributions: {sorted(built)}")
    for name, content in built.items():
        _look_at(name, _names_in(name, content))
    with tempfile.TemporaryDirectory() as scratch:
        keep(built, Path(scratch, "dist"), quiet=True)
        files = [str(path) for path in Path(scratch, "dist").iterdir() if path.name in built]
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)


def _names_in(name: str, content: bytes) -> Sequence[str]:
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            return wheel.namelist()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return [member.name for member in tar if not member.isdir()]


def _look_at(name: str, names: Sequence[str]) -> None:
    if not any(each.rpartition("/")[2] == "LICENSE" for each in names):
        raise ReleaseError(f"{name} has no licence")
    strange = [each for each in names if "__pycache__" in each or each.endswith((".pyc", "~", ".orig"))]
    if name.endswith(".whl"):
        package = name.partition("-")[0]
        own = {package, *MODULES_BESIDE.get(package, ())}
        strange += [each for each in names if each.split("/")[0].split("-")[0] not in own]
        if package != "kube_log_watcher" and f"{package}/py.typed" not in names:
            raise ReleaseError(f"{name} has no {package}/py.typed")
    if strange:
        raise ReleaseError(f"{name} holds what is no part of it: {', '.join(strange)}")


def keep(built: Mapping[str, bytes], folder: Path, *, quiet: bool = False) -> None:
    """Write what was built, with its checksums."""
    folder.mkdir(parents=True)
    sums = "".join(_sums(built))
    for name, content in built.items():
        (folder / name).write_bytes(content)
    (folder / "SHA256SUMS").write_text(sums)
    if not quiet:
        print(sums, end="")


def _sums(built: Mapping[str, bytes]) -> Iterable[str]:
    return (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(built.items()))


if __name__ == "__main__":
    sys.exit(main())

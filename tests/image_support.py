"""A base image made of this machine's own Python, for machines without a registry."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import pip

from docker_engine import BUSYBOX

BASE = "local/python:1"
WHEELHOUSE = PurePosixPath("/wheelhouse")
REQUIREMENTS = ("hatchling", "setuptools>=77", "prometheus-client")
"""What building takes, and what distributions may need that this environment does not run."""

_NOT_NEEDED = {"test", "tests", "__pycache__", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
_NOT_NEEDED |= {"site-packages", "dist-packages"}
_OTHER_LIBRARIES = ("_tkinter", "readline", "_curses", "_dbm", "_gdbm", "nis", "_sqlite3", "_test", "_crypt")
"""Extensions that would bring libraries which nothing here asks for."""

# libgcc_s is loaded when a thread ends early, and by nobody's say before.
_PARTS_OF_LIBC = (
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libgcc_s.so.1",
)


def download_wheels(folder: Path, requirements: Iterable[str]) -> None:
    """Fetch all wheels that an installation without an index needs."""
    command = [sys.executable, "-m", "pip", "--quiet", "download", "--only-binary=:all:", f"--dest={folder}"]
    subprocess.run([*command, *REQUIREMENTS, *requirements], check=True, capture_output=True)


def write_base(archive: Path, wheels: Path) -> None:
    """Write a root file system: Python with pip, its libraries, busybox, and wheels to install from."""
    interpreter = Path(os.path.realpath(sys.executable))
    library = Path(sysconfig.get_path("stdlib"))
    with tarfile.open(archive, "w") as tar:
        root = _Root(tar)
        for path in (interpreter, *_libraries_of(interpreter, library)):
            root.add(path, path)
        root.add(library, library)
        root.add(Path(pip.__file__).parent, _packages_of(interpreter) / "pip")
        root.add(BUSYBOX, Path("/bin/busybox"))
        for applet in _run([BUSYBOX, "--list"]).split():
            root.link(Path("/bin", applet), BUSYBOX)
        root.link(Path("/usr/bin/python3"), interpreter)
        root.script(Path("/usr/bin/pip"), '#!/bin/sh\nexec /usr/bin/python3 -m pip "$@"\n')
        root.add(wheels, Path(WHEELHOUSE))
        root.folder(Path("/tmp"), mode=0o1777)  # noqa: S108 - of the image


class _Root:
    """Writes a tar file in which all belongs to root, as it would in an image."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._there = {Path("/")}

    def folder(self, path: Path, *, mode: int = 0o755) -> None:
        """Add a folder, with those above it."""
        if path in self._there:
            return
        self._there.add(path)
        self.folder(path.parent)
        self._add(path, kind=tarfile.DIRTYPE, mode=mode)

    def add(self, source: Path, path: Path) -> None:
        """Add a file or a folder with all that is needed of it."""
        if path not in self._there:
            self._there.add(path)
            self.folder(path.parent)
            skipped = len(path.parts) - 1
            self._tar.add(
                source.resolve(), _name(path), filter=lambda member: _wanted(member, skipped=skipped)
            )

    def link(self, path: Path, target: Path) -> None:
        """Add a link, unless there is something by that name."""
        if path not in self._there:
            self._there.add(path)
            self.folder(path.parent)
            self._add(path, kind=tarfile.SYMTYPE, target=target)

    def script(self, path: Path, text: str) -> None:
        """Add a program."""
        self._there.add(path)
        self.folder(path.parent)
        self._add(path, kind=tarfile.REGTYPE, content=text.encode())

    def _add(
        self, path: Path, *, kind: bytes, mode: int = 0o755, target: Path | None = None, content: bytes = b""
    ) -> None:
        member = tarfile.TarInfo(_name(path))
        member.type, member.mode, member.linkname = kind, mode, str(target or "")
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))


def _name(path: Path) -> str:
    return str(path).lstrip("/")


def _wanted(member: tarfile.TarInfo, *, skipped: int) -> tarfile.TarInfo | None:
    """Leave out of a folder what a base image has no need for; ``skipped``: parts of its own name."""
    parts = PurePosixPath(member.name).parts[skipped:]
    last = member.name.rpartition("/")[2]
    if _NOT_NEEDED.intersection(parts) or last.startswith(("config-3", *_OTHER_LIBRARIES)):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _libraries_of(interpreter: Path, library: Path) -> Sequence[Path]:
    """Name all shared libraries that the interpreter and its extensions load."""
    extensions = [
        path for path in (library / "lib-dynload").glob("*.so") if not path.name.startswith(_OTHER_LIBRARIES)
    ]
    found = {Path(name) for name in re.findall(r"(/\S+) \(0x", _run(["ldd", interpreter, *extensions]))}
    # Wheels are built against an older C library, some parts of which have become empty.
    folders = {path.parent for path in found if path.name == "libc.so.6"}
    older = {folder / name for folder in folders for name in _PARTS_OF_LIBC}
    return sorted(found | {path for path in older if path.exists()})


def _packages_of(interpreter: Path) -> Path:
    """Name the folder in which an interpreter finds what is installed."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run([interpreter, "-c", program]).strip())


def _run(command: Sequence[str | Path]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout

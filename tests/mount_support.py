"""Real faults of disks and kernels: mounts and limits that only a child process sees."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Who is not root becomes it in a user namespace; mounts made there vanish with the process.
_UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


@functools.cache
def _can_mount() -> bool:
    try:
        probe = subprocess.run([*_UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False)
    except FileNotFoundError:
        return False
    return probe.returncode == 0


def run_with_mounts(mounts: str, code: str, *arguments: str) -> str:
    """Run Python code where a shell has mounted things before, and give what it prints.

    Both get the arguments: the shell as ``$1`` ..., the code in `sys.argv`.
    """
    if not _can_mount():
        pytest.skip("no mount namespaces here")
    command = f'set -e\n{mounts}\nexec "{sys.executable}" -c "$0" "$@"'
    done = subprocess.run(
        [*_UNSHARE, "sh", "-c", command, code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_a_mount_namespace(mounts: str) -> list[str]:
    """Give the beginning of a command that runs where a shell has mounted things before."""
    if not _can_mount():
        pytest.skip("no mount namespaces here")
    return [*_UNSHARE, "sh", "-c", f'set -e\n{mounts}\nexec "$@"', "sh"]


@contextlib.contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[None]:
    """Mount a file system of one's own on a folder, for everybody, for as long as the block."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


_INOTIFY_LIMIT = "/proc/sys/user/max_inotify_instances"


def without_inotify() -> list[str]:
    """Give the beginning of a command that runs where no inotify instance can be had."""
    command = f'set -e\necho 0 > {_INOTIFY_LIMIT}\nexec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", command, "sh"]
    done = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no user namespaces here")
    return prefix


def allow_inotify(pid: int) -> None:
    """Let a process that was run `without_inotify` have it from now on."""
    enter = ["nsenter", "--user", "--preserve-credentials", "--target", str(pid)]
    subprocess.run([*enter, "sh", "-c", f"echo 64 > {_INOTIFY_LIMIT}"], check=True)

"""The command line as a process of its own, with nothing of this environment around it."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_api import ContainerStatus, FakeApi, pod_object
from kube_log_watcher_testing.fake_node import FakeContainer, FakeNode
from support import child, wait_until

COMMAND = (sys.executable, "-m", "kube_log_watcher_core")

LISTER = '''
"""An agent that lists the paths of logs, with a key, and links to them."""

from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, SECRET, File, FileAgent, Link, Owned, Secret, setting


@attrs.frozen
class Settings:
    folder: Path = setting(PATH, help="folder of the list")
    api_key: Secret = setting(SECRET, secret=True, from_file=True, help="key for the list")


class Lister(FileAgent[Settings]):
    settings_class = Settings
    name = "lister"

    def render(self, targets):
        lines = [f"api_key: {self.settings.api_key.reveal()}"]
        lines += [f"{target.pod_name} {target.version} {target.log_path}" for target in targets]
        yield File(self.settings.folder / "list.txt", "\\n".join(lines) + "\\n")
        for target in targets:
            yield Link(self.settings.folder / f"{target.id}.log", target.log_path)

    def owned(self):
        folder = self.settings.folder
        return [Owned(folder, r"list\\.txt"), Owned(folder, r".*\\.log", links=True)]

    def prepare(self):
        if not (self.settings.folder / "list.txt").exists():
            self.write([File(self.settings.folder / "list.txt", "nothing yet\\n")])
'''
KEY = "a-key-that-must-not-show"


def clean_environ(tmp_path: Path, **variables: str) -> dict[str, str]:
    """Give an environment in which nothing is set but what is asked for."""
    home = str(tmp_path)
    return {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **variables}


def run_cli(
    *arguments: str, environ: Mapping[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=dict(environ),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def in_terminal(
    *arguments: str, environ: Mapping[str, str], columns: int = 140, lines: int = 50
) -> tuple[int, str]:
    """Run a command in a pseudo-terminal; give its exit code and what it has shown."""
    ours, theirs = pty.openpty()
    environ = {**environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)}
    with child([*COMMAND, *arguments], env=environ, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = _read_all(ours)
        return process.wait(timeout=30), shown


def _read_all(terminal: int) -> str:
    """Read until the other side closes, which a terminal tells by an error."""
    pieces = []
    try:
        while piece := os.read(terminal, 65536):
            pieces.append(piece)
    except OSError:
        pass
    finally:
        os.close(terminal)
    return b"".join(pieces).decode()


@attrs.frozen
class Running:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        """Give what it has written to standard error so far."""
        return self.log.read_text()

    def wait_for(self, text: str, *, times: int = 1) -> None:
        """Wait until it has said something."""
        wait_until(
            lambda: self.said().count(text) >= times, timeout=30, what=f"{text!r} in its log: {self.said()}"
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def catches(self, number: signal.Signals) -> bool:
        """Tell whether it has a handler for a signal by now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> (number - 1) & 1)


@contextlib.contextmanager
def running(*arguments: str, environ: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Start a command, and see to it that it ends."""
    nowhere = subprocess.DEVNULL
    with (
        log.open("wb") as stream,
        child(
            [*COMMAND, *arguments], env=dict(environ), stdin=nowhere, stdout=nowhere, stderr=stream
        ) as process,
    ):
        yield Running(process, log)


@attrs.frozen
class Place:
    """A node and an API server, and the environment of a watcher with the agent `lister` there."""

    node: FakeNode
    api: FakeApi
    folder: Path
    """The agent's."""
    environ: dict[str, str]

    def add(
        self, pod: str, *, version: str = "1.0", labels: Mapping[str, str] | None = None
    ) -> FakeContainer:
        """Let a pod arrive."""
        container = self.node.add(pod=pod)
        status = ContainerStatus(name=container.name, id=container.id)
        given = {"application": "shop", "version": version} if labels is None else labels
        self.api.add(pod_object(pod, uid=container.uid, labels=given, containers=[status]))
        return container

    def listed(self) -> str:
        """Give what the agent has written; nothing before it has."""
        path = self.folder / "list.txt"
        return path.read_text() if path.exists() else ""


@contextlib.contextmanager
def place(tmp_path: Path, layout: Layout = Layout.DOCKER) -> Iterator[Place]:
    """Make a node and an API server."""
    folder = tmp_path / "list"
    folder.mkdir()
    with FakeApi() as api:
        node = FakeNode(tmp_path / "node", layout)
        environ = clean_environ(
            tmp_path,
            WATCHER_AGENTS="lister",
            WATCHER_EXTRA_AGENT=str(write_lister(tmp_path)),
            WATCHER_LISTER_FOLDER=str(folder),
            WATCHER_LISTER_API_KEY=KEY,
            WATCHER_CONTAINERS_PATH=str(node.containers_path),
            WATCHER_KUBE_URL=api.url,
            CLUSTER_NODE_NAME="node-1",
            WATCHER_DRAIN_SECONDS="0",
        )
        yield Place(node, api, folder, environ)


def write_lister(folder: Path) -> Path:
    """Write the agent's file, as only its owner can change it."""
    path = folder / "lister.py"
    path.write_text(LISTER)
    path.chmod(0o644)
    return path

"""Draws the pictures of terminals in the documentation: what the commands really print, as SVG.

Run it with the Python that has the watcher installed, after a change of what it prints::

    python scripts/pictures.py docs/_static
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kube_log_watcher_core.models import Layout
from kube_log_watcher_testing.fake_api import FakeApi, pod_object
from kube_log_watcher_testing.fake_node import FakeNode
from kube_log_watcher_testing.watcher_process import WatcherProcess

COLUMNS, ROWS = 118, 60
PROGRAM = (sys.executable, "-m", "kube_log_watcher_core")


def in_a_terminal(*arguments: str, environ: Mapping[str, str]) -> str:
    """Run the command in a terminal of its own, and give what it printed, colours and all."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environ}
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=its, stderr=its, env=environ)
    os.close(its)
    printed = b"".join(_read(ours))
    process.wait()
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # the other end was closed: that is how a terminal says so
            return
        if not piece:
            return
        yield piece


def draw(path: Path, *, title: str, text: str) -> None:
    """Draw a terminal with this text."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(text.rstrip()), overflow="fold")
    picture = console.export_svg(title=title)
    # The reader's own fixed-width font will do: nothing is to be fetched from elsewhere.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    lines = (line.rstrip() for line in picture.splitlines())
    path.write_text("\n".join(lines) + "\n")


@contextmanager
def stage(folder: Path) -> Iterator[WatcherProcess]:
    """Run a watcher on a node with a pod that is followed and one that is not."""
    node = FakeNode(folder / "node", Layout.CRI)
    with FakeApi() as api:
        for name, labels in {
            "shop-6f7d8b-9kq7t": {"application": "shop", "version": "1.4.2"},
            "checkout-5d9c4f-tq8w2": {"application": "checkout", "version": "0.9.0"},
            "report-29011680-m4wqd": {"application": "report"},
        }.items():
            made = node.add(pod=name, namespace="shop")
            node.write(made, "a line")
            api.add(pod_object(name, namespace="shop", uid=made.uid, labels=labels))
        environ: dict[str, str | Path | None] = {"WATCHER_AGENTS": "scalyr,appdynamics"}
        environ |= {"WATCHER_SCALYR_API_KEY": "key", "WATCHER_CLUSTER_ID": "blue"}
        for variable, name in {
            "WATCHER_STATE_DIR": "state",
            "WATCHER_SCALYR_DEST_PATH": "links",
            "WATCHER_APPDYNAMICS_DEST_PATH": "jobs",
        }.items():
            (folder / name).mkdir()
            environ[variable] = folder / name
        environ["WATCHER_SCALYR_CONFIG_PATH"] = folder / "agent.json"
        with WatcherProcess(node, api, environ=environ) as watcher:
            watcher.wait_for(lambda: len(list((folder / "jobs").iterdir())) == 2, what="the job files")
            yield watcher


def main(target: Path) -> None:
    """Draw all pictures."""
    with tempfile.TemporaryDirectory(prefix="klw-") as name, stage(Path(name)) as watcher:
        environ = {key: str(value) for key, value in watcher.environ.items() if value is not None}
        for command in (("status",), ("explain", "shop/report-29011680-m4wqd")):
            # A node's own folders, as they are called where no picture is drawn.
            text = re.sub(re.escape(name) + r"/node", "/var/log", in_a_terminal(*command, environ=environ))
            draw(
                target / f"{command[0]}.svg",
                title=f"kube-log-watcher {' '.join(command)}",
                text=text.replace(name, "/mnt"),
            )
    demo = in_a_terminal("demo", "--plain", "--seconds-per-step", "1", environ={})
    draw(target / "demo.svg", title="kube-log-watcher demo", text=demo)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

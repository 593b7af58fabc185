"""Targets for the agent of Fluent Bit, and the real program with the configuration that is shipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import attrs
import pytest

from kube_log_watcher_core import Layout, LogTarget
from kube_log_watcher_core.resolve import Rules
from kube_log_watcher_core.resolve.target import make_target as resolved
from kube_log_watcher_testing.factories import NODE, make_container, make_pod

PROGRAM = os.environ.get("FLUENT_BIT", "")
"""The real program, where there is one."""
STOP_SECONDS = 30.0

needs_fluent_bit = pytest.mark.skipif(
    not Path(PROGRAM).is_file(), reason="FLUENT_BIT does not name Fluent Bit"
)

Record = Mapping[str, Any]


def spooled(
    number: int = 1,
    *,
    pod: str = "shop-1",
    name: str = "main",
    uid: str | None = None,
    spool: Path | None = Path("/spool"),
    created: float | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> LogTarget:
    """Make the target that the watcher makes of a container whose log lies in the spool."""
    container = make_container(number, pod=pod, name=name, layout=Layout.CRI)
    container = attrs.evolve(container, spool=spool, pod_uid=uid or container.pod_uid)
    made = attrs.evolve(make_pod(container, labels=labels, annotations=annotations), created=created)
    return resolved(container.id or "", container, made, Rules(node=NODE))


class FluentBit:
    """The real program, in a folder: it reads ``spool`` and ``metadata``, and ships into a file.

    The configuration is the one that the package brings, with other folders in it, and a smaller TTL.
    """

    def __init__(self, folder: Path, *, spool: Path, metadata: Path, ttl: str = "1s") -> None:
        self._folder = folder
        self.state = folder / "state"
        self.database = self.state / "tail.db"
        self._process: subprocess.Popen[bytes] | None = None
        self.configuration = folder / "fluent-bit.yaml"
        self.state.mkdir(parents=True, exist_ok=True)
        printed = [sys.executable, "-m", "kube_log_watcher_fluentbit"]
        text = subprocess.run(printed, check=True, capture_output=True, text=True, timeout=60).stdout
        for default, ours in {
            "/var/log/kube-log-watcher/spool": str(spool),
            "/var/log/kube-log-watcher/fluentbit": str(metadata),
            "/var/lib/fluent-bit": str(self.state),
            "kube_meta_cache_ttl: 5s": f"kube_meta_cache_ttl: {ttl}",
        }.items():
            assert default in text
            text = text.replace(default, ours)
        self.configuration.write_text(text)
        self.ship_to_file()

    def ship_to_file(self) -> None:
        """Ship into a file, one record a line."""
        output = {
            "name": "file",
            "match": "*",
            "path": str(self._folder),
            "file": "shipped",
            "format": "plain",
        }
        self._ship_to(output)

    def ship_to_http(self, port: int) -> None:
        """Ship to a server, as JSON."""
        self._ship_to({"name": "http", "match": "*", "host": "127.0.0.1", "port": port, "format": "json"})

    def _ship_to(self, output: Mapping[str, object]) -> None:
        outputs = {"pipeline": {"outputs": [{**output, "retry_limit": "no_limits"}]}}
        (self._folder / "output.yaml").write_text(json.dumps(outputs))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        """Whether the process is there, be it on its way to stop."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it says of itself."""
        output = self._folder / "output"
        return output.read_text(errors="replace") if output.exists() else ""

    def start(self) -> None:
        """Start it, in whatever state it was left."""
        with (self._folder / "output").open("ab") as output:
            command = [PROGRAM, "-c", str(self.configuration)]
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def ask_to_stop(self) -> None:
        """Send SIGTERM and don't wait."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Stop it and wait for that."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it, in whatever state it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def records(self) -> Sequence[Record]:
        """Return what it has shipped to the file so far, but for a line in the making."""
        shipped = self._folder / "shipped"
        lines = shipped.read_text().split("\n")[:-1] if shipped.exists() else []
        return [json.loads(line) for line in lines]

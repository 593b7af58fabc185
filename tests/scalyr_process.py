"""The real Scalyr agent as a process, and what it reads."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from scalyr_receiver import Receiver

PYTHON = Path(
    os.environ.get("SCALYR_AGENT_PYTHON", Path(__file__).parents[1] / ".venv-scalyr" / "bin" / "python")
)
NEEDS_AGENT = pytest.mark.skipif(
    not PYTHON.exists(),
    reason=f"no Scalyr agent: SCALYR_AGENT_PYTHON names no Python, nor is {PYTHON} there",
)
TIME = "2024-01-02T03:04:05.678901234Z"


@contextlib.contextmanager
def running_agent(
    config: Path, receiver: Receiver, environ: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """Run the Scalyr agent on a configuration; gives the folder with its ``log``, ``data`` and ``output``."""
    folder = config.parent / "scalyr-agent"
    for name in ("log", "data"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    # A variable counts only where the file sets nothing: the file is tested as it was written.
    variables = {
        "PATH": os.environ["PATH"],
        "SCALYR_SERVER": receiver.url,
        "SCALYR_ALLOW_HTTP": "true",
        "SCALYR_AGENT_LOG_PATH": str(folder / "log"),
        "SCALYR_AGENT_DATA_PATH": str(folder / "data"),
        "SCALYR_MIN_REQUEST_SPACING_INTERVAL": "0.1",
        "SCALYR_MIN_ALLOWED_REQUEST_SIZE": "1",
        **(environ or {}),
    }
    command = ["start", "--no-fork", "--no-change-user", "-c", str(config)]
    with (folder / "output").open("ab") as output:
        process = subprocess.Popen(
            [PYTHON, "-m", "scalyr_agent.agent_main", *command],
            env=variables,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield folder
        finally:
            process.kill()
            process.wait(30)


def docker_lines(*messages: str) -> str:
    return "".join(
        json.dumps({"log": f"{message}\n", "stream": "stdout", "time": TIME}) + "\n" for message in messages
    )


def cri_line(message: str, tag: str = "F") -> str:
    return f"{TIME} stdout {tag} {message}\n"

"""The tutorial for authors of agents: what it says to do is done, and what it shows comes."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from documents import ROOT
from packaging_support import Built, Environment

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging"), pytest.mark.timeout(600)]

TUTORIAL = ROOT / "docs" / "tutorial" / "agent.rst"
BLOCK = re.compile(r"^\.\. code-block:: (?P<language>\w+)\n(?P<body>(?:    .*\n|\n)+)", re.MULTILINE)
CAPTION = re.compile(r"\A:caption: (?P<path>\S+)\n\n")


@attrs.frozen
class Block:
    """A block of the tutorial."""

    language: str
    body: str
    path: str = ""
    """Where to write it; empty for what is no file."""


def blocks() -> Iterator[Block]:
    """Give all blocks in their order."""
    for match in BLOCK.finditer(TUTORIAL.read_text()):
        body = textwrap.dedent(match["body"]).strip("\n") + "\n"
        caption = CAPTION.match(body)
        path = caption["path"] if caption else ""
        yield Block(match["language"], body[caption.end() :] if caption else body, path)


@attrs.define
class Reader:
    """Does what the tutorial says."""

    environment: Mapping[str, str]
    folder: Path
    said: str = ""
    """What the last commands have printed."""

    def follow(self, block: Block) -> None:
        """Follow one block."""
        if block.language == "console":
            commands = [line.removeprefix("$ ") for line in block.body.splitlines()]
            self.said = "".join(self.run(command) for command in commands)
        elif block.language == "python":
            (self.folder / block.path).write_text(block.body)
        else:
            self.compare(block.body)

    def run(self, command: str) -> str:
        """Run a command, or go where it leads."""
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return ""
        done = subprocess.run(  # noqa: S602 - readers have a shell too
            command,
            shell=True,
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def compare(self, shown: str) -> None:
        """See whether all that is shown has come, in this order."""
        at = 0
        for line in shown.splitlines():
            found = self.said.find(line.strip(), at)
            assert found >= 0, f"{line!r} is not in what came:\n{self.said}"
            at = found


def test_the_tutorial_leads_from_nothing_to_a_wheel(
    author_environment: Environment, built: Mapping[str, Built], tmp_path: Path
) -> None:
    reader = Reader(
        {
            "PATH": f"{author_environment.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(author_environment.home),
            "TMPDIR": str(tmp_path),
            "PIP_NO_COMPILE": "1",
            "PIP_FIND_LINKS": " ".join(
                str(built[f"kube-log-watcher-{name}"].wheel.parent) for name in ("core", "testing")
            ),
        },
        tmp_path,
    )
    followed = list(blocks())
    for block in followed:
        reader.follow(block)
    assert {block.language for block in followed} == {"console", "text", "python"}
    assert [path.suffix for path in (reader.folder / "dist").iterdir()] == [".whl"]


def test_every_module_of_the_tutorial_has_a_place() -> None:
    assert [block.path for block in blocks() if block.language == "python"] == [
        "src/kube_log_watcher_tailor/__init__.py",
        "tests/test_contract.py",
        "tests/test_watcher.py",
    ]

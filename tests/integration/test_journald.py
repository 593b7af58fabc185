"""The real Scalyr agent ships a real journal by the monitor that the watcher configures.

The journal is made by ``systemd-journal-remote`` (Debian: the package of that name), and the agent reads
it through Python's systemd binding (PyPI: ``systemd-python``).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scalyr_process import NEEDS_AGENT, PYTHON, running_agent
from scalyr_receiver import Line, Receiver
from scalyr_support import an_agent, written
from support import wait_until

WRITER = shutil.which("systemd-journal-remote", path="/usr/lib/systemd:/lib/systemd")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def has_binding() -> bool:
    command = [str(PYTHON), "-c", "from systemd import journal"]
    return PYTHON.exists() and not subprocess.run(command, capture_output=True, check=False).returncode


pytestmark = [
    pytest.mark.scalyr,
    NEEDS_AGENT,
    pytest.mark.skipif(WRITER is None, reason="no systemd-journal-remote to make a journal with"),
    pytest.mark.skipif(not has_binding(), reason="the Scalyr agent's Python has no systemd binding"),
]


class Journal:
    """A folder with a journal of this boot: the agent reads no other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        folder.mkdir()
        self.add("an entry from before", unit="old.service")

    def add(self, message: str, *, unit: str) -> None:
        """Write an entry, in a file of its own."""
        self._number += 1
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        fields = {
            "__REALTIME_TIMESTAMP": str(time.time_ns() // 1000),
            "__MONOTONIC_TIMESTAMP": str(time.monotonic_ns() // 1000),
            "_BOOT_ID": boot,
            "_MACHINE_ID": "0123456789abcdef0123456789abcdef",
            "_SYSTEMD_UNIT": unit,
            "_PID": "4711",
            "_COMM": "sshd",
            "MESSAGE": message,
        }
        entry = "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"
        output = self.folder / f"{self._number}.journal"
        assert WRITER is not None
        subprocess.run(
            [WRITER, f"--output={output}", "-"], input=entry.encode(), capture_output=True, check=True
        )


def config_of(folder: Path, journal: Journal, *rules: object) -> Path:
    """Let the watcher's agent write agent.json, and put rules for units before that for all."""
    agent = an_agent(
        folder,
        journald=True,
        journald_path=journal.folder,
        journald_extra_fields={"_COMM": "process"},
        journald_attributes={"role": "worker"},
    )
    agent.check()
    agent.sync([])
    if rules:
        document = written(agent)
        document["monitors"][0]["journal_poll_interval"] = 0.5
        document["journald_logs"] = [*rules, *document["journald_logs"]]
        agent.settings.config_path.write_text(json.dumps(document))
    return agent.settings.config_path


def journal_lines(receiver: Receiver, text: str) -> list[Line]:
    return [line for line in receiver.lines if f'details "{text}' in line.message]


def added_until_shipped(journal: Journal, receiver: Receiver, message: str, unit: str) -> Iterator[bool]:
    """Add entries until one is shipped: the agent begins at the journal's end, whenever it gets there."""
    while True:
        journal.add(message, unit=unit)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            yield bool(journal_lines(receiver, message))


def test_entries_arrive_redacted_with_all_fields_and_attributes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    config = config_of(tmp_path, journal)
    with Receiver() as receiver, running_agent(config, receiver):
        first = added_until_shipped(journal, receiver, "the first", "ssh.service")
        wait_until(lambda: next(first), timeout=60, what="the first entry")
        journal.add(f"token {TOKEN} end", unit="ssh.service")
        wait_until(lambda: journal_lines(receiver, "token "), what="the token's entry")
    (line,) = journal_lines(receiver, "token ")
    assert 'details "token +++JWT_TOKEN_REDACTED+++ end"' in line.message
    for field in ('unit="ssh.service"', 'pid="4711"', 'process="sshd"', "machine_id=", "boot_id="):
        assert f" {field}" in line.message
    expected = {"parser": "journald_monitor", "role": "worker", "cluster": "cluster-1", "node": "node-1"}
    assert expected.items() <= line.attributes.items()


def test_a_rule_for_a_unit_matches_and_redacts_beside_extra_fields(tmp_path: Path) -> None:
    """It goes by the field ``unit``, which extra fields must not take away."""
    journal = Journal(tmp_path / "journal")
    rule = {
        "journald_unit": r"vault\.service",
        "parser": "vault",
        "redaction_rules": [{"match_expression": r"password=\S+", "replacement": "password=***"}],
    }
    with Receiver() as receiver, running_agent(config_of(tmp_path, journal, rule), receiver):
        first = added_until_shipped(journal, receiver, "password=", "vault.service")
        wait_until(lambda: next(first), timeout=60, what="an entry of the unit")
        journal.add("now password=secret done", unit="vault.service")
        journal.add("another unit", unit="ssh.service")
        wait_until(lambda: journal_lines(receiver, "now "), what="the secret's entry")
        wait_until(lambda: journal_lines(receiver, "another unit"), what="the other unit's entry")
    (secret,), (other,) = journal_lines(receiver, "now "), journal_lines(receiver, "another unit")
    assert 'details "now password=*** done"' in secret.message
    assert (secret.attributes["parser"], other.attributes["parser"]) == ("vault", "journald_monitor")
    assert not any("secret" in line.message for line in receiver.lines)


def refusal(config: Path, environ: dict[str, str]) -> str:
    """Start the agent in vain, and give what it says."""
    with Receiver() as receiver, running_agent(config, receiver, environ) as folder:
        output = folder / "output"
        wait_until(lambda: "Terminating" in output.read_text(), what="the agent's end")
        assert receiver.lines == []
        return output.read_text()


def test_without_the_binding_the_agent_refuses_its_whole_configuration(tmp_path: Path) -> None:
    """The watcher can't see what the agent's Python has."""
    (tmp_path / "python").mkdir()
    hidden = "import sys; sys.modules['systemd'] = None"
    (tmp_path / "python" / "sitecustomize.py").write_text(hidden)
    config = config_of(tmp_path, Journal(tmp_path / "journal"))
    assert "systemd python library" in refusal(config, {"PYTHONPATH": str(tmp_path / "python")})


def test_without_the_folder_the_agent_refuses_its_whole_configuration(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    config = config_of(tmp_path, journal)
    shutil.rmtree(journal.folder)
    assert f"journal_path '{journal.folder}' does not exist" in refusal(config, {})

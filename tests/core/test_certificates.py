"""The deprecated update of the system's authorities works where it can, and harms nothing where it can't."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core.kube.certificates import NAME, update_certificates
from support import soon


@attrs.frozen
class System:
    """A program and folders as a system has them."""

    ca_file: Path
    program: Path
    sources: Path
    certificates: Path

    def update(self, *, program: str | None = None, timeout_seconds: float = 10.0) -> bool:
        return update_certificates(
            self.ca_file,
            program=program or str(self.program),
            sources=self.sources,
            certificates=self.certificates,
            timeout_seconds=timeout_seconds,
        )


@pytest.fixture
def system(tmp_path: Path) -> System:
    made = System(tmp_path / "ca.crt", tmp_path / "update", tmp_path / "sources", tmp_path / "certs")
    made.ca_file.write_text("an authority")
    made.sources.mkdir()
    made.certificates.mkdir()
    write_program(made, f"cat '{made.sources}'/*.crt > '{made.certificates}/all.pem'")
    return made


def write_program(system: System, line: str) -> None:
    system.program.write_text(f"#!/bin/sh\n{line}\n")
    system.program.chmod(0o755)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_the_authority_is_added_and_the_program_run(system: System, caplog: pytest.LogCaptureFixture) -> None:
    assert system.update()
    assert (system.sources / NAME).read_text() == "an authority"
    assert (system.certificates / "all.pem").read_text() == "an authority"
    assert warnings(caplog) == []


def test_without_the_program_there_is_one_warning(system: System, caplog: pytest.LogCaptureFixture) -> None:
    assert not system.update(program="update-ca-certificates-of-nobody")
    assert len(warnings(caplog)) == 1
    assert "WATCHER_KUBERNETES_UPDATE_CERTIFICATES=true has no effect" in warnings(caplog)[0]
    assert list(system.sources.iterdir()) == []


def test_without_its_folders_there_is_one_warning(system: System, caplog: pytest.LogCaptureFixture) -> None:
    system.certificates.rmdir()
    assert not system.update()
    assert len(warnings(caplog)) == 1
    assert f"{system.certificates} can't be written to" in warnings(caplog)[0]
    assert list(system.sources.iterdir()) == []


def test_without_the_authority_there_is_one_warning(system: System, caplog: pytest.LogCaptureFixture) -> None:
    system.ca_file.unlink()
    assert not system.update()
    assert len(warnings(caplog)) == 1


def test_a_program_that_fails_is_told_with_what_it_said(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    write_program(system, "echo out of room >&2; exit 3")
    assert not system.update()
    assert "ended with code 3: out of room" in warnings(caplog)[0]


def test_a_program_that_hangs_is_ended(system: System, caplog: pytest.LogCaptureFixture) -> None:
    write_program(system, "exec sleep 60")
    with soon("ending it"):
        assert not system.update(timeout_seconds=0.2)
    assert "did not end within 0.2 s" in warnings(caplog)[0]

"""Shells complete commands, options and names."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli_support import clean_environ, run_cli
from kube_log_watcher_core.plugins import installed

ASK = """
source <({program} completion bash) || exit 1
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_kube_log_watcher_completion {program}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Give the console script as an installer would write it."""
    path = tmp_path / "bin" / "kube-log-watcher"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nfrom kube_log_watcher_core.cli import main\nmain()\n")
    path.chmod(0o755)
    return path


def completed(program: Path, *words: str) -> list[str]:
    """Let bash complete the last word."""
    typed = " ".join(["kube-log-watcher", *(shlex.quote(word) for word in words)])
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK.format(program=shlex.quote(str(program)), words=typed)],
        env=clean_environ(program.parent),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not there")
class TestBash:
    def test_it_completes_commands(self, program: Path) -> None:
        assert completed(program, "c") == ["check", "config", "completion"]

    def test_it_completes_options(self, program: Path) -> None:
        assert completed(program, "once", "--dry") == ["--dry-run"]

    def test_it_completes_the_words_of_a_choice(self, program: Path) -> None:
        assert completed(program, "run", "--containers-layout", "d") == ["docker"]

    def test_it_completes_the_names_of_installed_agents(self, program: Path) -> None:
        names = sorted({offer.name for offer in installed()})
        assert completed(program, "run", "-a", "") == names
        if len(names) > 1:
            first, second = names[:2]
            assert completed(program, "run", "--agents", f"{first},{second[:3]}") == [f"{first},{second}"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_there_are_scripts_for_other_shells(tmp_path: Path, shell: str) -> None:
    done = run_cli("completion", shell, environ=clean_environ(tmp_path))
    assert done.returncode == 0
    assert f"_KUBE_LOG_WATCHER_COMPLETE={shell}_complete" in done.stdout

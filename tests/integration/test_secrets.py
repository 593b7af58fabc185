"""Secrets are nowhere but where they belong: searched for in all that the watcher says and leaves behind."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon_support import Stage
from kube_log_watcher_core import FileAgent, Layout
from kube_log_watcher_core.agents import make_agent
from kube_log_watcher_core.configuration import Given, configure
from kube_log_watcher_testing.fake_api import FakeApi, Refuse, make_certificate, openssl_missing
from mount_support import in_a_mount_namespace

pytestmark = pytest.mark.skipif(openssl_missing(), reason="the openssl command is not installed")

KEYS = ("key-of-the-environment-5f1c", "key-of-a-file-91ab", "key-of-a-new-file-77d0")
TOKENS = ("token-that-was-first-03be", "token-that-came-later-c4d2")
SECRETS = (*KEYS, *TOKENS)


def account_mounts(account: Path) -> list[str]:
    """Give the beginning of a command that sees a service account at its fixed place."""
    return in_a_mount_namespace(
        'mount -t tmpfs none "$(readlink -f /var/run)" && mkdir -p /var/run/secrets/kubernetes.io && '
        f"ln -s '{account}' /var/run/secrets/kubernetes.io/serviceaccount"
    )


@pytest.fixture(params=["environment", "file"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Give a watcher with a key, a token and TLS, that logs everything."""
    account, key_file = tmp_path / "account", tmp_path / "key"
    (tmp_path / "state").mkdir()
    api = FakeApi(certificate=make_certificate(tmp_path / "pki"))
    api.service_account(account, token=TOKENS[0])
    key_file.write_text(KEYS[1])
    for secret in (key_file, account / "token"):
        secret.chmod(0o600)
    by_file = request.param == "file"
    environ: dict[str, str | Path | None] = {
        "WATCHER_DEBUG": "true",
        "WATCHER_STATE_DIR": tmp_path / "state",
        "WATCHER_SCALYR_API_KEY": None if by_file else KEYS[0],
        "WATCHER_SCALYR_API_KEY_FILE": key_file if by_file else None,
        "WATCHER_KUBE_URL": None,
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    }
    with Stage(tmp_path, Layout.CRI, api=api, environ=environ, prefix=account_mounts(account)) as stage:
        stage.watcher.environ["KUBERNETES_SERVICE_PORT"] = api.url.rpartition(":")[2]
        yield stage


def said_by(stage: Stage, *arguments: str) -> str:
    """Run another command where the watcher runs, and give all that it says."""
    variables = {"HOME": str(stage.root), **stage.watcher.environ}
    done = subprocess.run(
        [*stage.watcher.command[:-1], *arguments],
        env={name: str(value) for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def arguments_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def readable_to_others(folder: Path) -> dict[Path, bytes]:
    """Give the content of all files below a folder that others may read, whatever the folders allow."""
    found = {}
    for at, _, names in os.walk(folder):
        for path in (Path(at, name) for name in names):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IROTH:
                found[path] = path.read_bytes()
    return found


def test_no_secret_shows_anywhere(stage: Stage) -> None:
    """At debug level, through a reload, a bad key file, refusals that quote the request, every command."""
    one = stage.run("shop-1")
    stage.start()
    stage.wait_followed(one)
    assert stage.agent_json()["api_key"] in KEYS
    key_file = stage.root / "key"
    if stage.watcher.environ["WATCHER_SCALYR_API_KEY_FILE"]:
        key_file.write_bytes(b"\xff" + KEYS[2].encode())
        stage.watcher.wait_for_log("the new settings can't be used")
        key_file.write_text(KEYS[2])
        stage.watcher.wait_for(lambda: stage.agent_json()["api_key"] == KEYS[2], what="the new key")
    quoting = f"no upstream for GET /api/v1/pods Authorization: Bearer {TOKENS[0]}"
    stage.api.fail(Refuse(502, text=quoting), times=2)
    stage.api.cut_watches()
    stage.watcher.wait_for_log("no upstream for GET")
    stage.api.accept(TOKENS[1])
    stage.api.heal()
    stage.watcher.wait_for_log("401")
    stage.api.service_account(stage.root / "account", token=TOKENS[1])
    stage.wait_followed(one, stage.run("shop-2"))
    texts = {
        "arguments": arguments_of(stage.watcher.pid),
        "run --help": said_by(stage, "run", "--help"),
        "agents": said_by(stage, "agents"),
        "check": said_by(stage, "check"),
        "state": (stage.root / "state" / "state.json").read_text(),
    }
    stage.config.unlink()  # so that all of it is among the differences
    texts["once --dry-run"] = said_by(stage, "once", "--dry-run")
    assert "api_key" in texts["once --dry-run"]
    assert stage.watcher.stop() == 0
    texts["log"] = stage.watcher.log
    texts |= {
        str(path): content.decode(errors="replace")
        for path, content in readable_to_others(stage.root).items()
    }
    found = [(place, secret) for place, text in texts.items() for secret in SECRETS if secret in text]
    assert found == []


def test_the_files_that_hold_a_secret_are_their_owners_alone(stage: Stage) -> None:
    shutil.rmtree(stage.config.parent)
    stage.config.parent.mkdir()
    stage.start()
    stage.wait_followed(stage.run("shop-1"))
    assert stage.config.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key_file", [False, True], ids=["environment", "file"])
def test_no_repr_shows_a_secret(tmp_path: Path, *, key_file: bool) -> None:
    (tmp_path / "key").write_text(KEYS[1])
    environ = {
        "WATCHER_AGENTS": "scalyr",
        "WATCHER_SCALYR_DEST_PATH": str(tmp_path),
        "WATCHER_SCALYR_CONFIG_PATH": str(tmp_path / "agent.json"),
        **(
            {"WATCHER_SCALYR_API_KEY_FILE": str(tmp_path / "key")}
            if key_file
            else {"WATCHER_SCALYR_API_KEY": KEYS[0]}
        ),
    }
    given = Given(environ=environ)
    configuration = configure(given)
    agent = make_agent(configuration.agents[0], configuration.node)
    assert isinstance(agent, FileAgent)
    agent.sync(())
    shown = [given, configuration, configuration.agents, agent, agent.settings, *agent.render(())]
    texts = [f"{value!r} {value!s}" for value in shown]
    assert not [secret for secret in SECRETS for text in texts if secret in text]

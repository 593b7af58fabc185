"""A real Docker engine of one's own: started on a socket and in folders that nobody else uses."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kube_log_watcher_testing.fake_node import FakeContainer
from support import wait_until

BUSYBOX = Path("/bin/busybox")
IMAGE = "local/app:1"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
CALL_SECONDS = 60.0


class EngineError(Exception):
    """The engine can't be had here."""


def missing() -> str:
    """Tell what an engine lacks here; empty when nothing."""
    if os.geteuid() != 0:
        return "a Docker engine needs root"
    lacking = [name for name in ("dockerd", "docker", "setpriv") if shutil.which(name) is None]
    if not BUSYBOX.exists():
        lacking.append(str(BUSYBOX))
    return f"missing here: {', '.join(lacking)}" if lacking else ""


class Engine:
    """Runs inside a ``with``. All that it is and has lies below one folder, and goes with it.

    Parameters
    ----------
    storage
        how it keeps images: ``vfs`` works everywhere; None lets it take the quickest that works here.
    """

    def __init__(self, *, storage: str | None = "vfs") -> None:
        self._storage = [f"--storage-driver={storage}"] if storage else []
        # The path of a socket may have 107 characters, and containerd adds some: a short one.
        self._folder = Path(tempfile.mkdtemp(prefix="klwd-", dir="/tmp"))
        self._socket = f"unix://{self._folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def containers_path(self) -> Path:
        """Give the folder of the containers."""
        return self._folder / "data" / "containers"

    def __enter__(self) -> Self:
        try:
            self.start()
            self._import_image()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean_up()

    # ------------------------------------------------------------------ the engine

    def start(self) -> None:
        """Start the engine, on the data that is there. Raises EngineError."""
        folder = self._folder
        # It gets SIGTERM when whoever runs the tests dies.
        command = ["setpriv", "--pdeathsig", "TERM", "dockerd"]
        command += [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        command += [f"--host={self._socket}", *self._storage, "--bridge=none"]
        command += ["--iptables=false", "--ip-forward=false", "--ip-masq=false"]
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(self._answers_or_ended, timeout=START_SECONDS, what="an answer of the engine")
        except AssertionError as error:
            raise EngineError(str(error)) from error
        if self._process.poll() is not None:
            raise EngineError(f"dockerd does not work here: {self._last_words()}")

    def stop(self) -> None:
        """Stop the engine, and with it all containers; what they left stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers_or_ended(self) -> bool:
        ended = self._process is None or self._process.poll() is not None
        return ended or self._call("version").returncode == 0

    def _last_words(self) -> str:
        lines = (self._folder / "log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def _import_image(self) -> None:
        archive = self._folder / "image.tar"
        subprocess.run(["tar", "-C", BUSYBOX.parent, "-cf", archive, BUSYBOX.name], check=True)
        self.docker("import", str(archive), IMAGE)

    def _clean_up(self) -> None:
        with suppress(subprocess.SubprocessError, OSError):
            self.docker("rm", "--force", "--volumes", *self.docker("ps", "--all", "--quiet").split())
        self.stop()
        self._end_stragglers()
        self._unmount()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end_stragglers(self) -> None:
        """End containerd and its shims, should the engine have died without them."""
        mark = os.fsencode(self._folder)
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if mark in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)

    def _unmount(self) -> None:
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in reversed(mounts):
            if mount.startswith(f"{self._folder}/"):
                subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)

    # ------------------------------------------------------------------ containers

    def docker(self, *arguments: str, timeout: float = CALL_SECONDS) -> str:
        """Call the docker command, and give what it prints. Raises CalledProcessError."""
        done = self._call(*arguments, timeout=timeout)
        done.check_returncode()
        return done.stdout.strip()

    def _call(self, *arguments: str, timeout: float = CALL_SECONDS) -> subprocess.CompletedProcess[str]:
        environ = {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": self._socket,
            "DOCKER_CONFIG": str(self._folder / "client"),
            # The builder that is part of the engine: the newer one is a program of its own.
            "DOCKER_BUILDKIT": "0",
        }
        return subprocess.run(
            ["docker", *arguments], env=environ, capture_output=True, text=True, check=False, timeout=timeout
        )

    def create(
        self,
        *,
        pod: str,
        namespace: str,
        script: str = "echo begin; exec /busybox sleep 3600",
        restart: int = 0,
        kind: str = "container",
        labelled: bool = True,
        options: tuple[str, ...] = (),
    ) -> FakeContainer:
        """Create a container as a kubelet does, without starting it."""
        labels = _kubelet_labels(pod=pod, namespace=namespace, restart=restart, kind=kind) if labelled else {}
        flags = [f"--label={name}={value}" for name, value in labels.items()]
        # The script is process 1, on which SIGTERM has no effect.
        flags += ["--stop-signal=SIGKILL", "--network=none", "--log-driver=json-file", *options]
        identity = self.docker("create", *flags, IMAGE, "/busybox", "sh", "-c", script)
        return FakeContainer(
            id=identity,
            name="main",
            pod=pod,
            namespace=namespace,
            uid=_uid(namespace, pod),
            restart=restart,
            image=IMAGE,
            log=self.containers_path / identity / f"{identity}-json.log",
            labels=labels,
        )

    def say(self, container: FakeContainer, text: str, *, times: int = 1) -> None:
        """Let a running container write a line, or several."""
        script = f"for i in $(/busybox seq {times}); do echo '{text}' > /proc/1/fd/1; done"
        self.docker("exec", container.id, "/busybox", "sh", "-c", script)


def _uid(namespace: str, pod: str) -> str:
    return f"uid-of-{namespace}-{pod}"


def _kubelet_labels(*, pod: str, namespace: str, restart: int, kind: str) -> Mapping[str, str]:
    return {
        "annotation.io.kubernetes.container.restartCount": str(restart),
        "io.kubernetes.container.name": "main" if kind == "container" else "POD",
        "io.kubernetes.docker.type": kind,
        "io.kubernetes.pod.name": pod,
        "io.kubernetes.pod.namespace": namespace,
        "io.kubernetes.pod.uid": _uid(namespace, pod),
    }

"""The deprecated way of trusting the cluster's authority: make the whole system trust it.

Requests to the API are always verified by the service account's ``ca.crt`` itself. This is here for
those who rely on ``WATCHER_KUBERNETES_UPDATE_CERTIFICATES`` for other programs in the container.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from pathlib import Path

logger = logging.getLogger(__name__)

PROGRAM = "update-ca-certificates"
SOURCES = Path("/usr/local/share/ca-certificates")
CERTIFICATES = Path("/etc/ssl/certs")
NAME = "kubernetes-service-account.crt"


def update_certificates(
    ca_file: Path,
    *,
    timeout_seconds: float = 10.0,
    program: str = PROGRAM,
    sources: Path = SOURCES,
    certificates: Path = CERTIFICATES,
) -> bool:
    """Add an authority to the system's, where that can be done; else warn, once.

    Returns whether it was done. `program` is a path, or a name that is looked up in ``PATH``.
    """
    obstacle = _obstacle(program, (sources, certificates)) or _update(
        ca_file, sources / NAME, program=program, timeout_seconds=timeout_seconds
    )
    if obstacle:
        logger.warning(
            "WATCHER_KUBERNETES_UPDATE_CERTIFICATES=true has no effect: %s; "
            "the API is verified by %s all the same",
            obstacle,
            ca_file,
        )
        return False
    logger.info("%s has added %s", program, ca_file)
    return True


def _obstacle(program: str, folders: tuple[Path, ...]) -> str:
    if shutil.which(program) is None:
        return f"there is no {program}"
    closed = [str(folder) for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]
    return f"{' and '.join(closed)} can't be written to" if closed else ""


def _update(ca_file: Path, copy: Path, *, program: str, timeout_seconds: float) -> str:
    try:
        shutil.copyfile(ca_file, copy)
        done = subprocess.run([program], capture_output=True, timeout=timeout_seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"{program} did not end within {timeout_seconds:g} s"
    except OSError as error:
        return str(error)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:200]
        return f"{program} ended with code {done.returncode}: {said or 'no message'}"
    return ""

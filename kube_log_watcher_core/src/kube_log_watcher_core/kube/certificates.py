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
    closed = [str(each) for each in (sources, certificates) if not os.access(each, os.W_OK | os.X_OK)]
    if shutil.which(program) is None:
        obstacle = f"there is no {program}"
    elif closed:
        obstacle = f"{' and '.join(closed)} can't be written to"
    else:
        obstacle = _update(ca_file, sources / NAME, program=program, timeout_seconds=timeout_seconds)
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

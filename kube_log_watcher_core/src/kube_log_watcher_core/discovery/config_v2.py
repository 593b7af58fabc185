"""What Docker's ``config.v2.json`` says about a container. Pure: bytes in, data out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import attrs

from kube_log_watcher_core.models import Obstacle, Reason, epoch_seconds

POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
CONTAINER_NAME = "io.kubernetes.container.name"
CONTAINER_TYPE = "io.kubernetes.docker.type"
RESTART_COUNT = "annotation.io.kubernetes.container.restartCount"

_USED_LABELS = (POD_NAME, POD_NAMESPACE, POD_UID, CONTAINER_NAME, CONTAINER_TYPE, RESTART_COUNT)
_PAUSE_IMAGE = re.compile(r"pause(-(386|amd64|arm|arm64|loong64|mips64le|ppc64le|riscv64|s390x|windows))?")


class BrokenConfig(ValueError):
    """The file is not what Docker writes; the message says in what way."""


@attrs.frozen
class DockerConfig:
    """What is needed of a ``config.v2.json``."""

    labels: Mapping[str, str]
    """Those of Kubernetes' own labels that are there."""
    image: str | None = None
    created: float | None = None
    """Seconds since the epoch."""

    @property
    def restart_count(self) -> int:
        """The kubelet's count, 0 where it is not told."""
        value = self.labels.get(RESTART_COUNT, "")
        return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0

    @property
    def obstacle(self) -> Obstacle | None:
        """What stands against following this container for good."""
        if is_pause(self.labels, self.image):
            return Obstacle(Reason.PAUSE, "holds the pod's namespaces and logs nothing; it is never followed")
        missing = [name for name in (POD_NAME, POD_NAMESPACE, CONTAINER_NAME) if not self.labels.get(name)]
        if missing:
            return Obstacle(Reason.NOT_KUBERNETES, f"not started by a kubelet: no label {', '.join(missing)}")
        return None


def is_pause(labels: Mapping[str, str], image: str | None) -> bool:
    """Whether a container only holds its pod's namespaces.

    The kubelet says so by a label. Old ones did not: there, and only there, the image decides.
    """
    if labels.get(CONTAINER_NAME) == "POD":
        return True
    if CONTAINER_TYPE in labels:
        return labels[CONTAINER_TYPE] == "podsandbox"
    last = (image or "").partition("@")[0].rpartition("/")[2].partition(":")[0]
    return _PAUSE_IMAGE.fullmatch(last) is not None


def parse_config(content: bytes) -> DockerConfig:
    """Read a ``config.v2.json``. Raises BrokenConfig."""
    try:
        document = json.loads(content)
    except RecursionError:
        raise BrokenConfig("nested too deeply") from None
    except ValueError as error:
        raise BrokenConfig(f"not JSON: {error}") from None
    config = _mapping(_mapping(document, "the document").get("Config"), "Config")
    told = config.get("Labels")
    labels = {} if told is None else _mapping(told, "Config.Labels")
    used = {name: labels[name] for name in _USED_LABELS if labels.get(name) is not None}
    return DockerConfig(
        labels={name: _text(value, f"label {name}") for name, value in used.items()},
        image=_text(config.get("Image"), "Config.Image") or None,
        created=epoch_seconds(_text(document.get("Created"), "Created")),
    )


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BrokenConfig(f"{what} is not an object")
    return value


def _text(value: object, what: str) -> str:
    # Names are printed, hashed and encoded by all that follow; none of Kubernetes' has control characters.
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise BrokenConfig(f"{what} is not plain text")
    return value

"""What the AppDynamics agent needs to know."""

from __future__ import annotations

from pathlib import Path

import attrs

from kube_log_watcher_core import PATH, setting


@attrs.frozen
class AppDynamicsSettings:
    """``WATCHER_APPDYNAMICS_...``, or the section ``appdynamics`` of the YAML file."""

    dest_path: Path = setting(PATH, help="folder of job files: the analytics agent's conf/job")

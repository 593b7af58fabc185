"""The agent: one job file for each log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kube_log_watcher_appdynamics.render import job
from kube_log_watcher_appdynamics.settings import AppDynamicsSettings
from kube_log_watcher_core import File, FileAgent, LogTarget, Owned

# Containers have no other ids: a job that people wrote by hand is never taken for one of ours.
_JOB_NAME = r"container-[0-9a-f]{64}-jobfile\.job"


class AppDynamicsAgent(FileAgent[AppDynamicsSettings]):
    """Writes job files for the AppDynamics analytics agent."""

    settings_class = AppDynamicsSettings
    name = "appdynamics"

    def render(self, targets: Sequence[LogTarget]) -> Iterable[File]:
        """Return the job files of these targets."""
        return self.each(targets, self._job)

    def owned(self) -> Iterable[Owned]:
        """Return the names of job files as this version and all earlier ones wrote them."""
        return (Owned(self.settings.dest_path, _JOB_NAME),)

    def _job(self, target: LogTarget) -> File:
        return File(self.settings.dest_path / f"container-{target.id}-jobfile.job", job(target))

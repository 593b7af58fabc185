"""Every error of the watcher: one root, and one class for each way of reacting to it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


class WatcherError(Exception):
    """The root of all errors that the watcher raises on purpose."""


@attrs.frozen
class Problem:
    """One thing that is wrong with the settings."""

    name: str
    """The setting as its source calls it, e.g. ``WATCHER_INTERVAL``."""
    source: str
    """Where the value came from: ``environment``, ``command line`` or a file's path."""
    value: str
    """What was found, shortened; never a secret's value."""
    expected: str
    """What would have been right."""

    def __str__(self) -> str:
        found = f"={self.value}" if self.value else ""
        return f"{self.name}{found} ({self.source}): expected {self.expected}"


class SettingsError(WatcherError):
    """The settings can't be used. At start: exit code 78. On a reload: the old ones stay.

    ``problems`` holds all of them, of all sources.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PluginError(WatcherError):
    """An agent named in the settings can't be had. Exit code 78."""


class AgentNotFound(PluginError):
    """No installed distribution offers an agent of that name."""


class AgentConflict(PluginError):
    """Several installed distributions offer an agent of the same name."""


class AgentLoadError(PluginError):
    """The agent's module can't be imported."""


class NotAnAgent(PluginError):
    """The entry point names something that is not a subclass of ``BaseAgent``."""


class DiscoveryError(WatcherError):
    """The containers folder can't be read: what is known stays, and it is tried again."""


class ApiError(WatcherError):
    """The Kubernetes API didn't answer, or not usefully. What is known stays."""

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status, or None when there was no answer."""
        self.retry_after = retry_after
        """Seconds that the server asks to wait, or None."""


class Unauthorized(ApiError):
    """401: the token is missing, expired or unknown. It is read again from its file."""


class Forbidden(ApiError):
    """403: a right is missing. The message names the verb."""


class Gone(ApiError):
    """410: the resource version has expired. List again."""


class TooManyRequests(ApiError):
    """429: wait, then go on at the same resource version."""


class ServerError(ApiError):
    """5xx, a broken body, no connection: wait, then go on."""


class AgentError(WatcherError):
    """An agent failed. The others go on; this one is tried again with the latest targets."""


class PartlyFailed(AgentError):
    """Some of an agent's files are not as they should be, all others are: only those are tried again."""


class AgentConfigError(AgentError):
    """An agent can't work here (a folder is missing, say). At start this is fatal: exit code 78."""

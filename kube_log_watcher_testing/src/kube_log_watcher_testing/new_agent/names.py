"""All names that follow from an agent's name."""

from __future__ import annotations

import re

import attrs

_LONGEST = 40
_GOOD = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def is_good_name(name: str) -> bool:
    """Whether an agent may be called so: then all other names can be made of it."""
    return len(name) <= _LONGEST and _GOOD.fullmatch(name) is not None


@attrs.frozen
class Names:
    """How an agent's parts are called."""

    name: str
    """The agent, as in ``WATCHER_AGENTS``."""
    core: str
    """The version of the core that it is made for."""

    @property
    def distribution(self) -> str:
        """The distribution."""
        return f"kube-log-watcher-{self.name}"

    @property
    def package(self) -> str:
        """The package to import."""
        return self.distribution.replace("-", "_")

    @property
    def title(self) -> str:
        """What the names of classes begin with."""
        title = "".join(part.capitalize() for part in self.name.split("-"))
        return title.removesuffix("Agent") or title

    @property
    def variable(self) -> str:
        """What the names of environment variables begin with."""
        return f"WATCHER_{self.name.replace('-', '_').upper()}"

    @property
    def compatible(self) -> str:
        """The versions of the core within which nothing that is public breaks."""
        return f"~={compatible_with(self.core)}"

    def fields(self) -> dict[str, str]:
        """Return all of them, as templates name them."""
        return {
            "name": self.name,
            "distribution": self.distribution,
            "underline": "=" * len(self.distribution),
            "package": self.package,
            "title": self.title,
            "variable": self.variable,
            "compatible": self.compatible,
        }


def compatible_with(version: str) -> str:
    """Return a version for ``~=``: up to the next major one, below 1.0 up to the next minor one."""
    numbers = [*re.findall(r"\d+", version.partition("+")[0])[:3], "0", "0"]
    return ".".join(numbers[:3] if numbers[0] == "0" else numbers[:2])

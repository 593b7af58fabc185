"""Settings classes for tests, and a short way of reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core import (
    ENTRIES,
    FLAG,
    JSON_OBJECT,
    NAMES,
    PATH,
    PATHS,
    SECRET,
    TEXT,
    Secret,
    choice,
    count,
    seconds,
    setting,
)
from kube_log_watcher_core.settings import PATH_MAP, Loaded, Sources, load, read_sources


@attrs.frozen
class Every:
    """A setting of each kind, all of them optional."""

    text: str | None = setting(TEXT, default=None, help="a text")
    secret: Secret | None = setting(SECRET, default=None, secret=True, from_file=True, help="a secret")
    flag: bool = setting(FLAG, default=False, help="a flag")
    path: Path | None = setting(PATH, default=None, help="a path")
    paths: tuple[Path, ...] = setting(PATHS, default=(), help="paths")
    names: tuple[str, ...] = setting(NAMES, default=("a", "b"), empty=(), help="names")
    pause: float = setting(seconds(least=0.5), default=60.0, help="a duration")
    number: int = setting(count(least=1), default=3, help="a number")
    word: str = setting(choice("red", "green"), default="red", help="a word")
    json: Mapping[str, Any] = setting(JSON_OBJECT, default=attrs.Factory(dict), help="an object")
    entries: tuple[Any, ...] = setting(ENTRIES, default=(), yaml_alias="every_entries", help="a list")
    mapping: tuple[tuple[Path, Path], ...] = setting(PATH_MAP, default=(), help="prefixes")
    named: str | None = setting(TEXT, default=None, variable="NAMED", help="with a variable of its own")


@attrs.frozen
class Required:
    """Two settings that must be given."""

    folder: Path = setting(PATH, help="a folder")
    key: Secret = setting(SECRET, secret=True, from_file=True, help="a key")


def read(
    *,
    settings_class: type[Any] = Every,
    section: str | None = "every",
    command_line: Mapping[str, str | Sequence[str]] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Loaded[Any]:
    """Read a settings class from what is given, and nothing else."""
    return load(settings_class, sources(command_line, environ, config), section=section)


def sources(
    command_line: Mapping[str, str | Sequence[str]] | None = None,
    environ: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Sources:
    """Gather sources from what is given."""
    return read_sources(command_line=command_line or {}, environ=environ or {}, config=config)


def problems(loaded: Loaded[Any]) -> list[str]:
    """Give the problems as an operator reads them."""
    return [str(problem) for problem in loaded.problems]

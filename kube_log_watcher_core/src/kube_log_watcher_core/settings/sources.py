"""Where values come from: the command line, the environment, a YAML file; the first that has one wins."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from kube_log_watcher_core.errors import Problem
from kube_log_watcher_core.files.signature import Signature, signature
from kube_log_watcher_core.settings.fields import UNSET, Field
from kube_log_watcher_core.settings.kinds import check_size

CONFIG_VARIABLE = "WATCHER_CONFIG"
LONGEST_FILE = 1024 * 1024
"""Bytes that a YAML or secret file may have: nothing of the kind is longer."""


@attrs.frozen
class Found:
    """A value as a source gives it."""

    value: object
    name: str
    """The setting as this source calls it."""
    source: str
    typed: bool = False
    """True for YAML, which has types; False for text."""


@attrs.frozen
class Sources:
    """All that was given, before anything is judged."""

    command_line: Mapping[str, str | Sequence[str]] = attrs.field(factory=dict)
    """Values by ``field`` or ``section.field``."""
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    document: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    path: Path | None = None
    """The YAML file, None without one."""
    files: Mapping[Path, Signature | None] = attrs.field(factory=dict)
    """The same, with the signature that it had just before it was read."""
    problem: Problem | None = None
    """Why the YAML file can't be used; the other sources count on."""

    def find(self, field: Field) -> Found | None:
        """Find the value that counts for a field; an empty variable counts as unset."""
        return self._on_command_line(field) or self._in_environment(field) or self._in_document(field)

    def find_file(self, field: Field) -> Found | None:
        """Find the name of the file that holds a field's value, where that is allowed."""
        if field.file_variable is None:
            return None
        # Only an explicit variable moves along to the twin.
        variable = f"{field.variable}_FILE" if field.declaration.variable else None
        declaration = attrs.evolve(
            field.declaration, variable=variable, from_file=False, yaml_alias=None, empty=UNSET
        )
        return self.find(attrs.evolve(field, name=f"{field.name}_file", declaration=declaration))

    def _on_command_line(self, field: Field) -> Found | None:
        key = f"{field.section}.{field.name}" if field.section else field.name
        value = self.command_line.get(key)
        if value is None or value == ():
            return None
        text = value if isinstance(value, str) else ",".join(value)
        name = f"--set {key}" if field.section else field.option
        return self._unless_empty(field, Found(value=text, name=name, source="command line"))

    def _in_environment(self, field: Field) -> Found | None:
        value = self.environ.get(field.variable)
        if value is None:
            return None
        return self._unless_empty(field, Found(value=value, name=field.variable, source="environment"))

    @staticmethod
    def _unless_empty(field: Field, found: Found) -> Found | None:
        if found.value != "":
            return found
        empty = field.declaration.empty
        return None if empty is UNSET else attrs.evolve(found, value=empty, typed=True)

    def _in_document(self, field: Field) -> Found | None:
        places = [(self.document, field.name)]
        if field.section:
            section = self.document.get(field.section)
            places = [(section if isinstance(section, Mapping) else {}, field.name)]
            if field.declaration.yaml_alias:
                places.append((self.document, field.declaration.yaml_alias))
        for mapping, key in places:
            if mapping.get(key) is not None:
                name = f"{field.section}.{key}" if field.section and mapping is not self.document else key
                return Found(value=mapping[key], name=name, source=str(self.path), typed=True)
        return None


def read_sources(
    *, command_line: Mapping[str, str | Sequence[str]], environ: Mapping[str, str], config: Path | None = None
) -> Sources:
    """Gather all sources; the file is ``config``, else the one that ``WATCHER_CONFIG`` names.

    A file that can't be read, is no YAML or holds no mapping is a `problem` of the sources, and is
    taken as empty: what else is wrong shows at the same time.
    """
    name, source = "--config", "command line"
    if config is None and environ.get(CONFIG_VARIABLE):
        config, name, source = Path(environ[CONFIG_VARIABLE]), CONFIG_VARIABLE, "environment"
    if config is None:
        return Sources(command_line=command_line, environ=environ)
    files = {config: signature(config)}  # first: what is replaced meanwhile is to be read once more
    try:
        document = _document(config)
    except (OSError, ValueError, RecursionError) as error:
        problem = Problem(name=name, source=source, value=str(config), expected=_expected(error))
        return Sources(command_line=command_line, environ=environ, path=config, files=files, problem=problem)
    return Sources(command_line=command_line, environ=environ, document=document, path=config, files=files)


def _document(config: Path) -> Mapping[str, object]:
    """Read the mapping in a YAML file. Raises `OSError`, `RecursionError`, `ValueError` for what is wrong."""
    # Imported only here: many a watcher has no such file.
    import yaml  # noqa: PLC0415

    try:
        document = yaml.safe_load(read_text(config))
    except yaml.MarkedYAMLError as error:
        # Its own text quotes the line, which may hold a key.
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{error.problem or error.context or type(error).__name__}{place}") from None
    except yaml.YAMLError as error:
        raise ValueError(str(error) or type(error).__name__) from None
    document = {} if document is None else document
    if not isinstance(document, Mapping):
        raise ValueError("it holds no mapping of settings")
    check_size(document)
    return document


def _expected(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"a file that can be read ({error.strerror})"
    detail = " ".join(str(error).split())
    return f"a YAML mapping of settings ({detail or type(error).__name__})"


def read_text(path: Path) -> str:
    """Read a small text file.

    Raises `OSError` when it can't be read, or is a pipe or a device (reading those may take for ever), and
    `ValueError` when it is too long or no UTF-8.
    """
    # Nobody need have the other end of a pipe open.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise ValueError(f"at most {LONGEST_FILE} bytes")
    return content.decode()

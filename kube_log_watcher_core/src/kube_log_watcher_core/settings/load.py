"""Reads settings classes from all sources, and reports all problems at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from kube_log_watcher_core.errors import Problem, SettingsError
from kube_log_watcher_core.files.signature import Signature, signature
from kube_log_watcher_core.settings.fields import Field, fields_of
from kube_log_watcher_core.settings.kinds import SECRET
from kube_log_watcher_core.settings.sources import CONFIG_VARIABLE, Found, Sources, read_text

S = TypeVar("S")

NOT_SET = "required, not set"


@attrs.frozen
class Loaded(Generic[S]):
    """A settings object, or the problems that stand against it, and the files that it was read from."""

    settings: S | None
    problems: tuple[Problem, ...] = ()
    files: Mapping[Path, Signature | None] = attrs.field(factory=dict)
    """Each with the signature that it had just before it was read."""
    values: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """The values that could be read, also where others could not."""

    def unwrap(self) -> S:
        """Return the settings.

        Raises `SettingsError` when there are problems.
        """
        if self.settings is None:
            raise SettingsError(self.problems)
        return self.settings


def load(settings_class: type[S], sources: Sources, *, section: str | None = None) -> Loaded[S]:
    """Read a settings class; ``section`` is the agent's name, None for the watcher's own."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    files: dict[Path, Signature | None] = {}
    for field in fields_of(settings_class, section):
        try:
            found = _from_file(field, sources, files) or sources.find(field)
            if found is not None:
                values[field.name] = _read(field, found)
            elif field.required:
                variables = " or ".join(filter(None, (field.variable, field.file_variable)))
                expected = f"{field.declaration.kind.expected} ({field.declaration.help})"
                problems.append(Problem(name=variables, source=NOT_SET, value="", expected=expected))
        except _Wrong as wrong:
            problems.append(wrong.problem)
    settings = None
    if not problems:
        try:
            settings = settings_class(**values)
        except ValueError as error:  # a validator of the class's own
            where = f"settings of agent {section}" if section else "settings"
            problems.append(Problem(name=where, source="all sources", value="", expected=str(error)))
    if sources.problem is not None:
        # What is missing may be in the file that can't be read.
        problems = [problem for problem in problems if problem.source != NOT_SET]
    return Loaded(settings=settings, problems=tuple(problems), files=files, values=values)


class _Wrong(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _read(field: Field, found: Found) -> Any:
    kind = field.declaration.kind
    try:
        if not found.typed:
            return kind.from_text(str(found.value))
        return found.value if found.value is field.declaration.empty else kind.from_yaml(found.value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise _Wrong(_problem(field, found, kind.expected)) from error


def _from_file(field: Field, sources: Sources, files: dict[Path, Signature | None]) -> Found | None:
    found = sources.find_file(field)
    if found is None:
        return None
    path = Path(str(found.value))
    files[path] = signature(path)  # first: what is replaced meanwhile is to be read once more
    try:
        text = read_text(path).strip()
    except (OSError, ValueError) as error:
        raise _Wrong(_problem(field, found, f"a file that can be read ({error})", shown=str(path))) from error
    if not text:
        raise _Wrong(_problem(field, found, "a file that is not empty", shown=str(path)))
    return Found(value=text, name=found.name, source=str(path))


def _problem(field: Field, found: Found, expected: str, *, shown: str | None = None) -> Problem:
    secret = field.declaration.secret or field.declaration.kind is SECRET
    value = shown if shown is not None else "***" if secret else _short(found.value)
    return Problem(name=found.name, source=found.source, value=value, expected=expected)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def unknown_keys(
    sources: Sources, sections: Mapping[str, Iterable[Field]], own: Iterable[Field]
) -> list[Problem]:
    """Find keys of the YAML file that mean nothing, and name the nearest that does.

    ``sections`` holds the fields of every agent whose section is allowed.
    """
    aliases = {field.declaration.yaml_alias for fields in sections.values() for field in fields}
    top = {field.name for field in own} | set(sections) | {alias for alias in aliases if alias}
    problems = [_unknown(sources, str(key), top) for key in sources.document if key not in top]
    for section, fields in sections.items():
        content = sources.document.get(section)
        if content is None:
            continue
        if not isinstance(content, Mapping):
            wrong = {"name": section, "source": str(sources.path), "value": _short(content)}
            problems.append(Problem(**wrong, expected="a mapping of settings"))
            continue
        known = _section_keys(fields)
        problems += [
            _unknown(sources, str(key), known, prefix=f"{section}.") for key in content if key not in known
        ]
    return problems


def unknown_options(sources: Sources, sections: Mapping[str, Iterable[Field]]) -> list[Problem]:
    """Find ``--set`` options that mean nothing, and name the nearest that does."""
    known = {f"{section}.{key}" for section, fields in sections.items() for key in _section_keys(fields)}
    problems = []
    for key in (each for each in sources.command_line if "." in each and each not in known):
        same_section = [name for name in known if name.partition(".")[0] == key.partition(".")[0]]
        expected = _hint(key, same_section or known)
        problems.append(Problem(name=f"--set {key}", source="command line", value="", expected=expected))
    return problems


def _section_keys(fields: Iterable[Field]) -> set[str]:
    keys = set()
    for field in fields:
        keys |= {field.name, f"{field.name}_file"} if field.file_variable else {field.name}
    return keys


def _unknown(sources: Sources, key: str, known: Collection[str], prefix: str = "") -> Problem:
    expected = _hint(key, known, prefix)
    return Problem(name=f"{prefix}{key}", source=str(sources.path), value="", expected=expected)


def _hint(key: str, known: Collection[str], prefix: str = "") -> str:
    import difflib  # noqa: PLC0415 - only where something is wrong

    near = difflib.get_close_matches(key, sorted(known), n=1)
    if near:
        return f"a known name (did you mean {prefix}{near[0]}?)"
    return f"one of {', '.join(sorted(known))}" if known else "no such setting: no agent has any"


def unknown_variables(environ: Mapping[str, str], fields: Iterable[Field]) -> list[str]:
    """Find ``WATCHER_...`` variables that mean nothing here.

    They only deserve a warning: a Service named ``watcher`` injects some into every pod of its namespace.
    """
    known = {CONFIG_VARIABLE}
    for field in fields:
        known |= {field.variable, *([field.file_variable] if field.file_variable else [])}
    return sorted(name for name in environ if name.startswith("WATCHER_") and name not in known)

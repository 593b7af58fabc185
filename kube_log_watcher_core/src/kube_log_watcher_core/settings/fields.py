"""How a settings class declares what it holds: an attrs class of `setting` fields."""

from __future__ import annotations

import enum
from typing import Any, Final, TypeVar, overload

import attrs

from kube_log_watcher_core.settings.kinds import Kind

T = TypeVar("T")
D = TypeVar("D")

_KEY: Final = "kube_log_watcher"


class _Unset(enum.Enum):
    UNSET = enum.auto()


UNSET: Final = _Unset.UNSET
"""Tells "not given" from every value."""


@attrs.frozen
class Declaration:
    """What a field says about itself, once for the command line, the environment and YAML."""

    kind: Kind[Any]
    help: str
    variable: str | None
    flags: tuple[str, ...]
    from_file: bool
    secret: bool
    empty: object
    yaml_alias: str | None


@overload
def setting(
    kind: Kind[T],
    *,
    help: str,
    variable: str | None = ...,
    flags: tuple[str, ...] = ...,
    from_file: bool = ...,
    secret: bool = ...,
    empty: object = ...,
    yaml_alias: str | None = ...,
) -> T: ...


@overload
def setting(
    kind: Kind[T],
    *,
    help: str,
    default: D,
    variable: str | None = ...,
    flags: tuple[str, ...] = ...,
    from_file: bool = ...,
    secret: bool = ...,
    empty: object = ...,
    yaml_alias: str | None = ...,
) -> T | D: ...


def setting(
    kind: Kind[Any],
    *,
    help: str,
    default: Any = attrs.NOTHING,
    variable: str | None = None,
    flags: tuple[str, ...] = (),
    from_file: bool = False,
    secret: bool = False,
    empty: object = UNSET,
    yaml_alias: str | None = None,
) -> Any:
    """Declare a field of a settings class; without a default it is required.

    Parameters
    ----------
    kind
        how the value is read: `TEXT`, `PATH`, `FLAG`, `seconds` ...
    help
        one phrase, for ``--help`` and the reference.
    variable
        the environment variable, where it isn't ``WATCHER_<SECTION>_<FIELD>``.
    flags
        further command-line options, for the watcher's own settings.
    from_file
        a second variable, ending in ``_FILE``, may name a file that holds the value. The file wins,
        and it is read again when it changes.
    secret
        the value shows nowhere.
    empty
        the value that an empty variable stands for; else an empty variable counts as unset.
    yaml_alias
        a top-level YAML key that is another name for the field.
    """
    declaration = Declaration(
        kind=kind,
        help=help,
        variable=variable,
        flags=flags,
        from_file=from_file,
        secret=secret,
        empty=empty,
        yaml_alias=yaml_alias,
    )
    return attrs.field(default=default, kw_only=True, metadata={_KEY: declaration})


@attrs.frozen
class Field:
    """A declared field with its names in all sources."""

    name: str
    section: str | None
    """The agent's name, None for the watcher's own settings."""
    declaration: Declaration
    required: bool
    default: object = None
    """What counts when nobody gives a value; None for a required one."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        parts = ["WATCHER", *([self.section] if self.section else []), self.name]
        return self.declaration.variable or "_".join(parts).upper().replace("-", "_")

    @property
    def file_variable(self) -> str | None:
        """The variable that names a file with the value, where that is allowed."""
        return f"{self.variable}_FILE" if self.declaration.from_file else None

    @property
    def option(self) -> str:
        """The long command-line option (the watcher's own settings only)."""
        return "--" + self.name.replace("_", "-")


def fields_of(settings_class: type, section: str | None = None) -> tuple[Field, ...]:
    """Return the declared fields of a settings class, in their order."""
    found = []
    for attribute in attrs.fields(settings_class):
        if _KEY in attribute.metadata:
            required = attribute.default is attrs.NOTHING
            factory = getattr(attribute.default, "factory", None)  # of an `attrs.Factory`
            default = None if required else factory() if callable(factory) else attribute.default
            declaration = attribute.metadata[_KEY]
            found.append(Field(attribute.name, section, declaration, required=required, default=default))
    return tuple(found)

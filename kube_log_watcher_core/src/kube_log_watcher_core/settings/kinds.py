"""The kinds of values that a setting can have, and how each is read from text and from YAML."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, ValuesView
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")
N = TypeVar("N", int, float)

LONGEST_SECONDS = 7 * 86_400.0
"""A week: nothing here waits longer, whatever a setting or an agent says. What the kernel takes as a
timeout ends at 24 days, and beyond it the thread that asks for it would end."""
LARGEST_COUNT = 2**31 - 1
"""The largest whole number, unless a setting says otherwise: shippers written in C or Go take it too."""
DEEPEST = 32
"""Levels of lists and objects in one another. Whoever writes or compares them calls itself so often."""
MOST_VALUES = 100_000
"""Values in lists and objects; YAML can name one list many times over: billions of a few bytes."""


class Secret:
    """A text that never shows in ``repr``, logs or messages."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the one place that must write it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"


@attrs.frozen
class Kind(Generic[T]):
    """How values of one sort are read. Both functions raise `ValueError` on anything else."""

    expected: str
    """What a value looks like, for error messages and ``--help``."""
    from_text: Callable[[str], T]
    """Read the value of a variable or of a command-line option."""
    from_yaml: Callable[[object], T]
    """Read a value that YAML has given a type already."""
    metavar: str = "VALUE"
    """Stands for a value in ``--help``."""
    words: tuple[str, ...] = ()
    """All values there are, where they are few; shell completion offers them."""
    several: bool = False
    """Whether an option may be given several times; the values are then joined by commas."""
    limits: str = ""
    """The least and the largest value, as ``--help`` tells them; nothing where there are none."""


def _text(value: str) -> str:
    if "\0" in value or "\n" in value:
        raise ValueError("one line of text")
    return value


def yaml_text(value: object) -> str:
    """Read a text that YAML has not taken for anything else. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError("text (put it in quotes)")
    return _text(value)


TEXT: Kind[str] = Kind("text", _text, yaml_text, metavar="TEXT")
SECRET: Kind[Secret] = Kind(
    "text", lambda value: Secret(_text(value)), lambda value: Secret(yaml_text(value)), metavar="SECRET"
)

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


FLAG: Kind[bool] = Kind(
    "true or false",
    _flag,
    lambda value: value if isinstance(value, bool) else _flag(str(value)),
    words=("true", "false"),
)


def seconds(*, least: float = 0.0, most: float = LONGEST_SECONDS) -> Kind[float]:
    """Read a duration in seconds, within bounds; nothing that waits takes more than a week."""
    return _within(float, "a number of seconds", f"{least:g} to {most:.10g}", least, most, metavar="SECONDS")


def percent() -> Kind[float]:
    """Read a share of something, from 0 to 100."""
    return _within(float, "a number", "0 to 100", 0.0, 100.0, metavar="PERCENT")


def count(*, least: int = 0, most: int = LARGEST_COUNT) -> Kind[int]:
    """Read a whole number, within bounds."""
    return _within(int, "a whole number", f"{least} to {most}", least, most, metavar="NUMBER")


def _within(
    number_of: Callable[[Any], N], what: str, limits: str, least: N, most: N, *, metavar: str
) -> Kind[N]:
    def check(value: object) -> N:
        # NaN is within no bounds; a whole number is not rounded.
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(value)
        if number_of(value) != value:
            raise ValueError(value)
        return number_of(value)

    return Kind(
        f"{what}, {limits}", lambda text: check(number_of(text)), check, limits=limits, metavar=metavar
    )


def choice(*words: str) -> Kind[str]:
    """Read one of a few words, in any case."""

    def check(text: str) -> str:
        word = text.strip().lower()
        if word not in words:
            raise ValueError(text)
        return word

    expected = f"one of {', '.join(words)}"
    return Kind(expected, check, lambda value: check(yaml_text(value)), metavar="WORD", words=words)


def _path(value: str) -> Path:
    path = Path(_text(value.strip()))
    if not path.is_absolute():
        raise ValueError(value)
    return path


PATH: Kind[Path] = Kind("an absolute path", _path, lambda value: _path(yaml_text(value)), metavar="PATH")


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for item in value.split(",") if (part := _text(item.strip())))


def _listed(one: Callable[[str], T]) -> Callable[[object], tuple[T, ...]]:
    def read(value: object) -> tuple[T, ...]:
        if isinstance(value, str):
            return tuple(one(part) for part in _split(value))
        if not isinstance(value, list):
            raise ValueError(value)
        return tuple(one(yaml_text(item).strip()) for item in value)

    return read


NAMES: Kind[tuple[str, ...]] = Kind(
    "names, comma-separated", _split, _listed(_text), metavar="NAMES", several=True
)
PATHS: Kind[tuple[Path, ...]] = Kind(
    "absolute paths, comma-separated",
    lambda text: tuple(_path(part) for part in _split(text)),
    _listed(_path),
    metavar="PATHS",
    several=True,
)


def _pair(value: str) -> tuple[Path, Path]:
    seen, shown = value.split("=")
    return _path(seen), _path(shown)


PATH_MAP: Kind[tuple[tuple[Path, Path], ...]] = Kind(
    "PREFIX=PREFIX, comma-separated absolute paths",
    lambda text: tuple(_pair(part) for part in _split(text)),
    lambda value: (
        tuple((_path(yaml_text(key)), _path(yaml_text(item))) for key, item in value.items())
        if isinstance(value, Mapping)
        else _listed(_pair)(value)
    ),
    metavar="PREFIX=PREFIX",
    several=True,
)


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ValueError(value)
    return dict(value)


def check_size(value: object) -> None:
    """Make sure that lists and objects are neither too deep nor too many for whoever works on them.

    Raises `ValueError` when they are; a list that holds itself is too deep.
    """
    left, level = MOST_VALUES, [value]
    for _ in range(DEEPEST):
        inner: list[object] = []
        for each in level:
            parts = each.values() if isinstance(each, Mapping) else each
            if isinstance(parts, ValuesView | list | tuple | set):
                left -= len(parts)
                if left < 0:
                    raise ValueError(f"at most {MOST_VALUES} values")
                inner += parts
        if not inner:
            return
        level = inner
    raise ValueError(f"at most {DEEPEST} lists or objects in one another")


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"at most {DEEPEST} lists or objects in one another") from error
    check_size(value)
    return value


JSON_OBJECT: Kind[Mapping[str, Any]] = Kind(
    "a JSON object",
    lambda text: _object(_json(text)),
    lambda value: _object(_json(value) if isinstance(value, str) else value),
    metavar="JSON",
)


def _entries(value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError(value)
    return tuple(value)


ENTRIES: Kind[tuple[Any, ...]] = Kind("a list", lambda text: _entries(_json(text)), _entries, metavar="JSON")
"""A list whose entries their owner judges one by one: a faulty one is dropped and reported, not fatal."""


_ADDRESS = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", re.ASCII)


@attrs.frozen
class Address:
    """A host and a port."""

    host: str
    """A name, or an IP address; IPv6 without brackets."""
    port: int
    """0: the kernel chooses one."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _address(text: str) -> Address:
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise ValueError(text)
    if found["six"] is not None:
        return Address(str(ipaddress.IPv6Address(found["six"])), int(found["port"]))
    found["host"].encode("idna")  # raises on what the resolver would: a label that is empty or too long
    return Address(found["host"], int(found["port"]))


ADDRESS: Kind[Address] = Kind(
    "HOST:PORT to listen on, IPv6 in brackets, e.g. 0.0.0.0:9090 or [::]:9090",
    _address,
    lambda value: _address(yaml_text(value)),
    metavar="HOST:PORT",
)

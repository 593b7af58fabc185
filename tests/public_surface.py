"""Lists all that is public, with signatures, so that no change of it goes unnoticed.

    python tests/public_surface.py FRAGMENT

writes the list anew. ``FRAGMENT`` is the file in ``newsfragments`` that tells users of the change; it must
be new, or changed. After a release, when fragments have moved to the changelog, it is the version.
"""

from __future__ import annotations

import enum
import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

ROOT = Path(__file__).parent.parent
STORED = ROOT / "tests" / "data" / "public_surface.txt"
MODULES = ("kube_log_watcher_core", "kube_log_watcher_testing")


def listing() -> str:
    """Give the list, one line for each name, parameter list and field."""
    lines = [line for name in MODULES for line in _module(importlib.import_module(name), name)]
    return "\n".join(lines) + "\n"


def _module(module: ModuleType, name: str) -> Iterator[str]:
    for each in sorted(_names_of(module)):
        yield from _described(f"{name}.{each}", getattr(module, each))


def _names_of(module: ModuleType) -> list[str]:
    listed: list[str] | None = getattr(module, "__all__", None)
    own = [name for name, value in vars(module).items() if _is_own(value, module) and name[0] != "_"]
    return own if listed is None else listed


def _is_own(value: object, module: ModuleType) -> bool:
    """Tell whether a name is a module's own, and not what it has imported."""
    if isinstance(value, ModuleType) or value is module.__dict__.get("annotations"):
        return False
    home = getattr(value, "__module__", None) if callable(value) else module.__name__
    return home == module.__name__


def _described(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, ModuleType):
        yield from _module(value, path)
    elif isinstance(value, type):
        yield from _class(path, value)
    elif inspect.isfunction(value):
        yield f"{path}{_signature(value)}"
    else:
        # Aliases have a class of their own in each version of Python.
        is_alias = type(value).__module__ in {"types", "typing", "collections.abc"}
        yield f"{path}: {'alias' if is_alias else type(value).__name__}"


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Give a signature; without what hypothesis makes of an annotation, which depends on its version."""
    found = inspect.signature(function)
    if not isinstance(found.return_annotation, str | None):
        return found.replace(return_annotation=inspect.Signature.empty)
    return found


def _class(path: str, cls: type) -> Iterator[str]:
    bases = [base for base in cls.__bases__ if base is not object and ".contract." not in base.__module__]
    yield f"{path}({', '.join(base.__name__ for base in bases)})"
    if issubclass(cls, enum.Enum):
        yield from (f"{path}.{member.name} = {member.value!r}" for member in cls)
        return
    if attrs.has(cls):
        yield from (f"{path}.{_field(field)}" for field in attrs.fields(cls) if field.name[0] != "_")
    elif "__init__" in vars(cls):
        yield f"{path}.__init__{_signature(vars(cls)['__init__'])}"
    yield from (f"{path}.{line}" for line in sorted(_members(cls)))


def _field(field: attrs.Attribute[Any]) -> str:
    factory = isinstance(field.default, attrs.Factory)  # type: ignore[arg-type]  # a class, for all its name
    default = "" if field.default is attrs.NOTHING else " = ..." if factory else f" = {field.default!r}"
    return f"{field.name}: {field.type}{default}{' (keyword)' if field.kw_only else ''}"


def _members(cls: type) -> Iterator[str]:
    """Give public members, also those of our classes that are not public themselves."""
    fields = {field.name for field in attrs.fields(cls)} if attrs.has(cls) else set()
    seen: set[str] = set()
    for owner in cls.__mro__:
        if not owner.__module__.startswith(("kube_log_watcher_core", "kube_log_watcher_testing")):
            continue
        public = {name for name in [*vars(owner), *inspect.get_annotations(owner)] if name[0] != "_"}
        for name in public - seen - fields:
            yield f"{name}{_member(owner, name)}"
        seen |= public


def _member(owner: type, name: str) -> str:
    value = vars(owner).get(name)
    found: Callable[..., Any] | None = value.fget if isinstance(value, property) else None
    if found is not None:
        return f": {_signature(found).return_annotation}"
    function = inspect.unwrap(value) if callable(value) else value
    if inspect.isfunction(function):
        is_abstract = getattr(function, "__isabstractmethod__", False)
        return f"{_signature(function)}{' abstract' if is_abstract else ''}"
    return f": {inspect.get_annotations(owner).get(name, type(value).__name__)}"


def sealed(body: str, source: str) -> str:
    """Give the file: the list, what tells of its last change, and a seal over both."""
    seal = hashlib.sha256(f"{news(source)}\n{body}".encode()).hexdigest()
    return f"# What tells of the last change: {source}\n# {seal}\n{body}"


def news(source: str) -> str:
    """Read the news of a change: a fragment, or a version that the changelog has."""
    fragment = ROOT / "newsfragments" / source
    if fragment.is_file():
        return fragment.read_text()
    if f"\n{source} (" in (ROOT / "CHANGELOG.rst").read_text():
        return source
    raise SystemExit(f"{source} is neither a file in newsfragments nor a version in CHANGELOG.rst")


def source_of(stored: str) -> str:
    """Tell what tells of the last change."""
    return stored.splitlines()[0].rpartition(": ")[2]


def body_of(stored: str) -> str:
    """Give the list itself."""
    return stored.split("\n", 2)[2]


def main(source: str) -> None:
    """Write the list anew, if there is news of what has changed."""
    body, stored = listing(), STORED.read_text() if STORED.exists() else ""
    if stored and body != body_of(stored) and stored == sealed(body_of(stored), source):
        raise SystemExit(f"{source} tells of an earlier change: add to it, or write another one")
    STORED.write_text(sealed(body, source))


if __name__ == "__main__":
    main(*sys.argv[1:])

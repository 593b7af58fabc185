"""The files of a new distribution, before names are filled in."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from string import Template

from kube_log_watcher_testing.new_agent.names import Names

_TEMPLATES = {
    "pyproject.toml": "pyproject.toml.template",
    "README.rst": "README.rst.template",
    "src/$package/__init__.py": "agent.py.template",
    "tests/test_contract.py": "test_contract.py.template",
}


def files(names: Names) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each file. Names are checked, so that filling them in is safe."""
    fields = names.fields()
    for path, template in _TEMPLATES.items():
        text = resources.files(__name__).joinpath(template).read_text(encoding="utf-8")
        yield Path(Template(path).substitute(fields)), Template(text).substitute(fields)
    # Tells type checkers that there are types.
    yield Path("src", names.package, "py.typed"), ""

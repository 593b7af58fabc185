"""Parts of the reference that are made from the program itself, so that they can't drift from it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import kube_log_watcher_testing
from kube_log_watcher_core.cli.options import shown
from kube_log_watcher_core.plugins import installed, load_agent
from kube_log_watcher_core.settings import Field, WatcherSettings, fields_of

FIRST_GROUP = "The node"
"""The title below which ``--help`` begins to list settings."""


class SettingsReference(SphinxDirective):
    """``.. settings:: [AGENT]``: all settings of the watcher, or of an agent."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Describe each setting, as if it were written here."""
        fields = self._fields()
        lines = [line for field in fields for line in _describe(field)]
        return self.parse_text_to_nodes("\n".join(lines))

    def _fields(self) -> Iterable[Field]:
        if not self.arguments:
            return fields_of(WatcherSettings)
        (name,) = self.arguments
        return fields_of(load_agent(name, installed()).settings_class, name)


def _describe(field: Field) -> Iterator[str]:
    declaration = field.declaration
    yield f".. envvar:: {field.variable}"
    yield ""
    yield f"   {_literally(declaration.help)}."
    yield ""
    yield f"   {declaration.kind.expected.capitalize()}; {_default(field)}."
    yield f"   {_names(field)}"
    yield ""


def _default(field: Field) -> str:
    if field.required:
        return "required"
    default = shown(field.default)
    return f"default ``{default}``" if default else "unset by default"


def _names(field: Field) -> str:
    """Return the setting's names in the other sources."""
    others = [
        f"YAML ``{field.section}: {{{field.name}: ...}}``" if field.section else f"YAML ``{field.name}``"
    ]
    if field.section is None:
        options = (*field.declaration.flags, field.option)
        others.append("options " + ", ".join(f"``{option}``" for option in options))
    if field.declaration.yaml_alias:
        others.append(f"also ``{field.declaration.yaml_alias}`` at the top of the YAML file")
    if field.file_variable:
        others.append(f"``{field.file_variable}`` may name a file with the value, which wins")
    return "; ".join(others) + "."


def _literally(text: str) -> str:
    """Take a help text as it is: an asterisk in it is an asterisk."""
    escaped = "".join(f"\\{character}" if character in "*`|\\_" else character for character in text)
    return escaped[:1].upper() + escaped[1:]


class CommandHelp(SphinxDirective):
    """``.. command-help:: [COMMAND]``: what ``--help`` prints."""

    optional_arguments = 1
    option_spec = {"own": directives.flag}  # noqa: RUF012 - docutils' own declaration

    def run(self) -> list[nodes.Node]:
        """Run the program, and show what it prints; with ``:own:``, without the settings of all commands."""
        done = subprocess.run(
            [sys.executable, "-m", "kube_log_watcher_core", *self.arguments, "--help"],
            env={"COLUMNS": "96"},
            capture_output=True,
            text=True,
            check=True,
        )
        text = done.stdout.rstrip()
        if "own" in self.options:
            text, _, _ = text.partition(f"\n\n{FIRST_GROUP}:\n")
        return [nodes.literal_block(text, text, language="none")]


class ContractRules(SphinxDirective):
    """``.. contract-rules:: [CLASS]``: each rule of the contract of agents, or of another one, and why."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Describe each rule by its name and its docstring."""
        contract = getattr(kube_log_watcher_testing, (*self.arguments, "AgentContract")[0])
        rules = [name for name in dir(contract) if name.startswith("test_")]
        lines = [line for name in rules for line in _rule(name, getattr(contract, name).__doc__ or "")]
        return self.parse_text_to_nodes("\n".join(lines))


def _rule(name: str, why: str) -> Iterator[str]:
    yield f"``{name}``"
    yield from (f"    {line.strip()}" for line in why.splitlines())
    yield ""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("settings", SettingsReference)
    app.add_directive("command-help", CommandHelp)
    app.add_directive("contract-rules", ContractRules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

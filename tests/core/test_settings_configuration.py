"""The watcher's settings and its agents', read together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from cli_support import KEY, write_lister
from kube_log_watcher_core.configuration import Configuration, Given, configure
from kube_log_watcher_core.errors import SettingsError


class Chosen:
    """What an operator gives for the agent `lister`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "WATCHER_AGENTS": "lister",
            "WATCHER_EXTRA_AGENT": str(write_lister(folder)),
            "WATCHER_LISTER_FOLDER": str(folder),
            "WATCHER_LISTER_API_KEY": KEY,
        }

    def configure(self, environ: Mapping[str, str] | None = None, yaml: str | None = None) -> Configuration:
        config = None
        if yaml is not None:
            config = self.folder / "config.yaml"
            config.write_text(yaml)
        return configure(Given(environ={**self.environ, **(environ or {})}, config=config))

    def problems(self, environ: Mapping[str, str] | None = None, yaml: str | None = None) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            self.configure(environ, yaml)
        return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def chosen(tmp_path: Path) -> Chosen:
    return Chosen(tmp_path)


def test_an_agent_gets_its_own_settings(chosen: Chosen) -> None:
    configuration = chosen.configure()
    (agent,) = configuration.agents
    assert agent.name == "lister"
    assert agent.origin == str(chosen.folder / "lister.py")
    assert agent.settings.folder == chosen.folder
    assert agent.settings.api_key.reveal() == KEY
    assert KEY not in repr(configuration)


def test_names_of_agents_are_taken_in_any_case_with_spaces_and_once(chosen: Chosen) -> None:
    configuration = chosen.configure({"WATCHER_AGENTS": " Lister , LISTER,,"})
    assert [agent.name for agent in configuration.agents] == ["lister"]


@pytest.mark.parametrize("names", [",", " , "])
def test_at_least_one_agent_is_needed(chosen: Chosen, names: str) -> None:
    assert chosen.problems({"WATCHER_AGENTS": names}) == [
        "WATCHER_AGENTS (environment): expected at least one agent's name"
    ]


def test_defaults_are_those_that_are_promised(chosen: Chosen) -> None:
    watcher = chosen.configure().watcher
    assert watcher.interval == 60
    assert watcher.strict_labels == ("application", "version")
    assert watcher.containers_layout == "auto"
    assert (watcher.cluster_alias, watcher.cluster_environment) == ("none", "production")
    assert chosen.configure().node.node == "unknown"
    assert chosen.configure().log_level == "info"
    assert chosen.configure({"WATCHER_DEBUG": "true", "LOGLEVEL": "error"}).log_level == "debug"
    assert chosen.configure({"LOGLEVEL": "ERROR"}).log_level == "error"


def test_an_empty_list_of_strict_labels_means_none(chosen: Chosen) -> None:
    assert chosen.configure({"WATCHER_STRICT_LABELS": ""}).watcher.strict_labels == ()


def test_yaml_has_agents_as_sections(chosen: Chosen) -> None:
    other = chosen.folder / "other"
    configuration = chosen.configure(
        {"WATCHER_LISTER_FOLDER": ""}, f"interval: 5\nlister: {{folder: {other}}}\n"
    )
    assert configuration.watcher.interval == 5
    assert configuration.agents[0].settings.folder == other


def test_all_files_that_settings_came_from_are_known(chosen: Chosen) -> None:
    key = chosen.folder / "key"
    key.write_text("another key")
    configuration = chosen.configure({"WATCHER_LISTER_API_KEY_FILE": str(key)}, "interval: 5")
    assert tuple(configuration.files) == (chosen.folder / "config.yaml", key)


def test_problems_of_the_watcher_and_of_agents_are_told_together(chosen: Chosen) -> None:
    problems = chosen.problems(
        {
            "WATCHER_AGENTS": "lister,unheard-of",
            "WATCHER_INTERVAL": "soon",
            "WATCHER_LISTER_FOLDER": "here",
            "WATCHER_KUBE_URL": "http://user:hunter2@api",
        },
        "lister: {fold: 1}\nnonsense: 1\n",
    )
    assert len(problems) == 6
    for name in (
        "WATCHER_INTERVAL='soon'",
        "WATCHER_KUBE_URL=***",
        "WATCHER_AGENTS=unheard-of (environment)",
        "WATCHER_LISTER_FOLDER='here'",
        "nonsense (",
        "lister.fold (",
    ):
        assert sum(problem.startswith(name) for problem in problems) == 1, name
    assert "hunter2" not in "\n".join(problems)


def test_a_problem_is_blamed_on_the_source_that_it_came_from(chosen: Chosen) -> None:
    del chosen.environ["WATCHER_AGENTS"]
    (problem,) = chosen.problems(yaml="agents: [unheard-of]\n")
    assert problem.startswith(f"agents=unheard-of ({chosen.folder / 'config.yaml'}): expected an agent that")


def test_a_section_of_an_agent_that_is_not_enabled_is_allowed(chosen: Chosen) -> None:
    quiet = chosen.folder / "quiet.py"
    quiet.write_text(
        "import attrs\n"
        "from kube_log_watcher_core import BaseAgent, TEXT, setting\n"
        "@attrs.frozen\n"
        "class Settings:\n"
        "    word: str = setting(TEXT, help='a word')\n"
        "class Quiet(BaseAgent):\n"
        "    name = 'quiet'\n"
        "    settings_class = Settings\n"
        "    def sync(self, targets): ...\n"
    )
    quiet.chmod(0o644)
    environ = {
        "WATCHER_EXTRA_AGENT": f"{chosen.environ['WATCHER_EXTRA_AGENT']},{quiet}",
        "WATCHER_QUIET_WORD": "hush",
    }
    configuration = chosen.configure(environ, "quiet: {word: hush}\n")
    assert [agent.name for agent in configuration.agents] == ["lister"]
    assert configuration.warnings == ()
    (problem,) = chosen.problems(environ, "quiet: {words: hush}\n")
    assert "did you mean quiet.word?" in problem


def test_a_variable_that_means_nothing_is_a_warning(chosen: Chosen) -> None:
    configuration = chosen.configure({"WATCHER_SERVICE_HOST": "10.0.0.1", "WATCHER_PORT": "tcp://x"})
    assert configuration.warnings == ("ignored, no such setting: WATCHER_PORT, WATCHER_SERVICE_HOST",)


def test_beside_a_missing_setting_the_misspelt_variable_is_named(chosen: Chosen) -> None:
    del chosen.environ["WATCHER_LISTER_FOLDER"]
    (problem,) = chosen.problems({"WATCHER_LISTER_FODLER": "/mnt"})
    assert problem.startswith("WATCHER_LISTER_FOLDER (required, not set)")
    assert problem.endswith("; WATCHER_LISTER_FODLER is set: did you mean WATCHER_LISTER_FOLDER?")


def test_another_setting_that_is_known_is_never_taken_for_the_missing_one(chosen: Chosen) -> None:
    del chosen.environ["WATCHER_LISTER_FOLDER"]
    (problem,) = chosen.problems({"WATCHER_FILESD_FOLDER": "/mnt"})
    assert "did you mean" not in problem


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_an_extra_agent_that_others_can_write_is_refused(chosen: Chosen, mode: int) -> None:
    path = chosen.folder / "lister.py"
    path.chmod(mode)
    first = chosen.problems()[0]
    assert first.startswith(f"WATCHER_EXTRA_AGENT={path} (environment): expected an agent that can be loaded")
    assert f"chmod go-w {path}" in first


def test_a_message_about_a_folder_gets_the_variable_that_names_it(chosen: Chosen) -> None:
    (agent,) = chosen.configure().agents
    named = f"WATCHER_LISTER_FOLDER={chosen.folder}"
    assert agent.with_variables(f"{chosen.folder} is full") == f"{chosen.folder} is full ({named})"
    assert agent.with_variables(f"{named}: is full") == f"{named}: is full"
    assert agent.with_variables(f"{chosen.folder.parent} is full").endswith(f" is full ({named})")
    assert agent.with_variables("the disk is full") == "the disk is full"

"""Everything that is wrong is told at once, with its name, its source and what was expected."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from kube_log_watcher_core import SECRET, TEXT, Secret, setting
from kube_log_watcher_core.errors import SettingsError
from kube_log_watcher_core.settings import fields_of, unknown_keys, unknown_options, unknown_variables
from settings_support import Every, Required, problems, read, sources

FIELDS = {"every": fields_of(Every, "every"), "required": fields_of(Required, "required")}


def test_all_problems_are_told_with_name_value_source_and_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("every: {number: many, word: blue}")
    loaded = read(command_line={"every.pause": "0.1"}, environ={"WATCHER_EVERY_FLAG": "perhaps"}, config=path)
    assert loaded.settings is None
    assert problems(loaded) == [
        "WATCHER_EVERY_FLAG='perhaps' (environment): expected true or false",
        "--set every.pause='0.1' (command line): expected a number of seconds, 0.5 to 604800",
        f"every.number='many' ({path}): expected a whole number, 1 to 2147483647",
        f"every.word='blue' ({path}): expected one of red, green",
    ]
    with pytest.raises(SettingsError) as caught:
        loaded.unwrap()
    assert caught.value.problems == loaded.problems


def test_what_could_be_read_is_there_beside_the_problems() -> None:
    loaded = read(environ={"WATCHER_EVERY_FLAG": "perhaps", "WATCHER_EVERY_NUMBER": "5"})
    assert loaded.values == {"number": 5}


def test_a_missing_value_names_its_variables_and_what_it_is_for() -> None:
    assert problems(read(settings_class=Required, section="my-agent")) == [
        "WATCHER_MY_AGENT_FOLDER (required, not set): expected an absolute path (a folder)",
        "WATCHER_MY_AGENT_KEY or WATCHER_MY_AGENT_KEY_FILE (required, not set): expected text (a key)",
    ]


def test_missing_values_are_not_told_where_the_file_cannot_be_read(tmp_path: Path) -> None:
    """They may be in there; wrong ones of other sources are told."""
    loaded = read(
        settings_class=Required, environ={"WATCHER_EVERY_FOLDER": "here"}, config=tmp_path / "missing.yaml"
    )
    assert loaded.settings is None
    assert [problem.name for problem in loaded.problems] == ["WATCHER_EVERY_FOLDER"]


def test_a_long_value_is_shortened() -> None:
    (problem,) = read(environ={"WATCHER_EVERY_WORD": "x" * 1000}).problems
    assert len(problem.value) == 80
    assert problem.value.endswith("...")


@pytest.mark.parametrize("section", ["every", None])
def test_a_secret_of_the_wrong_kind_does_not_show(tmp_path: Path, section: str | None) -> None:
    @attrs.frozen
    class Careless:
        """Its author forgot to say that it is a secret."""

        secret: Secret = setting(SECRET, help="a secret")

    path = tmp_path / "config.yaml"
    path.write_text("secret: [hunter2]\nevery: {secret: [hunter2]}\n")
    (problem,) = problems(read(settings_class=Careless, section=section, config=path))
    assert "***" in problem
    assert "hunter2" not in problem


def test_a_validator_of_the_class_is_heard() -> None:
    def no_spaces(instance: object, attribute: object, value: str) -> None:
        if " " in value:
            raise ValueError("a name without spaces")

    @attrs.frozen
    class Strict:
        name: str = setting(TEXT, help="a name")

        def __attrs_post_init__(self) -> None:
            no_spaces(self, None, self.name)

    loaded = read(settings_class=Strict, environ={"WATCHER_EVERY_NAME": "a b"})
    assert problems(loaded) == ["settings of agent every (all sources): expected a name without spaces"]


class TestUnknownNames:
    def found(self, folder: Path, text: str) -> list[str]:
        path = folder / "config.yaml"
        path.write_text(text)
        found = unknown_keys(sources(config=path), FIELDS, fields_of(Every))
        assert {problem.source for problem in found} <= {str(path)}
        return [f"{problem.name}: {problem.expected}" for problem in found]

    def test_known_names_are_fine(self, tmp_path: Path) -> None:
        text = "number: 1\nevery: {number: 1, secret_file: /x}\nrequired:\nevery_entries: []\n"
        assert self.found(tmp_path, text) == []

    def test_the_nearest_known_name_is_told(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, "numbr: 1\nevery: {secret_fil: /x}\n") == [
            "numbr: a known name (did you mean number?)",
            "every.secret_fil: a known name (did you mean every.secret_file?)",
        ]

    def test_without_a_near_one_all_are_told(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, "required: {zzz: 1}\n") == ["required.zzz: one of folder, key, key_file"]

    def test_a_section_must_be_a_mapping(self, tmp_path: Path) -> None:
        assert self.found(tmp_path, "every: 5\n") == ["every: a mapping of settings"]

    def test_a_key_need_not_be_text(self, tmp_path: Path) -> None:
        assert len(self.found(tmp_path, "1: 2\nnull: 3\n")) == 2

    def test_assignments_on_the_command_line_are_judged_alike(self) -> None:
        given = {"every.numbr": "1", "every.number": "1", "nobody.x": "1", "number": "5"}
        found = unknown_options(sources(given), {"every": FIELDS["every"]})
        assert str(found[0]).endswith("expected a known name (did you mean every.number?)")
        assert [problem.name for problem in found] == ["--set every.numbr", "--set nobody.x"]
        assert "every.flag" in found[1].expected

    def test_without_any_agent_there_is_nothing_to_assign(self) -> None:
        (problem,) = unknown_options(sources({"nobody.x": "1"}), {})
        assert problem.expected.startswith("no such setting")

    def test_variables_are_only_named(self) -> None:
        environ = {
            "WATCHER_CONFIG": "",
            "WATCHER_EVERY_SECRET_FILE": "/x",
            "WATCHER_SERVICE_HOST": "10.0.0.1",
            "NAMED": "x",
            "OTHER": "y",
        }
        assert unknown_variables(environ, FIELDS["every"]) == ["WATCHER_SERVICE_HOST"]

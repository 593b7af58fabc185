"""Values come from the command line, the environment and YAML, and the first that has one wins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kube_log_watcher_core import Secret
from kube_log_watcher_core.settings.sources import LONGEST_FILE
from settings_support import problems, read, sources


def config(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_the_command_line_wins_over_the_environment_over_yaml_over_the_default(tmp_path: Path) -> None:
    path = config(tmp_path, "every: {number: 30}")
    environ = {"WATCHER_EVERY_NUMBER": "20"}
    command_line = {"every.number": "10"}
    assert read(command_line=command_line, environ=environ, config=path).unwrap().number == 10
    assert read(environ=environ, config=path).unwrap().number == 20
    assert read(config=path).unwrap().number == 30
    assert read().unwrap().number == 3


def test_the_watchers_own_settings_have_no_section(tmp_path: Path) -> None:
    path = config(tmp_path, "number: 30")
    assert read(section=None, config=path).unwrap().number == 30
    assert read(section=None, environ={"WATCHER_NUMBER": "20"}, config=path).unwrap().number == 20
    assert read(section=None, command_line={"number": "10"}, config=path).unwrap().number == 10


def test_a_setting_may_have_a_variable_of_its_own() -> None:
    assert read(environ={"NAMED": "x", "WATCHER_EVERY_NAMED": "y"}).unwrap().named == "x"


def test_an_option_that_was_given_several_times_is_a_list() -> None:
    assert read(command_line={"every.names": ("a,b", "c")}).unwrap().names == ("a", "b", "c")
    assert read(command_line={"every.names": ()}).unwrap().names == ("a", "b")


@pytest.mark.parametrize(
    "name", ["TEXT", "FLAG", "PATH", "PATHS", "PAUSE", "NUMBER", "WORD", "JSON", "ENTRIES"]
)
def test_an_empty_variable_counts_as_unset(name: str, tmp_path: Path) -> None:
    path = config(tmp_path, "every: {text: from the file}")
    loaded = read(environ={f"WATCHER_EVERY_{name}": ""}, config=path)
    assert loaded.problems == ()
    assert loaded.unwrap().text == "from the file"


def test_an_empty_variable_means_something_where_that_is_said(tmp_path: Path) -> None:
    path = config(tmp_path, "every: {names: [c]}")
    assert read(environ={"WATCHER_EVERY_NAMES": ""}, config=path).unwrap().names == ()
    assert read(command_line={"every.names": ""}, config=path).unwrap().names == ()
    assert read(command_line={"every.names": ("",)}, config=path).unwrap().names == ()


def test_a_yaml_value_that_is_null_counts_as_unset(tmp_path: Path) -> None:
    assert read(config=config(tmp_path, "every: {number: null}")).unwrap().number == 3


@pytest.mark.parametrize("text", ["", "# nothing\n", "every:\n", "every: {}\n", "other: {number: 5}\n"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    assert read(config=config(tmp_path, text)).unwrap().number == 3


def test_a_field_may_have_another_name_at_the_top_of_the_file(tmp_path: Path) -> None:
    assert read(config=config(tmp_path, "every_entries: [1]")).unwrap().entries == (1,)
    both = config(tmp_path, "every_entries: [1]\nevery: {entries: [2]}")
    assert read(config=both).unwrap().entries == (2,)


def test_watcher_config_names_the_file_unless_the_command_line_does(tmp_path: Path) -> None:
    path = config(tmp_path, "every: {number: 30}")
    other = tmp_path / "other.yaml"
    other.write_text("every: {number: 40}")
    environ = {"WATCHER_CONFIG": str(path)}
    assert read(environ=environ).unwrap().number == 30
    assert read(environ=environ, config=other).unwrap().number == 40
    assert read(environ={"WATCHER_CONFIG": ""}).unwrap().number == 3


def broken(folder: Path, content: bytes) -> str:
    path = folder / "config.yaml"
    path.write_bytes(content)
    problem = sources(environ={"WATCHER_CONFIG": str(path)}).problem
    assert problem is not None
    assert str(problem).startswith(f"WATCHER_CONFIG={path} (environment): expected a ")
    return problem.expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[1, 2]", "it holds no mapping of settings"),
        (b"just text", "it holds no mapping of settings"),
        (b"a: [1", "line 1, column"),
        (b"a: 1\nb: {\n", "line 3, column 1"),
        (b"!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        (b"a: \xff", "can't decode byte"),
        (b"#" * (LONGEST_FILE + 1), f"at most {LONGEST_FILE} bytes"),
        (b"a: " + b"[" * 5000, "a YAML mapping of settings"),
        (b"a: " + b"[" * 40 + b"]" * 40, "at most 32 lists or objects in one another"),
        (b"a: &a [*a]", "at most 32 lists or objects in one another"),
        (
            b"a0: &a0 [x, x]\n"
            + b"".join(
                b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)
            ),
            "at most 100000 values",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    assert expected in broken(tmp_path, content)


def test_a_broken_file_does_not_quote_its_secrets(tmp_path: Path) -> None:
    assert "hunter2" not in broken(tmp_path, b"every: {secret: 'hunter2, number: 5\n")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    problem = sources(config=tmp_path / "missing.yaml").problem
    assert problem is not None
    assert problem.expected == "a file that can be read (No such file or directory)"


def test_a_pipe_or_a_device_is_no_settings_file_and_holds_nobody_up(tmp_path: Path) -> None:
    pipe = tmp_path / "config.yaml"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        problem = sources(config=path).problem
        assert problem is not None
        assert problem.expected == "a file that can be read (no regular file)"
    (told,) = problems(read(environ={"WATCHER_EVERY_SECRET_FILE": str(pipe)}))
    assert "a file that can be read" in told
    assert "no regular file" in told


class TestSecretFiles:
    def test_a_file_holds_the_value_without_the_newline_at_its_end(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text("hunter2\n")
        loaded = read(environ={"WATCHER_EVERY_SECRET_FILE": str(path)})
        assert loaded.unwrap().secret == Secret("hunter2")
        assert list(loaded.files) == [path]

    def test_the_file_wins_over_the_value(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text("from the file")
        environ = {"WATCHER_EVERY_SECRET_FILE": str(path), "WATCHER_EVERY_SECRET": "from the variable"}
        assert read(environ=environ).unwrap().secret == Secret("from the file")

    def test_yaml_and_the_command_line_can_name_it_too(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text("hunter2")
        yaml = config(tmp_path, f"every: {{secret_file: {path}}}")
        assert read(config=yaml).unwrap().secret == Secret("hunter2")
        assert read(command_line={"every.secret_file": str(path)}).unwrap().secret == Secret("hunter2")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "a file that is not empty"),
            (b" \n", "a file that is not empty"),
            (b"\xff", "a file that can be read"),
            (b"x" * (LONGEST_FILE + 1), f"at most {LONGEST_FILE} bytes"),
        ],
    )
    def test_a_file_without_a_usable_value_is_a_problem(
        self, tmp_path: Path, content: bytes, expected: str
    ) -> None:
        path = tmp_path / "key"
        path.write_bytes(content)
        (problem,) = problems(read(environ={"WATCHER_EVERY_SECRET_FILE": str(path)}))
        assert problem.startswith(f"WATCHER_EVERY_SECRET_FILE={path} (environment): expected a file that ")
        assert expected in problem

    def test_a_file_that_is_not_there_is_watched_all_the_same(self, tmp_path: Path) -> None:
        """It may come a moment later."""
        path = tmp_path / "key"
        loaded = read(environ={"WATCHER_EVERY_SECRET_FILE": str(path)})
        assert loaded.settings is None
        assert list(loaded.files) == [path]

    def test_two_lines_are_no_secret_and_are_not_shown(self, tmp_path: Path) -> None:
        path = tmp_path / "key"
        path.write_text("hunter2\nhunter3\n")
        (problem,) = problems(read(environ={"WATCHER_EVERY_SECRET_FILE": str(path)}))
        assert "***" in problem
        assert "hunter" not in problem

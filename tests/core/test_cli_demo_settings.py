"""The demo makes up settings for any agent, and keeps it inside its folder."""

from __future__ import annotations

from pathlib import Path

from kube_log_watcher_core.plugins import installed, load_agent
from kube_log_watcher_core.settings import PATH, fields_of
from kube_log_watcher_testing.demo.files import changes, short, snapshot
from kube_log_watcher_testing.demo.sample_settings import sample_settings

ID = "0123456789ab" + "c" * 52


def test_every_installed_agent_can_take_part_that_needs_no_shippers_answer(tmp_path: Path) -> None:
    samples = sample_settings(tmp_path, only=None)
    names = sorted({offer.name for offer in installed()})
    awaiting = {name for name in names if load_agent(name, installed()).awaits_shipper}
    assert [sample.name for sample in samples] == [name for name in names if name not in awaiting]
    assert [sample.obstacle for sample in samples] == [""] * len(samples)
    assert "rsyslog" in awaiting


def test_an_agent_that_waits_for_its_shipper_says_so_when_it_is_asked_for(tmp_path: Path) -> None:
    (sample,) = sample_settings(tmp_path, only={"rsyslog"})
    assert "it waits for its shipper's answer" in sample.obstacle


def test_no_path_leads_out_of_the_folder(tmp_path: Path) -> None:
    for sample in sample_settings(tmp_path, only=None):
        fields = fields_of(load_agent(sample.name, installed()).settings_class, sample.name)
        for field in fields:
            if field.declaration.kind is PATH and (field.required or field.default is not None):
                assert Path(sample.values[f"{sample.name}.{field.name}"]).is_relative_to(tmp_path)


def test_an_agent_that_is_not_there_takes_no_part(tmp_path: Path) -> None:
    (sample,) = sample_settings(tmp_path, only={"unheard-of"})
    assert "there is no agent 'unheard-of'" in sample.obstacle


def test_what_became_of_files_is_told_with_short_ids(tmp_path: Path) -> None:
    for name in ("same", "changed", "gone"):
        (tmp_path / name).write_text("x")
    before = snapshot([tmp_path])
    (tmp_path / "changed").write_text("y")
    (tmp_path / "gone").unlink()
    (tmp_path / f"{ID}.log").symlink_to("/nowhere")
    assert changes(before, snapshot([tmp_path]), tmp_path) == ["+ 0123456789ab….log", "~ changed", "- gone"]
    assert short(Path("/elsewhere/x"), tmp_path) == "/elsewhere/x"

"""Which part of a file is about a target."""

from __future__ import annotations

import json

from kube_log_watcher_core.files import part_about

ID = "a" * 64


def document(*entries: object) -> bytes:
    return json.dumps({"api_key": "hidden", "logs": list(entries), "after": {"x": 1}}, indent=1).encode()


def test_of_a_list_in_json_it_is_the_whole_element() -> None:
    entry = {"attributes": {"nested": {"id": ID}}, "rules": [{"x": 1}], "path": "/log"}
    content = document({"attributes": {"id": "other"}}, entry, {"attributes": {"id": "third"}})
    assert json.loads(part_about(content, [ID])) == entry


def test_the_first_element_and_the_only_one_are_found_too() -> None:
    assert json.loads(part_about(document({"id": ID}, {"id": "other"}), [ID])) == {"id": ID}
    assert json.loads(part_about(document({"id": ID}), [ID])) == {"id": ID}


def test_braces_in_texts_lead_nowhere() -> None:
    entry = {"a": "[{", "b": ',{"', "id": ID, "c": "}]"}
    assert json.loads(part_about(document({"x": "}{"}, entry), [ID])) == entry


def test_what_surrounds_the_part_is_not_in_it() -> None:
    assert b"hidden" not in part_about(document({"id": "other"}, {"id": ID}), [ID])


def test_of_any_other_file_it_is_the_lines() -> None:
    content = f"api_key: hidden\nfirst {ID}\nother\nsecond /var/log/x\n".encode()
    assert part_about(content, [ID, "/var/log/x"]) == f"first {ID}\nsecond /var/log/x".encode()


def test_a_file_that_does_not_name_the_target_has_no_part() -> None:
    assert part_about(b"nothing of it", [ID]) == b""
    assert part_about(b"", [ID]) == b""


def test_a_part_is_bounded() -> None:
    assert len(part_about(f"{ID}{'x' * 1_000_000}".encode(), [ID])) == 16 * 1024


def test_a_file_that_is_no_text_does_no_harm() -> None:
    assert ID.encode() in part_about(b"\xff\xfe{[" + ID.encode() + b"\n\xff", [ID])


def test_deep_nesting_does_no_harm() -> None:
    content = b"[" * 5000 + b"{" * 5000 + ID.encode()
    assert ID.encode() in part_about(content, [ID])

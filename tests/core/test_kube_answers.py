"""What refusals mean."""

from __future__ import annotations

import pytest

from kube_log_watcher_core.errors import ApiError, Forbidden, Gone, ServerError, TooManyRequests, Unauthorized
from kube_log_watcher_core.kube.answers import NotFound, error_of, retry_after_in, shortened, status_in


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (404, "", ServerError),
        (410, "Expired", Gone),
        (429, "", TooManyRequests),
        (302, "", ServerError),
        (422, "Invalid", ServerError),
        (500, "", ServerError),
        (503, "ServiceUnavailable", ServerError),
    ],
)
def test_each_status_is_an_error_of_its_own(code: int, reason: str, error: type[ApiError]) -> None:
    made = error_of(code, {"reason": reason, "message": "because"}, verb="list", retry_after=2.0)
    assert type(made) is error
    assert (made.status, made.retry_after) == (code, 2.0)
    assert str(made) == f"list pods: {code} because"


def test_a_version_from_the_future_is_as_good_as_an_expired_one() -> None:
    status = {"details": {"causes": ["odd", {"reason": "ResourceVersionTooLarge"}]}}
    assert type(error_of(504, status, verb="list")) is Gone


@pytest.mark.parametrize("details", [None, [], {"causes": None}, {"causes": {}}, {"causes": [None]}])
def test_odd_details_are_no_version_from_the_future(details: object) -> None:
    assert type(error_of(504, {"details": details}, verb="list")) is ServerError


def test_a_refusal_without_a_status_object_keeps_its_text() -> None:
    assert status_in(b"Too many requests, please try again later.\n")["message"].startswith("Too many")
    assert status_in(b'{"kind":"Status","message":"m"}')["message"] == "m"
    assert status_in(b"[" * 100_000)["message"].startswith("[[")
    assert status_in(b"\xff")["message"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 15 ", 15.0),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
        ("\N{SUPERSCRIPT TWO}", None),
        ("99999999999999", 300.0),
    ],
)
def test_retry_after_is_seconds_within_reason(value: str, seconds: float | None) -> None:
    assert retry_after_in({"Retry-After": value}) == seconds
    assert retry_after_in({}) is None


def test_what_a_server_says_becomes_one_short_printable_line() -> None:
    assert shortened("a\nb\x1b[31mc") == "a b [31mc"
    assert len(shortened("x" * 1000)) == 200

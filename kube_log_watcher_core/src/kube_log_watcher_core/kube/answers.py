"""What the API server's refusals mean, and its silence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kube_log_watcher_core.errors import (
    ApiError,
    Forbidden,
    Gone,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from kube_log_watcher_core.kube.decode import as_dict

LONGEST_RETRY_AFTER_SECONDS = 300.0
"""More than this is no advice to a client but a mistake, or another clock."""

_NOT_PRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")


class NotFound(ApiError):
    """404 for this very object: the API does not have it. Any other 404 is a `ServerError`."""


class Silence(ServerError):
    """A stream brought nothing for too long."""


def error_of(
    code: int,
    status: Mapping[str, Any],
    *,
    verb: str,
    subject: str = "pods",
    retry_after: float | None = None,
) -> ApiError:
    """Return the error for an HTTP status, or for the `Status` object in its body or in a watch's event."""
    reason = str(status.get("reason", ""))
    causes = as_dict(status.get("details")).get("causes")
    reasons = [as_dict(cause).get("reason") for cause in causes] if isinstance(causes, list) else []
    # A version that the server has not reached (a restored etcd has lost it) has the same way out as one that
    # has expired: list again, without a version.
    if code == 410 or reason in ("Expired", "Gone") or "ResourceVersionTooLarge" in reasons:
        error: type[ApiError] = Gone
    elif code == 404 and reason == "NotFound":
        error = NotFound
    else:
        error = {401: Unauthorized, 403: Forbidden, 429: TooManyRequests}.get(code, ServerError)
    message = shortened(str(status.get("message") or reason or "no reason given"))
    return error(f"{verb} {subject}: {code} {message}", status=code, retry_after=retry_after)


def status_in(body: bytes) -> dict[str, Any]:
    """Parse a `Status` object; what is none (429's plain text, a proxy's page) becomes its message."""
    try:
        status = json.loads(body)
    except (ValueError, RecursionError):
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return status
    return {"message": body.decode("utf-8", "replace")}


def retry_after_in(headers: Mapping[str, str]) -> float | None:
    """Return Retry-After in seconds. A date is not understood: Kubernetes sends none."""
    value = headers.get("Retry-After", "").strip()
    if not value.isascii() or not value.isdigit() or not int(value[:9]):
        return None
    return min(float(value[:9]), LONGEST_RETRY_AFTER_SECONDS)


def shortened(text: str) -> str:
    """Make one printable line of what a server said."""
    line = _NOT_PRINTABLE.sub(" ", text).strip()
    return line if len(line) <= 200 else line[:197] + "..."

"""HTTP to the API server: verification, token, time limits, errors by their meaning."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
import urllib3

from kube_log_watcher_core.errors import ApiError, ServerError, Unauthorized
from kube_log_watcher_core.files.signature import Signature, signature
from kube_log_watcher_core.kube.access import ApiAccess, Token
from kube_log_watcher_core.kube.answers import Silence, error_of, retry_after_in, shortened, status_in
from kube_log_watcher_core.kube.timing import Timing
from kube_log_watcher_core.kube.wire import Wire, WireAdapter

PIECE_BYTES = 64 * 1024
REFUSAL_BYTES = 64 * 1024
"""How much of a refusal is read to learn its reason, or of what was made of what was sent."""

_METHODS = {"create": "POST", "patch": "PATCH"}
_KINDS = {"create": "application/json", "patch": "application/merge-patch+json"}


class Untrusted(ServerError):
    """The server's certificate is not one that may be trusted."""


class Cut(ServerError):
    """A stream or body ended before its end."""


class Answer:
    """A successful response whose body is read piece by piece, within the time that its request has.

    Of a stream, which goes on as long as it likes, each piece has its own time.
    """

    def __init__(
        self, response: requests.Response, *, what: str, wire: Wire, piece_seconds: float | None = None
    ) -> None:
        self._what = what
        self._response = response
        self._wire = wire
        self._piece_seconds = piece_seconds

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, decompressed.

        Raises `Silence`, `Cut`, and `ServerError` when its time is up.
        """
        while True:
            if self._piece_seconds is not None:
                self._wire.allow(self._piece_seconds)
            try:
                piece: bytes | None = self._response.raw.read1(PIECE_BYTES, decode_content=True)
            except urllib3.exceptions.ReadTimeoutError as error:
                if self._piece_seconds is None and self._wire.overdue:
                    raise self._late() from error
                raise Silence(f"{self._what}: the stream fell silent") from error
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise Cut(f"{self._what}: the answer broke off: {shortened(str(error))}") from error
            # What is there already is read without a wait, and would be until its end.
            if self._piece_seconds is None and self._wire.overdue:
                raise self._late()
            if not piece:
                return
            yield piece

    def whole(self, *, limit_bytes: int) -> bytes:
        """Return the body. Raises `ServerError` as `pieces` does, and when it is longer than that."""
        pieces, left = [], limit_bytes
        for piece in self.pieces():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise ServerError(f"{self._what}: the answer is longer than {limit_bytes} bytes")
        return b"".join(pieces)

    def _late(self) -> ServerError:
        return ServerError(f"{self._what}: the answer did not end in time")


class ApiSession:
    """Requests to one API server, from one thread; only `cut` may be called from others."""

    def __init__(
        self,
        access: ApiAccess,
        *,
        timing: Timing,
        clock: Callable[[], float],
        count: Callable[[str, str], None],
        subject: str = "pods",
    ) -> None:
        self._access = access
        self._subject = subject
        self._timing = timing
        self._count = count
        self._token = Token(access.token_file)
        self._authorities: Signature | None = None
        self._session: requests.Session | None = None
        self._wire = Wire(clock)

    @property
    def token_changed(self) -> bool:
        """Whether the token's file was replaced since it was read."""
        return self._token.changed

    @contextlib.contextmanager
    def get(
        self, verb: str, path: str, *, params: Mapping[str, str], answer_seconds: float
    ) -> Iterator[Answer]:
        """Ask for something, and give the answer while it lasts.

        ``answer_seconds`` is how long its next bytes may take. All of it may take `Timing.list_seconds`; of
        a watch, the head and then each piece may take ``answer_seconds``.
        Raises `ApiError` by the meaning of the refusal, `ServerError` when there is no answer.
        """
        stream = verb == "watch"
        whole_seconds = answer_seconds if stream else self._timing.list_seconds
        self._wire.begin(verb, read_seconds=answer_seconds, whole_seconds=whole_seconds)
        try:
            with self._ask(verb, path, params, answer_seconds) as response:
                piece_seconds = answer_seconds if stream else None
                what = f"{verb} {self._subject}"
                yield Answer(response, what=what, wire=self._wire, piece_seconds=piece_seconds)
        finally:
            self._wire.end()

    def send(self, verb: str, path: str, body: Mapping[str, Any]) -> bytes:
        """Make something (``create``), or change it by a merge (``patch``); return what was made of it.

        Raises `ApiError` by the meaning of the refusal, `ServerError` when there is no answer.
        """
        seconds = self._timing.answer_seconds
        self._wire.begin(verb, read_seconds=seconds, whole_seconds=self._timing.list_seconds)
        try:
            with self._ask(verb, path, {}, seconds, body) as response:
                answer = Answer(response, what=f"{verb} {self._subject}", wire=self._wire)
                return answer.whole(limit_bytes=REFUSAL_BYTES)
        finally:
            self._wire.end()

    def cut(self, verb: str | None = None) -> None:
        """Free the thread that waits for an answer now (to this verb, if one is named), if one does."""
        self._wire.cut(verb)

    def close(self) -> None:
        """Close the connections that are kept for later."""
        if self._session is not None:
            self._session.close()

    def _ask(
        self,
        verb: str,
        path: str,
        params: Mapping[str, str],
        seconds: float,
        body: Mapping[str, Any] | None = None,
    ) -> requests.Response:
        try:
            return self._ask_once(verb, path, params, seconds, body)
        except Unauthorized:
            if not self._token.renewed():
                raise
            return self._ask_once(verb, path, params, seconds, body)

    def _ask_once(
        self,
        verb: str,
        path: str,
        params: Mapping[str, str],
        seconds: float,
        body: Mapping[str, Any] | None,
    ) -> requests.Response:
        headers = self._token.headers()
        if body is not None:
            headers["Content-Type"] = _KINDS[verb]
        try:
            response = self._current_session().request(
                _METHODS.get(verb, "GET"),
                self._access.url + path,
                params=dict(params),
                headers=headers,
                data=None if body is None else json.dumps(body).encode(),
                timeout=(self._timing.connect_seconds, seconds),
                stream=True,
                verify=_authorities(self._access),
                # A redirect would carry the token to wherever the answer says.
                allow_redirects=False,
            )
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as error:
            self._count(verb, "none")
            root = _root_of(error)
            kind = Untrusted if isinstance(root, ssl.SSLCertVerificationError) else ServerError
            if self._wire.overdue:
                root = TimeoutError("it did not come in time")
            raise kind(
                f"{verb} {self._subject}: no answer: {shortened(str(root) or type(root).__name__)}"
            ) from error
        self._count(verb, str(response.status_code))
        if response.status_code not in (200, 201):
            raise self._refusal(response, verb)
        return response

    def _refusal(self, response: requests.Response, verb: str) -> ApiError:
        answer = Answer(response, what=f"{verb} {self._subject}", wire=self._wire)
        self._wire.hurry(self._timing.connect_seconds)
        try:
            with response:
                body = answer.whole(limit_bytes=REFUSAL_BYTES)
        except ServerError:
            body = b""  # the status alone tells enough
        after = retry_after_in(response.headers)
        said = status_in(self._token.mask(body))
        return error_of(response.status_code, said, verb=verb, subject=self._subject, retry_after=after)

    def _current_session(self) -> requests.Session:
        """Return the session; a new one when the authorities' file was replaced."""
        now = signature(self._access.ca_file)
        if self._session is None or now != self._authorities:
            self.close()
            self._authorities = now
            self._session = session = requests.Session()
            session.mount("http://", WireAdapter(self._wire))
            session.mount("https://", WireAdapter(self._wire))
            # Else a .netrc replaces the token, REQUESTS_CA_BUNDLE the authorities, and a proxy sees it all.
            session.trust_env = False
            session.headers.update(
                {"User-Agent": user_agent(), "Accept": "application/json", "Accept-Encoding": "gzip"}
            )
        return self._session


def user_agent() -> str:
    """Name the watcher and its version to the API server."""
    try:
        return f"kube-log-watcher/{importlib.metadata.version('kube-log-watcher-core')}"
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        return "kube-log-watcher/unknown"


def _authorities(access: ApiAccess) -> str | bool:
    """Return the file or folder of authorities to verify by. Verification itself is never off."""
    if access.ca_file is not None:
        return str(access.ca_file)
    system = ssl.get_default_verify_paths()
    found = next((path for path in (system.cafile, system.capath) if path and Path(path).exists()), None)
    return found or True


def _root_of(error: BaseException) -> BaseException:
    """Return the cause that a person can do something about below the libraries' wrappings."""
    for inner in (getattr(error, "reason", None), *error.args[:1]):
        if isinstance(inner, BaseException):
            return _root_of(inner)
    return error

"""Image references, as the container runtimes write them."""

from __future__ import annotations


def image_parts(reference: str | None) -> tuple[str | None, str | None]:
    """Split an image reference into its name and its version.

    The name is the last path component; the version is the tag, else the digest, else ``latest``.
    A registry's port is no tag: ``localhost:5000/team/app`` is ``app``, ``latest``.
    """
    if not reference:
        return None, None
    path, _, digest = reference.partition("@")
    name, _, tag = path.rsplit("/", 1)[-1].partition(":")
    return name or None, tag or digest or "latest"

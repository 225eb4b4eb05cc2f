"""The part of a file that is common to all theorems: spaces, definitions of classes, and the lemmas about them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files

__all__ = ["write_prelude"]


@cache
def _read_parts() -> dict[str, str]:
    head, *parts = (files(__package__) / "prelude.v").read_text(encoding="utf-8").split("\n(** part: ")
    named = (part.split(" *)", 1) for part in parts)
    return {"head": head.strip(), **{name: text.strip() for name, text in named}}


def write_prelude(wanted: Iterable[str]) -> str:
    """The head, the laws of an inner product, and the wanted parts, in their order.

    >>> "Definition monotone" in write_prelude(["monotone"])
    True
    """
    chosen = {"head", "space", *wanted}
    return "\n\n".join(text for name, text in _read_parts().items() if name in chosen)

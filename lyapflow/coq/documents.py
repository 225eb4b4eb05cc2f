"""A certificate as a file for the proof assistant."""

from __future__ import annotations

from ..certificates.certificate import Certificate
from .prelude import write_prelude
from .proofs import prove
from .scenes import Scene
from .sections import write_section, write_theorem_head
from .statements import list_statements

__all__ = ["write_theorem"]


def write_theorem(certificate: Certificate) -> str:
    """The text of the file."""
    scene = Scene.of(certificate.core)
    statements = list(list_statements(certificate.core))
    parts = [part for beliefs in scene.beliefs for belief in beliefs for part in belief.parts]
    parts += ["height"]
    if len(scene.components) > 1:
        parts.append("product")
    if any(c.kind == "interval" for c in scene.components):
        parts.append("between")
    theorems = []
    for statement in statements:
        script, needed = prove(scene, statement)
        parts += needed
        theorems.append(f"{write_theorem_head(scene, statement)}\n{script}\nQed.")
    section = "\n".join(write_section(scene, statements))
    body = "\n\n".join(theorems)
    return f"{write_prelude(parts)}\n\nSection Certificate.\n\n{section}\n\n(** 6. The theorems. *)\n\n{body}\n\nEnd Certificate.\n"

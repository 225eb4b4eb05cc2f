"""The words of a system with many states: matrices by their names, whose entries are in the certificate's file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..certificates import Certificate
from ..dynamics import LureSystem
from .clock import Clock, is_discrete
from .formulas import Block, Display, Math, Paragraph, Sentence
from .hypotheses import join, write_output
from .symbols import Symbols

if TYPE_CHECKING:
    from .proof import Step

__all__ = ["close_wide", "prepare_wide", "wide_motion", "wide_storage"]


def wide_motion(system: LureSystem) -> list[Block]:
    """Equations of motion with matrices, and what each oracle relates."""
    n, m = system.shape
    names = Symbols.of(system)
    head = "x^{+}" if system.dt > 0 else r"\dot{x}"
    feedthrough = "+Du" if any(map(any, system.D)) else ""
    lines = [Math(rf"{head} = Ax+Bu,\qquad y = Cx{feedthrough}")]
    lines += [Math(f"{names.signal('u', j)} {write_output(system, names, j)}") for j in range(m)]
    stacked = tuple(
        Math(f"{letter} = " + (names.signal(letter, 0) if m == 1 else f"({_list_signals(names, letter, m)})"))
        for letter in "yu"
    )
    matrices = [("A", n, n), ("B", n, m), ("C", m, n), *([("D", m, m)] if feedthrough else [])]
    sizes: Sentence = ()
    for letter, rows, columns in matrices:
        sizes += ((", " if sizes else ""), Math(letter), f" ({rows} x {columns})")
    return [
        Paragraph(Clock.of(system).motion),
        Display(tuple(lines)),
        Paragraph(("with ", *join(stacked), " and the rational matrices ", *sizes, " of the certificate's file.")),
    ]


def _list_signals(names: Symbols, letter: str, m: int) -> str:
    return ",".join(names.signal(letter, j) for j in range(m))


def wide_storage(certificate: Certificate) -> Iterable[Block]:
    """V with its matrix by name."""
    from .statement import describe_values, weighted_oracles

    system = certificate.system
    n = system.shape[0]
    names = Symbols.of(system)
    size = len(certificate.P)
    z = r"z = x-x^{\star}" if size == n else r"z = (x-x^{\star},u-u^{\star})"
    values = "".join(
        "+" + names.signal(r"\lambda", j) + r"\," + names.signal(r"\varphi", j) for j in weighted_oracles(certificate)
    )
    yield Paragraph(("With ", Math(z), ","))
    yield Display((Math(rf"V = z^{{\mathsf{{T}}}}Pz{values}"),))
    yield from describe_values(system, weighted_oracles(certificate), lead="where")
    more = ", and so are the weights of the function values" if values else ""
    yield Paragraph(("The rational matrix ", Math("P"), f" ({size} x {size}) is in the certificate's file{more}."))


def prepare_wide(certificate: Certificate) -> Iterator[Block]:
    """What the proof needs to know of the signals."""
    later = " A superscript + marks what belongs to the next step." if is_discrete(certificate) else ""
    yield Paragraph(
        ("From here on ", Math("x, y, u"), f" are the deviations from the equilibrium.{later} They obey the same "
         "linear relations. Let ", Math("N = |x|^{2}"), ", the squared norm of the state.")
    )  # fmt: skip


def close_wide(step: Step) -> tuple[str, Sentence]:
    """Remainder of a condition, and why it is nonnegative."""
    symbol = {
        "decrease": "S", "positivity": "S_{1}", "upper bound": "S_{2}", "rate": "S_{3}", "speed": "S_{4}",
        "speed limit": "S_{4}", "storage": "P",
    }[step.part]  # fmt: skip
    signals = "(x,u,u^{+})" if any(s.endswith("^{+}") for s in step.signals) else "(x,u)"
    if any(s.startswith(r"\psi") for s in step.signals):
        signals = r"(x,\psi,u)"
    z = r"\zeta"
    why: Sentence = (
        "with ", Math(rf"{z} = {signals}"), " and the symmetric matrix ", Math(symbol), f" of size {len(step.slack)} "
        "that makes this an identity in the signals; its entries follow from the numbers of the certificate's file by "
        "sums and products. It is positive semidefinite, decided in exact arithmetic when this was written. The "
        "checker decides it again.",
    )  # fmt: skip
    return rf"+{z}^{{\mathsf{{T}}}}{symbol}{z}", why

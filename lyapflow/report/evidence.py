"""Evidence that is no certificate: invariants, verdicts, refutations, rates, derived while a page is written.

An author hands over the function of lyapflow that decides, never its answer. The report calls it and prints the word
that the answer deserves; so nothing on a page is called proved because somebody said so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import FunctionType
from typing import Any

import numpy as np

from ..errors import InvalidModelError, VerificationError
from .items import PROVED

__all__ = ["Evidence", "EvidenceRow", "EvidenceSection", "read_evidence"]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Pieces of evidence about a dynamics, derived again when the report is written.

    Parameters
    ----------
    title : str
        Heading.
    derive : function
        A function of lyapflow that returns a piece of evidence, or several: `Identity`, and those of
        `lyapflow.learning.evidence`. It raises `VerificationError` where it cannot.
    arguments : tuple, optional
        What it is called with.
    text : str, default ""
        Printed above.

    Raises
    ------
    InvalidModelError
        If the function is not one of lyapflow, or an argument behaves as its author likes: the word would be theirs.
    """

    title: str
    derive: Callable[..., Any]
    arguments: tuple[object, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        name, module = getattr(self.derive, "__qualname__", ""), getattr(self.derive, "__module__", None) or ""
        home = getattr(sys.modules.get(module), name, None)
        if (
            not isinstance(self.derive, FunctionType)
            or module.split(".")[0] != "lyapflow"
            or home is not self.derive
            or name.startswith("_")
        ):
            raise InvalidModelError(
                f"Evidence: derive must be a function of a module of lyapflow, got {self.derive!r:.80}. What the "
                "report calls proved is decided there; print words of your own as a Note or a Table."
            )
        for argument in self.arguments:
            if not _is_own(argument):
                raise InvalidModelError(
                    "Evidence: arguments must be numbers, text, arrays, or models of lyapflow's own classes, got "
                    f"{type(argument).__module__}.{type(argument).__qualname__}: what another class says of itself is "
                    "not checked"
                )


def _is_own(value: object) -> bool:
    """Whether a value is data, or a model whose behaviour is that of lyapflow."""
    if type(value) in (tuple, list):
        return all(map(_is_own, value))  # type: ignore[call-overload]
    if type(value) in (bool, int, float, str, Fraction) or value is None:
        return True
    if type(value) is np.ndarray:
        return value.dtype.kind in "biuf"
    kind = type(value)
    is_model = kind.__module__.startswith(("lyapflow.learning.", "lyapflow.dynamics.", "lyapflow.exact."))
    is_piece = kind.__module__ == "lyapflow.learning.evidence"
    return is_model and not is_piece and getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One piece: what is claimed, what decided it, and its standing."""

    claim: str
    ground: str
    standing: str
    is_false: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSection:
    """All pieces of one function, or the reason why there are none."""

    anchor: str
    title: str
    text: str
    source: str
    rows: tuple[EvidenceRow, ...]
    failure: str | None = None

    template = "evidence"

    @property
    def proved(self) -> bool:
        """Whether the function came to its end."""
        return self.failure is None


def read_evidence(item: Evidence, anchor: str) -> EvidenceSection:
    """Derive the pieces now."""
    source = f"{item.derive.__module__}.{item.derive.__qualname__}"
    rows: tuple[EvidenceRow, ...] = ()
    failure = None
    try:
        rows = tuple(_read(piece) for piece in _list(item.derive(*item.arguments)))
    except VerificationError as problem:
        failure = str(problem)
    return EvidenceSection(anchor=anchor, title=item.title, text=item.text, source=source, rows=rows, failure=failure)


def _list(found: object) -> Iterator[object]:
    if isinstance(found, Iterable):
        yield from found
    else:
        yield found


def _read(piece: object) -> EvidenceRow:
    from ..exact.identities import Identity
    from ..learning.equilibria import EquilibriumClass
    from ..learning.evidence import COMPUTED, Invariant, LocalRate, Refutation, ScalingLaw, Verdict

    match piece:
        case Identity():
            piece.prove()
            where = "" if not piece.hypotheses else f", where {' and '.join(piece.hypotheses)}"
            what = "the traces of both sides are equal" if piece.is_trace else "both sides are equal"
            ground = f"{what}, word by word, for matrices of every size{where}"
            return EvidenceRow(claim=f"{piece.name}: {piece.statement}", ground=ground, standing=PROVED)
        case Invariant():
            ground = "its derivative is zero identically" if piece.standing == PROVED else f"moved by {piece.drift:.2g}"
            return EvidenceRow(claim=f"{piece.name}: {piece.statement}", ground=ground, standing=piece.standing)
        case Verdict():
            return EvidenceRow(claim=piece.statement, ground=piece.reason, standing=piece.standing)
        case Refutation():
            return EvidenceRow(claim=piece.statement, ground=piece.witness, standing=piece.standing, is_false=True)
        case LocalRate():
            exact = "" if piece.exact is None else f", at least {piece.exact}"
            seen = "" if piece.measured is None else f"; {piece.measured:.6g} along a trajectory"
            ground = f"{piece.rate:.9g}{exact}{seen}"
            return EvidenceRow(claim=f"{piece.name}: rate of the state", ground=ground, standing=piece.standing)
        case ScalingLaw():
            low, high = piece.interval
            verdict = "in" if piece.agrees else "NOT in"
            ground = f"exponent {piece.exponent:.6g}; predicted {piece.predicted}, {verdict} [{low:.6g}, {high:.6g}]"
            return EvidenceRow(claim=piece.name, ground=ground, standing=COMPUTED)
        case EquilibriumClass():
            learnt = ", ".join(f"{value:g} ({count})" for value, count in piece.selection) or "nothing"
            ground = f"loss {piece.loss:.9g}; {piece.index} unstable directions, {piece.nullity} zero eigenvalues"
            return EvidenceRow(claim=f"{piece.kind}: {learnt}", ground=ground, standing=COMPUTED)
    raise InvalidModelError(f"Evidence: the function must return pieces of evidence, got {type(piece).__name__}")

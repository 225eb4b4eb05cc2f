"""An identity between matrix expressions: proved for every size by rewriting, and seen at exact rational points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ..errors import VerificationError
from .matrices import Matrix
from .words import Expression, Letter, Rules, evaluate, rewrite

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Identity:
    """``left = right`` for all matrices for which the rules hold; with `is_trace`, of the traces.

    Attributes
    ----------
    name : str
        Short, unique.
    statement : str
        What is shown, in words and formulas.
    left, right : Expression
        Both sides in letters; `left` is derived from the definitions, `right` is what is claimed.
    rules : Mapping
        The hypotheses, as rewrite rules.
    hypotheses : tuple of str
        The same in words.
    is_trace : bool
        Whether only the traces of both sides are claimed to be equal.
    """

    name: str
    statement: str
    left: Expression
    right: Expression
    rules: Rules = field(default_factory=dict)
    hypotheses: tuple[str, ...] = ()
    is_trace: bool = False

    def prove(self) -> None:
        """Rewrite ``left - right`` to zero, which proves the identity for matrices of every size.

        Raises
        ------
        VerificationError
            If something is left; it is the `witness`.
        """
        rest = rewrite(self.left - self.right, self.rules, cyclic=self.is_trace)
        if not rest.is_zero:
            raise VerificationError(
                f"the identity {self.name!r} is not proved: the difference of its sides is rewritten to {rest}, not 0",
                inequality=self.name,
                witness=rest,
            )

    def measure(self, values: Mapping[Letter, Matrix], sizes: Mapping[str, int]) -> Fraction:
        """Largest entry of ``left - right`` (or size of its trace) at a rational point: the other method.

        Parameters
        ----------
        values : Mapping
            An exact matrix for each letter, for which the hypotheses hold.
        sizes : Mapping
            The dimension of each space.

        Raises
        ------
        VerificationError
            If a hypothesis does not hold at this point.
        """
        for word, value in self.rules.items():
            rows, columns = (word[0].rows, word[-1].columns) if word else (value.rows, value.columns)
            gap = evaluate(Expression(rows, columns, {word: Fraction(1)}) - value, values, sizes)
            if any(v for row in gap for v in row):
                said = " ".join(map(str, word))
                raise VerificationError(
                    f"the point does not satisfy the hypothesis {said} = {value}", inequality=self.name, witness=gap
                )
        gap = evaluate(self.left - self.right, values, sizes)
        if self.is_trace:
            return abs(sum((row[i] for i, row in enumerate(gap)), Fraction(0)))
        return max(abs(v) for row in gap for v in row)

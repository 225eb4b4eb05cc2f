"""Identities between polynomials in real variables, decided by Coq's `ring`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import TypeAlias

from .terms import number

__all__ = ["Monomials", "write_identity"]

Monomials: TypeAlias = Mapping[tuple[int, ...], Fraction]
"""A polynomial: coefficients by the exponents of its variables."""


def write_identity(
    name: str, variables: Sequence[str], left: Monomials, squares: Sequence[tuple[Fraction, Monomials]]
) -> str:
    """The lemma that a polynomial is a weighted sum of squares, denominators cleared, so that `ring` proves it.

    Parameters
    ----------
    name : str
        Of the lemma.
    variables : sequence of str
        Names of the variables.
    left : mapping
        The polynomial.
    squares : sequence of (weight, polynomial)
        Weights and what is squared.

    Examples
    --------
    >>> one = Fraction(1)
    >>> left = {(2, 0): one, (1, 1): one, (0, 2): one / 4}
    >>> print(write_identity("square", ["x", "y"], left, [(one / 4, {(1, 0): 2 * one, (0, 1): one})]))
    Lemma square : forall x y : R,
      4 * x^2 + 4 * x * y + 1 * y^2 =
      1 * (2 * x + 1 * y)^2.
    Proof. intros. ring. Qed.
    """
    # Coefficients of what is squared become integers first; then one common factor clears all that is left.
    cleared = []
    for weight, inside in squares:
        own = lcm(*(c.denominator for c in inside.values()), 1)
        cleared.append((weight / own**2, {at: c * own for at, c in inside.items()}))
    common = lcm(*(c.denominator for c in left.values()), *(weight.denominator for weight, _ in cleared), 1)
    first = _write({at: c * common for at, c in left.items()}, variables)
    second = " + ".join(f"{number(w * common)} * ({_write(inside, variables)})^2" for w, inside in cleared) or "0"
    return f"Lemma {name} : forall {' '.join(variables)} : R,\n  {first} =\n  {second}.\nProof. intros. ring. Qed."


def _write(polynomial: Monomials, variables: Sequence[str]) -> str:
    terms = []
    for exponents, coefficient in polynomial.items():
        powers = [f"{v}^{k}" if k > 1 else v for v, k in zip(variables, exponents, strict=True) if k]
        terms += [" * ".join([number(coefficient), *powers])] if coefficient else []
    return " + ".join(terms) or "0"

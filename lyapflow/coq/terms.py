"""Numbers, vectors and sums as the proof assistant reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

__all__ = ["Terms", "combine", "comment", "difference", "inner", "number", "pair", "product_space", "weighted_sum"]

Terms = list[tuple[str, str]]
"""Coefficients and vectors, both as text."""


def comment(text: str) -> str:
    """Words that a comment can hold: nothing in them opens or closes one, or a string, or is not to be seen.

    >>> comment('a "norm" (*)')
    "a 'norm' ( * )"
    """
    seen = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
    return re.sub(r"\*(?=\))", "* ", re.sub(r"\((?=\*)", "( ", seen)).replace('"', "'")


def number(value: Fraction) -> str:
    """A rational.

    >>> number(Fraction(3)), number(Fraction(-3, 7))
    ('3', '(-3 / 7)')
    """
    if value.denominator == 1:
        return str(value.numerator) if value >= 0 else f"({value.numerator})"
    return f"({value.numerator} / {value.denominator})"


def combine(terms: Iterable[tuple[str, str]], *, instead: str) -> str:
    """A linear combination of vectors; zero times a vector for none.

    >>> combine([("1", "x1"), ("(-2)", "x2")], instead="x1")
    'x1 [+] (-2) [*] x2'
    """
    parts = [vector if c == "1" else f"{c} [*] {vector}" for c, vector in terms]
    return " [+] ".join(parts) if parts else f"0 [*] {instead}"


def difference(a: str, b: str) -> str:
    """The difference of two vectors."""
    return f"{a} [-] {b}"


def inner(a: str, b: str) -> str:
    """The inner product of two vectors."""
    return f"<< {a}, {b} >>"


def weighted_sum(parts: Sequence[tuple[Fraction, str]]) -> str:
    """A sum of real numbers over one common denominator.

    >>> weighted_sum([(Fraction(1, 2), "a"), (Fraction(-1, 3), "b")])
    '(3 * a + (-2) * b) / 6'
    """
    kept = [(c, what) for c, what in parts if c]
    if not kept:
        return "0"
    common = 1
    for c, _ in kept:
        common = common * c.denominator // _gcd(common, c.denominator)
    total = " + ".join(what if c * common == 1 else f"{number(c * common)} * {what}" for c, what in kept)
    return total if common == 1 else f"({total}) / {common}"


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def pair(parts: Sequence[str]) -> str:
    """A vector of a product of spaces, from its components.

    >>> pair(["a", "b", "c"])
    '(a, (b, c))'
    """
    if len(parts) == 1:
        return parts[0] if parts[0].isidentifier() else f"({parts[0]})"
    return f"({parts[0]}, {pair(parts[1:])})" if len(parts) > 2 else f"({parts[0]}, {parts[1]})"


def product_space(spaces: Sequence[str]) -> str:
    """The product of spaces, nested as `pair` nests.

    >>> product_space(["E1", "E2", "E3"])
    'product E1 (product E2 E3)'
    """
    if len(spaces) == 1:
        return spaces[0]
    rest = product_space(spaces[1:])
    return f"product {spaces[0]} {rest if len(spaces) == 2 else f'({rest})'}"

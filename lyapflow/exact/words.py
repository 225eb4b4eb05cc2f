"""Matrix identities for every size: a free algebra of matrix letters over the rationals, with rewrite rules.

An expression is a sum of words, a word a product of letters, and a letter a matrix of which nothing is known but its
shape, whether it is symmetric, and what the rules say. Each rule is an equation between matrices, so rewriting keeps
the value of an expression wherever the rules hold: what is rewritten to zero **is** zero, for matrices of every size.
The converse is not claimed: a remainder may only mean that the rules were too few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from ..errors import DimensionError, InvalidModelError
from .matrices import Matrix, add, identity, multiply, scale, transpose, zeros
from .rationals import as_text

__all__ = ["Expression", "Letter", "Rules", "Word", "differentiate", "evaluate", "letter", "rewrite", "unit"]

_MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True, order=True)
class Letter:
    """A matrix of unknown size.

    Attributes
    ----------
    name : str
        As it is printed.
    rows, columns : str
        Names of the spaces whose dimensions are its numbers of rows and columns.
    symmetric : bool
        Whether it is its own transpose.
    flipped : bool
        Whether this is the transpose of what the name says.
    """

    name: str
    rows: str
    columns: str
    symmetric: bool = False
    flipped: bool = False

    @property
    def T(self) -> Letter:
        """The transpose."""
        if self.symmetric:
            return self
        return replace(self, rows=self.columns, columns=self.rows, flipped=not self.flipped)

    def __str__(self) -> str:
        return self.name + "'" * self.flipped


Word: TypeAlias = tuple[Letter, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A sum of words of one shape with rational coefficients.

    Attributes
    ----------
    rows, columns : str
        The spaces it maps between; products and sums that do not fit are refused.
    terms : Mapping
        Coefficient, never zero, of each word. The empty word is the identity.
    """

    rows: str
    columns: str
    terms: Mapping[Word, Fraction]

    @property
    def T(self) -> Expression:
        """The transpose."""
        flipped = {tuple(x.T for x in reversed(word)): c for word, c in self.terms.items()}
        return Expression(self.columns, self.rows, flipped)

    @property
    def is_zero(self) -> bool:
        """Whether no word is left."""
        return not self.terms

    def __add__(self, other: Expression) -> Expression:
        if (self.rows, self.columns) != (other.rows, other.columns):
            raise DimensionError(
                f"a sum needs equal shapes, got {self.rows} x {self.columns} and {other.rows} x {other.columns}"
            )
        terms = dict(self.terms)
        for word, c in other.terms.items():
            _put(terms, word, c)
        return Expression(self.rows, self.columns, terms)

    def __neg__(self) -> Expression:
        return -1 * self

    def __sub__(self, other: Expression) -> Expression:
        return self + -other

    def __mul__(self, other: Expression) -> Expression:
        if self.columns != other.rows:
            raise DimensionError(f"a product needs equal inner spaces, got {self.columns} and {other.rows}")
        terms: dict[Word, Fraction] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                _put(terms, left + right, a * b)
        return Expression(self.rows, other.columns, terms)

    def __rmul__(self, factor: Fraction | int) -> Expression:
        terms = {word: Fraction(factor) * c for word, c in self.terms.items()} if factor else {}
        return Expression(self.rows, self.columns, terms)

    def __str__(self) -> str:
        parts = [f"{_coefficient(c)}{' '.join(map(str, word)) or 'I'}" for word, c in sorted(self.terms.items())]
        return " + ".join(parts).replace("+ -", "- ") or "0"


Rules: TypeAlias = Mapping[Word, Expression]
"""What a word equals; each rule is a hypothesis."""


def letter(name: str, rows: str, columns: str | None = None) -> Expression:
    """A letter as an expression; symmetric if only one space is given.

    >>> X, M = letter("X", "n", "r"), letter("M", "n")
    >>> print((M * X).T)
    X' M
    """
    one = Letter(name, rows, rows if columns is None else columns, symmetric=columns is None)
    return Expression(one.rows, one.columns, {(one,): Fraction(1)})


def unit(space: str) -> Expression:
    """The identity of a space."""
    return Expression(space, space, {(): Fraction(1)})


def rewrite(expression: Expression, rules: Rules, *, cyclic: bool = False) -> Expression:
    """Apply rules until none applies.

    Parameters
    ----------
    expression : Expression
        What is rewritten.
    rules : Mapping
        From words to the expressions that they equal.
    cyclic : bool, default False
        Whether only the trace matters: words are then read in a circle, forwards and backwards.

    Raises
    ------
    InvalidModelError
        If the rules do not come to an end, or one has no letters on its left.
    DimensionError
        If the sides of a rule have different shapes.

    Examples
    --------
    >>> A, B = letter("A", "n"), letter("B", "n")
    >>> (a,), (b,) = A.terms, B.terms
    >>> print(rewrite(B * A * B * A, {a + b: unit("n")}))
    B A
    >>> print(rewrite(B * A * B * A, {a + b: unit("n")}, cyclic=True))
    I
    """
    _check_rules(rules)
    space = expression.rows if cyclic else None
    waiting, done = dict(expression.terms), dict[Word, Fraction]()
    for _ in range(_MOST_STEPS):
        if not waiting:
            return Expression(expression.rows, expression.columns, done)
        word, c = waiting.popitem()
        readings = tuple(_readings(word)) if cyclic else (word,)
        found = next((new for reading in readings if (new := _replace_once(reading, rules, space)) is not None), None)
        if found is None:
            _put(done, min(readings), c)
        else:
            for replaced, factor in found.items():
                _put(waiting, replaced, c * factor)
    raise InvalidModelError(f"rewrite rules must come to an end, got more than {_MOST_STEPS} steps")


def differentiate(expression: Expression, flow: Mapping[Letter, Expression]) -> Expression:
    """The time derivative, by the product rule.

    Parameters
    ----------
    expression : Expression
        What is differentiated.
    flow : Mapping
        Derivative of each letter that occurs, transposes understood; of a constant it is zero, and must be given too.

    Raises
    ------
    InvalidModelError
        If the derivative of a letter is not known.
    """
    total = Expression(expression.rows, expression.columns, {})
    for word, c in expression.terms.items():
        for k, one in enumerate(word):
            known = flow[one] if one in flow else flow[one.T].T if one.T in flow else None
            if known is None:
                raise InvalidModelError(f"the derivative of every letter must be given, got none for {one}")
            inner = {word[:k] + new + word[k + 1 :]: c * d for new, d in known.terms.items()}
            total = total + Expression(expression.rows, expression.columns, inner)
    return total


def evaluate(expression: Expression, values: Mapping[Letter, Matrix], sizes: Mapping[str, int]) -> Matrix:
    """The value for given rational matrices, by multiplication and without any rule."""
    total = zeros(sizes[expression.rows], sizes[expression.columns])
    for word, c in expression.terms.items():
        product = identity(sizes[expression.rows])
        for one in word:
            product = multiply(product, values[one] if one in values else transpose(values[one.T]))
        total = add(total, scale(c, product))
    return total


def _coefficient(c: Fraction) -> str:
    return "" if c == 1 else "-" if c == -1 else f"{as_text(c)} "


def _put(terms: dict[Word, Fraction], word: Word, c: Fraction) -> None:
    total = terms.get(word, Fraction(0)) + c
    if total:
        terms[word] = total
    else:
        terms.pop(word, None)


def _check_rules(rules: Rules) -> None:
    for pattern, value in rules.items():
        if not pattern:
            raise InvalidModelError(f"a rule must have letters on its left, got none for {value}")
        inner = all(a.columns == b.rows for a, b in pairwise(pattern))
        if not inner or (pattern[0].rows, pattern[-1].columns) != (value.rows, value.columns):
            raise DimensionError(f"the sides of a rule need equal shapes, got {' '.join(map(str, pattern))} = {value}")


def _replace_once(word: Word, rules: Rules, space: str | None) -> dict[Word, Fraction] | None:
    """The word after one replacement; under a trace, `space` is that of the whole.

    No identity of another space may be left over: the empty word does not say whose it is, and their traces differ.
    """
    for pattern, value in rules.items():
        size = len(pattern)
        for k in range(len(word) - size + 1):
            if word[k : k + size] == pattern:
                if space not in (None, word[0].rows) and size == len(word) and () in value.terms:
                    continue
                return {word[:k] + new + word[k + size :]: c for new, c in value.terms.items()}
    return None


def _readings(word: Word) -> Iterator[Word]:
    """All words with the same trace: rotations, and those of the transpose."""
    backwards = tuple(x.T for x in reversed(word))
    for k in range(max(len(word), 1)):
        yield word[k:] + word[:k]
        yield backwards[k:] + backwards[:k]

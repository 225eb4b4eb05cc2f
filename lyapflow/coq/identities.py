"""Identities between polynomials in real variables, decided by Coq's `ring`; and invariants, which are such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import TypeAlias

from ..dynamics.polynomial import PolynomialSystem
from ..errors import InvalidModelError
from ..exact.multivariate import Polynomial
from .terms import comment, number

__all__ = ["Monomials", "write_identity", "write_invariant"]

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


_CALCULUS = """From Coq Require Import Reals Lra.
Local Open Scope R_scope.

Lemma d_add f g t a b : derivable_pt_lim f t a -> derivable_pt_lim g t b ->
  derivable_pt_lim (fun s => f s + g s) t (a + b).
Proof. exact (derivable_pt_lim_plus f g t a b). Qed.
Lemma d_mul f g t a b : derivable_pt_lim f t a -> derivable_pt_lim g t b ->
  derivable_pt_lim (fun s => f s * g s) t (a * g t + f t * b).
Proof. exact (derivable_pt_lim_mult f g t a b). Qed.
Lemma d_const c t : derivable_pt_lim (fun _ => c) t 0.
Proof. exact (derivable_pt_lim_const c t). Qed.
Lemma d_is f t a b : derivable_pt_lim f t a -> a = b -> derivable_pt_lim f t b.
Proof. intros d e. rewrite <- e. exact d. Qed.
Lemma constant_between f T : 0 <= T -> (forall t, 0 <= t <= T -> derivable_pt_lim f t 0) -> f T = f 0.
Proof.
intros [pos | zero] D; [| rewrite <- zero; reflexivity].
destruct (MVT_cor2 f (fun _ => 0) 0 T pos D) as (c & e & _). lra.
Qed."""


def write_invariant(system: PolynomialSystem, functions: Sequence[Polynomial]) -> str:
    """The theorems that polynomial functions of the state are constant along every solution of a polynomial system.

    Nothing is left to the reader here but that there is a solution: the derivative along it is taken by Coq, from the
    rules for sums and products, `ring` decides that it is zero, and the mean value theorem does the rest.

    Parameters
    ----------
    system : PolynomialSystem
        The dynamics.
    functions : sequence of Polynomial
        In the variables of the system. That they are invariant is for the proof assistant to say: nothing is checked
        here.

    Returns
    -------
    str
        A file of its own, with one theorem per function.

    Raises
    ------
    InvalidModelError
        If there are no functions, or they are no polynomials in the variables of the system.

    Examples
    --------
    >>> system = PolynomialSystem.build(["u", "v"], lambda u, v: [v, -u])
    >>> u, v = system.variables
    >>> text = write_invariant(system, [u**2 + v**2])
    >>> text[text.index("Theorem") : text.index("Proof.", text.index("Theorem"))].splitlines()[-1]
    '  invariant_1 (x_u T) (x_v T) = invariant_1 (x_u 0) (x_v 0).'
    """
    functions = list(functions)
    if not functions or not all(isinstance(f, Polynomial) and f.names == system.names for f in functions):
        raise InvalidModelError(
            f"functions must be polynomials in the variables {system.names} of the system, at least one, got "
            f"{functions!r}"
        )
    plain = all(name.isascii() and name.isidentifier() for name in system.names)
    states = [f"x_{name}" if plain else f"x_{k}" for k, name in enumerate(system.names, start=1)]
    binder = f"({' '.join(states)} : R) : R"
    about = ", ".join(states) if plain else ", ".join(f"{x} for {n}" for x, n in zip(states, system.names, strict=True))
    lines = [_CALCULUS, f"\n(* The system, with the states {comment(about)}. *)"]
    for x, equation in zip(states, system.equations, strict=True):
        lines.append(f"Definition d{x} {binder} :=\n  {_multiply_out(equation.terms, states)}.")
    for k, function in enumerate(functions, start=1):
        lines.append(f"\nDefinition invariant_{k} {binder} :=\n  {_multiply_out(function.terms, states)}.")
        lines.append(_write_constancy(f"invariant_{k}", states))
    return "\n".join(lines) + "\n"


def _multiply_out(polynomial: Monomials, states: Sequence[str]) -> str:
    """A polynomial with products for powers: what the rules for derivatives are about."""
    terms = []
    for exponents, coefficient in polynomial.items():
        factors = [x for x, k in zip(states, exponents, strict=True) for _ in range(k)]
        terms += [" * ".join([number(coefficient), *factors])] if coefficient else []
    return " + ".join(terms) or "0"


def _write_constancy(name: str, states: Sequence[str]) -> str:
    def at(t: str) -> str:
        return " ".join(f"({x} {t})" for x in states)

    along = "".join(f"\n  (forall t, 0 <= t <= T -> derivable_pt_lim {x} t (d{x} {at('t')})) ->" for x in states)
    given = [f"D{k}" for k, _ in enumerate(states)]
    rules = " | ".join([*(f"exact ({d} t ht)" for d in given), "eapply d_const", "eapply d_add", "eapply d_mul"])
    slopes = ", ".join(f"d{x}" for x in states)
    return (
        f"Theorem {name}_is_constant : forall (T : R) ({' '.join(states)} : R -> R), 0 <= T ->{along}\n"
        f"  {name} {at('T')} = {name} {at('0')}.\n"
        f"Proof.\nintros T {' '.join(states)} hT {' '.join(given)}.\n"
        f"apply (constant_between (fun s => {name} {at('s')}) T hT). intros t ht. unfold {name}.\n"
        f"eapply d_is; [repeat first [{rules}] | unfold {slopes}; field].\nQed."
    )

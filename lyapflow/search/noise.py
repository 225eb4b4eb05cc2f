"""The largest variance under white noise over the eigenvalues of a quadratic function, and proof of a bound of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, product

import numpy as np

from ..certificates.certificate import Certificate
from ..certificates.verification import satisfies
from ..classes.inequalities import OperatorClass
from ..dynamics import LureSystem, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.polynomials import coefficients
from ..exact.rationals import rational, simplest_between
from ..lmi.gain_claims import L2Gain, NoiseAmplification, Port
from ..lmi.noise import (
    assemble_noise,
    check_noise,
    has_one_eigenvalue,
    measure_amplification,
    measure_variance,
    read_interval,
    variance_at,
)
from ..lmi.templates import QuadraticStorage
from .best import name_tools
from .gain_witness import GainWitness, close_member, is_unstable, list_plants
from .outcomes import UNASKED, Inconclusive, Infeasible, Outcome, Proved, Reason

__all__ = ["attempt_noise", "find_noise_witness", "noise_variance"]

_STEPS = (Fraction(1, 10**9), Fraction(1, 10**7), Fraction(1, 10**5))

_MOST_STATES = 12
"""Of a linear member whose variance is computed: the equation for it has the square of that."""

_PARTS = 4
_MOST_MEMBERS = 30
"""Slopes of a function, less one, and linear members that are looked at."""


def attempt_noise(system: System, claim: NoiseAmplification) -> Outcome:
    """What can be proved of the amplification of noise.

    Parameters
    ----------
    system : LureSystem
        With one function of class `Quadratic`, evaluated explicitly.
    claim : NoiseAmplification
        With or without its variance.

    Raises
    ------
    InvalidModelError
        If the variance is not a function of one eigenvalue.
    """
    check_noise(system, claim)
    if not isinstance(system, LureSystem) or not has_one_eigenvalue(system):
        raise TypeError("internal error: a system was not read")
    worst = _list_worst(system, claim)
    values = [(variance_at(system, claim, s), s) for s in worst]
    names = system.oracle_names
    for value, s in values:
        if value is None:
            witness = GainWitness(slopes=(s,) * len(names), oracle_names=names, gain=None)
            return Infeasible(claim=claim, status=UNASKED, witness=witness)
    top, at = max((value, s) for value, s in values if value is not None)
    if claim.variance is not None and claim.variance < top:
        return Infeasible(
            claim=claim, status=UNASKED, witness=GainWitness(slopes=(at,) * len(names), oracle_names=names, gain=top,
                                                             is_variance=True)
        )  # fmt: skip
    tried = [claim.variance] if claim.variance is not None else [
        top, *(simplest_between(top * (1 + e / 10), top * (1 + e)) if top else e for e in _STEPS)
    ]  # fmt: skip
    for variance in tried:
        if not variance:
            continue
        own = claim.with_number(variance)
        if satisfies(assemble_noise(system, own), {}):
            certificate = Certificate(
                system=system, claim=own, template=QuadraticStorage(), unknowns=(), versions=name_tools()
            )
            return Proved(certificate=certificate, solves=0, steps=(f"variance {float(variance):.9g}, proved",))
    return Inconclusive(reason=Reason.ROUNDING_FAILED, status=UNASKED, claim=claim)


def _list_worst(system: LureSystem, claim: NoiseAmplification) -> list[Fraction]:
    """Both ends of the interval, and where the variance may be largest between them."""
    low, high = read_interval(system)
    found = measure_amplification(system, claim)
    if not any(coefficients(found.top)):  # the noise does not reach the output
        return [low, high]
    top, bottom = (np.polynomial.Polynomial([float(c) for c in coefficients(p)]) for p in (found.top, found.bottom))
    critical = (top.deriv() * bottom - top * bottom.deriv()).roots()
    inside = [float(t.real) for t in np.atleast_1d(critical) if abs(t.imag) < 1e-6 and -1 < t.real < 1]
    inside += [float(t.real) for t in np.atleast_1d(bottom.roots()) if abs(t.imag) < 1e-6 and -1 < t.real < 1]
    return [low, high, *(found.middle + found.half * rational(t) for t in inside if low < high)]


def find_noise_witness(system: System, claim: NoiseAmplification) -> GainWitness | None:
    """The linear member ``u_j = s_j y_j`` with the largest variance that a grid of slopes has, exactly.

    None if no member on the grid is stable, or the system has more than 12 states.
    """
    if not isinstance(system, LureSystem | PrimalDualSystem) or system.shape[0] > _MOST_STATES:
        return None
    names = system.oracle_names
    one = list_plants(system, L2Gain(claim.input, claim.output))[0]
    first = [system.groups.index(g) for g in dict.fromkeys(system.groups)]
    grids = [_spread_slopes(system.oracles[j]) for j in first]
    best: GainWitness | None = None
    for own in islice(product(*grids), _MOST_MEMBERS):
        slopes = tuple(own[g] for g in system.groups)
        closed = close_member(one, slopes)
        found = measure_variance(*closed, discrete=system.dt > 0)
        if found is None:
            if claim.output == "state" and is_unstable(closed[0], system):
                return GainWitness(slopes=slopes, oracle_names=names, gain=None)
            continue
        if best is None or best.gain is None or found > best.gain:
            is_total = isinstance(system, PrimalDualSystem)
            best = GainWitness(slopes=slopes, oracle_names=names, gain=found, is_variance=True, is_total=is_total)
    return best


def _spread_slopes(oracle: OperatorClass) -> list[Fraction]:
    """Slopes between mu and L, the ends first."""
    members = oracle.linear_members()
    low, high = members.lower or Fraction(0), members.upper or Fraction(0)
    inner = [low + (high - low) * Fraction(k, _PARTS) ** 2 for k in range(1, _PARTS)]
    return list(dict.fromkeys([low, high, *inner]))


def noise_variance(
    system: LureSystem, eigenvalues: Sequence[object], *, input: str | Port = "gradient", output: str | Port = "state"
) -> Fraction:
    r"""Stationary variance of a quadratic problem whose spectrum is known, exactly: a sum over the eigenvalues.

    Parameters
    ----------
    system : LureSystem
        With one function of class `Quadratic`, evaluated explicitly.
    eigenvalues : sequence of rationals
        Of the Hessian, with multiplicity; each in [mu, L].
    input, output : str or Port
        As for `NoiseAmplification`; noise of unit intensity in each channel.

    Returns
    -------
    Fraction
        :math:`\lim\mathbb{E}|z|^2`.

    Raises
    ------
    InvalidModelError
        If an eigenvalue is not in the interval, or the system is not stable at it.

    Examples
    --------
    Gradient flow, ``1 / (2 s)`` for each eigenvalue:

    >>> from lyapflow.classes import Quadratic
    >>> from lyapflow.flows import gradient_flow
    >>> noise_variance(gradient_flow(Quadratic(1, 10)), [1, 2, 10])
    Fraction(4, 5)
    """
    claim = NoiseAmplification(input, output)
    check_noise(system, claim)
    if not isinstance(system, LureSystem) or not has_one_eigenvalue(system):
        raise InvalidModelError(
            "noise_variance needs a LureSystem with explicit evaluations of one function, and at most 6 states, got "
            f"{system.name!r}"
        )
    total = Fraction(0)
    for given in eigenvalues:
        s, (low, high) = rational(given, name="eigenvalue"), read_interval(system)
        if not low <= s <= high:
            raise InvalidModelError(f"eigenvalues must be in [{low}, {high}], got {s}")
        value = variance_at(system, claim, s)
        if value is None:
            raise InvalidModelError(f"the system must be stable at each eigenvalue, at {s} it is not")
        total += value
    return total

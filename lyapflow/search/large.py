"""Certificates of large plants with one sector nonlinearity: extreme point, Riccati equation, rounding, proof.

The cost of a semidefinite program for P grows with the sixth power of the number of states, that of the Riccati
equation with the third. The proof is the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from importlib.metadata import version

import numpy as np
from scipy.linalg import eigvalsh

from .. import __version__
from ..certificates.certificate import Certificate
from ..certificates.verification import check
from ..dynamics import System
from ..exact.rationals import rational
from ..lmi.claims import Claim, Contraction, claim_near
from ..lmi.dissipation import UPPER, assemble, storage_name
from ..lmi.templates import QuadraticStorage
from .gain_loop import GainLoop, SectorForm, find_gain_loop, read_sector
from .outcomes import Inconclusive, Infeasible, Outcome, Proved, Reason, tell_claim
from .riccati import ExtremePoint, Storage, find_extreme_point, find_storage
from .witness import find_witness

__all__ = ["SOLVER", "attempt_large"]

SOLVER = "Riccati (SciPy)"
_LOSSES = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # relative distances from the supremum at which a proof is tried
_NEAR = 1e-9  # relative distance from the supremum that floating point cannot tell from none
_SLACK = 2.0**-24  # relative room of the bounds of V by the state norm
_SPARE_BITS = (3, 11)  # beyond what the margin asks for, in order


def attempt_large(system: System, wanted: Claim) -> Outcome | None:
    """The outcome of a search for ``V = x' P x``; None for systems that are not of this kind.

    Parameters
    ----------
    system : LureSystem or PrimalDualSystem
        Of any size; it must have one oracle with one quadratic inequality.
    wanted : ExponentialDecay or Contraction
        Without a number for the best.
    """
    form = read_sector(system)
    loop = None if form is None else find_gain_loop(system, form)
    if form is None or loop is None:
        return None
    extreme = find_extreme_point(loop)
    best = 1 - extreme.level**2 if loop.discrete else -extreme.level  # as a parameter of the claim
    if best <= 0 or (wanted.parameter or 0) > rational(best * (1 + _NEAR)):
        status = f"{SOLVER}: no solution"
        return Infeasible(claim=wanted, status=status, witness=find_witness(system), steps=(status,))
    steps = [f"{SOLVER}: the best {'factor' if loop.discrete else 'rate'} is {abs(extreme.level):.9g}"]
    if wanted.parameter is None:
        claims = [claim_near(wanted, best * (1 - 0.75 * loss), 0.2 * loss) for loss in _LOSSES]
    else:
        claims = [wanted]
    for k, claim in enumerate(claims):
        values = _prove(system, form, loop, extreme, claim)
        steps.append(f"{SOLVER}, QuadraticStorage, {tell_claim(claim)}: {'not ' * (values is None)}proved")
        if values is not None:
            certificate = Certificate(
                system=system,
                claim=claim,
                template=QuadraticStorage(),
                unknowns=tuple(values.items()),
                supremum=extreme.level * (1 if loop.discrete else -1) if wanted.parameter is None else None,
                versions=_tools(),
            )
            return Proved(certificate=certificate, solves=k + 1, steps=tuple(steps))
    near = wanted.parameter is not None and wanted.parameter > rational(best * (1 - _LOSSES[0]))
    return Inconclusive(
        reason=Reason.NEAR_BOUNDARY if near else Reason.ROUNDING_FAILED,
        status=SOLVER,
        claim=wanted,
        tried=_level(claims[-1]) if loop.discrete else -_level(claims[-1]),
        steps=tuple(steps),
    )


def _tools() -> tuple[tuple[str, str], ...]:
    """What found the certificate; a proof does not depend on it."""
    return (
        ("lyapflow", __version__),
        *((name, version(name)) for name in ("scipy", "python-flint")),
        ("solver", SOLVER),
    )


def _level(claim: Claim) -> float:
    """Where the poles of a claim's boundary lie: minus the rate, or the factor."""
    if isinstance(claim, Contraction):
        return float(claim.factor or 0)
    return -float(claim.number or 0)


def _prove(
    system: System, form: SectorForm, loop: GainLoop, extreme: ExtremePoint, claim: Claim
) -> dict[str, Fraction] | None:
    """Exact unknowns that prove a claim, or None."""
    storage = find_storage(loop, extreme, _level(claim))
    if storage is None:
        return None
    pencil = assemble(system, claim, QuadraticStorage(), bounded=True)
    for values in _round(system, form, loop, storage, _level(claim)):
        if check(pencil, values) is None:
            return values
    return None


def _round(
    system: System, form: SectorForm, loop: GainLoop, storage: Storage, level: float
) -> Iterator[dict[str, Fraction]]:
    """Rationals near a storage matrix, scaled so that V is just above the squared norm of the state.

    P is rounded to one dyadic grid in balanced coordinates, as coarse as its margins allow; the way back to the user's
    is exact, because the units are powers of two.
    """
    (mode,) = system.modes
    n = len(loop.A)
    units = [rational(float(v)) for v in loop.units]
    # Each as a largest eigenvalue: in the user's units P may range over more decades than a float has digits.
    squares = np.outer(loop.units, loop.units)
    lowest = 1 / float(eigvalsh(np.linalg.inv(storage.P) * squares)[-1])
    highest = float(eigvalsh(storage.P / squares)[-1])
    slack = max(_SLACK, 2.0**-48 * n * float(np.linalg.cond(storage.P)))  # the second: what is not known of the lowest
    if lowest <= 0:
        return
    scale = (1 + slack) / lowest
    sizes = float(np.linalg.norm(loop.A, 2)) + (0 if loop.discrete else abs(level)), float(np.linalg.norm(loop.B))
    reach = (1 + sum(sizes)) ** 2 if loop.discrete else 2 * sum(sizes)  # by which an error of P enters the slack
    room = min(scale * storage.margin / reach, slack * float(loop.units.min()) ** 2) / n
    upper = rational(scale * highest * (1 + 2 * slack))
    multiplier = rational(scale * loop.multiplier)
    if not (math.isfinite(scale) and room > 0):
        return
    for spare in _SPARE_BITS:
        bits = max(math.ceil(-math.log2(room)) + spare, 0)
        values = {}
        for i, j in itertools.combinations_with_replacement(range(n), 2):
            steps = round(scale * float(storage.P[i, j]) * 2**bits)
            values[storage_name(mode, i, j)] = Fraction(steps, 2**bits) / (units[i] * units[j])
        values |= {name: multiplier * weight for name, weight in form.weights}
        yield values | {UPPER: upper}

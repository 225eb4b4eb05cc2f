r"""Evidence against a gain: a linear member and a frequency at which it amplifies more.

A linear member turns the system into a linear one. Where that is stable, sinusoids show that no gain below
:math:`|T(i\omega)v|/|v|` holds, with T its transfer function; two coordinates that turn make the norms of both signals
constant, so the same holds for the largest values. Slopes and frequency are searched in floating point; the number is
computed, and stability decided, in rational arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar

from ..dynamics import LureSystem, Mode, PolytopicSystem, PrimalDualSystem, System
from ..errors import InvalidModelError
from ..exact.elementary import bound_sqrt_below
from ..exact.matrices import Matrix, add, identity, inverse, multiply, scale, shape, transpose, zeros
from ..exact.rationals import rational, shorten, show_below, simplest_near
from ..exact.spectra import bound_abscissa, bound_radius
from ..lmi.gain_claims import GainClaim, InputToState, L2Gain
from ..lmi.ports import check_ports, find_inlet, find_outlet
from .linear_loop import LinearLoop

__all__ = [
    "GainWitness",
    "check_gain_witness",
    "close_member",
    "find_gain_witness",
    "is_unstable",
    "list_plants",
]

_SHAPE = 6  # points per slope
_MOST = 500  # members that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class GainWitness:
    """A linear member and what it does.

    Attributes
    ----------
    slopes : tuple of Fraction
        Of each oracle, ``u_j = s_j y_j``.
    oracle_names : tuple of str
        Names of the oracles.
    gain : Fraction or None
        Proved: no smaller gain holds. None if the member is unstable, so that no gain holds at all.
    frequency : Fraction
        In radians per time unit; in discrete time the tangent of half the angle per step. Of no use without a gain.
    is_variance : bool, default False
        Whether the number is a variance under white noise.
    is_total : bool, default False
        Whether it is that of all dimensions together.
    """

    slopes: tuple[Fraction, ...]
    oracle_names: tuple[str, ...]
    gain: Fraction | None
    frequency: Fraction = Fraction(0)
    is_variance: bool = False
    is_total: bool = False

    def refutes(self, claimed: Fraction | None) -> bool:
        """Whether no gain as small as this one holds (None: no gain at all)."""
        if self.gain is None:
            return True
        return claimed is not None and self.gain > claimed

    def __str__(self) -> str:
        parts = [f"{name}: u = {shorten(s, most=24)} y" for name, s in zip(self.oracle_names, self.slopes, strict=True)]
        who = f"the linear member {', '.join(parts)}" if parts else "the linear system itself"
        if self.gain is None:
            return f"{who} is not stable"
        if self.is_variance:
            return f"{who} has variance at least {show_below(self.gain)}{'' if self.is_total else ' per dimension'}"
        at = float(self.frequency)
        return f"{who} has gain at least {show_below(self.gain)} (a sinusoid, frequency parameter {at:.6g})"


@dataclass(frozen=True, slots=True)
class _Linear:
    """A plant with its input and output, exactly."""

    plant: LureSystem
    E: Matrix
    F: Matrix
    H: Matrix
    J: Matrix
    copies: int


def find_gain_witness(system: System, claim: L2Gain | InputToState) -> GainWitness | None:
    """The linear member with the largest gain that a search over real slopes finds.

    Parameters
    ----------
    system : LureSystem, PolytopicSystem or PrimalDualSystem
        The system.
    claim : L2Gain or InputToState
        Says from where to where; its number has no say.

    Returns
    -------
    GainWitness or None
        With a gain that no proof can go below; None if no member was found.

    Raises
    ------
    InvalidModelError
        If the claim cannot be made of the system.

    Examples
    --------
    >>> from lyapflow.classes import SmoothStronglyConvex
    >>> from lyapflow.flows import gradient_flow
    >>> print(find_gain_witness(gradient_flow(SmoothStronglyConvex(mu="1/3", L=7)), L2Gain()))
    the linear member f: u = 1/3 y has gain at least 3 (a sinusoid, frequency parameter 0)
    """
    if not isinstance(claim, L2Gain | InputToState):
        raise InvalidModelError(f"find_gain_witness needs an L2Gain or an InputToState, got {claim!r}")
    check_ports(system, claim)
    ones = list_plants(system, claim)
    first = [system.groups.index(g) for g in dict.fromkeys(system.groups)]
    loop = LinearLoop(system)
    seeds: list[list[float]] = []
    for j in first:
        m = system.oracles[j].linear_members()
        low = -1e3 * loop.unit if m.lower is None else float(m.lower)
        high = max(low, 0.0) + 1e3 * loop.unit if m.upper is None else float(m.upper)
        grid = set(np.linspace(low, high, _SHAPE))
        if low > 0:
            grid |= set(np.geomspace(low, high, _SHAPE))
        seeds.append(sorted(grid))
    best: tuple[float, _Linear, tuple[Fraction, ...], float] | None = None
    for slopes in list(product(*seeds))[:_MOST]:
        exact = tuple(_round(slopes[system.groups[j]], system, j) for j in range(len(system.oracles)))
        for one in ones:
            closed = close_member(one, exact)
            if is_unstable(closed[0], system):
                if _sees_all(claim):
                    return GainWitness(slopes=exact, oracle_names=system.oracle_names, gain=None)
                continue
            floats = [np.array(part, float).reshape(shape(part)) for part in closed]
            size, at = _search_frequency(floats, discrete=system.dt > 0)
            if best is None or size > best[0]:
                best = (size, one, exact, at)
    if best is None:
        return None
    _, one, exact, at = best
    frequency = simplest_near(at, 1e-9) if at else Fraction(0)
    gain = _bound_gain(one, exact, frequency, system)
    return (
        None
        if gain is None
        else GainWitness(slopes=exact, oracle_names=system.oracle_names, gain=gain, frequency=frequency)
    )


def check_gain_witness(system: System, claim: L2Gain | InputToState, witness: GainWitness) -> bool:
    """Whether a witness belongs to the classes of a system and does what it says, exactly."""
    if len(witness.slopes) != len(system.oracles):
        return False
    for s, oracle in zip(witness.slopes, system.oracles, strict=True):
        m = oracle.linear_members()
        if (m.lower is not None and s < m.lower) or (m.upper is not None and s > m.upper):
            return False
    if any(witness.slopes[j] != witness.slopes[system.groups.index(g)] for j, g in enumerate(system.groups)):
        return False
    ones = list_plants(system, claim)
    if witness.gain is None:
        return _sees_all(claim) and any(is_unstable(close_member(one, witness.slopes)[0], system) for one in ones)
    found = [_bound_gain(one, witness.slopes, witness.frequency, system) for one in ones]
    return any(gain is not None and gain >= witness.gain for gain in found)


def _sees_all(claim: GainClaim) -> bool:
    """Whether a state that does not converge contradicts the claim by itself."""
    return isinstance(claim, InputToState) or (isinstance(claim, L2Gain) and claim.output == "state")


def _round(s: float, system: System, j: int) -> Fraction:
    m = system.oracles[j].linear_members()
    found = simplest_near(float(s), 1e-9) if s else Fraction(0)
    found = found if m.lower is None else max(found, m.lower)
    return found if m.upper is None else min(found, m.upper)


def list_plants(system: System, claim: L2Gain | InputToState) -> list[_Linear]:
    """Plants that occur, in coordinates in which all is rational: the original ones."""
    if isinstance(system, PrimalDualSystem):
        return [_join(system, claim)]
    if not isinstance(system, LureSystem | PolytopicSystem):
        return []
    mode = system.modes[0]
    found = []
    for plant in mode.vertices:
        inlet = find_inlet(system, mode, plant, claim)
        H, J = _outlet(system, mode, claim)
        found.append(_Linear(plant, inlet.E, inlet.F, H, J, 1))
    return found


def _outlet(system: System, mode: Mode, claim: L2Gain | InputToState) -> tuple[Matrix, Matrix]:
    n, m = mode.vertices[0].shape
    if isinstance(claim, InputToState):
        return identity(n), zeros(n, m)
    outlet = find_outlet(system, mode, claim)
    return outlet.H, outlet.J


def _join(system: PrimalDualSystem, claim: L2Gain | InputToState) -> _Linear:
    """The primal-dual system in x and lambda, with n copies of the oracle."""
    E = system.constraint
    m, n = shape(E)
    top = scale(-system.augmentation, multiply(transpose(E), E))
    A = (*(a + tuple(-v for v in e) for a, e in zip(top, transpose(E), strict=True)),
         *(tuple(system.dual_gain * v for v in row) + (Fraction(0),) * m for row in E))  # fmt: skip
    B = (*scale(Fraction(-1), identity(n)), *zeros(m, n))
    if system.step:
        A, B = add(identity(n + m), scale(system.step, A)), scale(system.step, B)
    C = tuple(row + (Fraction(0),) * m for row in identity(n))
    whole = identity(n + m)
    ports: dict[str, tuple[Matrix, Matrix]] = {
        "state": (whole, zeros(n, n + m)),
        "primal": (transpose(whole[:n]), zeros(n, n)),
        "dual": (transpose(whole[n:]), zeros(n, m)),
        "measurement": (zeros(n + m, n), identity(n)),
    }
    into, F = ports.get(str(claim.input), (B, zeros(n, n)))
    out: dict[str, tuple[Matrix, Matrix]] = {
        "state": (whole, zeros(n + m, n)),
        "primal": (whole[:n], zeros(n, n)),
        "dual": (whole[n:], zeros(m, n)),
    }
    H, J = out.get(claim.output if isinstance(claim, L2Gain) else "state", (zeros(n, n + m), identity(n)))  # type: ignore[arg-type]
    plant = LureSystem(A, B, C, oracles=(system.oracle,) * n, dt=system.dt)
    return _Linear(plant, into, F, H, J, n)


def close_member(one: _Linear, slopes: tuple[Fraction, ...]) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """State, input, output and feedthrough matrices of the linear system from w to z."""
    plant = one.plant
    m = len(plant.oracles)
    if not m:
        return plant.A, one.E, one.H, zeros(len(one.H), shape(one.E)[1])
    each = slopes * one.copies if one.copies > 1 else slopes
    S: Matrix = tuple(tuple(s if i == j else Fraction(0) for j in range(m)) for i, s in enumerate(each))
    loop = multiply(S, inverse(add(identity(m), scale(Fraction(-1), multiply(plant.D, S)))))  # u = loop (C x + F w)
    u_x, u_w = multiply(loop, plant.C), multiply(loop, one.F)
    return (
        add(plant.A, multiply(plant.B, u_x)),
        add(one.E, multiply(plant.B, u_w)),
        add(one.H, multiply(one.J, u_x)),
        multiply(one.J, u_w),
    )


def is_unstable(A: Matrix, system: System) -> bool:
    """Whether a linear system has a solution that does not converge, proved."""
    return bound_radius(A)[0] >= 1 if system.dt > 0 else bound_abscissa(A)[0] >= 0


def _is_stable(A: Matrix, system: System) -> bool:
    return bound_radius(A)[1] < 1 if system.dt > 0 else bound_abscissa(A)[1] < 0


def _search_frequency(parts: list[NDArray[np.float64]], *, discrete: bool) -> tuple[float, float]:
    """The largest gain and its frequency parameter."""
    A = parts[0]

    def size(at: float) -> float:
        point = complex(1 - at**2, 2 * at) / (1 + at**2) if discrete else 1j * at
        return float(np.linalg.norm(_respond(parts, point), 2))

    values = np.abs(np.linalg.eigvals(A)) if not discrete else np.array([1.0])
    unit = float(np.max(values)) or 1.0
    grid = [0.0, *np.geomspace(1e-4 * unit, 1e3 * unit, 60)]
    sizes = [size(at) for at in grid]
    k = int(np.argmax(sizes))
    ends = (grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)])
    found = minimize_scalar(lambda at: -size(at), bounds=ends, method="bounded", options={"xatol": 1e-12 * unit})
    return (-float(found.fun), float(found.x)) if -found.fun > sizes[k] else (sizes[k], float(grid[k]))


def _respond(parts: list[NDArray[np.float64]], point: complex) -> NDArray[np.complex128]:
    A, E, H, J = parts
    inner = np.linalg.solve(point * np.eye(len(A)) - A, E.astype(complex))
    return np.asarray(H @ inner + J, dtype=complex)


def _bound_gain(one: _Linear, slopes: tuple[Fraction, ...], frequency: Fraction, system: System) -> Fraction | None:
    """Rational lower bound of the gain at a frequency, for a linear member that is stable; None if it is not."""
    A, E, H, J = close_member(one, slopes)
    if not _is_stable(A, system):
        return None
    real, imaginary = Fraction(0), frequency
    if system.dt > 0:
        t2 = frequency**2
        real, imaginary = (1 - t2) / (1 + t2), 2 * frequency / (1 + t2)
    n = len(A)
    diagonal, cross = add(scale(real, identity(n)), scale(Fraction(-1), A)), scale(imaginary, identity(n))
    inverted = inverse(_complex(diagonal, cross))
    zero_e, zero_h, zero_j = zeros(*shape(E)), zeros(*shape(H)), zeros(*shape(J))
    T = add(multiply(multiply(_complex(H, zero_h), inverted), _complex(E, zero_e)), _complex(J, zero_j))
    gram = multiply(transpose(T), T)
    vector = eigh(np.array(gram, float))[1][:, -1]
    v = [rational(float(x)) for x in np.round(vector * 2**30) / 2**30]
    norm = sum((x * x for x in v), Fraction(0))
    above = sum((x * y * gram[i][j] for i, x in enumerate(v) for j, y in enumerate(v)), Fraction(0))
    return bound_sqrt_below(above / norm, digits=15)


def _complex(real: Matrix, imaginary: Matrix) -> Matrix:
    """The real matrix of a complex one, on real and imaginary parts."""
    negated = scale(Fraction(-1), imaginary)
    return (
        *(r + i for r, i in zip(real, negated, strict=True)),
        *(i + r for i, r in zip(imaginary, real, strict=True)),
    )

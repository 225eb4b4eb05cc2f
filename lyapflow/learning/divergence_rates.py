r"""How fast KL falls along the natural flow: proved identities, the rate on each sublevel set, and false rates.

Along :math:`\dot p = -(p - q)` the derivative of :math:`\mathrm{KL}(q\|p)` is :math:`-\chi^2(q\|p)`, so the V-rate of
KL on a set is the infimum of :math:`\chi^2/\mathrm{KL}` there.

**From any number of cells to two.** On the compact set :math:`\mathrm{KL}\le c` let p ≠ q minimise
:math:`\chi^2 - r\,\mathrm{KL}`. With :math:`u_i = q_i/p_i`, Lagrange's condition is :math:`u_i^2 - s u_i = \nu` for
all i (s = r inside, another number on the boundary), so the :math:`u_i` take two values, and both divergences are
those of two cells: one collects a subset of the cells of q, with mass Q, and has P > Q. Its infimum rises with Q:
where it is attained, the derivative of :math:`\chi^2 - s\,\mathrm{KL}` by Q is
:math:`2(u - v) - (u + v)\log(u/v) \ge 0` for u < 1 < v, s = u + v, as :math:`\log t \le 2(t-1)/(t+1)` for t ≤ 1. So Q
is the smallest cell, and :func:`lyapflow.exact.divergences.bound_least_ratio` has the answer. Without a level, the
minimum exists as :math:`\chi^2 - r\log(1 + \chi^2) \le \chi^2 - r\,\mathrm{KL}` grows towards the boundary of the
simplex. (Derived for lyapflow.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..errors import InvalidModelError, VerificationError
from ..exact.divergences import bound_divergence, bound_least_ratio, chi_square
from ..exact.multivariate import Polynomial, variables
from ..exact.rationals import as_text, rational, show_above, show_below
from .evidence import PROVED, Refutation

__all__ = [
    "PolynomialIdentity",
    "SublevelRate",
    "bound_sublevel_rate",
    "read_distribution",
    "refute_rate",
    "state_identities",
]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PolynomialIdentity:
    """``left = right`` for all values of the variables, or ``left - right = 0`` after denominators are cleared.

    Attributes
    ----------
    name, statement : str
        What it says, and what follows from it.
    left, right : Polynomial
        Both sides, over the rationals.
    """

    name: str
    statement: str
    left: Polynomial
    right: Polynomial

    def prove(self) -> None:
        """Subtract.

        Raises
        ------
        VerificationError
            If the difference is not the zero polynomial; it is the `witness`.
        """
        if rest := self.left - self.right:
            raise VerificationError(f"{self.name}: the sides differ by {rest}", inequality=self.name, witness=rest)


def state_identities() -> tuple[PolynomialIdentity, ...]:
    r"""The algebra of the three flows, in one cell and in sums over cells, so for every number of cells.

    Examples
    --------
    >>> for identity in state_identities():
    ...     identity.prove()
    >>> state_identities()[0].name
    'natural gradient'
    """
    eta, q, s, sigma, h = variables(["eta", "q", "s", "sigma", "h"])  # s, sigma: sums of eta_j and of q_j, j = 1..n
    one = 0 * eta + 1
    # The gradient of KL in eta is g = -q / eta + (1 - sigma) / (1 - s); eta g and sum eta_j g_j, times 1 - s:
    cell, total = eta * (1 - sigma) - q * (1 - s), s * (1 - sigma) - sigma * (1 - s)
    return (
        PolynomialIdentity(
            name="natural gradient",
            statement="(diag(eta) - eta eta') grad KL = eta - eta_q for every eta, so that p(t) = q + exp(-t) (p0 - q)",
            left=cell - eta * total,
            right=(eta - q) * (1 - s),
        ),
        PolynomialIdentity(
            name="decrease",
            statement="dKL/dt = -chi^2(q||p) along p' = q - p: in each cell, times p, -q (q - p) = -(q - p)^2 - p (q "
            "- p), and the differences q - p add up to 0",
            left=-q * (q - eta),
            right=-((q - eta) ** 2) - eta * (q - eta),
        ),
        PolynomialIdentity(
            name="global rate 1",
            statement="KL <= chi^2: log x <= x - 1 in each cell gives q log(q/p) <= q (q/p - 1), and times p, "
            "q (q - p) = (q - p)^2 + p (q - p), whose last terms add up to 0",
            left=q * (q - eta),
            right=(q - eta) ** 2 + eta * (q - eta),
        ),
        PolynomialIdentity(
            name="curvature in theta",
            statement="1/2 - 2 eta (1 - eta) = 2 (eta - 1/2)^2 >= 0, and row i of C = diag(eta) - eta eta' has "
            "entries whose sizes add up to at most 2 eta_i (1 - eta_i): C <= I/2 (Gershgorin), KL(theta) is "
            "1/2-smooth, steps h < 4 converge",
            left=one / 2 - 2 * eta * (1 - eta),
            right=2 * (eta - one / 2) ** 2,
        ),
        PolynomialIdentity(
            name="least curvature",
            statement="1/4 - eta (1 - eta) = (eta - 1/2)^2 >= 0, a diagonal entry of C: the smallest eigenvalue is at "
            "most 1/4",
            left=one / 4 - eta * (1 - eta),
            right=(eta - one / 2) ** 2,
        ),
        PolynomialIdentity(
            name="natural steps",
            statement="one step of size h: e+ = (1 - h) e for e = eta - eta_q, so that it converges for 0 < h < 2, at "
            "once for h = 1",
            left=eta - h * (eta - q) - q,
            right=(1 - h) * (eta - q),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SublevelRate:
    r"""The V-rate of KL along the natural flow on a sublevel set, :math:`\inf\{\chi^2/\mathrm{KL}: \mathrm{KL}\le c\}`.

    Attributes
    ----------
    level : Fraction or None
        c; None for the whole simplex.
    low, high : Fraction
        The infimum lies between. KL falls at least as fast as ``exp(-low t)`` from each start in the set, which the
        flow does not leave.
    witness : tuple of Fraction or None
        A p with a ratio of at most `high`; None where the infimum is the limit 2 at p = q.
    standing : str
        ``"proved"``: both bounds, in ball arithmetic, of the two cells to which the head of this room reduces the
        question by hand.
    """

    level: Fraction | None
    low: Fraction
    high: Fraction
    witness: tuple[Fraction, ...] | None
    standing: str = PROVED


def read_distribution(q: Sequence[object], name: str = "q") -> tuple[Fraction, ...]:
    """A distribution with positive rational cells.

    Raises
    ------
    InvalidModelError
        If there are fewer than two cells, one is not positive, or their sum is not exactly 1.
    """
    if not isinstance(q, Iterable):
        raise InvalidModelError(f"{name} must be a sequence of rationals that add up to 1, got {q!r}")
    cells = tuple(rational(v, name=name) for v in q)
    if len(cells) < 2 or min(cells) <= 0:
        raise InvalidModelError(f"{name} must have two or more cells, all > 0, got {list(map(as_text, cells))}")
    if sum(cells) != 1:
        raise InvalidModelError(
            f"{name} must add up to 1 exactly, got {as_text(sum(cells, Fraction(0)))}; write decimals as text, '0.3', "
            "or as fractions, as the float 0.3 is another number"
        )
    return cells


def bound_sublevel_rate(q: Sequence[object], level: object = None, *, digits: int = 9) -> SublevelRate:
    r"""The best V-rate of KL along the natural flow that holds on a sublevel set of KL.

    Parameters
    ----------
    q : sequence of n + 1 rationals
        The target.
    level : rational, optional
        c > 0; by default the whole simplex.
    digits : int, default 9
        Decimal digits of the bounds.

    Examples
    --------
    >>> rate = bound_sublevel_rate(["0.5", "0.3", "0.2"])
    >>> round(float(rate.low), 8), [round(float(p), 5) for p in rate.witness]
    (1.82033886, [0.38434, 0.2306, 0.38506])
    """
    cells = read_distribution(q)
    c = None if level is None else rational(level, name="level")
    smallest = min(range(len(cells)), key=lambda i: cells[i])
    low, high, at = bound_least_ratio(cells[smallest], c, digits=digits)
    witness = None
    if at is not None:
        others = (1 - at) / (1 - cells[smallest])
        witness = tuple(at if i == smallest else others * v for i, v in enumerate(cells))
    return SublevelRate(level=c, low=low, high=high, witness=witness)


def refute_rate(q: Sequence[object], rate: object, *, at: Sequence[object] | None = None) -> Refutation | None:
    r"""Refute that KL falls with a V-rate on the whole simplex along the natural flow.

    Parameters
    ----------
    q : sequence of n + 1 rationals
        The target.
    rate : rational
        The V-rate that is claimed.
    at : sequence of n + 1 rationals, optional
        Where to look; by default where the ratio is least.

    Returns
    -------
    Refutation or None
        With a rational p at which dKL/dt > -rate KL: :math:`\chi^2` is exact and KL from below, so that it is proved.
        None if there is no such p here.

    Examples
    --------
    >>> print(refute_rate(["0.5", "0.3", "0.2"], 2, at=["0.45", "0.27", "0.28"]).witness)
    p = (9/20, 27/100, 7/25): chi^2 = 2/63, KL >= 0.0169939652, chi^2/KL <= 1.86807678 < 2
    >>> refute_rate(["1/2", "1/2"], 2) is None
    True
    >>> print(refute_rate(["1/2", "1/2"], "2.1").witness)
    p = (3/8, 5/8): chi^2 = 1/15, KL >= 0.0322692605, chi^2/KL <= 2.06594963 < 21/10
    """
    cells, claimed = read_distribution(q), rational(rate, name="rate")
    p = _find_slow_point(cells, claimed) if at is None else read_distribution(at, "at")
    if p is None:
        return None
    chi, (kl, _) = chi_square(cells, p), bound_divergence(cells, p, digits=30)
    if kl <= 0 or chi >= claimed * kl:
        return None
    digits = 9
    while Fraction(above := show_above(chi / kl, digits)) >= claimed:  # a rounded number must show it too
        digits *= 2
    point = ", ".join(as_text(v) for v in p)
    return Refutation(
        statement=f"KL falls with V-rate {as_text(claimed)} along the natural flow from every start, q = "
        f"({', '.join(map(as_text, cells))})",
        witness=f"p = ({point}): chi^2 = {as_text(chi)}, KL >= {show_below(kl)}, chi^2/KL <= {above} < "
        f"{as_text(claimed)}",
        standing=PROVED,
    )


def _find_slow_point(q: tuple[Fraction, ...], rate: Fraction) -> tuple[Fraction, ...] | None:
    """Where chi^2/KL is least; if that is only in the limit at q, where it is 2, a point near enough for the rate."""
    if (p := bound_sublevel_rate(q).witness) is not None or rate <= 2:
        return p
    shift = min(q[:2]) / 4
    while True:
        p = (q[0] - shift, q[1] + shift, *q[2:])
        if chi_square(q, p) < rate * bound_divergence(q, p, digits=30)[0]:
            return p
        shift /= 4

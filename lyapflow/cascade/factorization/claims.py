"""What is claimed of each stage of the factorization flow, what it rests on, and its proof again."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ...errors import VerificationError
from .bounds import StageConstants
from .gaps import SpectralGaps
from .proofs import prove_identities

__all__ = ["StageBound", "claim_bounds"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageBound:
    r"""``quantity <= constant (1 + t)^growth e^(-rate t)``, or ``quantity <= constant / t^order``.

    Attributes
    ----------
    name : str
        As in `SchurCascade.bounds`.
    quantity : str
        What is bounded.
    statement : str
        The bound as a function of time.
    hypotheses : tuple of str
        What is assumed of the start and of M.
    rate : Fraction or None
        Exponential rate of the quantity itself; None where it is not exponential.
    modes : tuple of (int, int)
        Pairs (a, b): the rate is the least ``a l1 + b l2`` with the gaps l1 and l2.
    growth : int
        Degree of a polynomial factor in t beside the exponential.
    order : int
        Power of 1/t where the rate is None.
    constant : float
        Computed from the start in floating point, and rounded up.
    identities : tuple of str
        Names of the identities it rests on, see `lyapflow.cascade.factorization.proofs`.
    inequalities : tuple of str
        The named inequalities between them and the bound.
    gaps : SpectralGaps
        The gaps l1 and l2.
    source : StageConstants
        The numbers of the start that the claim was made from.
    """

    name: str
    quantity: str
    statement: str
    hypotheses: tuple[str, ...]
    rate: Fraction | None
    modes: tuple[tuple[int, int], ...]
    growth: int = 0
    order: int = 0
    constant: float
    identities: tuple[str, ...]
    inequalities: tuple[str, ...]
    gaps: SpectralGaps
    source: StageConstants = field(repr=False)

    @property
    def standing(self) -> str:
        """``"proved"``, or ``"computed"`` and why: of the form and the rate; the constant is computed in any case."""
        return self.gaps.standing

    @property
    def is_proved(self) -> bool:
        """Whether form and rate are proved for the exact value of M, for starts that satisfy the hypotheses."""
        return self.gaps.is_proved

    def verify(self) -> bool:
        """Prove the identities for every size again, the gaps of M exactly, and the rate from them.

        All else that is claimed must be what follows from the numbers of the start, which are computed.

        Returns
        -------
        bool
            Whether all of it is proved; False where the gaps are computed only.

        Raises
        ------
        VerificationError
            If the certificate claims what is not true.
        """
        prove_identities(*self.identities)
        self.gaps.verify()
        best = _least(self.modes, self.gaps)
        if (self.rate is None) != (best is None or best == 0) or (self.rate is not None and self.rate > (best or 0)):
            raise VerificationError(
                f"the rate of {self.quantity} must be {best}, the least of the combinations {self.modes} of the gaps, "
                f"got {self.rate}",
                inequality=f"rate of {self.name}",
                witness=best,
            )
        derived = next((one for one in claim_bounds(self.source, self.gaps) if one.name == self.name), None)
        for name in _CLAIMED:
            wanted, given = getattr(derived, name, None), getattr(self, name)
            if wanted != given:
                raise VerificationError(
                    f"the {name} of the bound of {self.name!r} must be {wanted!r}, which follows from the stages, got "
                    f"{given!r}",
                    inequality=f"{name} of {self.name}",
                    witness=given,
                )
        return self.is_proved


_CLAIMED = (
    "quantity", "statement", "hypotheses", "modes", "growth", "order", "constant", "identities", "inequalities",
)  # fmt: skip
"""What must be as it was derived; the rate may be smaller."""

_START = ("X' = (M - X X') X with M symmetric",)
_FULL = "V1'X0 has full row rank k, so that P11(0) is positive definite"
_PSD = "S >= 0: it is a Schur complement of P = XX' >= 0, and stays one"
_COMPARISON = "comparison of scalar differential inequalities"
_CAUCHY = "Cauchy and Schwarz: tr(S^2) >= (tr S)^2 / rank S, and the rank of S is constant"
_RAYLEIGH = "Rayleigh: tr(H'L2H) + tr(HL1H') >= (l1 + l2) |H|^2, as L1 >= l1 I and L2 >= l2 I"
_PUSH = "0 <= Theta (I + S0 Theta)^-1 <= theta I, with Theta itself or with the inverse of S0"
_SIZE = "|P| <= max(|P(0)|, largest eigenvalue of M): its largest eigenvalue p satisfies p' <= 2 (lambda_max - p) p"
_NORM = "|ABC|_F <= |A|_2 |B|_F |C|_2"
_BELOW = "S(t) <= E S0 E, as 0 < (I + G' Theta G)^-1 <= I for S0 = G G'"


def claim_bounds(c: StageConstants, gaps: SpectralGaps) -> tuple[StageBound, ...]:
    """All certificates of a start that satisfies the rank condition."""
    found: list[StageBound] = []
    if c.has_spare:
        found += _certify_spare(c, gaps)
    if c.has_upper:
        found += _certify_upper(c, gaps)
    found += _certify_whole(c, gaps)
    return tuple(found)


def _certify_spare(c: StageConstants, gaps: SpectralGaps) -> list[StageBound]:
    modes = ((0, 2),)
    rate = _least(modes, gaps) or None
    slow = "s0/(1 + 2 s0 t) <= 1/(2 t)" if rate is None else "s0 e^(-2 l2 t)/(1 + (s0/l2)(1 - e^(-2 l2 t)))"
    traced = "1/(1/tr S0 + 2 t/q)" if rate is None else "tr S0 e^(-2 l2 t)/(1 + (tr S0/(q l2))(1 - e^(-2 l2 t)))"
    return [
        StageBound(
            name="S",
            quantity="|S|_2",
            statement=f"|S|_2 <= {slow}",
            hypotheses=(*_START, _FULL),
            rate=rate,
            modes=modes,
            order=int(rate is None),
            constant=0.5 if rate is None else c.s,
            identities=("stage S", "solution S", "start S"),
            inequalities=(_PSD, "the largest eigenvalue s of S satisfies s' <= -2 l2 s - 2 s^2", _COMPARISON),
            gaps=gaps,
            source=c,
        ),
        StageBound(
            name="trace S",
            quantity="tr S",
            statement=f"tr S <= {traced} with q = {c.rank} >= rank S",
            hypotheses=(*_START, _FULL),
            rate=rate,
            modes=modes,
            order=int(rate is None),
            constant=c.rank / 2 if rate is None else c.trace,
            identities=("stage S", "decrease of tr S"),
            inequalities=(_PSD, _CAUCHY, _COMPARISON),
            gaps=gaps,
            source=c,
        ),
    ]


def _certify_upper(c: StageConstants, gaps: SpectralGaps) -> list[StageBound]:
    coupled = c.h > 0
    growth = int(coupled and _is_linear(c))
    spread = min(c.spread, 1 / c.below if c.below else np.inf)
    gap = max(c.gap, 2 * c.h**2) if growth else c.gap + (c.h**2 * spread if coupled else 0.0)
    cross = ((1, 1),) if gaps.below is not None else ((1, 0),)
    theta = "2 t" if growth else "min(1/lambda_min(S0), (1 - e^(-2 l2 t))/l2)"
    return [
        StageBound(
            name="H",
            quantity="|H|_F",
            statement="|H|_F <= e^(-(l1 + l2) t) |H(0)|_F",
            hypotheses=(*_START, _FULL),
            rate=_least(cross, gaps),
            modes=cross,
            constant=c.h,
            identities=("stage H", "decrease of H"),
            inequalities=(_PSD, _RAYLEIGH, _COMPARISON),
            gaps=gaps,
            source=c,
        ),
        StageBound(
            name="Y",
            quantity="|P11^-1 - L1^-1|_F",
            statement=f"|Y - L1^-1|_F <= e^(-2 l1 t) (|Y(0) - L1^-1|_F + |H(0)|_F^2 theta(t)), theta = {theta}",
            hypotheses=(*_START, _FULL),
            rate=_least(((2, 0),), gaps),
            modes=((2, 0),),
            growth=growth,
            constant=gap,
            identities=("stage Y", "change of the gap", "solution Y", "start Y", "transposed resolvent"),
            inequalities=(_PUSH, _NORM),
            gaps=gaps,
            source=c,
        ),
        StageBound(
            name="P11",
            quantity="|P11 - L1|_F",
            statement="|P11 - L1|_F <= p lambda_max(L1) |Y - L1^-1|_F with p = max(|P(0)|, lambda_max)",
            hypotheses=(*_START, _FULL),
            rate=_least(((2, 0),), gaps),
            modes=((2, 0),),
            growth=growth,
            constant=c.size * c.largest * gap,
            identities=("gap of P11", "stage Y", "change of the gap", "solution Y", "decrease of V1"),
            inequalities=(_SIZE, _NORM, _PUSH),
            gaps=gaps,
            source=c,
        ),
    ]


def _certify_whole(c: StageConstants, gaps: SpectralGaps) -> list[StageBound]:
    """From the blocks: P21 = H P11, P22 = S + H P11 H'."""
    slow = c.has_spare and c.below == 0
    growth = int(c.has_upper and c.h > 0 and _is_linear(c)) if not slow else 0
    modes = [(0, 2)] if c.has_spare else []
    loss_modes = [(0, 2)] if c.has_spare else []
    if c.has_upper:
        modes.append((2, 0))
        loss_modes.append((4, 0))
        if c.h:
            modes.append((1, 1))
            loss_modes.append((2, 2))
    if not modes:
        modes = loss_modes = [(0, 0)]  # P stays at the limit
    size = _collect(c, slow=slow)
    shared = ("back-map P21", "back-map P22", "stage S", "stage H", "gap of P11", "solution Y")
    return [
        StageBound(
            name="P",
            quantity="|P - limit|_F",
            statement="|P - limit|_F^2 = |P11 - L1|_F^2 + 2 |H P11|_F^2 + |S + H P11 H'|_F^2, each by its stage",
            hypotheses=(*_START, _FULL),
            rate=None if slow else (_least(tuple(modes), gaps) or None),
            modes=tuple(modes),
            growth=growth,
            order=int(slow),
            constant=size,
            identities=shared,
            inequalities=(_SIZE, _NORM, "|S|_F <= tr S"),
            gaps=gaps,
            source=c,
        ),
        StageBound(
            name="excess",
            quantity="f - f*",
            statement="f - f* = (|P - limit|_F^2 + 2 tr(L2 P22))/4, with tr(L2 S) <= tr(L2 E S0 E)",
            hypotheses=(*_START, _FULL),
            rate=None if slow else (_least(tuple(loss_modes), gaps) or None),
            modes=tuple(loss_modes),
            growth=2 * growth,
            order=2 * slow,
            constant=_collect_loss(c, size, slow=slow),
            identities=(*shared, "solution S"),
            inequalities=(_SIZE, _NORM, _BELOW, "|S|_F <= tr S"),
            gaps=gaps,
            source=c,
        ),
    ]


def _is_linear(c: StageConstants) -> bool:
    """Whether theta grows like 2 t: L2 may be singular, and S0 is."""
    return c.below == 0 and np.isinf(c.spread)


def _collect(c: StageConstants, *, slow: bool) -> float:
    """A constant for the whole: with the slowest exponential in front, or with 1/t."""
    spread = min(c.spread, 1 / c.below if c.below else np.inf)
    if not slow:
        gap = max(c.gap, 2 * c.h**2) if _is_linear(c) else c.gap + (c.h**2 * spread if c.h else 0.0)
        block = c.size * c.largest * gap if c.has_upper else 0.0
        return float(np.sqrt(block**2 + 2 * (c.size * c.h) ** 2 + (c.trace + c.size * c.h**2) ** 2))
    rate = c.above
    extra = min(2 * _peak(2, 2 * rate), c.spread * _peak(1, 2 * rate)) if c.h else 0.0
    block = c.size * c.largest * (c.gap * _peak(1, 2 * rate) + c.h**2 * extra) if c.has_upper else 0.0
    cross = c.size * c.h * _peak(1, rate) if c.h else 0.0
    rest = c.rank / 2 + (c.size * c.h**2 * _peak(1, 2 * rate) if c.h else 0.0)
    return float(np.sqrt(block**2 + 2 * cross**2 + rest**2)) * (1 + 1e-12)


def _collect_loss(c: StageConstants, size: float, *, slow: bool) -> float:
    """The same for the loss, with 1/t^2."""
    if not slow:
        return float((size**2 + 2 * (c.weights.sum() + c.deepest * c.size * c.h**2)) / 4)
    linear = sum(w * _peak(2, 2 * rate) for w, rate in zip(c.weights, c.fall, strict=True) if w > 0)
    linear += c.deepest * c.size * c.h**2 * _peak(2, 2 * c.above) if c.h else 0.0
    return float((size**2 + 2 * linear) / 4) * (1 + 1e-12)


def _peak(power: int, rate: float) -> float:
    """The largest value of ``t^power e^(-rate t)``."""
    return float((power / (np.e * rate)) ** power)


def _least(modes: tuple[tuple[int, int], ...], gaps: SpectralGaps) -> Fraction | None:
    """The least combination of the gaps; a gap that there is not does not limit."""
    zero = Fraction(0)
    found = [
        a * (gaps.above or zero) + b * (gaps.below or zero)
        for a, b in modes
        if not (a and gaps.above is None) and not (b and gaps.below is None)
    ]
    return min(found, default=None)

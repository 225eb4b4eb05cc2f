r"""How far the spectrum stays away from zero, in rational numbers, proved where it can be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ...errors import VerificationError
from ...exact.inertia import count_above, count_signs
from ...exact.matrices import Matrix, matrix
from ...exact.rationals import rational
from ...learning import SymmetricFactorization
from ...learning.spectrum import Array

__all__ = ["SpectralGaps", "measure_gaps"]

MOST_STATES = 120
"""Up to this size the gaps of a matrix that is not diagonal are proved."""
_SMALL = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpectralGaps:
    r"""k eigenvalues of M are at least `above`, and the others at most minus `below`.

    Attributes
    ----------
    above : Fraction or None
        Lower bound of :math:`\lambda_{\min}(\Lambda_1)`, positive; None if k = 0.
    below : Fraction or None
        Lower bound of :math:`\lambda_{\min}(\Lambda_2)`, >= 0; None if k = n.
    count : int
        k.
    is_proved : bool
        Whether this is proved for the exact value of M as it was given; else it was computed.
    standing : str
        In words.
    """

    above: Fraction | None
    below: Fraction | None
    count: int
    is_proved: bool
    standing: str
    source: SymmetricFactorization = field(repr=False)

    def verify(self) -> None:
        """Prove it again, if it is said to be proved.

        Raises
        ------
        VerificationError
            If it is said to be proved and is not.
        """
        if self.is_proved and not prove_gaps(self.source, self.above, self.below, self.count):
            raise VerificationError(
                f"{self.count} eigenvalues must be at least {self.above} and the others at most minus {self.below}: "
                "that is not proved of this matrix",
                inequality="spectral gaps",
                witness=(self.above, self.below),
            )


def measure_gaps(flow: SymmetricFactorization) -> SpectralGaps:
    """The gaps of a flow's matrix, rounded down, and proved if it is diagonal or has at most 120 rows."""
    spectrum = flow.spectrum
    values, k, n = spectrum.values, spectrum.positive, len(spectrum.values)
    # Computed eigenvalues are off by about this; diagonal ones are exact.
    error = 0.0 if flow.is_diagonal else 64 * n * float(np.finfo(np.float64).eps) * float(np.abs(values).max())
    above = _round_down(float(values[k - 1]), error + spectrum.distance) if k else None
    below = _round_down(float(-values[k]), error + spectrum.distance) if k < n else None
    if above == 0:
        above, hopeless = rational(float(values[k - 1])), True
    else:
        hopeless = False
    if not hopeless and (flow.is_diagonal or n <= MOST_STATES) and prove_gaps(flow, above, below, k):
        return SpectralGaps(above=above, below=below, count=k, is_proved=True, standing="proved", source=flow)
    reason = (
        f"zeros decided by the tolerance, at a distance of {spectrum.distance:.2g}"
        if spectrum.zeros_decided
        else f"more than {MOST_STATES} rows"
        if n > MOST_STATES
        else "a gap too narrow to be proved"
    )
    return SpectralGaps(
        above=above, below=below, count=k, is_proved=False, standing=f"computed ({reason})", source=flow
    )


def _round_down(value: float, error: float) -> Fraction:
    if value <= error:
        return Fraction(0)
    return rational(value) if error == 0 else rational(max(value - error, 0.0) * (1 - 1e-12))


def prove_gaps(flow: SymmetricFactorization, above: Fraction | None, below: Fraction | None, count: int) -> bool:
    """Whether exact arithmetic shows the gaps for the exact value of M."""
    if (above is not None and above <= 0) or (below is not None and below < 0):
        return False
    n = flow.shape[0]
    if (above is None) is not (count == 0) or (below is None) is not (count == n):
        return False
    if flow.is_diagonal:
        upper = [v for v in flow.matrix if v > 0]
        return (
            len(upper) == count
            and all(rational(v) >= above for v in upper if above is not None)
            and all(-rational(v) >= below for v in flow.matrix if v <= 0 and below is not None)
        )
    guess, _ = _guess(flow)
    exact = matrix(flow.matrix.tolist(), name="M")
    if above is not None and count_above(exact, above, guess) != count:
        return False
    if not below:
        return below is None or _counts_positive(exact, count)
    return count_above(exact, -below, guess) == count


def _guess(flow: SymmetricFactorization) -> tuple[list[list[float]], Array]:
    vectors = flow.spectrum.vectors
    if vectors is None:
        raise ArithmeticError("internal error: a matrix that is not diagonal has eigenvectors")
    return vectors.tolist(), vectors


def _counts_positive(exact: Matrix, count: int) -> bool:
    """Whether a matrix, singular perhaps, has so many positive eigenvalues."""
    return len(exact) <= _SMALL and count_signs(exact)[0] == count

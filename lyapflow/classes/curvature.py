"""From data to moduli: bounds of the curvature of a data-fitting loss, proved from the doubles themselves.

`curvature` is called by users who have a table and want a class, and by `members` for the losses they evaluate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..errors import DimensionError, InvalidModelError
from ..exact.gram import exact_gram, find_eigenvalue_bound, is_bounded_above, is_bounded_below
from ..exact.matrices import Matrix
from ..exact.rationals import rational
from .functions import SmoothConvex, SmoothStronglyConvex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Curvature", "curvature", "read_data"]

_FACTORS = {"least_squares": Fraction(1), "logistic": Fraction(1, 4)}  # largest second derivative per residual


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature:
    r"""Moduli of a loss ``f`` on given data: ``mu I <= Hessian <= L I`` everywhere.

    With :math:`H = A^\top A/n`, or :math:`H = A^\top A` if not `mean`, the Hessian is :math:`H + \text{ridge}\, I`
    for least squares and lies between :math:`\text{ridge}\, I` and :math:`H/4 + \text{ridge}\, I` for the logistic
    loss. Made by `curvature`, which proves the bounds.

    Attributes
    ----------
    mu, L : Fraction
        Strong convexity (0 where there is none) and smoothness.
    loss : {"least_squares", "logistic"}
        The loss.
    ridge : Fraction
        Coefficient of the term ``ridge |x|^2 / 2``.
    mean : bool
        Whether the loss is the mean over the rows, not their sum.
    data : tuple of tuple of float, shape (n, d)
        The matrix A.
    gram : Matrix
        Exact ``A'A``, or ``A A'`` where there are fewer rows than columns: it has the same eigenvalues other than 0.
    """

    mu: Fraction
    L: Fraction
    loss: str
    ridge: Fraction
    mean: bool
    data: tuple[tuple[float, ...], ...] = field(repr=False)
    gram: Matrix = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of observations and of features."""
        return len(self.data), len(self.data[0])

    def function_class(self) -> SmoothConvex | SmoothStronglyConvex:
        """The class of the loss: F(mu, L), or convex and L-smooth where mu = 0."""
        return SmoothStronglyConvex(self.mu, self.L) if self.mu else SmoothConvex(self.L)

    def check(self) -> bool:
        """Prove both bounds again, exactly and from the data alone."""
        if self.loss not in _FACTORS or self.gram != _small_gram(self.data):
            return False
        factor = _FACTORS[self.loss] / (len(self.data) if self.mean else 1)
        above = is_bounded_above(self.gram, (self.L - self.ridge) / factor)
        if self.mu <= self.ridge:
            return above and self.L >= self.ridge >= 0 <= self.mu
        full_rank_side = self.loss == "least_squares" and len(self.data) >= len(self.data[0])
        return above and full_rank_side and is_bounded_below(self.gram, (self.mu - self.ridge) / factor)


def curvature(data: ArrayLike, *, loss: str = "least_squares", ridge: object = 0, mean: bool = True) -> Curvature:
    r"""Proved bounds of the curvature of a loss on the rows of a data matrix.

    Least squares is :math:`\tfrac1{2n}|Ax-b|^2 + \tfrac{\text{ridge}}2|x|^2`, the logistic loss
    :math:`\tfrac1n\sum_i\log(1+e^{-b_i\langle a_i, x\rangle}) + \tfrac{\text{ridge}}2|x|^2` with labels
    :math:`b_i = \pm 1`; neither needs b for its curvature.

    Parameters
    ----------
    data : array_like, shape (n, d)
        The matrix A, one observation a row. Each double counts at its exact value.
    loss : {"least_squares", "logistic"}, default "least_squares"
        The loss.
    ridge : rational, default 0
        Coefficient of the quadratic penalty, >= 0.
    mean : bool, default True
        Whether the loss is the mean over the rows, or their sum.

    Returns
    -------
    Curvature
        Moduli as rationals of about seven significant digits: mu rounded down and L rounded up from the true ones.

    Raises
    ------
    DimensionError
        If `data` is not a matrix with at least one row and one column.
    InvalidModelError
        If an entry is not a finite real number, `ridge` is negative or the loss is unknown; if the loss is constant;
        or if no bound near the floating-point eigenvalues can be proved.

    Notes
    -----
    The eigenvalues are guessed from singular values in floating point, rounded outward, and proved on the exact Gram
    matrix. Where the columns are linearly dependent, or so nearly that double precision does not tell, mu is `ridge`.

    Examples
    --------
    >>> c = curvature([[1, 2], [3, 4], [5, 6]])
    >>> float(c.mu), float(c.L)
    (0.08816836, 30.24517)
    >>> c.check()
    True
    >>> curvature([[1, 2], [2, 4]], ridge="1/10").function_class()
    SmoothStronglyConvex(mu=Fraction(1, 10), L=Fraction(63, 5))
    """
    if loss not in _FACTORS:
        raise InvalidModelError(f"curvature needs loss to be one of {sorted(_FACTORS)}, got {loss!r}")
    if not isinstance(mean, bool):
        raise InvalidModelError(f"curvature needs mean to be True or False, got {mean!r}")
    penalty = rational(ridge, name="curvature: ridge")
    if penalty < 0:
        raise InvalidModelError(f"curvature needs ridge >= 0, got ridge={penalty}")
    array = read_data(data, name="data")
    if not array.any() and not penalty:
        raise InvalidModelError("curvature needs data that are not all zero, or ridge > 0: the loss is constant")
    rows = tuple(tuple(row) for row in array.tolist())
    gram = _small_gram(rows)
    factor = _FACTORS[loss] / (len(rows) if mean else 1)
    hessian = tuple(tuple(factor * v for v in row) for row in gram)
    low, high = _guess(array, float(factor))
    lower = find_eigenvalue_bound(hessian, low, upper=False) if loss == "least_squares" and low > 0 else None
    upper = find_eigenvalue_bound(hessian, high, upper=True)
    if upper is None:
        raise InvalidModelError(
            f"data must be scaled so that a bound of their curvature can be proved; none was found near {high:.6g}. "
            "Bring the entries of data to a common scale, near 1."
        )
    mu, L = penalty + (lower or 0), penalty + upper
    return Curvature(mu=mu, L=L, loss=loss, ridge=penalty, mean=mean, data=rows, gram=gram)


def read_data(values: ArrayLike, *, name: str, ndim: int = 2) -> NDArray[np.float64]:
    """A nonempty array of finite doubles, each with the value that was given, or an error that names the parameter.

    Raises
    ------
    DimensionError
        If the number of dimensions is not `ndim`, or the array is empty.
    InvalidModelError
        If an entry is not a finite real number, or is not exactly a double.

    Examples
    --------
    >>> read_data([[1, 2]], name="data")
    array([[1., 2.]])
    """
    import numpy as np

    if isinstance(values, np.ma.MaskedArray):
        raise InvalidModelError(f"{name} must be an array without a mask: fill or drop the masked entries first")
    try:
        given: NDArray[Any] = np.asarray(values)
    except ValueError:
        raise DimensionError(f"{name} must have rows of equal length") from None
    if given.dtype.kind not in "iuf":
        raise InvalidModelError(
            f"{name} must be an array of real numbers, got dtype {given.dtype}. Pass a dense array of floats."
        )
    if given.ndim != ndim or not given.size:
        raise DimensionError(f"{name} must be a nonempty array with {ndim} dimension(s), got shape {given.shape}")
    with np.errstate(over="ignore"):
        array = given.astype(np.float64)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InvalidModelError(f"{name} must be finite, got {given[where]} at index {where}")
    if given.dtype.kind in "iu":
        exact = bool(np.all((given <= 2**53) & (given >= -(2**53))))
    else:
        exact = bool(np.all(array.astype(given.dtype) == given))
    if not exact:
        raise InvalidModelError(
            f"{name} must be exact in double precision, got {given.dtype} that rounds. Round first."
        )
    return array


def _guess(array: NDArray[np.float64], factor: float) -> tuple[float, float]:
    """Extreme eigenvalues of ``factor A'A`` in floating point; the lower one is 0 where the rank is in doubt."""
    import numpy as np

    singular = np.linalg.svd(array, compute_uv=False)
    rows, columns = array.shape
    doubt = max(rows, columns) * np.finfo(np.float64).eps * singular[0]
    smallest = singular[-1] if rows >= columns and singular[-1] > doubt else 0.0
    with np.errstate(over="ignore", under="ignore"):
        return float(factor * smallest**2), float(factor * singular[0] ** 2)


def _small_gram(rows: tuple[tuple[float, ...], ...]) -> Matrix:
    wide = len(rows) < len(rows[0])
    return exact_gram(list(zip(*rows, strict=True)) if wide else rows)

"""Polynomial systems: vector fields whose entries are exact polynomials in the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DimensionError, InvalidModelError
from ..exact.multivariate import Polynomial, variables

__all__ = ["PolynomialSystem"]


@dataclass(frozen=True)
class PolynomialSystem:
    r"""An autonomous system :math:`\dot x_i = p_i(x)` with polynomials over the rationals.

    Parameters
    ----------
    equations : sequence of n Polynomial
        The derivatives, in the order of the variables.
    name : str, optional
        A label for reports.

    Raises
    ------
    DimensionError
        If there are not as many equations as variables.
    InvalidModelError
        If an equation is not a polynomial in the same variables.

    Examples
    --------
    >>> system = PolynomialSystem.build(["s", "h"], lambda s, h: [-2 * s**2, -h - 2 * s * h])
    >>> print(system)
    s' = -2*s^2
    h' = -2*s*h - h
    >>> print(system.derivative_along(system.variables[1] ** 2))
    -4*s*h^2 - 2*h^2
    """

    equations: tuple[Polynomial, ...]
    name: str = "polynomial system"

    def __post_init__(self) -> None:
        equations = tuple(self.equations)
        for k, equation in enumerate(equations):
            if not isinstance(equation, Polynomial):
                raise InvalidModelError(f"equations[{k}] must be a Polynomial, got {equation!r}. Use build().")
        if not equations or any(e.names != equations[0].names for e in equations):
            raise InvalidModelError("equations must be polynomials in the same variables, at least one")
        if len(equations) != len(equations[0].names):
            raise DimensionError(
                f"there must be as many equations as variables {equations[0].names}, got {len(equations)}"
            )
        object.__setattr__(self, "equations", equations)

    @staticmethod
    def build(
        names: Sequence[str], field: Callable[..., Sequence[object]], *, name: str = "polynomial system"
    ) -> PolynomialSystem:
        """A system from a Python function of its variables.

        Parameters
        ----------
        names : sequence of str
            Names of the states.
        field : callable
            Takes the states, returns their derivatives; uses ``+ - * **`` and division by numbers only. Floats stand
            for their exact values.
        name : str, optional
            A label for reports.
        """
        states = variables(names)
        try:
            given = list(field(*states))
        except TypeError as problem:
            raise InvalidModelError(
                f"field must be a polynomial function of the {len(states)} states, with + - * ** only: {problem}"
            ) from problem
        return PolynomialSystem(tuple(_as_polynomial(e, states[0]) for e in given), name=name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the states."""
        return self.equations[0].names

    @cached_property
    def variables(self) -> tuple[Polynomial, ...]:
        """The states as polynomials."""
        return variables(self.names)

    def derivative_along(self, function: Polynomial) -> Polynomial:
        """Derivative of a polynomial function of the state along trajectories; zero for an invariant."""
        total = 0 * self.variables[0]
        for k, equation in enumerate(self.equations):
            total = total + function.derivative(k) * equation
        return total

    def vector_field(self, t: float, x: ArrayLike) -> NDArray[np.float64]:
        """The right-hand side in floating point; t has no say."""
        state = np.asarray(x, dtype=float)
        if state.shape != (len(self.equations),):
            raise DimensionError(f"x must have shape ({len(self.equations)},), got {state.shape}")
        return np.array([c @ np.prod(state**e, axis=1) for c, e in self._tables])

    @cached_property
    def _tables(self) -> list[tuple[NDArray[np.float64], NDArray[np.intp]]]:
        found = []
        for equation in self.equations:
            terms = equation.terms
            exponents = np.array(list(terms), dtype=np.intp).reshape(-1, len(self.equations))
            found.append((np.array([float(c) for c in terms.values()]), exponents))
        return found

    def __str__(self) -> str:
        return "\n".join(f"{n}' = {e}" for n, e in zip(self.names, self.equations, strict=True))


def _as_polynomial(value: object, like: Polynomial) -> Polynomial:
    return value if isinstance(value, Polynomial) else 0 * like + value

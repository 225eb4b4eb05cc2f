"""Errors of lyapflow: one root, and each error is also the builtin a caller would expect.

Every message says what must hold, what was given and, where it is known, what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "CertificateFormatError",
    "ClaimMismatchError",
    "CompositionError",
    "DimensionError",
    "InvalidModelError",
    "LyapflowError",
    "MissingDependencyError",
    "NoCertificateError",
    "SimulationError",
    "StoreError",
    "VerificationError",
]


class LyapflowError(Exception):
    """Root of all errors that lyapflow raises on purpose."""


class InvalidModelError(LyapflowError, ValueError):
    """The data cannot describe the object that was asked for."""


class DimensionError(InvalidModelError):
    """Shapes that must agree do not."""


class ClaimMismatchError(LyapflowError, TypeError):
    """A consequence was asked of a certificate whose claim does not carry it."""


class CompositionError(LyapflowError, ValueError):
    """Stages cannot be put together; the message says why."""


class NoCertificateError(LyapflowError, RuntimeError):
    """The search ended without a proof.

    Attributes
    ----------
    outcome : Infeasible or Inconclusive
        What the search can say instead.
    """

    def __init__(self, outcome: object, *, about: str = "") -> None:
        self.outcome = outcome
        explain = getattr(outcome, "explain", None)
        super().__init__(about + (explain() if callable(explain) else str(outcome)))


class VerificationError(LyapflowError, ArithmeticError):
    """An inequality of a certificate fails.

    Attributes
    ----------
    inequality : str
        Name of the inequality that fails.
    witness : object
        Exact evidence of the failure.
    """

    def __init__(self, message: str, *, inequality: str, witness: object) -> None:
        super().__init__(message)
        self.inequality = inequality
        self.witness = witness


class CertificateFormatError(LyapflowError, ValueError):
    """A certificate file cannot be read as one.

    Attributes
    ----------
    path : pathlib.Path or None
        The file, when there is one.
    """

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message if path is None else f"{path}: {message}")
        self.path = path


class StoreError(LyapflowError, ValueError):
    """The store of a sweep cannot be used: damaged, in use, or made by another task.

    Attributes
    ----------
    path : pathlib.Path
        The store.
    """

    def __init__(self, message: str, *, path: Path) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class SimulationError(LyapflowError, RuntimeError):
    """An integration or the search for an equilibrium came to no result; nothing is known about the system."""


class MissingDependencyError(LyapflowError, ImportError):
    """An optional package is needed and not installed."""

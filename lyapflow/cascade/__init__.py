"""Systems in stages: the three subsystems of the matrix factorization flow, solved and bounded."""

from .schur import SchurCascade, schur

__all__ = ["SchurCascade", "schur"]

"""From a certificate to a checked theorem."""

from __future__ import annotations

from pathlib import Path

from ..certificates.certificate import Certificate
from ..certificates.evidence import Evidence, find_certificate
from ..certificates.files import write_atomically
from ..certificates.verification import Verification, verify
from ..errors import CertificateFormatError, VerificationError
from ..lmi.driven import DrivenSystem
from .compiler import CoqVerdict, check_text
from .documents import Driven, write_driven, write_theorem

__all__ = ["export_coq", "verify_coq"]


def export_coq(certificate: Certificate | Evidence | Driven, path: Path | str) -> Path:
    """Write a certificate as theorems for the proof assistant Coq (Rocq).

    The file stands alone on Coq's standard library, 8.16 and newer, and is written from the definitions of the system
    and of the classes, not from the inequalities that `lyapflow.verify` decides: it checks those too. A certificate
    that `lyapflow.verify` does not prove is not written.

    Parameters
    ----------
    certificate : Certificate, what has one as its ``certificate``, or StageCertificate
        What to export.
    path : path or str
        Where; a name that ends in ``.v`` and is a plain identifier is one that Coq accepts.

    Returns
    -------
    Path
        The file. ``coqc FILE`` says whether it is a proof.

    Raises
    ------
    VerificationError
        If the certificate proves nothing.
    InvalidModelError
        If it is of a kind that cannot be exported: with a class of your own, or over a parameter with multipliers whose
        signs are not seen.

    Examples
    --------
    >>> import tempfile
    >>> from lyapflow import certify, SmoothStronglyConvex, flows
    >>> certificate = certify(flows.gradient_flow(SmoothStronglyConvex(1, 10)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     "Theorem V_decays" in export_coq(certificate, f"{folder}/gradient.v").read_text()
    True
    """
    return write_atomically(path, _write(certificate))


def verify_coq(certificate: Certificate | Evidence | Driven, *, timeout: float = 300) -> CoqVerdict:
    """Write a certificate as theorems, and have the proof assistant check them.

    Parameters
    ----------
    certificate : Certificate, what has one as its ``certificate``, or StageCertificate
        What to check.
    timeout : float, default 300
        In seconds, at most a million.

    Returns
    -------
    CoqVerdict
        Accepted, rejected or timeout, and the file.

    Raises
    ------
    VerificationError
        If the certificate proves nothing.
    InvalidModelError
        As `export_coq`, or if there is no such time.
    MissingDependencyError
        If ``coqc`` is not on PATH; the message says how to install it.
    """
    return check_text(_write(certificate), timeout=timeout)


def _write(certificate: Certificate | Evidence | Driven) -> str:
    if isinstance(certificate, Driven) and isinstance(certificate.system, DrivenSystem):
        _require(certificate.verify())
        return write_driven(certificate)
    found = find_certificate(certificate)
    if found is None:
        raise CertificateFormatError(f"a theorem needs a Certificate, got {type(certificate).__name__}")
    _require(verify(found))
    return write_theorem(found)


def _require(verdict: Verification) -> None:
    """The exact checker's word: what it refuses may lack the numbers that a file needs."""
    if not verdict.proved:
        raise VerificationError(
            f"export_coq needs a certificate that proves its claim, but {verdict.reason}",
            inequality="" if verdict.witness is None else verdict.witness.inequality,
            witness=verdict.witness,
        )

"""Certificate files: JSON with rationals as ``"p/q"``. Loading evaluates no code and unpickles nothing."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CertificateFormatError, LyapflowError
from .certificate import SCHEMA, Certificate
from .encoding import find_difference, from_json, to_json
from .evidence import Evidence, find_certificate

__all__ = ["Stored", "load", "parse", "read", "save", "to_text", "write_atomically"]

_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A certificate as it was read, and what is wrong with the file around it."""

    certificate: Certificate
    complaint: str | None


def save(certificate: Certificate | Evidence, path: Path | str) -> Path:
    """Write a certificate to a JSON file, atomically.

    Parameters
    ----------
    certificate : Certificate, or what has one as its ``certificate``
        What to save: a scaled flow and a bracket will do.
    path : path or str
        Where; an existing file is replaced only by a complete one.

    Returns
    -------
    Path
        The file.
    """
    found = find_certificate(certificate)
    if found is None:
        raise CertificateFormatError(
            f"save needs a Certificate and then a path, got {type(certificate).__name__} first"
        )
    return write_atomically(path, to_text(found))


def to_text(certificate: Certificate) -> str:
    """The text of a certificate's file."""
    content = {**to_json(certificate), "digest": certificate.digest}
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def write_atomically(path: Path | str, text: str) -> Path:
    """Write a text file so that readers see the old content or the new one, never a part."""
    named = Path(path)
    target = named.resolve()  # a link stays a link, and the file behind it is written
    if target.exists() and not target.is_file():
        raise CertificateFormatError("is a folder or a device, not a file that could be written", path=named)
    if not target.parent.is_dir():
        raise CertificateFormatError("the folder does not exist; create it first", path=named)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as problem:
        raise CertificateFormatError(f"cannot be written: {problem.strerror}", path=named) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except BaseException:  # Ctrl-C included: leave no partial file behind, then let it pass
        Path(temporary).unlink(missing_ok=True)
        raise
    return named


def load(path: Path | str) -> Certificate:
    """Read a certificate from a file. Reading proves nothing: see `lyapflow.verify`.

    Parameters
    ----------
    path : path or str
        File that `save` wrote.

    Returns
    -------
    Certificate
        As it was saved.

    Raises
    ------
    CertificateFormatError
        If the file cannot be read as a certificate, or is not the one that was saved (its digest differs).
    """
    stored = read(path)
    if stored.complaint is not None:
        raise CertificateFormatError(stored.complaint, path=Path(path))
    return stored.certificate


def read(path: Path | str) -> Stored:
    """Read a certificate and compare its digest and equalities with its content.

    Raises
    ------
    CertificateFormatError
        If the file cannot be read as a certificate.
    """
    if not isinstance(path, str | os.PathLike):
        raise CertificateFormatError(f"a certificate is read from a path, got {type(path).__name__}")
    source = Path(path)
    return parse(_read_content(source), source)


def parse(content: bytes, source: Path) -> Stored:
    """What `read` makes of the content of a file; `source` is named in errors.

    Raises
    ------
    CertificateFormatError
        If the content cannot be read as a certificate.
    """
    data = _read_json(content, source)
    try:
        certificate = from_json(data)
        complaint = _complaint(certificate, data)
    except CertificateFormatError as problem:
        raise CertificateFormatError(str(problem), path=source) from None
    except LyapflowError as problem:
        raise CertificateFormatError(f"the data describe no valid model: {problem}", path=source) from problem
    return Stored(certificate=certificate, complaint=complaint)


def _read_content(source: Path) -> bytes:
    try:
        with source.open("rb") as stream:
            return stream.read(_MOST_BYTES + 1)
    except OSError as problem:
        raise CertificateFormatError(f"cannot be read: {problem.strerror}", path=source) from None
    except ValueError as problem:  # a name that no file can have
        raise CertificateFormatError(str(problem), path=source) from None


def _read_json(content: bytes, source: Path) -> dict[str, Any]:
    if len(content) > _MOST_BYTES:
        raise CertificateFormatError(f"a certificate file has at most {_MOST_BYTES} bytes", path=source)
    try:
        text = content.decode("utf-8")
        data = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)
    except UnicodeDecodeError:
        raise CertificateFormatError("is not text in UTF-8, so it is not a certificate", path=source) from None
    except (json.JSONDecodeError, RecursionError) as problem:
        raise CertificateFormatError(f"is not complete JSON ({problem})", path=source) from None
    except ValueError as problem:
        raise CertificateFormatError(str(problem), path=source) from None
    if not isinstance(data, dict) or data.get("format") != "lyapflow certificate":
        raise CertificateFormatError('is JSON, but not a lyapflow certificate (no "format")', path=source)
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a JSON object has a key twice, so it is not a certificate")
    return found


def _complaint(certificate: Certificate, data: dict[str, Any]) -> str | None:
    """What is wrong with a file whose certificate may be right: all that it says must follow from its content."""
    if set(certificate.values) != set(certificate.pencil().unknowns):
        return None  # verification says so with the names
    content = {key: value for key, value in data.items() if key != "digest"}
    where = find_difference(to_json(certificate) | {"schema": str(SCHEMA)}, content)
    if where is not None:
        return f"the file says something at {where!r} that does not follow from its content: it was edited"
    if data.get("digest") != certificate.digest:
        return "the digest in the file is not that of its content: the file was edited or damaged after it was saved"
    return None

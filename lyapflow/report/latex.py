r"""The LaTeX fragment of a certificate: a theorem and its proof as weighted sums of inequalities and squares.

It compiles with amsmath, amssymb and amsthm and ``\newtheorem{theorem}{Theorem}`` in the preamble.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from ..certificates import Certificate, verify
from ..errors import VerificationError
from ..exact.matrices import Matrix
from .argument import argue
from .formulas import Block, Display, Listing, Matrices, Paragraph, Sentence, Where
from .numbers import tex_approximate, tex_number
from .statement import find_digest, state_theorem

__all__ = ["escape_tex", "tex_of", "to_latex"]

_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "≈": r"$\approx$", "≥": r"$\geq$", "≤": r"$\leq$", "×": r"$\times$",
}  # fmt: skip
_HEAD = r"""% Theorem and proof of a lyapflow certificate, SHA-256 {digest}
% Preamble: \usepackage{{amsmath,amssymb,amsthm}} \newtheorem{{theorem}}{{Theorem}}
"""


def to_latex(certificate: Certificate) -> str:
    r"""Theorem and proof of a certificate as a LaTeX fragment.

    The proof writes :math:`-(\dot V + 2\rho V)` as :math:`\sum\sigma_k I_k + \sum d_i|\ell_i|^2` with exact rational
    multipliers :math:`\sigma_k \ge 0` of class inequalities and weights :math:`d_i > 0` of squares, and likewise
    positivity and the upper bound, so that a reader can check it by expanding. It verifies the certificate first.

    Parameters
    ----------
    certificate : Certificate
        What to write.

    Returns
    -------
    str
        A ``theorem`` and a ``proof`` environment; needs amsmath, amssymb and amsthm.

    Raises
    ------
    VerificationError
        If the certificate does not prove its claim.
    """
    verdict = verify(certificate)
    if not verdict.proved:
        inequality = "" if verdict.witness is None else verdict.witness.inequality
        raise VerificationError(
            f"to_latex needs a certificate that proves its claim, but {verdict.reason}",
            inequality=inequality,
            witness=verdict.witness,
        )
    theorem = state_theorem(certificate)
    claim, proof = [*theorem.hypotheses, *theorem.conclusion], argue(certificate)
    if certificate.is_bounded:  # else V is a part of what is claimed
        proof = (*theorem.storage, *proof)
    else:
        claim += theorem.storage
    parts = [
        _HEAD.format(digest=find_digest(certificate) or "(none)").rstrip(),
        r"\begin{theorem}",
        tex_of(claim),
        r"\end{theorem}",
        r"\begin{proof}",
        tex_of(proof),
        r"\end{proof}",
    ]
    return "\n".join(parts) + "\n"


def escape_tex(text: str) -> str:
    r"""Text in which no character is a command.

    >>> print(escape_tex("50 % of f_1"))
    50 \% of f\_1
    """
    return "".join(_ESCAPES.get(c, c) for c in text)


def tex_of(blocks: Iterable[Block]) -> str:
    """Blocks in LaTeX."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Block) -> list[str]:
    match block:
        case Paragraph(sentence=sentence, lead=lead):
            return [rf"\emph{{{escape_tex(lead)}}} {_sentence(sentence)}" if lead else _sentence(sentence)]
        case Display(lines=lines):
            if not lines:
                return []
            rows = " \\\\\n".join(f"  & {line.tex}" for line in lines)
            return [r"\begin{align*}", rows, r"\end{align*}"]
        case Listing(items=items):
            return _itemize(_sentence(item) for item in items)
        case Where(entries=entries):
            return _itemize(f"${symbol.tex} = {_breakable(value)}$" for symbol, value in entries)
        case Matrices(entries=entries):
            rows = ",\\quad\n".join(f"  {symbol.tex} = {_matrix(matrix)}" for symbol, matrix in entries)
            return [r"\[", rows, r"\]"]


def _itemize(items: Iterable[str]) -> list[str]:
    found = [rf"  \item {item}" for item in items]
    return [r"\begin{itemize}\raggedright", *found, r"\end{itemize}"] if found else []


def _sentence(sentence: Sentence) -> str:
    return "".join(escape_tex(part) if isinstance(part, str) else f"${part.tex}$" for part in sentence)


def _breakable(value: Fraction) -> str:
    """The exact number with places to break a line, and its decimal."""
    exact = re.sub(r"(\d{8})(?=\d)", r"\1\\allowbreak ", str(value)).replace("/", r"/\allowbreak ")
    return exact if value.denominator == 1 else rf"{exact} {tex_approximate(value)}"


def _matrix(matrix: Matrix) -> str:
    rows = r" \\ ".join(" & ".join(tex_number(v) for v in row) for row in matrix)
    return rf"\left(\begin{{array}}{{{'c' * len(matrix[0])}}} {rows} \end{{array}}\right)"

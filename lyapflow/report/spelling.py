"""Formulas in TeX read as plain text: for the terminal, for screen readers, and for JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["spell"]

_SYMBOLS = {
    "nabla": "∇", "partial": "∂", "langle": "⟨", "rangle": "⟩", "|": "‖", "geq": " ≥ ", "leq": " ≤ ", "in": " ∈ ",
    "infty": "∞", "sum": "∑", "cdot": "·", "times": "×", "approx": " ≈ ", "otimes": "⊗", "quad": "  ", "qquad": "    ",
    ",": " ", ";": " ", " ": " ", "!": "", "_": "_", "{": "{", "}": "}", "left": "", "right": "", "dots": "…",
    "ldots": "…", "star": "*", "top": "ᵀ", "succeq": "⪰", "to": "→", "colon": ":", "neq": "≠", "sqrt": "√",
    "ell": "\u2113",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eta": "η", "theta": "θ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "zeta": "ζ", "rho": "ρ", "sigma": "σ", "tau": "τ", "omega": "ω", "varphi": "φ",
    "varepsilon": "ε", "kappa": "κ", "chi": "χ", "pi": "π", "int": "∫",
    "mathbb": "",
    "mathrm": "", "mathsf": "", "operatorname": "", "mathcal": "", "text": "", "displaystyle": "", "Delta": "Δ",
    "mid": "|",
    "lfloor": "⌊", "rfloor": "⌋",
}  # fmt: skip
_ACCENTS = {"dot": "\u0307", "tilde": "\u0303", "bar": "\u0304", "ddot": "\u0308", "hat": "\u0302"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_TOKEN = re.compile(r"\\([A-Za-z]+|.)[ ]?|(.)", re.DOTALL)


def spell(tex: str) -> str:
    r"""Plain-text reading of a formula.

    >>> spell(r"\dot{x}_{1} = -\frac{2}{3}|y_{f}|^{2}"), spell(r"\frac{\mu}{2(L-\mu)}")
    ('ẋ₁ = -2/3|y_f|²', 'μ/(2(L-μ))')
    >>> spell(r"u_{f}^{+}-\rho^{2k}x_{1}^{+}")
    'u_f⁺-ρ^(2k)x₁⁺'
    """
    tokens = [(m[1], m[2]) for m in _TOKEN.finditer(tex.replace("$", ""))]
    text, _ = _read(tokens, 0)
    return unicodedata.normalize("NFC", re.sub(r"  +", " ", text)).strip()


def _read(tokens: Sequence[tuple[str | None, str | None]], start: int) -> tuple[str, int]:
    """Reading from `start` up to the end of the group, and the index after it."""
    parts: list[str] = []
    i = start
    while i < len(tokens):
        if tokens[i][1] == "}":
            return "".join(parts), i + 1
        part, i = _read_one(tokens, i)
        parts.append(part)
    return "".join(parts), i


def _read_one(tokens: Sequence[tuple[str | None, str | None]], i: int) -> tuple[str, int]:
    if i >= len(tokens):
        return "", i
    command, character = tokens[i]
    if character == "{":
        return _read(tokens, i + 1)
    if character in {"_", "^"}:
        script, i = _read_one(tokens, i + 1)
        return _script(character, script), i
    if character is not None:
        return " = " if character == "=" else character, i + 1
    if command in {"frac", "tfrac", "dfrac"}:
        top, i = _read_one(tokens, i + 1)
        bottom, i = _read_one(tokens, i)
        return f"{_grouped(top, '+- ')}/{_grouped(bottom, '+-( ')}", i
    if command in _ACCENTS:
        base, i = _read_one(tokens, i + 1)
        return base + _ACCENTS[command], i
    if command == "sqrt":
        inside, i = _read_one(tokens, i + 1)
        return f"√({inside})", i
    return _SYMBOLS.get(str(command), str(command)), i + 1


def _grouped(text: str, breaks: str) -> str:
    return f"({text})" if any(c in breaks for c in text) else text


def _script(kind: str, script: str) -> str:
    if script in {"*", "ᵀ", "T"} and kind == "^":
        return "*" if script == "*" else "ᵀ"
    if script.startswith("(") and script.endswith(")"):
        return f"{kind}{script}"
    if kind == "_":
        return script.translate(_SUBSCRIPTS) if script.isdigit() else f"_{_grouped(script, '+- ,')}"
    if re.fullmatch(r"-?\d+|[+-]", script):
        return script.translate(_SUPERSCRIPTS)
    return f"^{script}" if len(script) == 1 else f"^({script})"

"""Formulas as inline SVG: matplotlib's mathtext sets them, and the outlines become one path each.

No fonts, ids or scripts are needed by the page, and the plain reading of each formula stands beside it for screen
readers.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from .spelling import spell

__all__ = ["typeset"]

_EM = 100.0  # mathtext is set at this size; the page scales by em
_PAD = 3.0
_COMMANDS = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
_POINTS = {1: 1, 2: 1, 3: 2, 4: 3, 79: 1}


@lru_cache(maxsize=4096)
def typeset(tex: str) -> str:
    """Inline SVG of a formula; its plain reading, escaped, where mathtext cannot set it.

    Parameters
    ----------
    tex : str
        A formula in TeX, with or without dollar signs.

    Returns
    -------
    str
        Markup that is safe to put into a page.
    """
    reading = escape(spell(tex), quote=True)
    try:
        path, width, height, depth = _outline(f"${tex.replace('$', '')}$")
    except (ValueError, RuntimeError, KeyError):  # not mathtext: a class of a user may state its formula in other words
        return f'<span class="formula">{reading}</span>'
    box = f"{-_PAD:g} {-(height + _PAD):.1f} {width + 2 * _PAD:.1f} {height + depth + 2 * _PAD:.1f}"
    style = (
        f"width:{(width + 2 * _PAD) / _EM:.3f}em;height:{(height + depth + 2 * _PAD) / _EM:.3f}em;"
        f"vertical-align:{-(depth + _PAD) / _EM:.3f}em"
    )
    return (
        f'<svg class="math" role="img" aria-label="{reading}" viewBox="{box}" style="{style}"><path d="{path}"/></svg>'
    )


def _outline(text: str) -> tuple[str, float, float, float]:
    """Path data, width, height above and depth below the baseline."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=_EM, math_fontfamily="stix")
    width, height, depth = text_to_path.get_text_width_height_descent(text, font, ismath=True)
    vertices, codes = text_to_path.get_text_path(font, text, ismath=True)
    parts: list[str] = []
    k = 0
    while k < len(codes):
        code = int(codes[k])
        points = vertices[k : k + _POINTS[code]]
        numbers = "" if code == 79 else " ".join(f"{_tidy(x)} {_tidy(-y)}" for x, y in points)
        parts.append(_COMMANDS[code] + numbers)
        k += _POINTS[code]
    return "".join(parts), float(width), float(height - depth), float(depth)


def _tidy(value: float) -> str:
    return f"{round(float(value), 1) + 0.0:g}"

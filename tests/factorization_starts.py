"""Random matrices and starts for the factorization flow, of every kind that there is."""

import numpy as np

KINDS = ("plain", "rows", "tiny", "huge", "deficient", "zero", "dependent", "exact", "repeated")


def draw_case(rng, kind, most=8, dense=None):
    """A symmetric matrix, as a diagonal or turned, and a start."""
    n, r = int(rng.integers(1, most + 1)), int(rng.integers(1, most + 1))
    k = int(rng.integers(0, n + 1))
    sizes = 10.0 ** rng.uniform(-1, 1, n)
    values = np.where(np.arange(n) < k, sizes, np.where(rng.random(n) < 0.5, 0.0, -sizes))
    if kind == "repeated":
        values = np.round(values)
    if kind == "exact":
        r = max(k, 1)
    z = rng.standard_normal((n, r))
    if kind == "rows":
        z *= 10.0 ** rng.uniform(-12, 12, (n, 1))
    elif kind in ("tiny", "huge"):
        z *= 1e-12 if kind == "tiny" else 1e12
    elif kind == "deficient":
        z = z[:, :1] @ rng.standard_normal((1, r))
    elif kind == "zero":
        z[rng.random(n) < 0.5] = 0.0
    elif kind == "dependent" and n > 1:
        z[1] = -2 * z[0]
    if dense is None:
        dense = kind not in ("rows", "dependent") and rng.random() < 0.5
    if not dense:
        shuffled = rng.permutation(n)
        return values[shuffled], z[shuffled]
    turn = np.linalg.qr(rng.standard_normal((n, n)))[0]
    full = turn * values @ turn.T
    return (full + full.T) / 2, turn @ z

"""Quadratic forms as mappings, to expand printed proofs by hand."""

from fractions import Fraction


def times(a, b):
    """Product of two linear forms as a quadratic form, keyed by sorted pairs."""
    found = {}
    for i, x in a.items():
        for j, y in b.items():
            key = tuple(sorted((i, j)))
            found[key] = found.get(key, Fraction(0)) + x * y
    return found


def total(*terms):
    """Weighted sum of forms; zero entries are dropped."""
    found = {}
    for weight, form in terms:
        for key, value in form.items():
            found[key] = found.get(key, Fraction(0)) + weight * value
    return {key: value for key, value in found.items() if value}

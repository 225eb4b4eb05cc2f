"""An independent judge of certificates: signs, equalities and definiteness by elimination in `Fraction`.

Nothing is taken from the checker but the pencil.
"""

import dataclasses

import lyapflow as lf
from lyapflow.search.witness import find_witness

replace = dataclasses.replace
PROVED, NOT_PROVED, UNUSABLE = 0, 1, 2


# --- an independent judge -----------------------------------------------------------------------------------------


def is_psd(m):
    """Symmetric elimination: no negative pivot, and no entry left beside a zero pivot."""
    rest = [list(row) for row in m]
    n = len(rest)
    assert all(rest[i][j] == rest[j][i] for i in range(n) for j in range(i))
    left = set(range(n))
    while left:
        k = max(left, key=lambda i: rest[i][i])
        if rest[k][k] <= 0:
            return not any(rest[i][j] for i in left for j in left)
        left.remove(k)
        for i in left:
            factor = rest[i][k] / rest[k][k]
            for j in left:
                rest[i][j] -= factor * rest[k][j]
    return True


def slack_of(condition, values):
    size = len(condition.signals)
    return [
        [
            condition.constant[i][j] + sum(values[name] * term[i][j] for name, term in condition.terms)
            for j in range(size)
        ]
        for i in range(size)
    ]


def holds(certificate):
    """Whether all conditions hold, decided without the checker."""
    pencil, values = certificate.pencil(), certificate.values
    assert set(values) == set(pencil.unknowns)
    return (
        all(values[name] >= 0 for name in pencil.nonnegative)
        and all(sum(c * values[name] for name, c in e.terms) == 0 for e in pencil.equalities)
        and all(is_psd(slack_of(c, values)) for c in pencil.conditions)
    )


def assert_refused(certificate):
    """Not proved, and the witness is one: recomputed here from the pencil."""
    verdict = lf.verify(certificate)
    assert not verdict.proved
    assert verdict.margin == 0
    assert_witness(certificate, verdict.witness)
    return verdict


def assert_witness(certificate, witness):
    pencil, values = certificate.pencil(), certificate.values
    assert witness.value < 0
    condition = next((c for c in pencil.conditions if c.name == witness.inequality), None)
    if condition is not None:
        z, m = witness.point, slack_of(condition, values)
        assert witness.signals == condition.signals
        assert len(z) == len(m)
        assert sum(z[i] * m[i][j] * z[j] for i in range(len(z)) for j in range(len(z))) == witness.value
        return
    negative = [name for name in pencil.nonnegative if values[name] < 0 and f"'{name}'" in witness.inequality]
    broken = [e for e in pencil.equalities if e.name in witness.inequality]
    if negative:
        assert witness.value == values[negative[0]]
    else:
        assert any(abs(sum(c * values[n] for n, c in e.terms)) == -witness.value for e in broken)


def with_values(certificate, **changed):
    return with_changes(certificate, changed)


def with_changes(certificate, changed):
    return replace(certificate, unknowns=tuple((n, changed.get(n, v)) for n, v in certificate.unknowns))


def at_rate(certificate, rate):
    return replace(certificate, claim=lf.ExponentialDecay(rate))


def is_true_as_far_as_known(certificate):
    """No linear member of the classes refutes the claim."""
    return find_witness(certificate.system).rate >= certificate.rate

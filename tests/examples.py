"""How many examples of a property are tried by default; `make test-all` tries all of its profile."""

import os

from hypothesis import settings


def at_most(number):
    """For properties of which each example costs a search."""
    deep = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
    return settings(max_examples=settings.default.max_examples if deep else number)

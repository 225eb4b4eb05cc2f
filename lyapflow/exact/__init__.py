"""Ground floor: rationals, exact matrices, exact definiteness, rigorous enclosures. Trusts python-flint alone."""

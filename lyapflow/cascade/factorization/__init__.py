"""The factorization flow in three stages: solved, bounded, proved."""

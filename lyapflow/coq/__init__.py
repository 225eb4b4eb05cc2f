"""Certificates as theorems of the proof assistant Coq (Rocq)."""

"""Measurements beside other tools, and one number for soundness; see README.md in this folder."""

"""What stands for a certificate: itself, or what carries one."""

from __future__ import annotations

from typing import Protocol

from .certificate import Certificate

__all__ = ["Evidence", "find_certificate"]


class Evidence(Protocol):
    """What carries a certificate, such as a scaled flow or a bracket."""

    @property
    def certificate(self) -> Certificate:
        """The certificate."""


def find_certificate(item: object) -> Certificate | None:
    """A certificate itself, or that of what carries one."""
    found = item if isinstance(item, Certificate) else getattr(item, "certificate", None)
    return found if isinstance(found, Certificate) else None

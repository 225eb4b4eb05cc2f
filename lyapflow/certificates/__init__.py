"""Evidence: certificates, their exact verification, their consequences, their files. Needs no solver."""

from .certificate import Certificate
from .files import load, save
from .verification import Verification, Violation, verify

__all__ = ["Certificate", "Verification", "Violation", "load", "save", "verify"]

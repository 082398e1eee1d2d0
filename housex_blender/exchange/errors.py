"""The error of this zone. Zone: pure."""

from __future__ import annotations

from ..core.errors import HouseXError


class ExchangeError(HouseXError):
    """A file of another program cannot be read, holds nothing usable, or cannot be written."""

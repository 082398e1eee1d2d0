"""Errors whose text is meant for the person at the screen. Zone: pure."""

from __future__ import annotations


class HouseXError(Exception):
    """Something the user can act on.

    Args:
        message: One sentence that says what is wrong.
        hint: One sentence that says what to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class AudioError(HouseXError):
    """The mix cannot be read, or holds nothing that can be analysed."""


class TimelineError(HouseXError):
    """A ``*.housex.json`` file is missing, damaged, of another version or of another mix."""


class ModelError(HouseXError):
    """A model folder is missing, damaged or does not fit the features of this version."""


class LookError(HouseXError):
    """A palette or a look is not valid."""


class SceneError(HouseXError):
    """The scene cannot be built, keyed or rendered."""


class WorkerError(HouseXError):
    """The analysis process could not be started, failed or spoke nonsense."""


class Cancelled(HouseXError):
    """The user asked to stop."""

    def __init__(self, message: str = "Cancelled.") -> None:
        super().__init__(message)

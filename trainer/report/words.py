"""What sets a run apart from a result, in words for titles, reports and cards. Zone: trainer."""

from __future__ import annotations

from ..data.reading import counted


def stopped_after(steps: int) -> str:
    """How far a trial went: ``stopped after 3 steps``."""
    return f"stopped after {counted(steps, 'step')}"


def titled(name: str, synthetic: bool, steps_at_most: int | None) -> str:
    """A name with what keeps its figures from being results, where there is something.

    Args:
        name: Of a run or a model.
        synthetic: Whether it was trained on a miniature of the synthesiser.
        steps_at_most: After which its training was stopped, as a trial; None where it went to its end.
    """
    facts = ["synthesised miniature"] if synthetic else []
    if steps_at_most:
        facts.append(stopped_after(steps_at_most))
    return ", ".join([name, *facts])

"""What people changed by hand: a layer stored by time, laid over whatever was heard. Zone: pure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .errors import TimelineError
from .genres import canonical
from .timeline import Timeline


def with_edits(timeline: Timeline) -> Timeline:
    """The timeline with its edits applied; without edits it comes back as it is.

    An edit names a genre for a span of seconds; it holds for every bar whose middle lies in the span, which then is
    certain. Later edits win.

    Raises:
        TimelineError: An edit names a genre the model does not know, or ends before it begins.
    """
    if not timeline.edits:
        return timeline
    probs, uncertain = timeline.probs.copy(), timeline.uncertain.copy()
    confidence = timeline.confidence.copy()
    middle_s = (timeline.grid.starts_s + timeline.grid.ends_s) / 2
    for edit in timeline.edits:
        genre = canonical(str(edit["value"]))
        if genre not in timeline.model.genres:
            known = ", ".join(timeline.model.genres)
            raise TimelineError(f"An edit names the genre {edit['value']!r}.", f"Choose one of: {known}.")
        if not float(edit["from_s"]) < float(edit["to_s"]):
            raise TimelineError(f"An edit ends at {edit['to_s']} s, before it begins.", "Correct its times.")
        inside = (middle_s >= float(edit["from_s"])) & (middle_s < float(edit["to_s"]))
        probs[inside] = 0.0
        probs[inside, timeline.model.genres.index(genre)] = 1.0
        uncertain[inside], confidence[inside] = False, 1.0
    return replace(timeline, probs=probs.astype(np.float32), uncertain=uncertain, confidence=confidence)

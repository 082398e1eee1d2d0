"""JAMS, the annotation format of music information retrieval; the only file that knows jams. Zone: pure."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ..core.timeline import Timeline
from .errors import ExchangeError
from .names import full_name, one_line
from .parts import Content, Target, drops, heard_beats, sections, text_content, tracks

JAMS_VERSION = "0.3.5"


def jams_file(timeline: Timeline, _target: Target) -> Content:
    """Annotations ``beat``, ``tempo``, ``segment_open`` (sections, drops, tracks) and ``tag_open`` (genre of each bar).

    ``sandbox.content`` of an annotation says which it is; that of the genres also holds the genres' names and the
    probability of each in every bar.

    Raises:
        ExchangeError: jams is missing, or the timeline does not pass the format's own schema.
    """
    try:
        import jams
    except ImportError as error:
        raise ExchangeError("JAMS export needs jams.", f"pip install jams=={JAMS_VERSION}") from error
    grid, whole_s = timeline.grid, float(timeline.mix.duration_s)
    jam = jams.JAMS()
    jam.file_metadata.title = one_line(timeline.mix.file)
    jam.file_metadata.duration = whole_s
    jam.sandbox.sha256 = timeline.mix.sha256

    def add(namespace: str, content: str, **more: Any) -> Any:
        metadata = jams.AnnotationMetadata(
            annotation_tools=one_line(timeline.generator),
            version=one_line(timeline.model.name),
            data_source="program",
        )
        annotation = jams.Annotation(namespace, annotation_metadata=metadata, time=0, duration=whole_s)
        annotation.sandbox.update(content=content, **more)
        jam.annotations.append(annotation)
        return annotation

    beats = add("beat", "beats")
    for time_s, place in zip(*heard_beats(timeline), strict=True):
        beats.append(time=float(time_s), duration=0.0, value=float(place), confidence=None)
    starts_s = np.maximum(grid.starts_s, 0.0)
    lengths_s = np.maximum(grid.ends_s - starts_s, 0.0)
    tempo = add("tempo", "tempo of each bar")
    genre = add(
        "tag_open",
        "genre of each bar",
        genres=[one_line(name) for name in timeline.model.genres],
        probabilities=[[round(float(value), 4) for value in row] for row in timeline.probs],
        uncertain=[bool(flag) for flag in timeline.uncertain],
    )
    for bar, label in enumerate(timeline.labels):
        start_s, length_s = float(starts_s[bar]), float(lengths_s[bar])
        tempo.append(
            time=start_s, duration=length_s, value=float(grid.bpm[bar]), confidence=float(timeline.grid_confidence)
        )
        genre.append(
            time=start_s, duration=length_s, value=one_line(label), confidence=float(timeline.probs[bar].max())
        )
    for content, parts in (("sections", sections(timeline)), ("drops", drops(timeline))):
        segments = add("segment_open", content)
        for part in parts:
            segments.append(time=part.start_s, duration=part.end_s - part.start_s, value=part.name, confidence=None)
    records = add("segment_open", "tracks")
    for track in tracks(timeline):
        name = full_name(track.performer, track.title)
        records.append(time=track.start_s, duration=track.end_s - track.start_s, value=name, confidence=None)
    stream = io.StringIO()
    try:
        jam.save(stream)
    except jams.SchemaError as error:
        reason = one_line(str(error))[:100]
        raise ExchangeError(f"The timeline does not fit JAMS: {reason}.", "Analyze the mix again.") from error
    return text_content(stream.getvalue())

"""The 57 numbers per clip that GTZAN's tables hold, from audio, with the library they were made with. Zone: trainer.

The tables ``features_30_sec.csv`` and ``features_3_sec.csv`` have one row per clip or per tenth of a clip. The names of
their columns are the tables' own: ``harmony`` and ``perceptr`` are the harmonic and the percussive part of the sound.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from housex_blender.core.errors import AudioError, HouseXError
from housex_blender.core.files import write_text_atomic

if TYPE_CHECKING:
    from types import ModuleType

SAMPLE_RATE_HZ = 22050
ROW_SECONDS = (30, 3)
ROWS_PER_CLIP = 10
# a row of the 3-second table is one sample shorter than 3 s
SHORT_ROW_SAMPLES = 3 * SAMPLE_RATE_HZ - 1
_SHORT_ROW_STEP = 3 * SAMPLE_RATE_HZ
_HOP, _FRAME, _COEFFICIENTS = 512, 2048, 20

_OF_FRAMES = ("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate",
              "harmony", "perceptr")  # fmt: skip
_BOTH = ("mean", "var")
FEATURES: tuple[str, ...] = (
    *(f"{name}_{what}" for name in _OF_FRAMES for what in _BOTH),
    "tempo",
    *(f"mfcc{number}_{what}" for number in range(1, _COEFFICIENTS + 1) for what in _BOTH),
)
COLUMNS: tuple[str, ...] = ("filename", "length", *FEATURES, "label")

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        filename: ``blues.00000.wav``, or ``blues.00000.3.wav`` for the fourth tenth of it.
        length: Samples it was computed from.
        features: One value per name in FEATURES.
        label: Class name as the table spells it.
    """

    filename: str
    length: int
    features: dict[str, float]
    label: str


def tabular_features(samples: Samples, sample_rate_hz: int) -> dict[str, float]:
    """The 57 features of one piece of sound, in the order of FEATURES.

    Frames have 2048 samples and lie 512 apart, everything else is librosa's default at 22 050 Hz; sound of another rate
    is resampled. The tempo is in BPM and 0 where nothing ever starts; of silence everything else that has a level is 0
    too, except the first cepstral coefficient, which is that of the lowest level.

    Args:
        samples: (n,) mono, full scale 1.0.
        sample_rate_hz: Of the samples.

    Raises:
        AudioError: There are no samples, or some are not numbers.
        HouseXError: librosa is not installed.
    """
    librosa = _librosa()
    sound = np.ascontiguousarray(samples, dtype=np.float32)
    if sound.ndim != 1 or not len(sound):
        raise AudioError("There is no sound to compute features of.", "Give mono samples, at least one.")
    if not np.isfinite(sound).all():
        raise AudioError("The sound holds values that are not numbers.", "Decode the file again.")
    if sample_rate_hz != SAMPLE_RATE_HZ:
        sound = librosa.resample(sound, orig_sr=sample_rate_hz, target_sr=SAMPLE_RATE_HZ)
    with warnings.catch_warnings():
        # a piece shorter than a frame, and silence, which has no tuning: both are answered all the same
        warnings.simplefilter("ignore", UserWarning)
        return _features(librosa, sound)


def _features(librosa: ModuleType, sound: Samples) -> dict[str, float]:
    feature = librosa.feature
    magnitude = np.abs(librosa.stft(sound, n_fft=_FRAME, hop_length=_HOP))
    harmonic, percussive = librosa.effects.hpss(sound)
    of_frames = (
        feature.chroma_stft(S=magnitude**2, sr=SAMPLE_RATE_HZ),
        feature.rms(y=sound, frame_length=_FRAME, hop_length=_HOP),
        feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE_HZ),
        feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE_HZ),
        feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE_HZ),
        feature.zero_crossing_rate(sound, frame_length=_FRAME, hop_length=_HOP),
        harmonic,
        percussive,
    )
    cepstrum = feature.mfcc(y=sound, sr=SAMPLE_RATE_HZ, n_mfcc=_COEFFICIENTS)
    values = [*_mean_and_variance(of_frames), _tempo_bpm(librosa, sound), *_mean_and_variance(cepstrum)]
    return dict(zip(FEATURES, values, strict=True))


def _mean_and_variance(features: Iterable[NDArray[np.floating]]) -> list[float]:
    # in double precision: the mean of a waveform is far below the rounding of its sum
    return [float(value) for array in features for value in (array.mean(dtype=np.float64), array.var(dtype=np.float64))]


def _tempo_bpm(librosa: ModuleType, sound: Samples) -> float:
    """As librosa's beat tracker estimates it, without the beats."""
    onsets = librosa.onset.onset_strength(y=sound, sr=SAMPLE_RATE_HZ, hop_length=_HOP, aggregate=np.median)
    if not onsets.any():
        return 0.0
    return float(librosa.feature.tempo(onset_envelope=onsets, sr=SAMPLE_RATE_HZ, hop_length=_HOP)[0])


def table_rows(samples: Samples, sample_rate_hz: int, stem: str, label: str, row_seconds: int) -> list[Row]:
    """The rows of one clip.

    Args:
        samples: (n,) mono of the whole clip.
        sample_rate_hz: Of the samples.
        stem: Of the clip's file, for example ``blues.00000``.
        label: Class name.
        row_seconds: 30 for one row of the whole clip; 3 for ten of 66 149 samples each, 3 s apart, of which the last
            begins earlier where the clip ends before 30 s.

    Raises:
        AudioError: The clip is shorter than a row of 3 s, or holds values that are not numbers.
    """
    if row_seconds not in ROW_SECONDS:
        raise ValueError(f"rows have 30 or 3 seconds, not {row_seconds}")
    sound = samples
    if sample_rate_hz != SAMPLE_RATE_HZ:
        sound = _librosa().resample(np.asarray(samples, np.float32), orig_sr=sample_rate_hz, target_sr=SAMPLE_RATE_HZ)
    if row_seconds == 30:
        return [Row(f"{stem}.wav", len(sound), tabular_features(sound, SAMPLE_RATE_HZ), label)]
    last = len(sound) - SHORT_ROW_SAMPLES
    if last < 0:
        raise AudioError(f"{stem} has less than 3 s of sound.", "Leave it out, or get the clip again.")
    starts = [min(number * _SHORT_ROW_STEP, last) for number in range(ROWS_PER_CLIP)]
    pieces = [sound[start : start + SHORT_ROW_SAMPLES] for start in starts]
    return [
        Row(f"{stem}.{number}.wav", len(piece), tabular_features(piece, SAMPLE_RATE_HZ), label)
        for number, piece in enumerate(pieces)
    ]


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a CSV file with the published header of 60 columns.

    Raises:
        OSError: The folder cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([row.filename, row.length, *(repr(row.features[name]) for name in FEATURES), row.label])
    write_text_atomic(path, text.getvalue())


def _librosa() -> ModuleType:
    try:
        import librosa
    except ImportError as error:
        raise HouseXError("The tabular features need librosa.", "Install it: pip install --group systems") from error
    module: ModuleType = librosa
    return module

"""Everything that is measured on the samples, in one pass over a stream. Zone: analysis (numpy; no bpy).

Two short-time spectra are taken: 2048/512 for the log-mel picture that the classifier sees, and 1024/128 for onsets
and envelopes, where milliseconds count. A batch of frames goes through numpy's FFT at a time, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import Cancelled
from ..core.timeline import ENVELOPE_NAMES as ENVELOPE_NAMES
from .audio import decode_blocks, probe
from .kicks import find_kicks, find_pulses, kick_strength
from .spectra import (
    HOP,
    MEL_RATE_HZ,
    N_FFT,
    N_MELS,
    ONSET_HOP,
    ONSET_N_FFT,
    ONSET_RATE_HZ,
    SAMPLE_RATE_HZ,
    Framer,
    Rows,
    band_matrix,
    hann,
    mel_filterbank,
    power_spectrum,
)

FEATURE_VERSION = 1
MEL_FLOOR = 1e-10

# Edges of the onset bands. A kick or a clap moves nearly all of them at once, a bass note or a hat only a few.
ONSET_EDGES_HZ = (20.0, 75.0, 140.0, 260.0, 480.0, 900.0, 1700.0, 3200.0, 6000.0, 10800.0)
ONSET_LAG = 2
ONSET_GAIN = 20.0

ENVELOPE_RATE_HZ = 100
BAND_EDGES_HZ = {"bass": (60.0, 160.0), "mid": (400.0, 3000.0), "high": (5000.0, 10500.0)}
SUB_EDGES_HZ = (20.0, 60.0)
WAVEFORM_HOP = 1050
WAVEFORM_RATE_HZ = SAMPLE_RATE_HZ / WAVEFORM_HOP
# Half the range of noise in one window is some three times its rms: 16-bit dither reaches 6e-5, a mix lies far above.
SILENT_SWING = 2e-4
RINGING = 3
BATCH_FRAMES = 256

Floats = NDArray[np.float32]


@dataclass
class Features:
    """What one pass over a mix leaves behind.

    Attributes:
        mel: (n, 128) float16 log-mel power in dB, absolute (0 dB is power 1 of an unscaled Hann spectrum).
        onset: (k, 9) float16 rectified band flux at ``onset_rate_hz``; frame i is centred at i / onset_rate_hz.
        envelopes: (m, 6) float32 raw power of ENVELOPE_NAMES at 100 Hz; "kick" is an onset strength.
        waveform_peaks: (w, 2) float32 least and greatest sample per 1/21 s.
        duration_s: Length of what was decoded.
        peak: Greatest absolute sample.
        kick_times_s: (e,) attacks that look like a kick.
        kick_strengths: (e,) how much each looks like one.
    """

    mel: NDArray[np.float16]
    onset: NDArray[np.float16]
    envelopes: Floats
    waveform_peaks: Floats
    duration_s: float
    peak: float
    kick_times_s: NDArray[np.float64]
    kick_strengths: Floats
    mel_rate_hz: float = MEL_RATE_HZ
    onset_rate_hz: float = ONSET_RATE_HZ

    @property
    def is_silent(self) -> bool:
        """Whether nothing moves: judged by the swing of the waveform, so that a constant offset is silence too."""
        # The resampler rings where an offset begins and ends.
        inner = self.waveform_peaks[RINGING:-RINGING]
        rows = inner if len(inner) else self.waveform_peaks
        if not len(rows):
            return True
        half = 0.5 * (rows[:, 1].astype(np.float64) - rows[:, 0])
        return bool(np.sqrt(np.mean(half**2)) < SILENT_SWING)


class FeatureStream:
    """Takes samples as they come and gives :class:`Features` at the end."""

    def __init__(self) -> None:
        self._mel_frames, self._onset_frames = Framer(N_FFT, HOP), Framer(ONSET_N_FFT, ONSET_HOP)
        self._mel_window, self._onset_window = hann(N_FFT), hann(ONSET_N_FFT)
        self._mel_matrix = np.ascontiguousarray(mel_filterbank().T)
        self._sub_matrix = band_matrix([SUB_EDGES_HZ], N_FFT)
        onset_edges = list(pairwise(ONSET_EDGES_HZ))
        whole = (20.0, SAMPLE_RATE_HZ / 2.0)
        self._onset_matrix = band_matrix([*onset_edges, *BAND_EDGES_HZ.values(), whole], ONSET_N_FFT)
        self._mel = Rows((N_MELS,), np.float16)
        self._sub = Rows((), np.float32)
        self._onset = Rows((len(ONSET_EDGES_HZ) - 1,), np.float16)
        self._bands = Rows((len(BAND_EDGES_HZ) + 1,), np.float32)
        self._before: Floats | None = None
        self._peaks = Rows((2,), np.float32)
        self._rest: Floats = np.zeros(0, np.float32)
        self._total = 0

    @property
    def seconds(self) -> float:
        """Length of what has been pushed."""
        return self._total / SAMPLE_RATE_HZ

    def push(self, samples: Floats) -> None:
        """Take the next (n,) samples at 22 050 Hz, full scale 1.0."""
        samples = np.asarray(samples, dtype=np.float32)
        self._total += len(samples)
        self._see_mel(self._mel_frames.push(samples))
        self._see_onsets(self._onset_frames.push(samples))
        rest = np.concatenate([self._rest, samples])
        whole = len(rest) // WAVEFORM_HOP * WAVEFORM_HOP
        self._see_peaks(rest[:whole].reshape(-1, WAVEFORM_HOP))
        self._rest = rest[whole:]

    def _see_mel(self, frames: Floats) -> None:
        for start in range(0, len(frames), BATCH_FRAMES):
            power = power_spectrum(frames[start : start + BATCH_FRAMES], self._mel_window)
            mel = 10.0 * np.log10(np.maximum(power @ self._mel_matrix, np.float32(MEL_FLOOR)))
            self._mel.add(mel)
            self._sub.add((power @ self._sub_matrix)[:, 0])

    def _see_onsets(self, frames: Floats) -> None:
        n_onset = len(ONSET_EDGES_HZ) - 1
        for start in range(0, len(frames), BATCH_FRAMES):
            bands = power_spectrum(frames[start : start + BATCH_FRAMES], self._onset_window) @ self._onset_matrix
            self._bands.add(bands[:, n_onset:])
            level = np.log1p(ONSET_GAIN * np.sqrt(bands[:, :n_onset]))
            # Nothing precedes the first frame: repeat it, so that the start of the file is no onset.
            before = np.repeat(level[:1], ONSET_LAG, axis=0) if self._before is None else self._before
            joined = np.concatenate([before, level])
            self._onset.add(np.maximum(joined[ONSET_LAG:] - joined[:-ONSET_LAG], 0.0))
            self._before = joined[-ONSET_LAG:]

    def _see_peaks(self, rows: Floats) -> None:
        if len(rows):
            self._peaks.add(np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1))

    def finish(self) -> Features:
        """Close the stream; it takes no more samples afterwards."""
        self._see_mel(self._mel_frames.finish())
        self._see_onsets(self._onset_frames.finish())
        self._see_peaks(self._rest[None, :] if len(self._rest) else self._rest.reshape(0, 1))
        mel, onset, peaks = self._mel.whole(), self._onset.whole(), self._peaks.whole()
        bands, sub = self._bands.whole(), self._sub.whole()
        peak = float(np.abs(peaks).max()) if len(peaks) else 0.0
        kicks = find_kicks(kick_strength(onset), bands[:, -1])
        envelopes = _raw_envelopes(sub, bands, find_pulses(onset[:, 0], sub, bands[:, -1]), self.seconds)
        return Features(mel, onset, envelopes, peaks, self.seconds, peak, *kicks)


def _raw_envelopes(sub: Floats, bands: Floats, kicks: tuple[NDArray[np.float64], Floats], duration_s: float) -> Floats:
    """Bring every band to 100 Hz, as (m, 6) in the order of ENVELOPE_NAMES."""
    count = int(np.ceil(duration_s * ENVELOPE_RATE_HZ)) if len(bands) else 0
    result = np.zeros((count, len(ENVELOPE_NAMES)), np.float32)
    if not count:
        return result
    times_s = np.arange(count) / ENVELOPE_RATE_HZ
    result[:, 0] = np.interp(times_s, np.arange(len(sub)) / MEL_RATE_HZ, sub)
    frames_s = np.arange(len(bands)) / ONSET_RATE_HZ
    for column, name in ((0, 1), (1, 2), (2, 3), (3, 5)):
        result[:, name] = np.interp(times_s, frames_s, bands[:, column])
    slots = np.rint(kicks[0] * ENVELOPE_RATE_HZ).astype(np.int64)
    for shift, share in ((0, 1.0), (-1, 0.5), (1, 0.5)):
        np.maximum.at(result[:, 4], np.clip(slots + shift, 0, count - 1), np.float32(share) * kicks[1])
    return result


def extract_features(
    path: Path,
    on_progress: Callable[[float, float], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Features:
    """Decode a mix and measure it, in one pass and flat memory.

    Args:
        path: Audio file.
        on_progress: Called with (seconds done, seconds in all) after each block.
        on_warning: Called with a sentence when the file is cut short or damaged.
        should_stop: Asked after each block.

    Raises:
        AudioError: The file cannot be read.
        Cancelled: ``should_stop`` said so.
    """
    total_s = probe(path).duration_s
    stream = FeatureStream()
    blocks = decode_blocks(path, rate_hz=SAMPLE_RATE_HZ, on_warning=on_warning)
    try:
        for block in blocks:
            stream.push(block)
            if on_progress is not None:
                on_progress(min(stream.seconds, total_s), total_s)
            if should_stop is not None and should_stop():
                raise Cancelled()
    finally:
        blocks.close()  # type: ignore[attr-defined]
    return stream.finish()

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

SAMPLE_RATE_HZ = 22050
N_FFT = 2048
HOP = 512
N_MELS = 128
FEATURE_VERSION = 1
MEL_RATE_HZ = SAMPLE_RATE_HZ / HOP
MEL_FLOOR = 1e-10

ONSET_N_FFT = 1024
ONSET_HOP = 128
ONSET_RATE_HZ = SAMPLE_RATE_HZ / ONSET_HOP
# Edges of the onset bands. A kick or a clap moves nearly all of them at once, a bass note or a hat only a few.
ONSET_EDGES_HZ = (20.0, 75.0, 140.0, 260.0, 480.0, 900.0, 1700.0, 3200.0, 6000.0, 10800.0)
ONSET_LAG = 2
ONSET_GAIN = 20.0

ENVELOPE_RATE_HZ = 100
BAND_EDGES_HZ = {"bass": (60.0, 160.0), "mid": (400.0, 3000.0), "high": (5000.0, 10500.0)}
SUB_EDGES_HZ = (20.0, 60.0)
# Body, sweep and click of a kick: a bass note lacks the click, a hat lacks the body.
KICK_BANDS = (0, 1, 2, 5, 6)

KICK_LEAST = 0.1
KICK_APART_FRAMES = 8
# Logarithmic flux peaks when an attack enters the window; the steepest rise of the power, up to 50 ms later, marks
# the attack itself within a millisecond or two.
KICK_SEARCH_FRAMES = (-1, 9)
FIRST_RISE = 0.3

# A pulse of the light: attacks of the lowest band, at most about eight a second, judged against a minute around.
PULSE_APART_FRAMES = 20
PULSE_LEAST = 0.25
# narrow, so that a chord swelling up behind the kick is not taken for its attack
PULSE_SEARCH_FRAMES = (-2, 4)
PULSE_REACH_S = 30

WAVEFORM_HOP = 1050
WAVEFORM_RATE_HZ = SAMPLE_RATE_HZ / WAVEFORM_HOP
# Half the range of noise in one window is some three times its rms: 16-bit dither reaches 6e-5, a mix lies far above.
SILENT_SWING = 2e-4
RINGING = 3
BATCH_FRAMES = 256
# As many spectra at a time as stay in the processor's cache: more take four times as long.
FFT_FRAMES = 32
ROWS_AT_FIRST = 4096

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


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above."""
    linear = hz / (200.0 / 3.0)
    return np.where(hz < 1000.0, linear, 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) / (np.log(6.4) / 27.0))


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of :func:`_hz_to_mel`."""
    return np.where(mel < 15.0, mel * (200.0 / 3.0), 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0)))


def mel_filterbank(sample_rate_hz: int = SAMPLE_RATE_HZ, n_fft: int = N_FFT, n_mels: int = N_MELS) -> Floats:
    """(n_mels, n_fft // 2 + 1) triangular filters on Slaney's scale, each of unit area in Hz."""
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    top = float(_hz_to_mel(np.array([sample_rate_hz / 2.0]))[0])
    points_hz = _mel_to_hz(np.linspace(0.0, top, n_mels + 2))
    widths = np.diff(points_hz)
    ramps = points_hz[:, None] - bins_hz[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights *= (2.0 / (points_hz[2:] - points_hz[:-2]))[:, None]
    return weights.astype(np.float32)


def _band_matrix(edges_hz: list[tuple[float, float]], n_fft: int) -> Floats:
    """(n_fft // 2 + 1, n_bands) ones where a bin belongs to a band."""
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE_HZ)
    return np.stack([(bins_hz >= low) & (bins_hz < high) for low, high in edges_hz], axis=1).astype(np.float32)


def _hann(n: int) -> Floats:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)).astype(np.float32)


class _Framer:
    """Cuts a stream into centred, overlapping frames; both ends are mirrored."""

    def __init__(self, n_fft: int, hop: int) -> None:
        self.n_fft, self.hop, self.pad = n_fft, hop, n_fft // 2
        self._buffer: Floats = np.zeros(0, np.float32)
        self._started = False
        self._total = 0
        self._given = 0

    def push(self, samples: Floats) -> Floats:
        """(k, n_fft) frames that became complete; a view, valid until the next call."""
        self._total += len(samples)
        self._buffer = np.concatenate([self._buffer, samples])
        if not self._started:
            if self._total <= self.pad:
                return np.zeros((0, self.n_fft), np.float32)
            self._buffer = np.pad(self._buffer, (self.pad, 0), mode="reflect")
            self._started = True
        return self._cut()

    def finish(self) -> Floats:
        """The last frames, 1 + n // hop in all."""
        if self._total == 0:
            return np.zeros((0, self.n_fft), np.float32)
        # Numpy mirrors again and again when the padding is longer than the signal.
        pad = (0 if self._started else self.pad, self.pad)
        self._buffer = np.pad(self._buffer, pad, mode="reflect" if self._total > 1 else "edge")
        missing = 1 + self._total // self.hop - self._given
        return self._cut()[:missing]

    def _cut(self) -> Floats:
        count = max(0, (len(self._buffer) - self.n_fft) // self.hop + 1)
        if count == 0:
            return np.zeros((0, self.n_fft), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(self._buffer, self.n_fft)[:: self.hop][:count]
        self._buffer = self._buffer[count * self.hop :]
        self._given += count
        return frames


def _power(frames: Floats, window: Floats) -> Floats:
    """(k, n) frames -> (k, n // 2 + 1) power spectrum."""
    power = np.empty((len(frames), frames.shape[1] // 2 + 1), np.float32)
    for start in range(0, len(frames), FFT_FRAMES):
        part = np.fft.rfft(frames[start : start + FFT_FRAMES] * window, axis=1)
        # numpy's complex numbers lie as pairs; squaring the pairs in place saves two copies
        pairs = part.astype(np.complex64, copy=False).view(np.float32)
        pairs *= pairs
        np.add(pairs[:, ::2], pairs[:, 1::2], out=power[start : start + FFT_FRAMES])
    return power


class _Rows:
    """A table that grows at its end in place: joining a list of pieces would hold everything twice."""

    def __init__(self, shape: tuple[int, ...], kind: type) -> None:
        self._table: NDArray = np.empty((ROWS_AT_FIRST, *shape), kind)
        self._count = 0

    def add(self, rows: NDArray) -> None:
        """Append rows, converted to the table's type."""
        needed = self._count + len(rows)
        if needed > len(self._table):
            # in place: the system moves the pages, nothing is held twice
            self._table.resize((max(needed, len(self._table) * 5 // 4), *self._table.shape[1:]), refcheck=False)
        self._table[self._count : needed] = rows
        self._count = needed

    def whole(self) -> NDArray:
        """The table; nothing may be added afterwards."""
        self._table.resize((self._count, *self._table.shape[1:]), refcheck=False)
        return self._table


class FeatureStream:
    """Takes samples as they come and gives :class:`Features` at the end."""

    def __init__(self) -> None:
        self._mel_frames, self._onset_frames = _Framer(N_FFT, HOP), _Framer(ONSET_N_FFT, ONSET_HOP)
        self._mel_window, self._onset_window = _hann(N_FFT), _hann(ONSET_N_FFT)
        self._mel_matrix = np.ascontiguousarray(mel_filterbank().T)
        self._sub_matrix = _band_matrix([SUB_EDGES_HZ], N_FFT)
        onset_edges = list(pairwise(ONSET_EDGES_HZ))
        whole = (20.0, SAMPLE_RATE_HZ / 2.0)
        self._onset_matrix = _band_matrix([*onset_edges, *BAND_EDGES_HZ.values(), whole], ONSET_N_FFT)
        self._mel = _Rows((N_MELS,), np.float16)
        self._sub = _Rows((), np.float32)
        self._onset = _Rows((len(ONSET_EDGES_HZ) - 1,), np.float16)
        self._bands = _Rows((len(BAND_EDGES_HZ) + 1,), np.float32)
        self._before: Floats | None = None
        self._peaks = _Rows((2,), np.float32)
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
            power = _power(frames[start : start + BATCH_FRAMES], self._mel_window)
            mel = 10.0 * np.log10(np.maximum(power @ self._mel_matrix, np.float32(MEL_FLOOR)))
            self._mel.add(mel)
            self._sub.add((power @ self._sub_matrix)[:, 0])

    def _see_onsets(self, frames: Floats) -> None:
        n_onset = len(ONSET_EDGES_HZ) - 1
        for start in range(0, len(frames), BATCH_FRAMES):
            bands = _power(frames[start : start + BATCH_FRAMES], self._onset_window) @ self._onset_matrix
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


def kick_strength(onset: NDArray[np.floating]) -> Floats:
    """(k, 9) band flux -> (k,) strength that is large only where body, sweep and click of a kick rise together."""
    strength = np.ones(len(onset), np.float32)
    for band in KICK_BANDS:
        # Two frames of tolerance let the slow low bands meet the fast high ones.
        flux = onset[:, band].astype(np.float32)
        wide = flux.copy()
        for shift in (1, 2):
            wide[shift:] = np.maximum(wide[shift:], flux[:-shift])
            wide[:-shift] = np.maximum(wide[:-shift], flux[shift:])
        strength *= wide
    return strength ** np.float32(1.0 / len(KICK_BANDS))


def _attacks(
    peaks: NDArray[np.int64], power: Floats, search: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame and exact time in seconds of the steepest rise of the total power near each flux peak."""
    rise = np.zeros(len(power))
    rise[1:-1] = power[2:].astype(np.float64) - power[:-2]
    rows = np.arange(len(peaks))
    near = np.clip(peaks[:, None] + np.arange(*search), 1, len(power) - 2)
    if len(peaks):
        around = rise[near]
        top = (around >= rise[near - 1]) & (around >= rise[near + 1])
        top &= around >= FIRST_RISE * around.max(axis=1, keepdims=True)
        # A kick whose body swells after its click has two; the ear takes the first.
        steepest = near[rows, np.where(top.any(axis=1), top.argmax(axis=1), around.argmax(axis=1))]
    else:
        steepest = peaks
    before, top, after = rise[np.maximum(steepest - 1, 0)], rise[steepest], rise[steepest + 1]
    # The vertex of the parabola through three frames.
    bend = np.minimum(before - 2.0 * top + after, -1e-12)
    times_s = (steepest + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) / ONSET_RATE_HZ
    return steepest, times_s


def find_kicks(strength: Floats, power: Floats) -> tuple[NDArray[np.float64], Floats]:
    """Times in seconds and strengths of attacks that look like a kick.

    Args:
        strength: (k,) from :func:`kick_strength`.
        power: (k,) total power of the same frames.
    """
    if len(strength) < 3:
        return np.zeros(0), np.zeros(0, np.float32)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, KICK_APART_FRAMES), 2 * KICK_APART_FRAMES + 1)
    peaks = np.flatnonzero((strength >= around.max(axis=1)) & (strength > KICK_LEAST))
    steepest, times_s = _attacks(peaks, power, KICK_SEARCH_FRAMES)
    # Two peaks that share one attack are one kick.
    _, first = np.unique(steepest, return_index=True)
    return times_s[first], strength[peaks[first]]


def find_pulses(flux: NDArray[np.floating], sub: Floats, power: Floats) -> tuple[NDArray[np.float64], Floats]:
    """Times in seconds and strengths of kicks for the light, in a full arrangement too.

    :func:`find_kicks` wants body, sweep and click together, for exact times; under chords and claps the click is
    masked. The lowest band alone still shows the attack there, and how loud the bottom gets after it tells a kick
    from the rumble of a break.

    Args:
        flux: (k,) onset flux of the lowest band.
        sub: (n,) power below 60 Hz at the mel rate.
        power: (k,) total power of the frames of ``flux``.
    """
    if len(flux) < 3 or not len(sub):
        return np.zeros(0), np.zeros(0, np.float32)
    strength = flux.astype(np.float32)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, PULSE_APART_FRAMES), 2 * PULSE_APART_FRAMES + 1)
    peaks = np.flatnonzero((strength >= around.max(axis=1)) & (strength > PULSE_LEAST))
    _, times_s = _attacks(peaks, power, PULSE_SEARCH_FRAMES)
    level_db = 10.0 * np.log10(np.maximum(sub, np.float32(1e-9)))
    frames = np.rint(times_s * MEL_RATE_HZ).astype(np.int64)[:, None] + np.arange(4)
    reached_db = level_db[np.clip(frames, 0, len(sub) - 1)].max(axis=1)
    seconds = int(np.ceil(len(sub) / MEL_RATE_HZ))
    second = np.minimum((np.arange(len(sub)) / MEL_RATE_HZ).astype(np.int64), seconds - 1)
    loudest_db = np.full(seconds, -90.0)
    np.maximum.at(loudest_db, second, level_db)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(loudest_db, PULSE_REACH_S, mode="edge"), 2 * PULSE_REACH_S + 1
    )
    reference_db = np.percentile(windows, 80, axis=1)[np.clip(times_s.astype(np.int64), 0, seconds - 1)]
    gate = np.clip((reached_db - (reference_db - 14.0)) / 8.0, 0.0, 1.0)
    return times_s, (strength[peaks] * gate).astype(np.float32)


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

"""Constant-Q and variable-Q transforms and their chroma; close to librosa 0.11's. Zone: analysis (numpy, soxr).

The octave-wise algorithm of Schörkhuber and Klapuri (Constant-Q transform toolbox for music processing, 2010) with the
bandwidths of Schörkhuber et al. (AES 53, 2014): the filters of the top octave are applied in the frequency domain, the
signal is halved in rate, the next octave follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray

from ..spectra import hann, power_spectrum

Floats32 = NDArray[np.float32]
Floats64 = NDArray[np.float64]

C1_HZ = 440.0 * 2.0 ** (-45 / 12)
OCTAVES = 7
SEMITONES = tuple(2.0 ** (step / 12) for step in range(12))
THIRDS_OF_SEMITONES = tuple(2.0 ** (step / 36) for step in range(36))
# twelve intervals of just intonation with the primes 2, 3 and 5, as harmonic crystal growth finds them (Tenney, 2008)
JUST = (1.0, 16 / 15, 9 / 8, 6 / 5, 5 / 4, 4 / 3, 45 / 32, 3 / 2, 8 / 5, 5 / 3, 9 / 5, 15 / 8)

# equivalent noise bandwidth of a Hann window of 1024 samples in bins
_HANN_BANDWIDTH = 1.50018310546875
# this share of each filter's spectrum, its smallest values, is left out
_SPARSITY = 0.01
# the bandwidth of hearing is 24.7 Hz + 0.108 f (Glasberg and Moore, 1990)
_EAR_OFFSET_HZ = 24.7 / 0.108
_TUNING_N_FFT, _TUNING_HOP = 2048, 512
_TUNING_RANGE_HZ = (150.0, 4000.0)
# of the loudest bin of a frame; what lies below is no pitch
_PITCH_THRESHOLD = 0.1
_TUNING_STEPS = 100
# sets of filters that are kept, each up to 1 MB: those of the transforms without tuning, and the latest tuned ones
_KEPT_FILTERS = 8


@dataclass(frozen=True)
class Filters:
    """Filters of a transform in the frequency domain.

    Attributes:
        halvings: How often the rate of the sound is halved before the first octave.
        spectra: Per octave, the highest first: (ratios, n_fft // 2 + 1), for sound of half the rate of the one before.
        lengths: (bins,) of the filters in samples at the first octave's rate.
    """

    halvings: int
    spectra: tuple[NDArray[np.complex64], ...]
    lengths: Floats64


@dataclass(frozen=True)
class QTransform:
    """Magnitudes at frequencies that lie evenly on a logarithmic scale.

    Attributes:
        sample_rate_hz: Of the samples.
        ratios: Frequencies of one octave, rising from 1 to below 2.
        hop: From one frame to the next in samples; a multiple of ``2 ** (octaves - 1)``.
        octaves: From ``lowest_hz`` on.
        lowest_hz: Of the first bin.
        like_ear: False for a bandwidth in proportion to the frequency (constant Q); True for that of hearing, which is
            wider, and so quicker, in the bass (variable Q).
    """

    sample_rate_hz: int
    ratios: tuple[float, ...] = SEMITONES
    hop: int = 512
    octaves: int = OCTAVES
    lowest_hz: float = C1_HZ
    like_ear: bool = False

    @property
    def bins(self) -> int:
        """Rows of the result."""
        return len(self.ratios) * self.octaves

    def magnitudes(self, samples: NDArray[np.floating], tuning: float = 0.0) -> Floats32:
        """(bins, 1 + n // hop) magnitudes of (n,) samples, divided by the square root of each filter's length.

        Args:
            samples: Mono.
            tuning: By which share of a bin all frequencies are shifted.

        Raises:
            ValueError: The highest filter would reach beyond half the sample rate.
        """
        filters = _filters_of(self, tuning)
        sound, hop = np.asarray(samples, np.float32), self.hop >> filters.halvings
        sound, rows = _slower(sound, 2**filters.halvings), []
        for number, basis in enumerate(filters.spectra):
            if number:
                sound, hop = _slower(sound, 2), hop // 2
            rows.append(np.abs(basis @ _spectra(sound, 2 * (basis.shape[1] - 1), hop)))
        frames = min(row.shape[1] for row in rows)
        stacked = np.concatenate([row[:, :frames] for row in reversed(rows)])
        return (stacked / np.sqrt(filters.lengths)[:, None]).astype(np.float32)

    def make_filters(self, tuning: float) -> Filters:
        """What :meth:`magnitudes` applies; the same for every sound."""
        lowest_hz = self.lowest_hz * 2.0 ** (tuning / len(self.ratios))
        freqs_hz = (lowest_hz * np.outer(2.0 ** np.arange(self.octaves), self.ratios)).ravel()
        bandwidths = _relative_bandwidths(freqs_hz)
        halvings = self._first_halvings(freqs_hz, bandwidths)
        rate_hz = self.sample_rate_hz / 2**halvings
        lengths = self._lengths(freqs_hz, bandwidths, rate_hz)
        count, spectra = len(self.ratios), []
        for octave in reversed(range(self.octaves)):
            mine = slice(octave * count, (octave + 1) * count)
            step = 2 ** (self.octaves - 1 - octave)
            tones = _tones(freqs_hz[mine] / (rate_hz / step), lengths[mine] / step)
            spectra.append(tones * np.float32(np.sqrt(step)))
        return Filters(halvings, tuple(spectra), lengths)

    def _lengths(self, freqs_hz: Floats64, bandwidths: Floats64, rate_hz: float) -> Floats64:
        """(n,) length of each filter in samples."""
        return rate_hz / (bandwidths * (freqs_hz + (_EAR_OFFSET_HZ if self.like_ear else 0.0)))

    def _first_halvings(self, freqs_hz: Floats64, bandwidths: Floats64) -> int:
        """How often the rate can be halved before the first octave."""
        extra_hz = 0.5 * bandwidths * _EAR_OFFSET_HZ if self.like_ear else 0.0
        top_hz = float(np.max(freqs_hz * (1.0 + 0.5 * _HANN_BANDWIDTH * bandwidths) + extra_hz))
        if top_hz > self.sample_rate_hz / 2:
            raise ValueError(f"filters up to {top_hz:.0f} Hz need a sample rate above {2 * top_hz:.0f} Hz")
        spare = int(np.ceil(np.log2(self.sample_rate_hz / 2 / top_hz))) - 2
        twos = (self.hop & -self.hop).bit_length() - 1
        return max(0, min(spare, twos - self.octaves + 1))


@lru_cache(maxsize=_KEPT_FILTERS)
def _filters_of(transform: QTransform, tuning: float) -> Filters:
    return transform.make_filters(tuning)


def _relative_bandwidths(freqs_hz: Floats64) -> Floats64:
    """(n,) bandwidth as a share of the frequency, from the distance of the neighbours."""
    steps = np.diff(np.log2(freqs_hz))
    octaves = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    return (4.0**octaves - 1.0) / (4.0**octaves + 1.0)


def _slower(samples: Floats32, factor: int) -> Floats32:
    """Samples at a rate that is ``factor`` times lower, with the same energy."""
    if factor == 1:
        return samples
    wanted = -(-len(samples) // factor)
    made = soxr.resample(samples, factor, 1, quality="HQ")[:wanted]
    return (np.pad(made, (0, wanted - len(made))) * np.float32(np.sqrt(factor))).astype(np.float32)


def _tones(cycles_per_sample: Floats64, lengths: Floats64) -> NDArray[np.complex64]:
    """(n, n_fft // 2 + 1) spectra of windowed complex tones of unit sum; n_fft is a power of 2 above the longest."""
    n_fft = int(2.0 ** np.ceil(np.log2(lengths.max())))
    tones = np.zeros((len(lengths), n_fft), np.complex64)
    for row, (cycles, length) in enumerate(zip(cycles_per_sample, lengths, strict=True)):
        at = np.arange(-length // 2, length // 2)
        window = hann(len(at)).astype(np.float64)
        first = (n_fft - len(at)) // 2
        tones[row, first : first + len(at)] = np.exp(2j * np.pi * cycles * at) * window / window.sum()
    spectra = np.fft.fft(tones * (lengths / n_fft)[:, None], axis=1)[:, : n_fft // 2 + 1]
    sizes = np.abs(spectra)
    ranked = np.sort(sizes, axis=1)
    shares = np.cumsum(ranked / ranked.sum(axis=1, keepdims=True), axis=1)
    least = np.take_along_axis(ranked, np.argmax(shares >= _SPARSITY, axis=1)[:, None], axis=1)
    return np.where(sizes >= least, spectra, 0.0).astype(np.complex64)


def _spectra(samples: Floats32, n_fft: int, hop: int) -> NDArray[np.complex64]:
    """(n_fft // 2 + 1, 1 + n // hop) spectra of centred frames without a window; zeros beyond both ends."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, n_fft // 2), n_fft)[::hop]
    return np.fft.rfft(frames, axis=1).astype(np.complex64).T


def tuning_of(samples: NDArray[np.floating], sample_rate_hz: int, bins_per_octave: int) -> float:
    """By which share of a bin the pitches lie off A = 440 Hz, in [-0.5, 0.5): the commonest; 0 without pitches."""
    padded = np.pad(np.asarray(samples, np.float32), _TUNING_N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _TUNING_N_FFT)[::_TUNING_HOP]
    sizes = np.sqrt(power_spectrum(frames, hann(_TUNING_N_FFT)))
    bins_hz = np.fft.rfftfreq(_TUNING_N_FFT, 1.0 / sample_rate_hz)[1:-1]
    below, here, above = sizes[:, :-2], sizes[:, 1:-1], sizes[:, 2:]
    loud = np.where(sizes > _PITCH_THRESHOLD * sizes.max(axis=1, keepdims=True), sizes, 0.0)
    peak = (loud[:, 1:-1] > loud[:, :-2]) & (loud[:, 1:-1] >= loud[:, 2:])
    peak &= (bins_hz >= _TUNING_RANGE_HZ[0]) & (bins_hz < _TUNING_RANGE_HZ[1])
    if not peak.any():
        return 0.0
    # the top of the parabola through three neighbours
    slope, bend = ((above - below) / 2)[peak], (above + below - 2 * here)[peak]
    shift = np.where(np.abs(slope) < np.abs(bend), -slope / np.where(bend == 0, 1, bend), np.float32(0))
    heights = here[peak] + 0.5 * slope * shift
    pitches_hz = (np.nonzero(peak)[1] + 1 + shift).astype(np.float32) * np.float32(sample_rate_hz / _TUNING_N_FFT)
    pitches_hz = pitches_hz[heights >= np.median(heights)]
    off = np.mod(bins_per_octave * np.log2(pitches_hz / np.float32(27.5)), 1.0)
    counts, edges = np.histogram(np.where(off >= 0.5, off - 1.0, off), np.linspace(-0.5, 0.5, _TUNING_STEPS + 1))
    return float(edges[np.argmax(counts)])


def _chroma(magnitudes: Floats32, bins_per_octave: int) -> Floats32:
    """(12, frames) sums of each pitch class over the octaves, the loudest of a frame 1.

    Whatever is left of a frame of digital silence, the ringing of a filter or a rounding error, is raised to 1 too:
    there alone the numbers differ from librosa's.
    """
    merged = bins_per_octave // 12
    pitch_class = (np.arange(len(magnitudes)) + merged // 2) // merged % 12
    fold = (np.arange(12)[:, None] == pitch_class[None, :]).astype(np.float32)
    chroma = fold @ magnitudes
    loudest = chroma.max(axis=0)
    return chroma / np.where(loudest < np.finfo(np.float32).tiny, np.float32(1), loudest)


def chroma_cqt(samples: NDArray[np.floating], sample_rate_hz: int) -> Floats32:
    """(12, 1 + n // 512) constant-Q chroma from C: 36 bins per octave, tuned to the sound; the loudest is 1."""
    tuning = tuning_of(samples, sample_rate_hz, len(THIRDS_OF_SEMITONES))
    magnitudes = QTransform(sample_rate_hz, THIRDS_OF_SEMITONES).magnitudes(samples, tuning)
    return _chroma(magnitudes, len(THIRDS_OF_SEMITONES))


def chroma_vqt(samples: NDArray[np.floating], sample_rate_hz: int) -> Floats32:
    """(12, 1 + n // 512) chroma from C in just intonation, one bin per interval; each frame's loudest is 1.

    Without an offset of the bandwidth, as the mainstage benchmark calls it, this variable-Q transform has constant Q.
    """
    return _chroma(QTransform(sample_rate_hz, JUST).magnitudes(samples), len(JUST))


def stretched_rows(rows: NDArray[np.floating], height: int) -> Floats32:
    """(height, frames) of (n, frames) by linear interpolation between the rows' centres, mirrored at the edges."""
    last = len(rows) - 1
    at = np.abs((np.arange(height) + 0.5) * len(rows) / height - 0.5)
    at = np.where(at > last, 2 * last - at, at)
    low = np.minimum(at.astype(np.int64), max(last - 1, 0))
    share = (at - low).astype(np.float32)[:, None]
    return ((1 - share) * rows[low] + share * rows[np.minimum(low + 1, last)]).astype(np.float32)

"""Short-time spectra of a stream: frames, power, mel filters, growing tables. Zone: analysis (numpy; no bpy)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 22050
N_FFT = 2048
HOP = 512
N_MELS = 128
MEL_RATE_HZ = SAMPLE_RATE_HZ / HOP

ONSET_N_FFT = 1024
ONSET_HOP = 128
ONSET_RATE_HZ = SAMPLE_RATE_HZ / ONSET_HOP

# As many spectra at a time as stay in the processor's cache: more take four times as long.
FFT_FRAMES = 32
ROWS_AT_FIRST = 4096

Floats = NDArray[np.float32]


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above."""
    linear = hz / (200.0 / 3.0)
    return np.where(hz < 1000.0, linear, 15.0 + np.log(np.maximum(hz, 1e-9) / 1000.0) / (np.log(6.4) / 27.0))


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of :func:`_hz_to_mel`."""
    return np.where(mel < 15.0, mel * (200.0 / 3.0), 1000.0 * np.exp((mel - 15.0) * (np.log(6.4) / 27.0)))


def mel_filterbank(
    sample_rate_hz: int = SAMPLE_RATE_HZ, n_fft: int = N_FFT, n_mels: int = N_MELS, fmax_hz: float | None = None
) -> Floats:
    """(n_mels, n_fft // 2 + 1) triangular filters on Slaney's scale up to ``fmax_hz``, each of unit area in Hz."""
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    top = float(_hz_to_mel(np.array([sample_rate_hz / 2.0 if fmax_hz is None else fmax_hz]))[0])
    points_hz = _mel_to_hz(np.linspace(0.0, top, n_mels + 2))
    widths = np.diff(points_hz)
    ramps = points_hz[:, None] - bins_hz[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights *= (2.0 / (points_hz[2:] - points_hz[:-2]))[:, None]
    return weights.astype(np.float32)


def band_matrix(edges_hz: list[tuple[float, float]], n_fft: int) -> Floats:
    """(n_fft // 2 + 1, n_bands) ones where a bin belongs to a band."""
    bins_hz = np.fft.rfftfreq(n_fft, 1.0 / SAMPLE_RATE_HZ)
    return np.stack([(bins_hz >= low) & (bins_hz < high) for low, high in edges_hz], axis=1).astype(np.float32)


def hann(n: int) -> Floats:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n) / n)).astype(np.float32)


class Framer:
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


def power_spectrum(frames: Floats, window: Floats) -> Floats:
    """(k, n) frames -> (k, n // 2 + 1) power spectrum."""
    power = np.empty((len(frames), frames.shape[1] // 2 + 1), np.float32)
    for start in range(0, len(frames), FFT_FRAMES):
        part = np.fft.rfft(frames[start : start + FFT_FRAMES] * window, axis=1)
        # numpy's complex numbers lie as pairs; squaring the pairs in place saves two copies
        pairs = part.astype(np.complex64, copy=False).view(np.float32)
        pairs *= pairs
        np.add(pairs[:, ::2], pairs[:, 1::2], out=power[start : start + FFT_FRAMES])
    return power


class Rows:
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

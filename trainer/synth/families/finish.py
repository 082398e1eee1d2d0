"""Treatment that every family can get: drive, filters, transients, chorus, crushing, tremolo and stereo width."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from ..dsp import SAMPLE_RATE_HZ, Audio, filtered, saturate
from .base import close, log_uniform, times_s


@dataclass(frozen=True)
class Finish:
    """Numbers of a treatment; the defaults leave a sound alone.

    drive 0..1 and its kind (tanh, fold, uneven, crush, clip); cuts and peak in Hz and dB; punch: extra level of the
    first milliseconds; fade_s: an extra decay (0 = none); chorus_ms, double_ms, comb_ms: depth of a chorus, delay
    between the sides, delay of a comb (0 = none); tremolo depth 0..1 and rate; width of the sides.
    """

    drive: float = 0.0
    kind: str = "tanh"
    low_cut_hz: float = 0.0
    high_cut_hz: float = 0.0
    peak_hz: float = 0.0
    peak_db: float = 0.0
    punch: float = 0.0
    fade_s: float = 0.0
    chorus_ms: float = 0.0
    chorus_hz: float = 0.8
    double_ms: float = 0.0
    comb_ms: float = 0.0
    comb: float = 0.0
    tremolo: float = 0.0
    tremolo_hz: float = 5.0
    width: float = 1.0

    def apply(self, body: Audio, hold_s: float, release_s: float) -> Audio:
        """Treat (channels, n) audio and return (n, 2) at a peak of 1 that ends in silence."""
        if self.punch or self.fade_s:
            body = body * self._contour(body.shape[1])
        if self.drive > 0.01:
            body = driven(body, self.drive, self.kind)
        bank = _equaliser(self.low_cut_hz, self.high_cut_hz, self.peak_hz, self.peak_db)
        if bank is not None:
            body = signal.sosfilt(bank, body, axis=1)
        if self.comb:
            gap = max(1, int(self.comb_ms * 1e-3 * SAMPLE_RATE_HZ))
            echo = np.zeros_like(body)
            echo[:, gap:] = body[:, : -gap or None] if gap < body.shape[1] else 0.0
            body = body + np.float32(self.comb) * echo
        if self.tremolo:
            swing = np.sin(times_s(body.shape[1]) * np.float32(2.0 * np.pi * self.tremolo_hz))
            body = body * (np.float32(1.0) - np.float32(0.5 * self.tremolo) * (swing + np.float32(1.0)))
        wide = self._widened(np.asarray(body, dtype=np.float32))
        close(wide, hold_s, release_s)
        wide *= np.float32(1.0 / (np.abs(wide).max() + 1e-9))
        return np.ascontiguousarray(wide.T)

    def _contour(self, length: int) -> Audio:
        time_s = times_s(length)
        curve = np.ones(length, dtype=np.float32)
        if self.fade_s:
            curve = np.exp(time_s * np.float32(-1.0 / self.fade_s))
        if self.punch:
            curve[:4000] *= 1.0 + np.float32(self.punch) * np.exp(time_s[:4000] * np.float32(-55.0))
        return curve

    def _widened(self, body: Audio) -> Audio:
        if self.chorus_ms:
            body = np.stack([_chorus(body[0], self.chorus_ms, self.chorus_hz, 0.0),
                             _chorus(body[-1], self.chorus_ms, self.chorus_hz, 0.5)])  # fmt: skip
        elif len(body) == 1:
            body = np.concatenate([body, body])
            if self.double_ms:
                gap = min(int(self.double_ms * 1e-3 * SAMPLE_RATE_HZ), body.shape[1] - 1)
                late = np.zeros(body.shape[1], dtype=np.float32)
                late[gap:] = body[0, : body.shape[1] - gap]
                body += np.stack([late, -late]) * np.float32(0.35)
        if self.width != 1.0:
            middle = body.mean(axis=0)
            return middle + (body - middle) * np.float32(self.width)
        return body.copy()


def _chorus(mono: Audio, depth_ms: float, rate_hz: float, start: float) -> Audio:
    """Add a copy (n,) whose delay swings between 6 ms and 6 + 2 depth_ms."""
    length = len(mono)
    swing = np.sin(times_s(length) * np.float32(2.0 * np.pi * rate_hz) + np.float32(2.0 * np.pi * start))
    delay = (np.float32(6.0 + depth_ms) + np.float32(depth_ms) * swing) * np.float32(SAMPLE_RATE_HZ * 1e-3)
    whole = delay.astype(np.int64)
    part = delay - whole.astype(np.float32)
    place = np.arange(length) - whole
    near = np.where(place >= 0, mono.take(place, mode="clip"), np.float32(0.0))
    far = np.where(place >= 1, mono.take(place - 1, mode="clip"), np.float32(0.0))
    return mono + np.float32(0.7) * (near + (far - near) * part)


def driven(body: Audio, drive: float, kind: str) -> Audio:
    """Distort (channels, n) audio; drive 0..1 sets a gain of 1 + 12 drive, or the mix of a harsher kind."""
    if kind == "tanh":
        return saturate(body.T, drive).T
    level = np.float32(1.0 / (np.abs(body).max() + 1e-9))
    gain = np.float32(1.0 + 12.0 * drive)
    soft = filtered(body.T, "lowpass", 9000.0).T * level
    if kind == "fold":
        # Folds grow over a saturated tone, so that more drive always means more overtones.
        hot = np.tanh(soft * gain) + np.float32(0.5 * drive) * np.sin(soft * np.float32(3.0 * np.pi))
    elif kind == "uneven":
        hot = np.tanh(soft * gain + np.float32(0.4 * drive)) - np.tanh(np.float32(0.4 * drive))
    elif kind == "clip":
        hot = np.clip(soft * gain, -1.0, 1.0)
    elif kind == "crush":
        steps = np.float32(2.0 ** (7.0 - 4.5 * drive))
        hot = np.round(np.tanh(soft * np.sqrt(gain)) * steps) / steps
        hold = 1 + int(4.0 * drive)
        if hold > 1:
            held = np.repeat(hot[:, ::hold], hold, axis=1)[:, : hot.shape[1]]
            hot = hot + np.float32(drive) * (held - hot)
    else:
        raise ValueError(f"unknown kind of drive {kind!r}; known: tanh, fold, uneven, clip, crush")
    return filtered(hot.T, "lowpass", 13000.0).T


@lru_cache(maxsize=512)
def _equaliser(low_cut_hz: float, high_cut_hz: float, peak_hz: float, peak_db: float) -> NDArray[np.floating] | None:
    """Second order sections of the cuts and the bell in use."""
    parts = []
    if low_cut_hz > 0.0:
        parts.append(signal.butter(2, low_cut_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos"))
    if high_cut_hz > 0.0:
        parts.append(signal.butter(2, min(high_cut_hz, 18000.0), "lowpass", fs=SAMPLE_RATE_HZ, output="sos"))
    if peak_db:
        gain, turn = 10.0 ** (peak_db / 40.0), 2.0 * np.pi * peak_hz / SAMPLE_RATE_HZ
        alpha = np.sin(turn) / 2.0
        top = np.array([1.0 + alpha * gain, -2.0 * np.cos(turn), 1.0 - alpha * gain])
        bottom = np.array([1.0 + alpha / gain, -2.0 * np.cos(turn), 1.0 - alpha / gain])
        parts.append(np.concatenate([top, bottom])[None] / bottom[0])
    if not parts:
        return None
    bank = np.concatenate(parts)
    # Single precision is enough where no pole lies near zero frequency.
    return bank if 0.0 < low_cut_hz < 200.0 else bank.astype(np.float32)


def draw_finish(rng: np.random.Generator, role: str, drive: float, organic: float) -> Finish:
    """Draw a treatment that suits a role; acoustic voices are treated more gently."""
    bass = role == "bass"
    kinds = ("tanh", "tanh", "uneven", "fold", "clip", "crush") if drive > 0.3 else ("tanh", "tanh", "uneven")
    odds = 0.5 if organic > 0.6 else 1.0

    def chance(share: float) -> bool:
        return bool(rng.random() < share * odds)

    high_cut = log_uniform(rng, 1500.0 if not drive else 4000.0, 14000.0) if chance(0.45) else 0.0
    low_cut = log_uniform(rng, 90.0, 500.0) if not bass and chance(0.5) else 0.0
    peaked = rng.random() < 0.6
    return Finish(
        drive=drive,
        kind=kinds[int(rng.integers(len(kinds)))],
        low_cut_hz=low_cut,
        high_cut_hz=high_cut,
        peak_hz=log_uniform(rng, 250.0, 7000.0) if peaked else 0.0,
        peak_db=float(rng.uniform(-9.0, 10.0)) if peaked else 0.0,
        punch=float(rng.uniform(0.3, 2.5)) if role != "pad" and rng.random() < 0.3 else 0.0,
        fade_s=log_uniform(rng, 0.06, 0.6) if role in ("stab", "arp") and rng.random() < 0.6 else 0.0,
        chorus_ms=float(rng.uniform(0.4, 2.5)) if not bass and chance(0.22) else 0.0,
        chorus_hz=log_uniform(rng, 0.3, 3.0),
        double_ms=float(rng.uniform(5.0, 22.0)) if not bass and chance(0.4) else 0.0,
        comb_ms=log_uniform(rng, 0.25, 6.0),
        comb=float(rng.uniform(0.3, 0.9) * rng.choice([-1.0, 1.0])) if chance(0.12) else 0.0,
        tremolo=float(rng.uniform(0.2, 0.8)) if not bass and role != "stab" and chance(0.1) else 0.0,
        tremolo_hz=log_uniform(rng, 2.0, 9.0),
        width=float(rng.uniform(0.0, 0.4)) if bass else float(rng.uniform(0.2, 1.5)),
    )

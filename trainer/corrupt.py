"""What happens to a record between the studio and the listener, applied to a rendered track. Zone: trainer.

Each corruption stands alone; :func:`corrupt_audio` draws a chain in the order of reality: production, mix, DJ, medium.
Audio is (n_samples, 2) float32 throughout. Only vari-speed, key-lock and wow move the beats.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

from housex_blender.analysis import ffmpeg
from housex_blender.core.attributes import ATTRIBUTES

from .labelled import Labelled
from .synth.dsp import Audio, convolve, db_to_gain

Floats = NDArray[np.float64]

# blocks on which a compressor decides
CONTROL_SAMPLES = 128
# frames of the swept filter
SWEEP_FFT = 4096
SWEEP_HOP = SWEEP_FFT // 2
# frames of the time stretch, and how far one may slip to fit the wave before it: half a period of 50 Hz
STRETCH_FRAME_S = 0.08
STRETCH_SLIP_S = 0.01
STRETCH_DECIMATION = 4
# as much as stays in the processor's cache
CHUNK_SAMPLES = 1 << 15
# noise is drawn for that long and repeated: much longer than a bar, and no whole number of them
NOISE_S = 21.7
SURFACE_TURNS = 14
# no decoder in use starts later than this
LONGEST_PRIMING = 4096
ALIGN_EXCERPT_S = 3.0
# a low-pass below this hides melody and timbre, a high-pass above that hides the bass: nobody could still name them
HIDES_PARTS_BELOW_HZ = 600.0
HIDES_BASS_ABOVE_HZ = 250.0
HIDDEN_BY_LOWPASS = [ATTRIBUTES.index(name) for name in ("lead", "chord", "distortion", "organicity")]
HIDDEN_BY_HIGHPASS = [ATTRIBUTES.index("bass")]


@dataclass(frozen=True)
class Codec:
    """How ffmpeg names an encoder and its stream, how many samples come out too many in front, and usable rates.

    The quick settings are a little worse than the usual ones, which is no harm here, and cost half.
    """

    encoder: str
    container: str
    priming: int
    kbits: tuple[int, ...]
    quick: tuple[str, ...] = ()


CODECS = {
    "mp3": Codec("libmp3lame", "mp3", 1105, (64, 96, 128, 192, 256, 320), ("-compression_level", "9")),
    "aac": Codec("aac", "adts", 1024, (64, 96, 128, 192, 256, 320), ("-aac_coder", "fast")),
    "opus": Codec("libopus", "ogg", 0, (64, 96, 128, 160, 256), ("-compression_level", "2")),
    "vorbis": Codec("libvorbis", "ogg", 0, (64, 96, 128, 192, 320)),
}


def _rms(audio: Audio) -> float:
    """Root mean square over all samples and channels, never zero."""
    flat = audio.reshape(-1)
    return float(np.sqrt(np.dot(flat, flat) / max(len(flat), 1)) + 1e-9)


def _filtered(audio: Audio, sos: Floats) -> Audio:
    """Second-order sections along time, in double precision: single loses its footing at the bottom of the spectrum."""
    return signal.sosfilt(sos, audio.astype(np.float64), axis=0).astype(np.float32)


def _butter(kind: str, edges_hz: float | tuple[float, float], rate_hz: int, order: int = 2) -> Floats:
    """Butterworth sections with the edges held inside the band."""
    edges = np.clip(np.asarray(edges_hz, float), 5.0, 0.49 * rate_hz)
    return signal.butter(order, edges, kind, fs=rate_hz, output="sos")


# --- production -----------------------------------------------------------------------------------------------------


def equalise(audio: Audio, rate_hz: int, bands: list[tuple[float, float, float]]) -> Audio:
    """Parametric equaliser of (centre in Hz, gain in dB, quality): Bristow-Johnson's peaking filters."""
    sections = []
    for centre_hz, gain_db, quality in bands:
        angle = 2.0 * np.pi * min(centre_hz, 0.45 * rate_hz) / rate_hz
        alpha, gain = np.sin(angle) / (2.0 * quality), 10.0 ** (gain_db / 40.0)
        top = np.array([1.0 + alpha * gain, -2.0 * np.cos(angle), 1.0 - alpha * gain])
        below = np.array([1.0 + alpha / gain, -2.0 * np.cos(angle), 1.0 - alpha / gain])
        sections.append(np.concatenate([top, below]) / below[0])
    return _filtered(audio, np.array(sections)) if sections else audio


def room_impulse(
    rng: np.random.Generator, rate_hz: int, rt60_s: float, damping: float = 0.5, gate_s: float | None = None
) -> Audio:
    """Impulse response of a room without its direct sound.

    Args:
        rng: Source of chance.
        rate_hz: Sample rate.
        rt60_s: Time in which the mids fall by 60 dB.
        damping: 0..1, how much sooner the highs die.
        gate_s: When given, the tail hardly falls and is cut there, as a gated snare room does.

    Returns:
        (n, 2) float32: some early reflections, then noise that decays.
    """
    length = int(rate_hz * (gate_s if gate_s is not None else rt60_s))
    times_s = np.arange(length, dtype=np.float32)[:, None] / rate_hz
    noise = rng.standard_normal((length, 2), dtype=np.float32)
    high = _filtered(noise, _butter("highpass", rng.uniform(1500.0, 5000.0), rate_hz, 1))
    fall = np.float32(-6.9 / rt60_s) * times_s
    low_cut = _butter("highpass", rng.uniform(20.0, 300.0), rate_hz, 1)
    tail = _filtered((noise - high) * np.exp(fall) + high * np.exp(fall / (1.0 - 0.8 * damping)), low_cut)
    if gate_s is not None:
        tail[-length // 20 :] *= np.linspace(1.0, 0.0, len(tail[-length // 20 :]), dtype=np.float32)[:, None]
    power = float(np.sum(tail**2))
    early = np.zeros_like(tail)
    for _ in range(int(rng.integers(4, 12))):
        early[int(min(rng.uniform(0.003, 0.06) * rate_hz, length - 1)), rng.integers(2)] += rng.choice([-1.0, 1.0])
    impulse = tail + early * np.float32(np.sqrt(rng.uniform(0.1, 0.8) * power / max(float(np.sum(early**2)), 1e-9)))
    pre_delay = np.zeros((int(rng.uniform(0.0, 0.04) * rate_hz), 2), np.float32)
    return np.concatenate([pre_delay, impulse / np.float32(np.sqrt(np.sum(impulse**2)) + 1e-9)])


def reverberate(audio: Audio, rate_hz: int, impulse: Audio, wet_db: float, duck: float = 0.0) -> Audio:
    """Add a room.

    Args:
        audio: (n, 2).
        rate_hz: Sample rate.
        impulse: (m, 2) from :func:`room_impulse`.
        wet_db: Level of the room below the dry sound, by their effective values.
        duck: 0..1, how far the room gives way while the dry sound is loud.
    """
    wet = convolve(audio, impulse)
    if duck > 0.0:
        loud = _block_levels(audio)
        loud = ndimage.uniform_filter1d(loud, max(1, int(0.05 * rate_hz / CONTROL_SAMPLES)))
        gain = 1.0 - duck * np.clip(loud / (np.percentile(loud, 95) + 1e-9), 0.0, 1.0)
        wet *= _per_sample(gain, len(wet))[:, None]
    return audio + wet * np.float32(db_to_gain(wet_db) * _rms(audio) / _rms(wet))


def echo(audio: Audio, rate_hz: int, time_s: float, feedback: float, wet_db: float) -> Audio:
    """Repeats every ``time_s``, each softer by the factor ``feedback``, in the band of a tape delay."""
    wet = _filtered(audio, _butter("bandpass", (250.0, 5000.0), rate_hz, 1))
    step, gain = max(1, round(time_s * rate_hz)), db_to_gain(wet_db)
    out = audio.copy()
    for repeat in range(1, 9):
        start = repeat * step
        if start >= len(audio) or gain < 0.005:
            break
        # from side to side
        out[start:] += np.float32(gain) * (wet[:-start] if repeat % 2 else wet[:-start, ::-1])
        gain *= feedback
    return out


# --- mix bus ---------------------------------------------------------------------------------------------------------


def _block_levels(audio: Audio) -> Floats:
    """Effective value of each CONTROL_SAMPLES samples, at least one."""
    padded = np.pad(audio, ((0, -len(audio) % CONTROL_SAMPLES or (0 if len(audio) else CONTROL_SAMPLES)), (0, 0)))
    blocks = padded.reshape(-1, CONTROL_SAMPLES * 2)
    return np.sqrt(np.einsum("ij,ij->i", blocks, blocks) / blocks.shape[1]).astype(np.float64)


def _per_sample(gain: Floats, length: int) -> NDArray[np.float32]:
    """Block gains drawn through their centres, for every sample."""
    centres = (np.arange(len(gain)) + 0.5) * CONTROL_SAMPLES
    return np.interp(np.arange(length), centres, gain).astype(np.float32)


def compress(
    audio: Audio,
    rate_hz: int,
    threshold_db: float,
    ratio: float,
    attack_s: float = 0.005,
    release_s: float = 0.15,
    by_bass: bool = False,
) -> Audio:
    """Bus compressor; with a slow release it pumps.

    Args:
        audio: (n, 2).
        rate_hz: Sample rate.
        threshold_db: Against the effective value of the whole.
        ratio: dB in per dB out above the threshold.
        attack_s: Time constant downwards.
        release_s: Time constant upwards.
        by_bass: Listen below 150 Hz only, so that the kick moves everything.
    """
    heard = _filtered(audio, _butter("lowpass", 150.0, rate_hz)) if by_bass else audio
    levels_db = 20.0 * np.log10(_block_levels(heard) / _rms(heard) + 1e-6)
    wanted = -np.maximum(levels_db - threshold_db, 0.0) * (1.0 - 1.0 / ratio)
    step_s = CONTROL_SAMPLES / rate_hz
    down, up = (1.0 - float(np.exp(-step_s / max(time_s, 1e-4))) for time_s in (attack_s, release_s))
    state, reductions = 0.0, np.empty(len(wanted))
    for index, goal in enumerate(wanted.tolist()):
        state += (down if goal < state else up) * (goal - state)
        reductions[index] = state
    return audio * _per_sample(10.0 ** (reductions / 20.0), len(audio))[:, None]


def overdrive(audio: Audio, gain: float = 1.0, clip_db: float = 0.0) -> Audio:
    """Tanh at ``gain`` times the peak (1..3), then a hard clip ``clip_db`` below it; the peak level is kept."""
    peak = float(np.abs(audio).max(initial=0.0)) or 1.0
    if gain > 1.0:
        audio = np.tanh(audio * np.float32(gain / peak)) * np.float32(peak / np.tanh(gain))
    if clip_db > 0.0:
        edge = db_to_gain(-clip_db)
        audio = np.clip(audio, -edge * peak, edge * peak) * np.float32(1.0 / edge)
    return audio


def set_sides(audio: Audio, side_gain: float) -> Audio:
    """Scale what differs between left and right: 0 is mono, 1 leaves everything."""
    mid, side = 0.5 * (audio[:, 0] + audio[:, 1]), np.float32(0.5 * side_gain) * (audio[:, 0] - audio[:, 1])
    return np.stack([mid + side, mid - side], axis=1)


# --- DJ --------------------------------------------------------------------------------------------------------------


def vari_speed(track: Labelled, speed: float) -> Labelled:
    """Turn the platter ``speed`` times as fast: time, pitch and beats move together."""
    audio = soxr.resample(track.audio, track.sample_rate_hz * speed, track.sample_rate_hz).astype(np.float32)
    return replace(track, audio=audio, beats_s=track.beats_s / speed)


def key_lock(track: Labelled, speed: float) -> Labelled:
    """Play ``speed`` times as fast at the same pitch, by joining frames where their waves fit.

    WSOLA (Verhelst and Roelands 1993): beats are where they should be to within the slip of a frame, 10 ms.
    """
    audio, rate_hz = track.audio, track.sample_rate_hz
    hop = int(STRETCH_FRAME_S * rate_hz / 2) // STRETCH_DECIMATION * STRETCH_DECIMATION
    slip = int(STRETCH_SLIP_S * rate_hz) // STRETCH_DECIMATION
    length = round(len(audio) / speed)
    count = length // hop + 2
    # frame k is centred at k * hop of the output, so its samples start half a frame earlier
    margin = hop + (slip + 1) * STRETCH_DECIMATION
    margin += -margin % STRETCH_DECIMATION
    padded = np.pad(audio, ((margin, int(3 * hop * speed) + 2 * margin), (0, 0)))
    short = len(padded) // STRETCH_DECIMATION
    mono = padded[: short * STRETCH_DECIMATION].reshape(short, -1).sum(axis=1)
    energy = np.concatenate([[0.0], np.cumsum(mono.astype(np.float64) ** 2)])
    frame, starts, before = 2 * hop // STRETCH_DECIMATION, np.empty(count, np.int64), 0
    for index in range(count):
        nominal = int((index * hop * speed + margin - hop) / STRETCH_DECIMATION)
        chosen = nominal
        if index:
            first = max(0, nominal - slip)
            last = min(nominal + slip, short - frame)
            after = mono[before + hop // STRETCH_DECIMATION :][:frame]
            fits = np.correlate(mono[first : last + len(after)], after, "valid")
            places = np.arange(first, first + len(fits))
            norm = np.sqrt(np.maximum(energy[np.minimum(places + frame, short)] - energy[places], 0.0)) + 1e-3
            # in silence every place fits alike: stay
            chosen = int(places[np.argmax(fits / norm)]) if after.any() else nominal
        starts[index] = before = chosen
    window = (0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)).astype(np.float32)[:, None]
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop, axis=0)[starts * STRETCH_DECIMATION]
    frames = frames.transpose(0, 2, 1) * window
    out = np.zeros(((count + 1) * hop, 2), np.float32)
    for parity in (0, 1):
        part = frames[parity::2].reshape(-1, 2)
        out[parity * hop : parity * hop + len(part)] += part
    return replace(track, audio=out[hop : hop + length], beats_s=track.beats_s / speed)


def sweep_filter(audio: Audio, rate_hz: int, low_hz: Floats, high_hz: Floats, order: int = 4) -> Audio:
    """A DJ's filter whose corners move.

    Args:
        audio: (n, 2).
        rate_hz: Sample rate.
        low_hz: (k,) corner of the high-pass along the audio, evenly spread; 0 is open.
        high_hz: (k,) corner of the low-pass; infinite is open.
        order: Times 6 dB per octave.

    Returns:
        (n, 2): each frame's spectrum weighed with Butterworth magnitudes.
    """
    padded = np.pad(audio, ((SWEEP_HOP, SWEEP_HOP + -len(audio) % SWEEP_HOP), (0, 0))).T
    window = np.sqrt(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SWEEP_FFT) / SWEEP_FFT)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, SWEEP_FFT, axis=1)[:, ::SWEEP_HOP]
    count = frames.shape[1]
    out = np.zeros((2, padded.shape[1]), np.float32)
    bins_hz = np.maximum(fft.rfftfreq(SWEEP_FFT, 1.0 / rate_hz), 1.0).astype(np.float32)
    place = np.linspace(0.0, 1.0, count)
    low, high = (
        1.0 / np.interp(place, np.linspace(0.0, 1.0, len(curve)), 1.0 / np.maximum(curve, 1e-3)).astype(np.float32)
        for curve in (low_hz, np.minimum(high_hz, 1e6))
    )
    gain = 1.0 / np.sqrt(1.0 + (low[:, None] / bins_hz) ** (2 * order))
    gain /= np.sqrt(1.0 + (bins_hz / high[:, None]) ** (2 * order))
    for parity in (0, 1):
        spectrum = fft.rfft(frames[:, parity::2] * window, axis=2) * gain[parity::2]
        part = (fft.irfft(spectrum, SWEEP_FFT, axis=2) * window).reshape(2, -1)
        out[:, parity * SWEEP_HOP :][:, : part.shape[1]] += part
    return np.ascontiguousarray(out[:, SWEEP_HOP : SWEEP_HOP + len(audio)].T)


# --- medium ----------------------------------------------------------------------------------------------------------


def wow(track: Labelled, depth: float, turns_hz: float, phase: float = 0.0) -> Labelled:
    """Speed that swings by +-``depth`` with every turn of an eccentric record; beats follow by a millisecond or so."""
    audio, rate_hz = track.audio, track.sample_rate_hz
    swing_s = depth / (2.0 * np.pi * turns_hz)

    def source_s(times_s: Floats) -> Floats:
        return times_s + swing_s * (np.sin(2.0 * np.pi * turns_hz * times_s + phase) - np.sin(phase))

    bent = np.empty_like(audio)
    for start in range(0, len(audio), CHUNK_SAMPLES):
        position = source_s(np.arange(start, min(start + CHUNK_SAMPLES, len(audio))) / rate_hz) * rate_hz
        whole = np.floor(position).astype(np.int64)
        part = (position - whole).astype(np.float32)[:, None]
        a, b, c, d = (audio.take(whole + shift, axis=0, mode="clip") for shift in (-1, 0, 1, 2))
        # Catmull-Rom: a straight line would dull the highs wherever it lands between two samples
        curve = c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a))
        bent[start : start + len(position)] = b + 0.5 * part * curve
    grid_s = np.arange(0.0, track.beats_s[-1] + 1.0, 0.01)
    return replace(track, audio=bent, beats_s=np.interp(track.beats_s, source_s(grid_s), grid_s))


def surface_noise(rate_hz: int, rng: np.random.Generator, crackles_hz: float, turns_hz: float = 5.0 / 9.0) -> Audio:
    """Sound of an empty groove with the effective value 1: crackle, scratches once a turn, hiss, rumble.

    Returns:
        (n, 2) float32, SURFACE_TURNS turns long.
    """
    turn = int(rate_hz / turns_hz)
    piece = turn * SURFACE_TURNS
    hiss = rng.standard_normal((piece, 2), dtype=np.float32)
    rumble = _filtered(rng.standard_normal((piece, 1), dtype=np.float32), _butter("lowpass", 45.0, rate_hz))
    ticks = np.zeros((piece, 2), np.float32)
    places = rng.integers(0, piece, rng.poisson(crackles_hz * piece / rate_hz))
    scratch = np.arange(int(rng.integers(turn)), piece, turn)
    for where, size in ((places, 1.0), (scratch, 2.0 * float(rng.random() < 0.4))):
        heights = size * rng.lognormal(0.0, 0.8, len(where)) * rng.choice([-1.0, 1.0], len(where))
        side = rng.uniform(-1.0, 1.0, len(where))
        np.add.at(ticks, where, (heights[:, None] * np.stack([1 + side, 1 - side], axis=1)).astype(np.float32))
    # a needle rings shortly where it is hit
    ticks = _filtered(ticks, _butter("bandpass", (800.0, rng.uniform(3000.0, 9000.0)), rate_hz))
    parts = [part / np.float32(_rms(part)) for part in (hiss, rumble, ticks)]
    shares = rng.dirichlet([1.0, 1.0, 1.5]).astype(np.float32)
    noise = sum(share * part for share, part in zip(np.sqrt(shares), parts, strict=True))
    return (noise / np.float32(_rms(noise))).astype(np.float32)


def through_rate(audio: Audio, rate_hz: int, other_hz: int) -> Audio:
    """There and back to another sample rate; the length stays."""
    back = soxr.resample(soxr.resample(audio, rate_hz, other_hz), other_hz, rate_hz).astype(np.float32)
    return np.pad(back, ((0, max(0, len(audio) - len(back))), (0, 0)))[: len(audio)]


def band_limit(audio: Audio, rate_hz: int, top_hz: float) -> Audio:
    """Remove everything above ``top_hz`` steeply."""
    return _filtered(audio, _butter("lowpass", top_hz, rate_hz, 8)) if top_hz < 0.48 * rate_hz else audio


@lru_cache(maxsize=4)
def _encoders(program: str) -> str:
    """What ``ffmpeg -encoders`` prints; nothing when it does not run."""
    try:
        return subprocess.run([program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def codecs_available() -> tuple[str, ...]:
    """Names out of CODECS that ffmpeg on this computer can encode; empty without ffmpeg."""
    program = ffmpeg.find()
    words = set(_encoders(program).split()) if program else set()
    return tuple(name for name, codec in CODECS.items() if codec.encoder in words)


def _piped(arguments: list[str], given: bytes) -> bytes:
    """Run ffmpeg from pipe to pipe.

    Raises:
        RuntimeError: It is missing or fails.
    """
    program = ffmpeg.find()
    if program is None:
        raise RuntimeError("ffmpeg is not installed")
    done = subprocess.run([program, "-v", "error", "-nostdin", *arguments, "pipe:1"], input=given, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"ffmpeg failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout


def _lag(reference: Audio, late: Audio, rate_hz: int, expected: int) -> int:
    """By how many samples ``late`` follows ``reference`` in its loudest seconds; ``expected`` if nothing is clear."""
    size = min(int(ALIGN_EXCERPT_S * rate_hz), len(reference))
    power = np.add.reduceat(reference.sum(axis=1) ** 2, np.arange(0, len(reference), max(size, 1)))
    start = min(int(np.argmax(power)) * size, len(reference) - size)
    # differences are whiter than sound, so the peak is sharper
    sought = np.diff(reference[start : start + size].sum(axis=1))
    padded = np.pad(late.sum(axis=1), LONGEST_PRIMING)
    field = np.diff(padded[start : start + size + 2 * LONGEST_PRIMING])
    if len(sought) < 2 or len(field) < len(sought):
        return expected
    fits = signal.fftconvolve(field, sought[::-1], "valid")
    best = int(np.argmax(fits))
    found = field[best : best + len(sought)]
    likeness = fits[best] / (np.linalg.norm(found) * np.linalg.norm(sought) + 1e-9)
    return best - LONGEST_PRIMING if likeness > 0.3 else expected


def through_codec(audio: Audio, rate_hz: int, name: str, kbit: int) -> Audio:
    """Encode and decode with ffmpeg; what the encoder adds in front is taken away again, the length stays.

    Args:
        audio: (n, 2) within -1..1.
        rate_hz: Sample rate.
        name: One of :func:`codecs_available`.
        kbit: Thousand bits per second.

    Raises:
        RuntimeError: ffmpeg is missing or fails.
    """
    codec = CODECS[name]
    raw = ["-f", "f32le", "-ar", str(rate_hz), "-ac", "2"]
    samples = np.ascontiguousarray(audio, np.float32)
    wanted = ["-c:a", codec.encoder, "-b:a", f"{kbit}k", *codec.quick, "-f", codec.container]
    coded = _piped([*raw, "-i", "pipe:0", *wanted], samples.tobytes())
    decoded = np.frombuffer(_piped(["-i", "pipe:0", *raw], coded), np.float32).reshape(-1, 2)
    lag = _lag(samples, decoded, rate_hz, codec.priming)
    begun = decoded[lag:] if lag >= 0 else np.pad(decoded, ((-lag, 0), (0, 0)))
    return np.pad(begun, ((0, max(0, len(audio) - len(begun))), (0, 0)))[: len(audio)].copy()


def add_noise(audio: Audio, noise: Audio, level_db: float) -> Audio:
    """Lay noise of effective value 1 under the sound, ``level_db`` against the sound's own effective value.

    Noise (m, 2) that is too short is repeated.
    """
    return audio + np.resize(noise * np.float32(db_to_gain(level_db) * _rms(audio)), audio.shape)


def set_peak(audio: Audio, peak_db: float) -> Audio:
    """Scale so that the greatest sample lies at ``peak_db`` (0 is full scale)."""
    peak = float(np.abs(audio).max(initial=0.0))
    return audio * np.float32(db_to_gain(peak_db) / peak) if peak > 1e-9 else audio


# --- the chain -------------------------------------------------------------------------------------------------------

Outcome = tuple[Labelled, str]


def _random_eq(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    most_db = rng.uniform(6.0, 9.0) * strength
    bands = [
        (float(np.exp(rng.uniform(np.log(40.0), np.log(12000.0)))), float(rng.uniform(-most_db, most_db)), quality)
        for quality in np.exp(rng.uniform(np.log(0.4), np.log(3.0), int(rng.integers(2, 6)))).tolist()
    ]
    told = " ".join(f"{gain_db:+.0f}@{hz:.0f}" for hz, gain_db, _ in bands)
    return replace(track, audio=equalise(track.audio, track.sample_rate_hz, bands)), told


def _random_reverb(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    rt60_s = float(np.exp(rng.uniform(np.log(0.3), np.log(2.5))))
    wet_db = float(rng.uniform(-20.0, -3.0)) + 20.0 * np.log10(strength)
    kind = str(rng.choice(["open", "gated", "ducked"], p=[0.6, 0.15, 0.25]))
    gate_s = float(rng.uniform(0.1, 0.4)) if kind == "gated" else None
    impulse = room_impulse(rng, track.sample_rate_hz, rt60_s, float(rng.random()), gate_s)
    duck = float(rng.uniform(0.4, 0.95)) if kind == "ducked" else 0.0
    audio = reverberate(track.audio, track.sample_rate_hz, impulse, wet_db, duck)
    return replace(track, audio=audio), f"{kind} {rt60_s:.1f} s {wet_db:.0f} dB"


def _random_echo(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    beats = float(rng.choice([0.25, 0.5, 0.75, 1.0, 1.5]))
    # not every delay is set to the tempo
    time_s = beats * float(np.diff(track.beats_s).mean()) * (1.0 if rng.random() < 0.7 else rng.uniform(0.9, 1.1))
    wet_db = float(rng.uniform(-20.0, -8.0)) + 20.0 * np.log10(strength)
    audio = echo(track.audio, track.sample_rate_hz, time_s, float(rng.uniform(0.2, 0.65)), wet_db)
    return replace(track, audio=audio), f"{1000 * time_s:.0f} ms {wet_db:.0f} dB"


def _random_bus(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    audio, told = track.audio, []
    if rng.random() < 0.7:
        ratio, release_s = float(rng.uniform(1.5, 1.5 + 4.5 * strength)), float(np.exp(rng.uniform(-3.0, -1.0)))
        by_bass = bool(rng.random() < 0.35)
        threshold_db, attack_s = float(rng.uniform(-8.0, 3.0)), float(np.exp(rng.uniform(-7.0, -3.5)))
        audio = compress(audio, track.sample_rate_hz, threshold_db, ratio, attack_s, release_s, by_bass)
        told.append(f"{ratio:.1f}:1 {threshold_db:+.0f} dB{' by bass' if by_bass else ''}")
    gain = 1.0 + 2.0 * strength * float(rng.random()) if rng.random() < 0.7 else 1.0
    clip_db = strength * float(rng.uniform(0.5, 6.0)) if rng.random() < 0.4 else 0.0
    told.append(f"tanh {gain:.1f} clip {clip_db:.1f} dB")
    return replace(track, audio=overdrive(audio, gain, clip_db)), " ".join(told)


def _random_sides(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    side_gain = 0.0 if rng.random() < 0.4 else 1.0 + strength * float(rng.uniform(-1.0, 0.8))
    return replace(track, audio=set_sides(track.audio, max(side_gain, 0.0))), f"sides x{side_gain:.1f}"


def _random_speed(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    speed = 1.0 + 0.06 * strength * float(rng.uniform(-1.0, 1.0))
    if rng.random() < 0.5:
        return vari_speed(track, speed), f"vari-speed {speed:.3f}"
    return key_lock(track, speed), f"key-lock {speed:.3f}"


def _random_dj_filter(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    rate_hz, bars = track.sample_rate_hz, track.n_bars
    whole = bool(rng.random() < 0.15)
    span = bars if whole else min(bars, int(rng.choice([2, 4, 8, 16])))
    first = int(rng.integers(0, bars - span + 1))
    lowpass = bool(rng.random() < 0.55)
    lowest, highest, idle = (300.0, 8000.0, 16000.0) if lowpass else (80.0, 400.0, 25.0)
    deepest = float(np.exp(rng.uniform(np.log(lowest), np.log(highest))))
    # a weaker hand turns the knob less far
    deepest = idle * (deepest / idle) ** min(strength, 1.5)
    shape = "static" if whole else str(rng.choice(["static", "close", "open", "both"], p=[0.3, 0.25, 0.25, 0.2]))
    turn = {"static": [1.0, 1.0], "close": [0.0, 1.0], "open": [1.0, 0.0], "both": [0.0, 1.0, 0.0]}[shape]
    curve = idle * (deepest / idle) ** np.interp(np.linspace(0, 1, 64), np.linspace(0, 1, len(turn)), turn)
    start, end = (
        int(np.clip(time_s * rate_hz, 0, len(track.audio)))
        for time_s in (track.starts_s[first], track.ends_s[first + span - 1])
    )
    if whole:
        start, end = 0, len(track.audio)
    wide_open = np.full(64, np.inf)
    low_hz, high_hz = (np.zeros(64), curve) if lowpass else (curve, wide_open)
    audio, order = track.audio.copy(), int(rng.choice([2, 4]))
    audio[start:end] = sweep_filter(audio[start:end], rate_hz, low_hz, high_hz, order)
    attributes = track.attributes.copy()
    per_bar = np.interp((np.arange(span) + 0.5) / span, np.linspace(0.0, 1.0, 64), curve)
    hidden = np.flatnonzero(per_bar < HIDES_PARTS_BELOW_HZ if lowpass else per_bar > HIDES_BASS_ABOVE_HZ)
    columns = HIDDEN_BY_LOWPASS if lowpass else HIDDEN_BY_HIGHPASS
    attributes[(first + hidden)[:, None], columns] = np.nan
    told = f"{'low' if lowpass else 'high'}-pass {deepest:.0f} Hz {shape} bars {first}..{first + span}"
    return replace(track, audio=audio, attributes=attributes), told


def _random_vinyl(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    turns_hz = float(rng.choice([5.0 / 9.0, 0.75]))
    depth = strength * float(rng.uniform(0.0, 0.003))
    moved = wow(track, depth, turns_hz, float(rng.uniform(0.0, 2.0 * np.pi)))
    noise = surface_noise(track.sample_rate_hz, rng, float(np.exp(rng.uniform(0.0, 3.5))), turns_hz)
    level_db = float(rng.uniform(-60.0, -30.0)) + 20.0 * np.log10(strength)
    audio = add_noise(moved.audio, noise, level_db)
    return replace(moved, audio=audio), f"wow {100 * depth:.2f} % noise {level_db:.0f} dB"


def _random_rate(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    others = [rate for rate in (32000, 44100, 48000) if rate != track.sample_rate_hz]
    other_hz, top_hz = int(rng.choice(others)), float(rng.uniform(11000.0, 16000.0)) / min(strength, 2.0)
    audio = through_rate(track.audio, track.sample_rate_hz, other_hz)
    if rng.random() < 0.6:
        return replace(track, audio=band_limit(audio, track.sample_rate_hz, top_hz)), f"{other_hz} Hz to {top_hz:.0f}"
    return replace(track, audio=audio), f"{other_hz} Hz"


def _random_codec(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    available = codecs_available()
    # the draws do not depend on what is installed, so that the steps after this one do not either
    choice, where = float(rng.random()), float(rng.random())
    if not available:
        return track, "left out: no ffmpeg"
    name = available[int(choice * len(available))]
    kbits = CODECS[name].kbits
    # a stronger chain has poorer files
    kbit = kbits[int(where ** max(strength, 0.25) * len(kbits))]
    return replace(
        track, audio=through_codec(set_peak(track.audio, -0.1), track.sample_rate_hz, name, kbit)
    ), f"{name} {kbit}k"


def _random_floor(track: Labelled, rng: np.random.Generator, strength: float) -> Outcome:
    noise = rng.standard_normal((int(NOISE_S * track.sample_rate_hz), 2), dtype=np.float32)
    if rng.random() < 0.5:
        noise = _filtered(noise, _butter("lowpass", rng.uniform(300.0, 4000.0), track.sample_rate_hz, 1))
        noise /= np.float32(_rms(noise))
    level_db = float(rng.uniform(-75.0, -35.0)) + 20.0 * np.log10(strength)
    return replace(track, audio=add_noise(track.audio, noise, level_db)), f"{level_db:.0f} dB"


Step = Callable[[Labelled, np.random.Generator, float], Outcome]
STEPS: tuple[tuple[str, float, Step], ...] = (
    ("equaliser", 0.8, _random_eq),
    ("reverb", 0.5, _random_reverb),
    ("echo", 0.15, _random_echo),
    ("bus", 0.6, _random_bus),
    ("sides", 0.3, _random_sides),
    ("speed", 0.4, _random_speed),
    ("dj filter", 0.3, _random_dj_filter),
    ("vinyl", 0.25, _random_vinyl),
    ("rate", 0.2, _random_rate),
    ("codec", 0.35, _random_codec),
    ("noise floor", 0.3, _random_floor),
)
LEVEL_PROBABILITY = 0.9


def corrupt_audio(track: Labelled, rng: np.random.Generator, *, strength: float = 1.0) -> Labelled:
    """A track as it might reach a listener: a random chain of the corruptions above.

    Args:
        track: What a generator made; left untouched.
        rng: Source of chance: one seed, one result (with the same codecs installed).
        strength: 0 leaves the sound alone; 1 is the everyday range; scales amounts and, below 1, how often.

    Returns:
        A new track with the same bars and labels; ``facts["corruptions"]`` lists what was done, in order. Attributes
        that a deep filter hides are NaN in its bars.
    """
    if strength <= 0.0:
        return track
    done: list[str] = []
    result = track
    for name, probability, step in STEPS:
        if rng.random() < probability * min(strength, 1.0):
            result, told = step(result, rng, strength)
            done.append(f"{name}: {told}")
    peak = float(np.abs(result.audio).max(initial=0.0))
    if rng.random() < LEVEL_PROBABILITY * min(strength, 1.0):
        peak_db = -12.0 * min(strength, 1.0) * float(rng.random())
        result = replace(result, audio=set_peak(result.audio, peak_db))
        done.append(f"level: {peak_db:.1f} dB")
    elif peak > 1.0:
        result = replace(result, audio=set_peak(result.audio, 0.0))
    audio = np.ascontiguousarray(np.clip(result.audio, -1.0, 1.0), np.float32)
    return replace(result, audio=audio, facts={**track.facts, "corruptions": done})

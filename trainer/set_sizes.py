"""How large the published sets are, beside the arithmetic that their sizes follow from. Zone: trainer.

What can be computed is computed with the code that cuts and transforms the pieces; the rest stands in the papers.
"""

from __future__ import annotations

from dataclasses import dataclass

from housex_blender.analysis.front_ends import gtzan as gtzan_front_end
from housex_blender.analysis.front_ends import housex as housex_front_end
from housex_blender.analysis.front_ends import mainstage as mainstage_front_end
from housex_blender.analysis.front_ends import mlachmish as mlachmish_front_end

from .data.published import (
    GTZAN_CUTS,
    GTZAN_SHARES_PERCENT,
    GTZAN_TRACKS,
    HOMBURG_TESTED,
    HOUSEX_BPM,
    HOUSEX_DROP_SLICES,
    HOUSEX_SLICES,
    HOUSEX_TOTAL_S,
    HOUSEX_TRACKS,
    MAINSTAGE_CLIPS,
    MAINSTAGE_TRACKS,
    MLACHMISH_CLIPS,
)
from .systems.mainstage import CLIPS_PER_DROP, PATCH_FRAMES, PATCH_HOP, patch_starts
from .systems.tabular_features import FEATURES

_DROP_BARS = 16
_BATCH_TESTED = 64
_FRONT_END_TABLES = "front ends"


@dataclass(frozen=True)
class Size:
    """One size.

    Attributes:
        table: Of the recipes, or ``front ends``.
        what: What is counted.
        published: As its paper says, or as the reference code gives.
        arithmetic: What it follows from.
    """

    table: str
    what: str
    published: str
    arithmetic: str


def thousands(number: int) -> str:
    """12 345 678."""
    return f"{number:,}".replace(",", " ")


def _parts(numbers: tuple[int, ...]) -> str:
    return " / ".join(thousands(number) for number in numbers)


def slices_per_drop(bpm: float) -> float:
    """Slices of 1.875 s in 16 bars."""
    return _DROP_BARS * 240.0 / bpm / housex_front_end.SLICE_S


def mean_slices_per_drop() -> float:
    """The same over the tempi of the 160 published tracks."""
    return sum(slices_per_drop(bpm) * count for bpm, count in HOUSEX_BPM.items()) / sum(HOUSEX_BPM.values())


def all_sizes() -> tuple[Size, ...]:
    """Every table's set and every front end's shape."""
    return (*_front_ends(), *_housex(), *_mainstage(), *_mlachmish(), *_gtzan(), *_encoders())


def _front_ends() -> list[Size]:
    table = _FRONT_END_TABLES
    slice_samples, rate = housex_front_end.SLICE_SAMPLES, housex_front_end.SAMPLE_RATE_HZ
    array = housex_front_end.HouseXArray()
    maps = mainstage_front_end.MainstageMaps()
    frames = maps.shape[-1]
    seen, covered = len(patch_starts(frames, tail=False)), len(patch_starts(frames, tail=True))
    windows = mlachmish_front_end.WINDOWS
    pieces = {length: gtzan_front_end.USED_SAMPLES // cuts for length, cuts in GTZAN_CUTS.items()}
    spectra = [1 + samples // gtzan_front_end.HOP for samples in pieces.values()]
    return [
        Size(table, "HouseX, one slice", f"{thousands(slice_samples)} samples",
             f"int(60 * 4 / 128 * {rate}): one bar at 128 BPM"),
        Size(table, "HouseX, its mel spectrogram", str(array.shape[1:]), f"1 + {slice_samples} // 512 frames"),
        Size(table, "mainstage, one clip", str(maps.shape),
             f"{mainstage_front_end.CLIP_S} s at {maps.sample_rate_hz} Hz are {thousands(maps.window_samples)} "
             f"samples, 1 + {maps.window_samples} // 512 frames"),
        Size(table, "mainstage, patches of a clip", f"{seen} patches",
             f"range(0, {frames} - {PATCH_FRAMES}, {PATCH_HOP}); {covered} when the end is covered (fixed)"),
        Size(table, "mlachmish, one clip", f"{windows} × {mlachmish_front_end.N_MELS}",
             f"{windows} windows 40 ms apart, {windows * 0.04:.1f} s of 30"),
        Size(table, "GTZAN networks, one piece", f"{gtzan_front_end.N_MELS} mels × {_slashed(spectra)} frames",
             f"1 + n // {gtzan_front_end.HOP} of {' / '.join(map(thousands, pieces.values()))} samples: "
             f"{thousands(gtzan_front_end.USED_SAMPLES)} cut into {_slashed(list(GTZAN_CUTS.values()))}"),
        Size(table, "GTZAN tables, one row", f"{len(FEATURES)} columns",
             "mean and variance of 8 features and of 20 MFCC, and the tempo"),
    ]  # fmt: skip


def _slashed(numbers: list[int]) -> str:
    return "/".join(map(str, numbers))


def _housex() -> list[Size]:
    total, tracks = HOUSEX_TOTAL_S / housex_front_end.SLICE_S, sum(HOUSEX_TRACKS)
    shares = " / ".join(
        f"{count / of:.2f}" for count, of in zip(HOUSEX_DROP_SLICES, HOUSEX_TRACKS, strict=True)
    )  # fmt: skip
    return [
        Size("housex-whole", "tracks that train, validate, test", _parts(HOUSEX_TRACKS),
             f"{tracks} tracks, 40 a class"),
        Size("housex-whole", "slices", _parts(HOUSEX_SLICES),
             f"together {thousands(sum(HOUSEX_SLICES))}; 9:07:54 are {total:.1f} slices, less about half a slice at "
             f"the end of each track: {total - tracks / 2:.0f}"),
        Size("housex-drops", "slices", _parts(HOUSEX_DROP_SLICES),
             f"{shares} per drop of 16 bars. 16 bars are 16 * 128 / BPM slices: 16.00 at 128 BPM, "
             f"{mean_slices_per_drop():.2f} over the published tempi; but where the slices count from the start of "
             f"the track, a drop touches one more: {mean_slices_per_drop() + 1:.2f}"),
    ]  # fmt: skip


def _mainstage() -> list[Size]:
    train, val = (sum(clips[part] for clips in MAINSTAGE_CLIPS.values()) for part in (0, 1))
    sections = (train + val) // CLIPS_PER_DROP
    largest = max(clips[1] for clips in MAINSTAGE_CLIPS.values())
    share = largest / val
    return [
        Size("mainstage", "clips that train, validate", _parts((train, val)),
             f"{CLIPS_PER_DROP} per drop: {_parts((train // CLIPS_PER_DROP, val // CLIPS_PER_DROP))} drops, "
             f"{sections / MAINSTAGE_TRACKS:.2f} per track of {thousands(MAINSTAGE_TRACKS)}; "
             f"{thousands(train // 4)} steps per epoch in batches of 4"),
        Size("mainstage", "clips of each class", ", ".join(f"{name} {_parts(clips)}" for name, clips in
             MAINSTAGE_CLIPS.items()), "the validating ones are multiples of 4, the training ones sums of shares"),
        Size("mainstage", "answer that is always Future House", "P .039, R .199, F1 .066 (three rows of the ViT)",
             f"{largest} of {thousands(val)} clips: P {share ** 2:.4f}, R {share:.4f}, "
             f"F1 {share * 2 * share / (1 + share):.4f}"),
        Size("mainstage-llm", "clips that are asked about", thousands(val),
             "the validating ones; their file names lack the drop's number, so later drops of a track replace earlier"),
    ]  # fmt: skip


def _mlachmish() -> list[Size]:
    steps, clips = 100_000 // _BATCH_TESTED, MLACHMISH_CLIPS[0]
    return [
        Size("mlachmish", "clips that train, test", _parts(MLACHMISH_CLIPS), "80 % and 20 % of 1 000, 100 a class"),
        Size("mlachmish", "training", f"{thousands(steps)} steps",
             f"100 000 examples in batches of {_BATCH_TESTED}: {steps * _BATCH_TESTED / clips:.0f} epochs of {clips}"),
        Size("mlachmish", "tested clips", "46.87 % and 17.18 %",
             f"30/64 = {30 / 64:.4%} and 11/64 = {11 / 64:.4%}: one batch of {_BATCH_TESTED}, not 200 clips"),
        Size("mlachmish", "Homburg, tested tracks", str(HOMBURG_TESTED),
             f"the published 30.02 % is not n/{HOMBURG_TESTED}"),
    ]  # fmt: skip


def _gtzan() -> list[Size]:
    sizes = [
        Size("gtzan-classical", "rows of 30 s, tested", "213", "a draw of 1 in 5 of 1 000; 146/213 = "
             f"{146 / 213:.4f} by the default SVM"),
        Size("gtzan-classical", "rows of 3 s, tested", thousands(2024), "a draw of 1 in 5 of about 10 000, tracks on "
             f"both sides; 1754/2024 = {1754 / 2024:.4f} by the default SVM"),
    ]  # fmt: skip
    for length, cuts in GTZAN_CUTS.items():
        images = GTZAN_TRACKS * cuts
        sizes.append(
            Size("gtzan-networks", f"pieces of {length} s that train, validate, test",
                 _parts(tuple(images * share // 100 for share in GTZAN_SHARES_PERCENT)),
                 f"80/10/10 % of 1 000 tracks × {cuts}; new songs: 10 of 2 minutes give {thousands(10 * 4 * cuts)}")
        )  # fmt: skip
    return sizes


def _encoders() -> list[Size]:
    return [Size("encoders", "published rows", "0", "the papers' future work")]

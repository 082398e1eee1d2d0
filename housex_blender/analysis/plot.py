"""The timeline as a picture. Zone: analysis; needs matplotlib, imported only when a picture is asked for."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.attributes import HIGHEST, LOWEST, SCALES
from ..core.errors import HouseXError
from ..core.files import replacing
from ..core.looks import linear_to_srgb, load_palettes
from ..core.timeline import Timeline
from .changes import runs

_BACK, _PANEL, _INK, _DIM = "#0b0d14", "#121623", "#e8ebf5", "#7f88a3"
_SECTION_COLOURS = {
    "intro": "#3b4a6b",
    "build": "#c98a1b",
    "drop": "#e0304e",
    "break": "#2f7f8f",
    "outro": "#4a4560",
}
# dark for 1, bright for 5
_SCALE_COLOURS = ("#121623", "#22456b", "#3f8fb8", "#c9f0ff")
_ROW_S = 900.0
_MAX_ROWS = 8
# with about 18 ticks, the step of a shorter row would not be whole seconds
_FINE_ROW_S = 30.0


# what lies above one another in a row, and its share of the height
_PANELS = {"wave": 2.6, "ribbon": 1.5, "scales": 0.72, "sections": 0.36, "tempo": 0.8}
_HEIGHT_INCH = 5.8


def draw_timeline(timeline: Timeline, path: Path, palette: str = "house") -> None:
    """Draw waveform, genre ribbon, the scales of the sound, sections, drops, track changes and tempo.

    Args:
        timeline: What was heard.
        path: PNG to write.
        palette: Palette name or file, as :func:`core.looks.load_palettes` takes it.

    Raises:
        HouseXError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise HouseXError("Drawing the timeline needs matplotlib.", "Install it, or leave out --plot.") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = np.clip(linear_to_srgb(load_palettes(palette).linear_rgb(timeline.model.genres)), 0, 1)
    end_s = max(timeline.mix.duration_s, float(timeline.grid.ends_s[-1]))
    rows = int(min(_MAX_ROWS, max(1, np.ceil(end_s / _ROW_S))))
    row_s = end_s / rows
    style = {"text.color": _INK, "axes.labelcolor": _DIM, "xtick.color": _DIM, "ytick.color": _DIM, "font.size": 9}
    with plt.rc_context(style):
        figure = plt.figure(figsize=(18, 1.5 + _HEIGHT_INCH * rows), facecolor=_BACK, dpi=100)
        top = 1 - 0.95 / (1.5 + _HEIGHT_INCH * rows)
        outer = figure.add_gridspec(
            rows, 1, left=0.055, right=0.985, top=top, bottom=0.6 / (1.5 + _HEIGHT_INCH * rows), hspace=0.22
        )
        for row in range(rows):
            inner = outer[row].subgridspec(len(_PANELS), 1, height_ratios=list(_PANELS.values()), hspace=0.06)
            axes = {name: figure.add_subplot(inner[index]) for index, name in enumerate(_PANELS)}
            _draw_row(axes, timeline, colours, row * row_s, (row + 1) * row_s)
        _title(figure, timeline, colours)
        try:
            with replacing(Path(path)) as temporary:
                figure.savefig(temporary, facecolor=_BACK, format="png")
        except OSError as error:
            raise HouseXError(
                f"{path} cannot be written: {error.strerror or error}.", "Choose another place."
            ) from error
        finally:
            plt.close(figure)


def _clock(time_s: float, _position: object = None) -> str:
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _fine_clock(time_s: float, _position: object = None) -> str:
    """With tenths, for rows so short that whole seconds would repeat."""
    minutes, tenths = divmod(round(10 * time_s), 600)
    return f"{minutes}:{tenths // 10:02d}.{tenths % 10}"


def _time_axis(axis: Any) -> None:
    """Ticks in minutes and seconds, each label once."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    # steps of 0.15 s would repeat even in tenths
    low, high = axis.get_xlim()
    fine = high - low < _FINE_ROW_S
    steps = [1, 2, 5, 10] if fine else [1, 1.5, 3, 6]
    axis.xaxis.set_major_locator(MaxNLocator(18, steps=steps))
    axis.xaxis.set_major_formatter(FuncFormatter(_fine_clock if fine else _clock))


def _title(figure: Any, timeline: Timeline, colours: NDArray[np.float64]) -> None:
    height = figure.get_size_inches()[1]
    shown = timeline.mix.file if len(timeline.mix.file) < 48 else timeline.mix.file[:45] + "..."
    # a dollar sign would start a formula, and a missing glyph is only a box
    figure.text(0.055, 1 - 0.34 / height, shown.replace("$", r"\$"), fontsize=17, weight="bold", va="center")
    bpm = timeline.grid.bpm
    low, high = np.percentile(bpm, [5, 95])
    tempo = f"{np.median(bpm):.2f} BPM" if high - low < 0.3 else f"{low:.1f} to {high:.1f} BPM"
    facts = (
        f"{_clock(timeline.mix.duration_s)}   ·   {timeline.grid.n_bars} bars   ·   {tempo}   ·   "
        f"{len(timeline.tracks)} track{'s' * (len(timeline.tracks) != 1)}   ·   "
        f"{len(timeline.drops)} drop{'s' * (len(timeline.drops) != 1)}   ·   "
        f"{100 * float(timeline.uncertain.mean()):.0f} % of bars uncertain   ·   "
        f"grid confidence {100 * timeline.grid_confidence:.0f} %"
    )
    figure.text(0.055, 1 - 0.68 / height, facts, fontsize=10, color=_DIM, va="center")
    right = 0.985
    shares = [(genre, part) for genre, part in timeline.share().items() if part >= 0.03][:5]
    for genre, part in reversed(shares):
        text = figure.text(
            right, 1 - 0.36 / height, f"{genre} {100 * part:.0f} %", ha="right", va="center", fontsize=10
        )
        box = text.get_window_extent(figure.canvas.get_renderer()).transformed(figure.transFigure.inverted())
        triple = colours[timeline.model.genres.index(genre)]
        for slot in range(3):
            figure.add_artist(_swatch(box.x0 - 0.012 - 0.009 * (2 - slot), 1 - 0.44 / height, 0.009, 0.16 / height,
                                      triple[slot], figure))  # fmt: skip
        right = box.x0 - 0.042


def _swatch(x: float, y: float, width: float, height: float, colour: NDArray[np.float64], figure: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (x, y), width, height, facecolor=colour, edgecolor=_DIM, linewidth=0.4, transform=figure.transFigure
    )


def _draw_row(
    axes: dict[str, Any], timeline: Timeline, colours: NDArray[np.float64], start_s: float, end_s: float
) -> None:
    tempo = axes["tempo"]
    for axis in axes.values():
        axis.set_xlim(start_s, end_s)
        axis.set_facecolor(_PANEL)
        axis.tick_params(length=0)
        for spine in axis.spines.values():
            spine.set_visible(False)
        if axis is not tempo:
            axis.set_xticks([])
    _draw_wave(axes["wave"], timeline, colours, start_s, end_s)
    _draw_ribbon(axes["ribbon"], timeline, colours)
    _draw_scales(axes["scales"], timeline)
    _draw_sections(axes["sections"], timeline)
    _draw_tempo(tempo, timeline)
    _draw_events(axes, timeline, start_s, end_s)
    _time_axis(tempo)
    tempo.set_xlabel("time, and bar numbers above", fontsize=8)


def _bar_colours(timeline: Timeline, colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_bars, 3) brightest colour of each bar's likeliest genre."""
    best = np.argmax(timeline.probs, axis=1)
    return colours[best, 0]


def _draw_wave(axis: Any, timeline: Timeline, colours: NDArray[np.float64], start_s: float, end_s: float) -> None:
    """Loudness as a mirrored shape in the genre's colours, bass and highs inside it."""
    envelopes = timeline.envelopes
    per_column = max(1, int((end_s - start_s) * envelopes.rate_hz / 2400))
    first, last = (int(t * envelopes.rate_hz) for t in (start_s, end_s))
    values = envelopes.values[first:last]
    values = values[: len(values) // per_column * per_column].reshape(-1, per_column, values.shape[1])
    if not len(values):
        return
    times_s = start_s + (np.arange(len(values)) + 0.5) * per_column / envelopes.rate_hz
    names = envelopes.names
    loud = values[:, :, names.index("loudness")].mean(axis=1)
    loud = 0.06 + 0.94 * loud / max(float(loud.max()), 1e-6)
    bass = values[:, :, names.index("bass")].max(axis=1) * loud * 0.62
    high = values[:, :, names.index("high")].mean(axis=1) * loud * 0.45
    bar = np.clip(np.searchsorted(timeline.grid.starts_s, times_s, side="right") - 1, 0, timeline.grid.n_bars - 1)
    tint = _bar_colours(timeline, colours)[bar]
    axis.vlines(times_s, -loud, loud, colors=tint * 0.62 + 0.04, linewidth=0.9)
    axis.vlines(times_s, -bass, bass, colors=np.clip(tint * 0.75 + 0.25, 0, 1), linewidth=0.9)
    axis.vlines(times_s, -high, high, colors="#ffffff", linewidth=0.7, alpha=0.55)
    axis.set_ylim(-1.05, 1.42)
    axis.set_yticks([])
    axis.set_ylabel("level", fontsize=8)


def _draw_ribbon(axis: Any, timeline: Timeline, colours: NDArray[np.float64]) -> None:
    """Probabilities of the genres, stacked; hatched where they should not be trusted."""
    edges_s = timeline.grid.edges_s
    low = np.zeros(timeline.grid.n_bars)
    for column in np.argsort(-timeline.probs.sum(axis=0)):
        part = timeline.probs[:, column]
        high = low + part
        if part.max() > 0.02:
            axis.stairs(high, edges_s, baseline=low, fill=True, color=colours[column, 0], linewidth=0)
            # the palette's other two colours as stripes inside the genre's share
            for slot, (from_part, to_part) in ((1, (0.62, 0.86)), (2, (0.86, 1.0))):
                axis.stairs(low + part * to_part, edges_s, baseline=low + part * from_part, fill=True,
                            color=colours[column, slot], linewidth=0)  # fmt: skip
        low = high
    for start, end in runs(timeline.uncertain):
        axis.axvspan(
            edges_s[start], edges_s[end], facecolor="none", edgecolor="#000000", hatch="////", linewidth=0, alpha=0.75
        )
    labels = np.argmax(timeline.probs, axis=1)
    for start, end in _runs_of_equal(labels):
        middle_s = (edges_s[start] + edges_s[end]) / 2
        left, right = axis.get_xlim()
        if (edges_s[end] - edges_s[start]) / (right - left) > 0.05 and left < middle_s < right:
            doubt = " ?" if timeline.uncertain[start:end].mean() > 0.5 else ""
            name = timeline.model.genres[labels[start]] + doubt
            style = {"fontsize": 11, "weight": "bold", "color": "white", "path_effects": _outline()}
            axis.text(middle_s, 0.3, name, ha="center", va="center", clip_on=True, **style)
    axis.set_ylim(0, 1)
    axis.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=7)
    axis.set_ylabel("genre", fontsize=8)


def _draw_scales(axis: Any, timeline: Timeline) -> None:
    """How strong groove, rhythm, distortion and organicity are in each bar, 1 dark to 5 bright."""
    from matplotlib.colors import LinearSegmentedColormap

    axis.set_yticks(np.arange(len(SCALES)) + 0.5, SCALES, fontsize=6.5)
    axis.set_ylim(len(SCALES), 0)
    unknown = np.full(timeline.grid.n_bars, LOWEST)
    rows = np.stack([timeline.attributes.get(name, unknown) for name in SCALES])
    colours = LinearSegmentedColormap.from_list("scale", _SCALE_COLOURS)
    axis.pcolormesh(timeline.grid.edges_s, np.arange(len(SCALES) + 1), rows, cmap=colours, vmin=LOWEST, vmax=HIGHEST)
    for row in range(1, len(SCALES)):
        axis.axhline(row, color=_BACK, linewidth=1.0)


def _outline() -> list[Any]:
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=3, foreground="#000000cc")]


def _draw_sections(axis: Any, timeline: Timeline) -> None:
    edges_s = timeline.grid.edges_s
    names = np.array(timeline.section)
    left, right = axis.get_xlim()
    for start, end in _runs_of_equal(names):
        axis.axvspan(edges_s[start], edges_s[end], color=_SECTION_COLOURS[names[start]], linewidth=0)
        axis.axvline(edges_s[start], color=_BACK, linewidth=1.2)
        if (edges_s[end] - edges_s[start]) / (right - left) > 0.028:
            axis.text(
                (edges_s[start] + edges_s[end]) / 2,
                0.46,
                names[start],
                ha="center",
                va="center",
                fontsize=8,
                clip_on=True,
            )
    axis.set_yticks([])
    axis.set_ylim(0, 1)
    axis.set_ylabel("section", fontsize=8, rotation=0, ha="right", va="center")


def _draw_tempo(axis: Any, timeline: Timeline) -> None:
    bpm = timeline.grid.bpm
    axis.stairs(bpm, timeline.grid.edges_s, color="#8fd3ff", linewidth=1.4, baseline=None)
    low, high = float(np.percentile(bpm, 1)), float(np.percentile(bpm, 99))
    pad = max(1.0, 0.35 * (high - low))
    axis.set_ylim(low - pad, high + pad)
    axis.set_ylabel("BPM", fontsize=8)
    axis.grid(axis="y", color="#ffffff", alpha=0.08)
    left, right = axis.get_xlim()
    every = max(8, int(2 ** np.ceil(np.log2(max((right - left) / 2.0 / 22, 1)))))
    for bar in range(0, timeline.grid.n_bars, every):
        time_s = float(timeline.grid.starts_s[bar])
        if left <= time_s < right:
            axis.text(
                time_s, high + pad * 0.97, f"b{bar + 1}", fontsize=6.5, color=_DIM, va="top", ha="left", clip_on=True
            )


def _draw_events(axes: dict[str, Any], timeline: Timeline, start_s: float, end_s: float) -> None:
    """Drops as flags over the waveform, track changes as white lines through everything."""
    edges_s = timeline.grid.edges_s
    wave = axes["wave"]
    for drop in timeline.drops:
        a, b = edges_s[drop.start_bar], edges_s[drop.end_bar]
        wave.plot([a, b], [1.1, 1.1], color="#ff4a68", linewidth=4, solid_capstyle="butt")
        if start_s <= a < end_s:
            wave.text(a, 1.27, "DROP", fontsize=8, weight="bold", color="#ff6d86", va="center", clip_on=True)
    for number, track in enumerate(timeline.tracks):
        a = edges_s[track.start_bar]
        if not start_s <= a < end_s:
            continue
        if number:
            for axis in axes.values():
                axis.axvline(a, color="#ffffff", linewidth=1.6, alpha=0.9)
        # a dollar sign would start a formula
        name = track.title[:60].replace("$", r"\$")
        text = f"{number + 1}  {name or track.label}"
        wave.text(
            a + 0.004 * (end_s - start_s), -0.96, text, fontsize=8.5, color=_INK, clip_on=True, path_effects=_outline()
        )


def _runs_of_equal(values: NDArray[Any]) -> list[tuple[int, int]]:
    cuts = np.flatnonzero(values[1:] != values[:-1]) + 1
    borders = [0, *cuts.tolist(), len(values)]
    return list(itertools.pairwise(borders))

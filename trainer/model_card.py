"""MODEL_CARD.md: the figures of card.json as a page for people. Zone: trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from housex_blender.analysis.model_folder import CARD_FILE
from housex_blender.core.files import write_text_atomic

PAGE = "MODEL_CARD.md"
INTERVAL = ", 95 % over tracks"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _between(pair: list[float]) -> str:
    return f"{100 * pair[0]:.1f} to {100 * pair[1]:.1f}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _tracks_section(title: str, note: str, figures: dict[str, Any], genres: list[str]) -> list[str]:
    rows = [
        [
            "drop bars, accuracy",
            _percent(figures["drop accuracy"]),
            _between(figures["drop accuracy, 95 % over tracks"]),
        ],
        [
            "drop bars, macro-F1",
            f"{figures['drop macro-F1']:.3f}",
            _between(figures["drop macro-F1, 95 % over tracks"]),
        ],
        ["the same bars, tempo not told", _percent(figures["drop accuracy, tempo not told"]), ""],
        ["expected calibration error", f"{figures['expected calibration error']:.3f}", ""],
        ["tracks by the mean of their drops", _percent(figures["tracks by their drops"]), ""],
        ["all bars, accuracy", _percent(figures["all bars"]), ""],
    ]
    rows += [[f"{name} bars, accuracy", _percent(value), ""] for name, value in figures["by section"].items()]
    lines = [f"## {title}", "", f"{note} {figures['tracks']} tracks, {figures['drop bars']} drop bars.", ""]
    lines += _table(["", "figure", "95 % over tracks, in %"], rows)
    lines += ["Share of the drop bars that is kept, most confident first, and accuracy on it:", ""]
    lines += _table(list(figures["accuracy by coverage"]),
                    [[_percent(value) for value in figures["accuracy by coverage"].values()]])  # fmt: skip
    lines += ["Drop bars by true genre (rows) and answer (columns):", ""]
    lines += _table(["", *genres], [[genre, *map(str, row)] for genre, row in
                                    zip(genres, figures["confusion of drop bars"], strict=True)])  # fmt: skip
    rows = []
    for name, one in figures["attributes"].items():
        if "error" in one:
            rows.append([name, f"off by {one['error']:.2f} on 1..5", f"{one['error of the mean']:.2f}",
                         f"{one['correlation']:.2f}"])  # fmt: skip
        else:
            rows.append([name, f"right in {_percent(one['right'])}", _percent(one["commoner answer"]), ""])
    return [*lines, "Attributes, all bars that have them:", "",
            *_table(["", "heard", "by the mean, or the commoner answer", "correlation"], rows)]  # fmt: skip


def _mixes_section(title: str, note: str, figures: dict[str, Any]) -> list[str]:
    rows = [
        ["bars outside crossfades, accuracy", _percent(figures["bar accuracy outside crossfades"])],
        ["the same, 95 % over mixes, in %", _between(figures["bar accuracy, 95 % over mixes"])],
        ["changes of sub-genre within 2 bars of the hand-over", _percent(figures["changes within 2 bars"])],
        ["flips per 64 bars", f"{figures['flips per 64 bars']:.2f}"],
        ["expected calibration error", f"{figures['expected calibration error']:.3f}"],
    ]
    size = f"{figures['mixes']} mixes, {figures['bars']} bars, {figures['changes']} changes."
    lines = [f"## {title}", "", f"{note} {size}", "", *_table(["", "figure"], rows)]
    lines += ["Share of the bars that is kept, most confident first, and accuracy on it:", ""]
    return lines + _table(list(figures["accuracy by coverage"]),
                          [[_percent(value) for value in figures["accuracy by coverage"].values()]])  # fmt: skip


def _seeds_section(figures: dict[str, Any]) -> list[str]:
    rows = [[name, f"{one['mean']:.3f}", f"{one['lowest']:.3f} to {one['highest']:.3f}"]
            for name, one in figures.items() if isinstance(one, dict)]  # fmt: skip
    lines = ["## Over training seeds", "", f"{figures['seeds']} runs that differ in nothing but their seed.", ""]
    return lines + _table(["", "mean", "lowest to highest"], rows)


def _designs_section(designs: dict[str, Any]) -> list[str]:
    rows = []
    for name, one in designs.items():
        rows.append([name, f"{one['parameters'] / 1e6:.2f} M", _percent(one["drop accuracy"]),
                     _between(one["drop accuracy" + INTERVAL]), f"{one['drop macro-F1']:.3f}",
                     _percent(one["tracks by their drops"]), _percent(one["all bars"])])  # fmt: skip
    note = (
        "Same tracks, corruptions and number of bars shown, far fewer than the network that ships has seen; one seed "
        "each, the published ways with lower rates of learning; measured on the validation tracks of the second "
        "generator."
    )
    lines = ["## Designs", "", note, ""]
    head = ["design", "parameters", "drop accuracy", "95 % over tracks, in %", "macro-F1", "tracks", "all bars"]
    return lines + _table(head, rows)


def write_model_card(folder: Path) -> Path:
    """Write MODEL_CARD.md beside card.json, from its figures; returns its path."""
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    figures, genres = card["figures"], card["genres"]
    lines = [
        f"# {card['name']} {card['version']}",
        "",
        f"Hears which of {len(genres)} house sub-genres every bar of a mix is: {', '.join(genres)}; and how the bar is "
        "made: groove, rhythm, distortion, organicity, and whether lead, chords and a bass instrument play.",
        "",
        f"**Trained on** {card['trained_on']}.",
        "",
        f"**Limits.** {card['limits']}",
        "",
        f"A bar is called uncertain when the confidence is below {card['uncertain_below']:.2f}; that left out "
        f"{_percent(figures['left out as uncertain'])} of the bars of the validation mixes.",
        "",
        f"{card['network']['parameters'] / 1e6:.2f} M parameters; temperature {card['temperature']:.2f}; licence "
        f"{card['license']}.",
        "",
    ]
    lines += _tracks_section(
        "Second generator", "An independent synthesiser with other instruments and another arranger; tracks on which "
        "nothing was chosen or set. Each bar with its neighbours in the track, no smoothing.",
        figures["second generator"], genres)  # fmt: skip
    lines += _mixes_section(
        "DJ mixes of the second generator", "As the extension hears them: its beats, its tracks, its smoothing.",
        figures["mixes as the program hears them"])  # fmt: skip
    lines += _mixes_section(
        "The same mixes by the network alone", "Beats as heard, smoothed by the network's own hand-overs.",
        figures["mixes of the second generator"])  # fmt: skip
    lines += _tracks_section("Third set", "Made from samples that neither generator uses; only reported.",
                             figures["third set"], genres)  # fmt: skip
    lines += _seeds_section(figures["over seeds"])
    if figures["designs"]:
        lines += _designs_section(figures["designs"])
    write_text_atomic(folder / PAGE, "\n".join(lines).rstrip() + "\n")
    return folder / PAGE

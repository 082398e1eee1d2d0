"""Writes the README's figures from the files the benchmarks and the training left; ``--check`` only compares."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def _read(path: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return data


def speed_lines() -> list[str]:
    """Analysis and bake."""
    speed = _read("benchmarks/results/speed.json")
    ours, double, rival, bake = (speed[key] for key in ("ours", "ours_double_length", "housex_way", "bake"))
    minutes, network = speed["seconds_of_music"] / 60, speed["network"]
    return [
        f"**Speed**, measured on {speed['cores']} cores without a GPU by `make bench`, "
        f"on the same {minutes:.0f}-minute FLAC:",
        "",
        "| | wall time | processor time | peak memory | times real time |",
        "|---|---|---|---|---|",
        f"| HouseX for Blender, whole analysis | {ours['wall_s']:.0f} s | {ours['cpu_s']:.0f} s "
        f"| {ours['peak_mb']:.0f} MB | {ours['times_real_time']:.0f} |",
        f"| the way of HouseX (2022): librosa, a JPEG per slice, ResNet18 | {rival['wall_s']:.0f} s "
        f"| {rival['cpu_s']:.0f} s | {rival['peak_mb']:.0f} MB | {rival['times_real_time']:.0f} |",
        "",
        f"That is {speed['ratio_wall']:.1f} times less waiting and {speed['ratio_cpu']:.1f} times less work. "
        f"{2 * minutes:.0f} minutes of music peak at {double['peak_mb']:.0f} MB. A show of {minutes:.0f} minutes is "
        f"compiled in {bake['compile_s']:.1f} s, built and keyed in {bake['build_and_key_s']:.1f} s, "
        f"baked again with another look in {bake['bake_again_s']:.1f} s "
        f"({bake['keys']:.0f} keys), and its .blend has {bake['blend_mb']:.1f} MB. The network alone hears the "
        f"{network['bars']} bars in {network['ours']:.1f} s on two cores; the ResNet-18 of the HouseX way takes "
        f"{network['resnet'] / network['ours']:.1f} times as long.",
    ]


def grid_lines() -> list[str]:
    """Beats, bars and form on the held-out mixes."""
    grid, speed = _read("benchmarks/results/grid.json"), _read("benchmarks/results/speed.json")
    ours, form = grid["summary"]["ours"], grid["summary"]["form"]
    files = grid["files"]
    lines = [
        f"**The grid**, on {len(files)} held-out mixes with known beats (`python -m benchmarks.grid`): cuts, ramps, "
        "drift, unmatched crossfades, long breaks, broken and swung drums, lost half bars, an hour of fifteen tracks; "
        "more than half of the tracks are played on sounds that are not ours. F-measures by mir_eval:",
        "",
        "| | beats, ±70 ms | worst mix | ±20 ms | downbeats, ±70 ms | worst mix | median error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, label in (
        ("ours", "HouseX for Blender"),
        ("essentia RhythmExtractor2013", "essentia, RhythmExtractor2013"),
        ("librosa beat_track", "librosa, beat_track"),
    ):
        if name not in grid["summary"]:
            continue
        row = grid["summary"][name]
        bars = ["-" if row[key] is None else f"{row[key]:.3f}" for key in ("downbeat_f70", "downbeat_f70_worst")]
        lines.append(
            f"| {label} | {row['beat_f70']:.3f} | {row['beat_f70_worst']:.3f} | {row['beat_f20']:.3f} "
            f"| {bars[0]} | {bars[1]} | {row['error_ms']:.1f} ms |"
        )
    below = sum(file["ours"]["f70"] < 0.95 or file["ours"]["downbeat_f70"] < 0.9 for file in files)
    one, rival = speed["grid_one_core"], speed["grid_one_core_librosa"]
    return [
        *lines,
        "",
        "The bench needs `apt-get install fluidsynth fluid-soundfont-gm sonic-pi-samples` and, for essentia's row, "
        "`pip install --group bench`. "
        f"{below} of the {len(files)} mixes fall below 0.95 in beats or 0.90 in downbeats; "
        f"half-beat flips: {100 * ours['flipped']:.1f} % of the beats. "
        f"Track hand-overs within 4 bars: F {form['handovers_f']:.2f}; section boundaries within a bar: "
        f"F {form['sections_f']:.2f}; drop bars: F {form['drop_bars_f']:.2f}; "
        f"drop starts within a bar: F {form['drop_starts_f']:.2f}.",
        "",
        f"Grid and envelopes of {speed['seconds_of_music'] / 60:.0f} minutes take {one['wall_s']:.1f} s on one core, "
        f"librosa's beats alone {rival['wall_s'] / one['wall_s']:.1f} times as long; "
        f"twice the length peaks at {speed['grid_one_core_double_length']['peak_mb']:.0f} MB.",
    ]


def show_lines() -> list[str]:
    """What rendered frames of the scenes show, and what they cost."""
    show = _read("benchmarks/results/show.json")
    beats, flicker, cost = (show[name]["scenes"] for name in ("beats", "flicker", "cost"))
    sheet = show["sheet"]
    summary, contrasts = sheet["summary"], sheet["contrasts"]
    worst = {name: f"{figure['figure']:.2f}" for name, figure in summary["worst"].items()}
    kept, judged = summary["frames_judged"] - summary["frames_with_problems"], summary["frames_judged"]
    burnt = 100 * float(worst["most burnt out"])
    furthest = float(worst["dominant hue furthest from the palette, degrees"])
    lines = [
        "**The show**, measured on rendered frames of the demo mix (`python -m benchmarks.show`). Contact sheet of "
        f"nine sub-genres, three scenes, break, build-up and drop at {sheet['made_with']['size']}: {kept} of {judged} "
        "frames keep every bound. No frame is black (95th percentile of the level at least "
        f"{worst['darkest: 95th percentile of level']}) or blown out (at most {burnt:.0f} % of the pixels); no "
        f"dominant hue is further than {furthest:.0f}° from its palette.",
        "",
        "| | tunnel | stage | lagoon |",
        "|---|---|---|---|",
    ]

    def row(what: str, cells: list[str]) -> None:
        lines.append(f"| {what} | {' | '.join(cells)} |")

    scenes = ("tunnel", "stage", "lagoon")
    of_scene = {name: [one for one in contrasts if one["scene"] == name] for name in scenes}
    for what, group in (("brightness", "brightness"), ("frame difference", "motion")):
        least = {name: min(one[group]["drop_to_break"] for one in rows) for name, rows in of_scene.items()}
        row(f"drop against break, {what}, least of nine", [f"{least[name]:.1f} times" for name in scenes])
    for what, part, found, of in (
        ("colours change on the downbeat's frame, bars", "colours", "on_the_frame", "bars"),
        ("kicks peak within a frame, bars", "kicks", "within_a_frame", "bars_with_a_kick"),
    ):
        row(what, [f"{beats[name][part][found]} of {beats[name][part][of]}" for name in scenes])
    wobble = {name: max(part["wobble"] for part in flicker[name].values() if "wobble" in part) for name in scenes}
    row("wobble of the level between beats, most", [f"{wobble[name]:.4f}" for name in scenes])
    flashes = {name: show["flashes"]["scenes"][name]["drops"] for name in scenes}
    most = {name: [max(drop[kind] for drop in flashes[name]) for kind in ("general", "red")] for name in scenes}
    row("flashes in the worst second around a drop, general and red (WCAG: 3)",
        [f"{most[name][0]} and {most[name][1]}" for name in scenes])  # fmt: skip
    row("seconds to build", [f"{cost[name]['build_s']:.1f}" for name in scenes])
    row("evaluated faces", [f"{cost[name]['faces'] / 1000:.0f} k" for name in scenes])
    row("F-curves besides the rig's", [f"{cost[name]['curves']}" for name in scenes])
    for engine in ("cycles", "eevee", "workbench"):
        row(f"seconds per frame, 640x360, draft, {engine}", [f"{cost[name][f'{engine}_s']:.2f}" for name in scenes])
    row("seconds to bake an hour", [f"{cost[name]['bake_hour_s']:.1f}" for name in scenes])
    row(".blend of the demo mix", [f"{cost[name]['blend_mb']:.1f} MB" for name in scenes])
    engines = show["engines"]["summary"]
    row("EEVEE's level to that of Cycles (95th percentile), median and range of 27 cells",
        ["{:.2f} ({:.2f} to {:.2f})".format(engines[name]["level_median"], *engines[name]["level_least_most"])
         for name in scenes])  # fmt: skip
    row("colour of EEVEE and Cycles apart on the circle of hues, most",
        [f"{engines[name]['hue_apart_most']:.0f}°" for name in scenes])  # fmt: skip
    others = show["anywhere, cycles"]["scenes"]
    for number, pair in enumerate(others["tunnel"]["pairs"]):
        if pair["pair"][0] not in show["anywhere, cycles"]["made_with"]["saved_by"]:
            continue
        means = [others[name]["pairs"][number]["mean"] for name in scenes]
        row(f"one .blend rendered by {' and '.join(pair['pair'])}: mean difference (white is 1)",
            [f"{mean:.4f}" for mean in means])  # fmt: skip
    return lines


def model_lines() -> list[str]:
    """The card's figures: synthesised music only, and the README says so beside them."""
    card = _read("housex_blender/models/default/card.json")
    figures = card["figures"]
    tracks, third, mixes = (
        figures[name] for name in ("second generator", "third set", "mixes as the program hears them")
    )
    rows = [
        ["second generator", *_track_cells(tracks)],
        ["third set", *_track_cells(third)],
    ]
    lines = [
        f"**The model** ({card['name']} {card['version']}), trained on {card['trained_on']}. Measured on "
        "synthesised music as well, of other programs with other instruments; on records that people made nobody has "
        "measured it.",
        "",
        "| nine sub-genres | drop bars right (95 % over tracks) | macro-F1 | calibration error | tracks | "
        "right in the most confident 70 % |",
        "| --- | --- | --- | --- | --- | --- |",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        "The tempo is told to the network for a record alone, not in a mix, where records are matched to each other; "
        f"without it {100 * tracks['drop accuracy, tempo not told']:.0f} % of the second generator's drop bars are "
        f"right. In {mixes['mixes']} of its DJ mixes, heard by the whole program: "
        f"{100 * mixes['bar accuracy outside crossfades']:.0f} % of the bars outside crossfades right, "
        f"{100 * mixes['changes within 2 bars']:.0f} % of the changes of sub-genre within two bars of the hand-over, "
        f"{mixes['flips per 64 bars']:.1f} false changes in 64 bars.",
    ]
    if figures["designs"]:
        shown = next(iter(figures["designs"].values()))["bars shown"]
        lines += ["", f"Designs after the same {shown} bars (the network that ships has seen many more), one seed "
                  "each, on the validation tracks of the second generator:", ""]  # fmt: skip
        lines += [
            "| design | parameters | drop bars right (95 % over tracks) | macro-F1 |",
            "| --- | --- | --- | --- |",
        ]
        for name, one in figures["designs"].items():
            low, high = one["drop accuracy, 95 % over tracks"]
            lines.append(f"| {name} | {one['parameters'] / 1e6:.1f} M | {100 * one['drop accuracy']:.0f} % "
                         f"({100 * low:.0f} to {100 * high:.0f}) | {one['drop macro-F1']:.2f} |")  # fmt: skip
        lines += ["", "The three forms of MixNet cannot be told apart so early; the last ships because it was settled "
                  "on beforehand. The published ways were trained at lower rates, at which they learn."]  # fmt: skip
    return lines


def system_lines() -> list[str]:
    """One system of each paper on a miniature: that it runs, and how its repairs fare; nothing of real music."""
    rows = _read("benchmarks/results/systems.json")["rows"]
    lines = [
        "**The published systems**, one of each paper, trained and tested on miniatures of their data sets "
        "(`python -m benchmarks.systems`). The music is synthesised and the networks began at random: the figures show "
        "that each system runs from end to end and how its repairs fare, they reproduce no published figure "
        "and say nothing of real music.",
        "",
        "| system | classes | pieces tested (tracks) | `as_code` | `fixed` (95 % over tracks) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [_system_cell(row["variants"].get(preset), preset == "fixed") for preset in ("as_code", "fixed")]
        counts = next(iter(row["variants"].values()))["counts"]["test"]
        lines.append(f"| {row['paper']}, {row['row']} | {row['classes']} | {counts['pieces']} ({counts['tracks']}) "
                     f"| {cells[0]} | {cells[1]} |")  # fmt: skip
    said = [row["sentence"] for row in rows if row["sentence"]]
    return [*lines, "", " ".join(["Accuracy, mean over the seeds.", *said])]


def _system_cell(variant: dict[str, Any] | None, with_interval: bool) -> str:
    if variant is None:
        return "not run"
    text = f"{100 * variant['ours']:.0f} %"
    if with_interval and variant["interval"]:
        text += f" ({100 * variant['interval'][0]:.0f} to {100 * variant['interval'][1]:.0f})"
    return text


def _track_cells(figures: dict[str, Any]) -> list[str]:
    low, high = figures["drop accuracy, 95 % over tracks"]
    return [
        f"{100 * figures['drop accuracy']:.0f} % ({100 * low:.0f} to {100 * high:.0f})",
        f"{figures['drop macro-F1']:.2f}",
        f"{figures['expected calibration error']:.3f}",
        f"{100 * figures['tracks by their drops']:.0f} %",
        f"{100 * figures['accuracy by coverage']['70 %']:.0f} %",
    ]


def main() -> int:
    """Replace what stands between the markers; 1 with ``--check`` if it differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    body = "\n".join(
        [
            "## Figures",
            "",
            *speed_lines(),
            "",
            *grid_lines(),
            "",
            *show_lines(),
            "",
            *model_lines(),
            "",
            *system_lines(),
        ]
    )
    wanted = f"{before}{BEGIN}\n{body}\n{END}{after}"
    if wanted == text:
        return 0
    if arguments.check:
        print(
            "The README's figures are not those of the result files: run python -m benchmarks.readme", file=sys.stderr
        )
        return 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""A table as Markdown, CSV and JSON: published, ours, difference, interval, seeds, variant. Zone: trainer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from housex_blender.core.errors import HouseXError
from housex_blender.core.files import write_text_atomic

from ..data.reading import counted
from .comparison import CITED, LEAK, NOT_RUN, Cell, Duel, Variant

_NOTHING = "–"
_SYNTHETIC = (
    "Synthesised data: these runs learned and were tested on a miniature that this project's synthesiser made in the "
    "data set's format. A row of it shows that the features, the network, the training, the split and the figures of "
    "this system run from end to end, and how well it tells these made-up classes apart. It does not mean anything "
    "about real music: it is no reproduction of the published figure, no difference to it is printed, and systems "
    "cannot be ranked by it."
)
_METHOD = (
    "Shares are in percent; the difference is ours minus published, in points. Ours is the mean over the seeds. The "
    "interval holds 95 % of what comes out when the tracks are drawn again with replacement (1000 times); it does not "
    "count the chance of another training. An answer that cannot be read counts as wrong."
)
_NOTHING_RUN = "Nothing of it was run here."
_COLUMNS = ("row", "variant", "figure", "published", "ours", "difference", "95 % interval", "seeds")


def shown_value(metric: str, value: float | None) -> str:
    """A share in percent, a divergence or a count as a number, or a dash."""
    if value is None:
        return _NOTHING
    if metric == "epochs":
        return f"{value:g}"
    if metric.endswith(".kl"):
        return f"{value:.3f}"
    return f"{100 * value:.2f}".rstrip("0").rstrip(".")


def _shown_difference(cell: Cell, synthetic: bool) -> str:
    if cell.difference is None:
        return _NOTHING
    if synthetic:
        return "not comparable"
    if cell.metric == "epochs":
        return f"{cell.difference:+g}"
    return f"{100 * cell.difference:+.2f}"


def _shown_interval(cell: Cell) -> str:
    if cell.interval is None:
        return _NOTHING
    return " to ".join(shown_value(cell.metric, end) for end in cell.interval)


def _state(variant: Variant) -> str:
    if variant.recipe.kind == "cited":
        return CITED
    return "run" if variant.seeds else NOT_RUN


def _cells(variant: Variant, cell: Cell) -> tuple[str, ...]:
    ours = NOT_RUN if _state(variant) == NOT_RUN else shown_value(cell.metric, cell.ours)
    return (variant.recipe.row, variant.name, cell.metric, shown_value(cell.metric, cell.published), ours,
            _shown_difference(cell, variant.synthetic), _shown_interval(cell),
            ", ".join(map(str, variant.seeds)) or _NOTHING)  # fmt: skip


def _table(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> list[str]:
    """A Markdown table whose columns line up in plain text too."""
    widths = [max(len(row[number]) for row in (columns, *rows)) for number in range(len(columns))]

    def line(row: Sequence[str]) -> str:
        return (
            "| "
            + " | ".join(text.replace("|", "/").ljust(width) for text, width in zip(row, widths, strict=True))
            + " |"
        )

    return [line(columns), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)]


def overview(table: str, variants: Sequence[Variant], duels: Sequence[Duel]) -> str:
    """Header, the chief figures of every row, and ``fixed`` against ``as_code``; Markdown."""
    lines = [f"# {table}", ""]
    for paragraph in header_of(variants):
        lines += [paragraph, ""]
    rows = [_cells(variant, cell) for variant in variants for cell in _chief(variant)]
    lines += _table(rows, _COLUMNS)
    for variant in variants:
        if variant.problem:
            lines += ["", f"{variant.recipe.row}, {variant.preset}: {variant.problem}"]
    if duels:
        lines += ["", *_duel_lines(duels)]
    return "\n".join(lines) + "\n"


def _chief(variant: Variant) -> list[Cell]:
    """What the paper prints but single classes; without a paper, the accuracies; of what was only cited, all."""
    printed = [cell for cell in variant.cells if cell.published is not None and ".f1." not in cell.metric]
    if printed:
        return printed
    measured = [cell for cell in variant.cells if cell.metric.endswith(".accuracy")]
    return measured or [Cell("test.accuracy", None)]


def header_of(variants: Sequence[Variant]) -> list[str]:
    """What a reader must know before any figure, one paragraph each."""
    run = [variant for variant in variants if variant.seeds]
    sources = dict.fromkeys(variant.recipe.source for variant in variants)
    paragraphs = [f"Published: {'; '.join(sources)}."]
    if not run:
        return [*paragraphs, _NOTHING_RUN]
    if any(variant.synthetic for variant in run):
        paragraphs.append(f"**{_SYNTHETIC}**")
    facts = dict.fromkeys(fact for variant in run for fact in variant.facts if fact != LEAK)
    if facts:
        paragraphs.append("Not as published: " + "; ".join(facts) + " (each row says which of them it is).")
    if any(LEAK in variant.facts for variant in run):
        paragraphs.append(f'"{LEAK[0].upper()}{LEAK[1:]}" marks splits that flatter, as the published code makes them.')
    missing = {variant.recipe.row for variant in variants if _state(variant) == NOT_RUN}
    missing -= {variant.recipe.row for variant in run}
    if missing:
        paragraphs.append(f"{counted(len(missing), 'row')} {'were' if len(missing) > 1 else 'was'} not run.")
    return [*paragraphs, _METHOD]


def _duel_lines(duels: Sequence[Duel]) -> list[str]:
    rows = [(duel.row, duel.metric, shown_value(duel.metric, duel.as_code), shown_value(duel.metric, duel.fixed),
             f"{duel.wins} of {len(duel.seeds)}", ", ".join(map(str, duel.seeds))) for duel in duels]  # fmt: skip
    lines = ["## fixed against as_code, on the same seeds", ""]
    lines += _table(rows, ("row", "figure", "as_code", "fixed", "fixed is better", "seeds"))
    lost = [sentence for duel in duels if (sentence := lost_sentence(duel))]
    return [*lines, "", *(lost or ["fixed wins on every row that was run with both."])]


def lost_sentence(duel: Duel) -> str:
    """Where ``fixed`` is not better: one sentence; else empty."""
    if duel.won:
        return ""
    values = [shown_value(duel.metric, value) for value in (duel.fixed, duel.as_code)]
    how = "equals" if duel.fixed == duel.as_code else "does not beat"
    text = f"{duel.row}: fixed {how} as_code in {duel.metric} ({values[0]} to {values[1]} %)"
    if duel.leak:
        text += "; as_code is tested on tracks that it trained on, fixed is not, so the two are not equally hard"
    return text + "."


def markdown(table: str, variants: Sequence[Variant], duels: Sequence[Duel]) -> str:
    """The whole report: the overview, then each row with all its figures and remarks."""
    lines = [overview(table, variants, duels), "## Row by row", ""]
    for row in dict.fromkeys(variant.recipe.row for variant in variants):
        mine = [variant for variant in variants if variant.recipe.row == row]
        recipe = mine[0].recipe
        lines += [f"### {row}", "", f"{recipe.system}. {recipe.source}.", ""]
        lines += [*(f"- {remark}" for remark in recipe.remarks), "", *_note_lines(mine)]
        for variant in mine:
            for part, counts in variant.counts.items():
                lines.append(f"- {variant.preset}, {part}: {_heard(counts)}.")
        lines += [
            "",
            *_table([_cells(variant, cell)[1:] for variant in mine for cell in variant.cells], _COLUMNS[1:]),
            "",
        ]
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip() + "\n"


def _note_lines(variants: Sequence[Variant]) -> list[str]:
    """What each preset of a row does; those that do the same stand together."""
    presets: dict[tuple[str, ...], list[str]] = {}
    for variant in variants:
        if variant.notes:
            presets.setdefault(variant.notes, []).append(variant.preset)
    lines = []
    for notes, names in presets.items():
        lines += [f"What {' and '.join(names)} {'do' if len(names) > 1 else 'does'}:", ""]
        lines += [*(f"- {note}" for note in notes), ""]
    return lines


def _heard(counts: Any) -> str:
    text = f"{counted(counts['pieces'], 'piece')} of {counted(counts['tracks'], 'track')}"
    return text + (f", {counts['abstained']} without an answer" if counts["abstained"] else "")


def as_csv(table: str, variants: Sequence[Variant]) -> str:
    """One line per figure of each variant; shares in 0..1, empty where there is none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", "row", "preset", "variant", "metric", "published", "ours", "difference", "low", "high",
                     "seeds", "synthetic", "problem"])  # fmt: skip
    for variant in variants:
        for cell in variant.cells:
            difference = None if variant.synthetic else cell.difference
            low, high = cell.interval or (None, None)
            writer.writerow([table, variant.recipe.row, variant.preset, variant.name, cell.metric,
                             *map(_plain, (cell.published, cell.ours, difference, low, high)),
                             " ".join(map(str, variant.seeds)), "yes" if variant.synthetic else "no",
                             variant.problem])  # fmt: skip
    return out.getvalue()


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def as_json(table: str, variants: Sequence[Variant], duels: Sequence[Duel]) -> str:
    """Everything, for programs."""
    body = {
        "table": table,
        "header": header_of(variants),
        "variants": [_variant(variant) for variant in variants],
        "fixed_against_as_code": [
            {**vars(duel), "fixed_is_better": duel.won, "sentence": lost_sentence(duel)} for duel in duels
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _variant(variant: Variant) -> dict[str, Any]:
    recipe = variant.recipe
    cells = [
        {"metric": cell.metric, "published": cell.published, "ours": cell.ours, "by_seed": list(cell.by_seed),
         "difference": None if variant.synthetic else cell.difference, "interval": cell.interval}
        for cell in variant.cells
    ]  # fmt: skip
    return {"row": recipe.row, "kind": recipe.kind, "system": recipe.system, "options": dict(recipe.options),
            "preset": variant.preset, "state": _state(variant), "seeds": list(variant.seeds),
            "facts": list(variant.facts), "synthetic": variant.synthetic, "problem": variant.problem,
            "source": recipe.source, "remarks": list(recipe.remarks), "notes": list(variant.notes),
            "counts": {part: dict(counts) for part, counts in variant.counts.items()}, "figures": cells}  # fmt: skip


def write_report(folder: Path, table: str, variants: Sequence[Variant], duels: Sequence[Duel]) -> list[Path]:
    """Write ``report.md``, ``report.csv`` and ``report.json``.

    Raises:
        HouseXError: The folder cannot be written.
    """
    texts = {
        "report.md": markdown(table, variants, duels),
        "report.csv": as_csv(table, variants),
        "report.json": as_json(table, variants, duels),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_text_atomic(folder / name, text)
    except OSError as error:
        raise HouseXError(f"The report cannot be written to {folder}.", "Choose a folder that is writable.") from error
    return [folder / name for name in texts]

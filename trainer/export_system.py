"""A trained run as a model folder: the extension then shows a mix as that published network hears it. Zone: trainer."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from housex_blender.analysis.classify import smooth, softmax
from housex_blender.analysis.front_ends import card_of
from housex_blender.analysis.model_folder import (
    CARD_FILE,
    CARD_SCHEMA,
    ONNX_FILE,
    PIECE_KIND,
    WEIGHTS_FILE,
    PieceFolder,
    Smoothing,
    load_any_model,
    load_model_folder,
)
from housex_blender.analysis.pieces import INPUT, OUTPUT, PieceBackend
from housex_blender.core.errors import HouseXError, ModelError
from housex_blender.core.files import sha256_of, write_text_atomic

from .calibrate import fit_uncertain, temperature_of
from .data.reading import counted
from .engine.checkpoints import save_weights
from .engine.optimising import logits_of
from .engine.predictions import Predictions
from .export import LICENSE, json_text, put_in_place
from .report.figures import COUNTS, figures_of
from .report.words import stopped_after

if TYPE_CHECKING:
    from .engine.run import Run

MAX_DIFFERENCE = 1e-3
# of the genre, from one bar of a record to the next
_NO_CHANGE = 1e-5
_LIMITS = (
    "A published network, trained anew by this project; it hears one piece of sound at a time. Bars, tracks, drops and "
    "attributes are heard by the model that ships, whose numbers of the smoothing it shares: they were not measured on "
    "mixes heard by this network."
)


class _Logits(nn.Module):
    """A network whose answer is logits, also where it ends in a softmax of its own."""

    def __init__(self, network: nn.Module, ends_in_softmax: bool) -> None:
        super().__init__()
        self.network, self.ends_in_softmax = network, ends_in_softmax

    def forward(self, pieces: Tensor) -> Tensor:
        answer: Tensor = self.network(pieces)
        return logits_of(answer, self.ends_in_softmax)


def export_run(run: Run, folder: Path) -> Path:
    """Write ``model.onnx``, ``weights.safetensors`` and ``card.json``, after checking that the graph answers as torch.

    Nothing in ``folder`` changes unless all is well; the card goes in last.

    Args:
        run: A finished run of a network.
        folder: Of the model; made where it is not there.

    Raises:
        HouseXError: The run is of a system that is not a network, or was not finished.
        ModelError: The graph answers otherwise than the network, or cannot be made.
    """
    network = _Logits(run.network(), run.setup.training.outputs == "probabilities").eval()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".model-", dir=folder.parent) as name:
        draft = Path(name)
        save_weights(draft / WEIGHTS_FILE, network.network)
        _export_onnx(network, run.setup.front_end.shape, draft / ONNX_FILE)
        write_text_atomic(draft / CARD_FILE, _card_text(run, network, draft))
        difference = _difference(network, draft)
        # a comparison with what is not a number is False
        if not difference < MAX_DIFFERENCE:
            raise ModelError(f"The graph differs from the network by {difference:.2g}.", "Do not use this model.")
        put_in_place(draft, folder)
    return folder


def _export_onnx(network: nn.Module, shape: tuple[int, ...], path: Path) -> None:
    # the fused layer of a transformer has no counterpart in ONNX
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # the older exporter is the one whose graphs ONNX Runtime 1.16 and later all read
            warnings.simplefilter("ignore")
            torch.onnx.export(network, (torch.zeros(2, *shape),), str(path), input_names=[INPUT],
                              output_names=[OUTPUT], dynamic_axes={INPUT: {0: "bars"}, OUTPUT: {0: "bars"}},
                              opset_version=17, dynamo=False)  # fmt: skip
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The network cannot be written as ONNX: {reason}.", "Choose another system.") from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def _card_text(run: Run, network: nn.Module, folder: Path) -> str:
    setup = run.setup
    smoothing = load_model_folder().smoothing
    temperature, uncertain_below = _calibrated(run.predictions("val"), smoothing)
    body = {
        "schema": CARD_SCHEMA,
        "name": f"{setup.system.replace('/', '-')}-{setup.preset.replace('_', '-')}",
        "version": f"seed-{run.card['seed']}",
        "genres": list(setup.classes),
        "network": {
            "kind": PIECE_KIND,
            "system": setup.system,
            "preset": setup.preset,
            # a folder stands there by its name: where it lies is nobody's business
            "options": {name: Path(value).name for name, value in setup.options.items()},
            "parameters": sum(part.numel() for part in network.parameters()),
        },
        "front_end": card_of(setup.front_end),
        "temperature": round(temperature, 4),
        "smoothing": {key: round(value, 4) for key, value in vars(smoothing).items()},
        "uncertain_below": round(uncertain_below, 4),
        "trained_on": _trained_on(run),
        "synthetic": bool(run.card["synthetic"]),
        "steps_at_most": run.card["steps_at_most"],
        "figures": {part: _plain(figures_of(run.predictions(part))) for part in ("val", "test")},
        "limits": _LIMITS,
        "license": LICENSE,
        "sha256": {name: sha256_of(folder / name) for name in (ONNX_FILE, WEIGHTS_FILE)},
    }
    return json_text(body)


def _trained_on(run: Run) -> str:
    count, name, steps = run.card["parts"]["train"]["tracks"], run.card["data_set"], run.card["steps_at_most"]
    trial = f"; {stopped_after(steps)}, a trial" if steps else ""
    if run.card["synthetic"]:
        tracks = counted(count, "synthesised track")
        return f"{tracks} in the format of the {name} data set; no recorded music{trial}"
    return f"{counted(count, 'track')} of the {name} data set{trial}"


def _plain(figures: Mapping[str, float]) -> dict[str, float]:
    """What JSON can hold: counts as they are, shares in four digits."""
    return {name: int(value) if name in COUNTS else round(float(value), 4)
            for name, value in figures.items() if np.isfinite(value)}  # fmt: skip


def _calibrated(validation: Predictions, smoothing: Smoothing) -> tuple[float, float]:
    """Temperature, and the confidence below which a bar is uncertain, both set on the validation part.

    The pieces of a track stand for the bars of a record that no other interrupts, smoothed as the analysis will.
    """
    temperature = temperature_of([(validation.logits, validation.target)])
    smoothed = []
    for track in np.unique(validation.track):
        mine = np.flatnonzero(validation.track == track)
        raw = softmax(validation.logits[mine[np.argsort(validation.start_s[mine], kind="stable")]], temperature)
        smoothed.append(smooth(raw, np.full(len(raw), _NO_CHANGE), smoothing.evidence, smoothing.certainty))
    return temperature, fit_uncertain(smoothed)


def _difference(network: nn.Module, folder: Path) -> float:
    """Greatest difference of graph and network for pieces of noise that go through the front end."""
    model = load_any_model(folder)
    if not isinstance(model, PieceFolder):
        raise ModelError("The card does not describe a published network.", "Export it anew.")
    front_end = model.front_end
    noise = 0.1 * np.random.default_rng(0).standard_normal((3, front_end.window_samples)).astype(np.float32)
    ready = np.stack([front_end.ready(front_end.stored(piece)) for piece in noise])
    with torch.inference_mode():
        wanted = network(torch.from_numpy(ready)).numpy()
    found = PieceBackend(model, "cpu").hear(list(noise))
    return float(np.abs(found - wanted).max() / max(1.0, float(np.abs(wanted).max())))


def export_folder(source: Path, target: Path | None) -> Path:
    """Export the run in a folder.

    Raises:
        HouseXError: No place was named, or see :func:`export_run`.
    """
    from .engine.run import open_run

    if target is None:
        raise HouseXError("It is not said where the model shall go.", "Add --out FOLDER.")
    return export_run(open_run(source), target)

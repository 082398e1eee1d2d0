"""Patches, smoothing over time, model folders, and the two backends."""

from __future__ import annotations

import itertools
import shutil
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from housex_blender.analysis.backends import UNKNOWN_BPM, Heard, OnnxBackend, hear_all, open_backend
from housex_blender.analysis.classify import change_probability, classify, settle, smooth, softmax
from housex_blender.analysis.features import Features
from housex_blender.analysis.grid import GridResult
from housex_blender.analysis.model_folder import ModelFolder, NetworkShape, Smoothing, load_model_folder
from housex_blender.analysis.patches import PATCH_FRAMES, bar_patches, bar_references_db
from housex_blender.analysis.structure import Structure
from housex_blender.core.attributes import ATTRIBUTES
from housex_blender.core.bars import BarGrid
from housex_blender.core.errors import ModelError
from housex_blender.core.genres import GENRES

RATE_HZ = 22050 / 512


def test_a_patch_spans_its_bar_whatever_the_tempo() -> None:
    """A level that rises through each bar gives the same rising patch at 110 and at 135 BPM."""
    patches = []
    for bpm in (110.0, 135.0):
        bar_s = 240 / bpm
        starts_s = np.arange(8) * bar_s
        times_s = np.arange(int(9 * bar_s * RATE_HZ)) / RATE_HZ
        mel = np.repeat((-40 + 40 * (times_s / bar_s % 1))[:, None], 128, axis=1).astype(np.float16)
        patches.append(bar_patches(mel, RATE_HZ, starts_s, starts_s + bar_s))
    assert patches[0].shape == (8, 1, 128, PATCH_FRAMES)
    assert patches[0].dtype == np.float32
    # the last columns may reach over the bar line, where the level jumps
    assert np.abs(patches[0] - patches[1])[..., 2:-2].max() < 0.03
    assert np.all(np.diff(patches[0][0, 0, 0, 2:-2]) > 0)


def test_loudness_of_the_whole_record_does_not_matter_but_that_of_a_bar_does() -> None:
    rng = np.random.default_rng(0)
    mel = rng.uniform(-40, 0, (int(40 * RATE_HZ), 128))
    mel[int(20 * RATE_HZ) :] -= 12
    edges_s = np.arange(21) * 1.9
    loud, quiet = (
        bar_patches((mel + gain).astype(np.float32), RATE_HZ, edges_s[:-1], edges_s[1:]) for gain in (0, -25)
    )
    assert loud == pytest.approx(quiet, abs=1e-4)
    assert loud[2].mean() - loud[17].mean() == pytest.approx(12 / 60, abs=0.02)


def test_a_part_of_a_mix_gives_the_same_patches_as_the_whole() -> None:
    rng = np.random.default_rng(0)
    mel = rng.uniform(-60, 0, (int(80 * RATE_HZ), 128)).astype(np.float16)
    mel[: len(mel) // 2] -= 20
    edges_s = np.arange(41) * 1.9
    starts_s, ends_s = edges_s[:-1], edges_s[1:]
    references_db = bar_references_db(mel, RATE_HZ, starts_s, ends_s)
    whole = bar_patches(mel, RATE_HZ, starts_s, ends_s)
    part = bar_patches(mel, RATE_HZ, starts_s[7:12], ends_s[7:12], references_db[7:12])
    assert np.array_equal(part, whole[7:12])


def test_silence_gives_black_patches() -> None:
    mel = np.full((400, 128), -100, np.float16)
    assert bar_patches(mel, RATE_HZ, np.array([0.0, 2.0]), np.array([2.0, 4.0])).max() == pytest.approx(2 / 3, abs=0.01)


# -- smoothing -------------------------------------------------------------------------------------------------


def posterior_by_the_book(raw: np.ndarray, change: np.ndarray, evidence: float) -> np.ndarray:
    """Every path of genres through the bars with its probability, summed up: slow and plain."""
    count, genres = raw.shape
    total = np.zeros((count, genres))
    for path in np.ndindex(*[genres] * count):
        weight = 1.0 / genres
        for bar, genre in enumerate(path):
            if bar:
                weight *= 1 - change[bar] if genre == path[bar - 1] else change[bar] / (genres - 1)
            weight *= raw[bar, genre] ** evidence
        total[np.arange(count), path] += weight
    return total / total.sum(axis=1, keepdims=True)


def test_smoothing_is_the_posterior_of_all_paths() -> None:
    rng = np.random.default_rng(0)
    for genres in (2, 3, 4):
        raw = rng.dirichlet(np.ones(genres), 6)
        change = rng.uniform(1e-3, 0.5, 6)
        assert smooth(raw, change, 0.7) == pytest.approx(posterior_by_the_book(raw, change, 0.7), abs=1e-12)


def test_smoothing_ignores_a_single_odd_bar_and_follows_a_lasting_change() -> None:
    probs = np.full((96, 9), 0.02)
    probs[:48, 0] = probs[48:, 3] = 0.84
    probs[20, 0], probs[20, 7] = 0.02, 0.84
    posterior = smooth(probs, np.full(96, 0.01), 0.25)
    assert posterior.sum(axis=1) == pytest.approx(np.ones(96))
    labels = posterior.argmax(axis=1)
    assert np.all(labels[:48] == 0)
    assert np.all(labels[48:] == 3)
    assert posterior[40, 0] > 0.9


def test_a_genre_changes_where_another_track_takes_over() -> None:
    """Between two tracks the bars themselves do not say whose they are."""
    probs = np.full((60, 9), 1 / 9)
    probs[:20, 2], probs[40:, 5] = 0.9, 0.9
    for bar in (24, 35):
        change = np.full(60, 1e-4)
        change[bar] = 0.4
        labels = smooth(probs, change, 0.5).argmax(axis=1)
        assert labels.tolist() == [2] * bar + [5] * (60 - bar)


def test_the_probability_of_a_change_comes_from_the_card_and_has_bounds() -> None:
    smoothing = Smoothing(0.25, -2.0, 0.5)
    found = change_probability(np.array([0.0, 4.0, 1e9, -1e9], np.float32), smoothing)
    assert found == pytest.approx([1 / (1 + np.exp(2.0)), 0.5, 0.5, 1e-5])


def test_smoothing_survives_extremes() -> None:
    for probs in (np.eye(9)[np.arange(500) % 9], np.full((1, 9), 1 / 9), np.eye(2)[[0] * 4000]):
        for change in (1e-5, 0.5):
            posterior = smooth(np.asarray(probs, np.float32), np.full(len(probs), change), 10.0)
            assert np.all(np.isfinite(posterior))
            assert posterior.sum(axis=1) == pytest.approx(np.ones(len(probs)))


def test_softmax_temperature_only_softens() -> None:
    logits = np.array([[2.0, 1.0, -3.0]])
    sharp, soft = softmax(logits), softmax(logits, 4.0)
    assert sharp.sum() == pytest.approx(1.0)
    assert sharp[0, 0] > soft[0, 0] > soft[0, 1] > sharp[0, 2]


# -- bars of a mix ---------------------------------------------------------------------------------------------


class Told:
    """Says of every bar what it was told, and what the pictures of its neighbours hold."""

    name, device, description = "told", "cpu", "told"

    def __init__(self, logits: np.ndarray, handover: np.ndarray) -> None:
        self.logits, self.handover = logits.astype(np.float32), handover.astype(np.float32)
        self.lengths: list[int] = []
        self.attributes = np.zeros(len(ATTRIBUTES), np.float32)

    def hear(self, patches: np.ndarray, bpm: np.ndarray) -> Heard:
        self.lengths.append(len(patches))
        # bars carry their number as a level: see bars_of_levels
        bars = np.round(patches.mean(axis=(1, 2, 3)) * 2000).astype(int)
        return Heard(self.logits[bars], np.tile(self.attributes, (len(bars), 1)), self.handover[bars],
                     np.ones((len(bars), 1), np.float32))  # fmt: skip


def told_model(**changes: Any) -> ModelFolder:
    fields: dict[str, Any] = {
        "path": Path(), "name": "told 1", "genres": GENRES, "trained_on": "", "temperature": 1.0, "sha256": {},
        "shape": NetworkShape((4, 4, 4, 4), 1, (1, 2)), "smoothing": Smoothing(0.5, -6.0, 1.0), "uncertain_below": 0.9,
    }  # fmt: skip
    return ModelFolder(**{**fields, **changes})


def numbered(first: int, last: int) -> np.ndarray:
    """Pictures whose mean is their number."""
    return np.broadcast_to((np.arange(first, last) / 2000).reshape(-1, 1, 1, 1), (last - first, 1, 128, 64)).astype(
        np.float32
    )


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``classified(backend, model, n_bars)`` with numbered pictures."""
    import housex_blender.analysis.classify as module

    def run(backend: Told, model: ModelFolder, count: int) -> Any:
        edges_s = 2.0 * np.arange(count + 1)
        monkeypatch.setattr(module, "bar_references_db", lambda *_: np.zeros(count))
        monkeypatch.setattr(module, "bar_patches", lambda _mel, _rate, starts_s, *_: numbered(
            round(starts_s[0] / 2), round(starts_s[-1] / 2) + 1))  # fmt: skip
        features = Features.__new__(Features)
        features.mel, features.mel_rate_hz = np.zeros((1, 128), np.float32), RATE_HZ
        return classify(features, BarGrid.from_downbeats(edges_s[:-1], float(edges_s[-1])), model, backend)

    return run


def test_confidence_is_the_posterior_and_the_card_says_when_it_is_too_low(classified: Callable[..., Any]) -> None:
    logits = np.zeros((40, 9))
    logits[:20, 3] = 5.0
    handover = np.full(40, -5.0)
    handover[20] = 6.0
    genres = classified(Told(logits, handover), told_model(), 40)
    assert genres.raw[5, 3] == pytest.approx(np.exp(5) / (np.exp(5) + 8), rel=1e-4)
    assert genres.confidence == pytest.approx(genres.probs.max(axis=1))
    assert genres.uncertain[:20].tolist() == [False] * 20
    assert genres.uncertain[25:].tolist() == [True] * 15, "after the hand-over nothing is known"
    assert genres.handover[[0, 20]] == pytest.approx([1 / (1 + np.exp(5)), 1 / (1 + np.exp(-6))])
    assert not classified(Told(logits, handover), told_model(uncertain_below=0.1), 40).uncertain.any()
    soft = classified(Told(logits, handover), told_model(temperature=5.0), 40)
    assert soft.confidence[5] < genres.confidence[5]


def test_attributes_stay_on_their_scales(classified: Callable[..., Any]) -> None:
    backend = Told(np.zeros((4, 9)), np.zeros(4))
    backend.attributes = np.array([0.2, 9.0, 3.0, 1.0, -0.5, 1.5, 0.4], np.float32)
    assert classified(backend, told_model(), 4).attributes[0] == pytest.approx([1, 5, 3, 1, 0, 1, 0.4])


def test_the_genre_changes_with_the_track_once_tracks_are_known(classified: Callable[..., Any]) -> None:
    model, quiet = told_model(), np.full(60, -2.0)
    logits = np.zeros((60, 9))
    logits[:33, 1], logits[33:, 6] = 1.0, 1.0
    genres = classified(Told(logits, quiet), model, 60)
    assert genres.probs.argmax(axis=1).tolist() == [1] * 33 + [6] * 27
    # the old record is still heard for three bars after the new one took over
    settled = settle(genres, [0, 30], model)
    assert settled.probs.argmax(axis=1).tolist() == [1] * 30 + [6] * 30
    assert settled.confidence == pytest.approx(settled.probs.max(axis=1))
    assert genres.change[30] < 0.01, "the first answer is left as it was"
    # what is plain wins over where the tracks were thought to change
    plain = classified(Told(10 * logits, quiet), model, 60)
    assert settle(plain, [0, 30], model).probs.argmax(axis=1).tolist() == [1] * 33 + [6] * 27


def test_pictures_of_a_long_mix_are_never_all_in_memory(classified: Callable[..., Any]) -> None:
    backend = Told(np.zeros((2000, 9)), np.zeros(2000))
    tracemalloc.start()
    try:
        assert len(classified(backend, told_model(), 2000).probs) == 2000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert max(backend.lengths) <= 96 + 2 * 6
    assert peak < 0.25 * 2000 * 128 * 64 * 4


def test_every_bar_needs_an_answer() -> None:
    class Short(Told):
        def hear(self, patches: np.ndarray, bpm: np.ndarray) -> Heard:
            return Heard(*(part[:-1] for part in super().hear(patches, bpm)))

    class Broken(Told):
        def hear(self, patches: np.ndarray, bpm: np.ndarray) -> Heard:
            heard = super().hear(patches, bpm)
            heard.attributes[-1, 2] = np.nan
            return heard

    with pytest.raises(ModelError, match="answers with 9 logits for 10 bars"):
        hear_all(Short(np.zeros((10, 9)), np.zeros(10)), numbered, steady(10), 4)
    with pytest.raises(ModelError, match=r"not numbers \(attributes\)"):
        hear_all(Broken(np.zeros((10, 9)), np.zeros(10)), numbered, steady(10), 4)


# -- model folders ---------------------------------------------------------------------------------------------


def test_the_model_that_ships() -> None:
    model = load_model_folder()
    assert model.genres == GENRES
    assert model.shape.context_bars == 2 * sum(model.shape.dilations)
    assert (model.path / "model.onnx").stat().st_size < 10e6
    assert OnnxBackend(model).hear(np.zeros((2, 1, 128, 64), np.float32), steady(2)).logits.shape == (2, 9)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small untrained model of nine genres."""
    pytest.importorskip("torch")
    from .models import small_model

    return small_model(tmp_path_factory.mktemp("models") / "small")


def steady(count: int) -> np.ndarray:
    return np.full(count, 124.0, np.float32)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 1, 128, 64), dtype=np.float32)


def test_both_backends_give_one_answer() -> None:
    pytest.importorskip("torch")
    model, patches = load_model_folder(), pictures(150, 1)
    onnx, torch = (
        hear_all(open_backend(model, "cpu", library), lambda a, b: patches[a:b], steady(150), model.shape.context_bars)
        for library in ("onnx", "torch")
    )
    for one, other in zip(onnx, torch, strict=True):
        assert np.abs(one - other).max() < 1e-4
    assert np.abs(onnx.logits).max() > 0.1, "two dead networks agree as well"


@pytest.mark.parametrize("count", [1, 7, 96, 97, 150, 300])
def test_a_mix_in_parts_gives_the_answers_of_the_whole(small: Path, count: int) -> None:
    model, patches = load_model_folder(small), pictures(count, 2)
    backend = OnnxBackend(model)
    whole = backend.hear(patches, steady(len(patches)))
    parts = hear_all(backend, lambda a, b: patches[a:b], steady(count), model.shape.context_bars)
    for one, other in zip(parts, whole, strict=True):
        assert one.dtype == np.float32
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 1e-5
    if count > 96:
        less = hear_all(backend, lambda a, b: patches[a:b], steady(count), model.shape.context_bars - 1)
        assert np.abs(less.logits - whole.logits).max() > 1e-5, "the overlap is not longer than it must be"


def test_the_tempo_is_heard_too(small: Path) -> None:
    backend, patches = OnnxBackend(load_model_folder(small)), pictures(8, 5)
    slow, fast = (backend.hear(patches, np.full(8, bpm, np.float32)).logits for bpm in (118.0, 128.0))
    assert np.abs(slow - fast).max() > 1e-4
    # far outside of house it says no more than at its edge
    wild, wilder = (backend.hear(patches, np.full(8, bpm, np.float32)).logits for bpm in (180.0, 400.0))
    assert np.array_equal(wild, wilder)
    unknown = backend.hear(patches, np.full(8, UNKNOWN_BPM, np.float32)).logits
    assert np.abs(unknown - slow).max() > 1e-4, "unknown is not merely slow"
    assert np.abs(unknown - fast).max() > 1e-4


@pytest.mark.parametrize(("tracks", "told"), [(1, [False, True]), (3, [False])])
def test_the_tempo_is_told_for_a_record_alone_and_not_in_a_mix(
    tracks: int, told: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    import housex_blender.analysis.records as module

    class Listening(Told):
        def hear(self, patches: np.ndarray, bpm: np.ndarray) -> Heard:
            seen.append(bool(np.all(bpm == 126.0)))
            assert seen[-1] or np.all(bpm == UNKNOWN_BPM)
            return super().hear(patches, bpm)

    seen: list[bool] = []
    edges_s = 240.0 / 126.0 * np.arange(31)
    grid = BarGrid.from_downbeats(edges_s[:-1], float(edges_s[-1]))
    monkeypatch.setattr(module, "bar_levels", lambda *_: None)
    ends = np.linspace(0, 30, tracks + 1).astype(int)
    form = Structure(np.zeros(30), ["drop"] * 30, [], list(itertools.pairwise(ends)), np.zeros(tracks - 1))
    monkeypatch.setattr(module, "analyse_structure", lambda *_, **__: form)
    features = Features.__new__(Features)
    features.mel, features.mel_rate_hz = np.full((3000, 128), -20.0, np.float32), RATE_HZ
    backend = Listening(np.eye(9)[np.arange(2001) % 9], np.zeros(2001))
    genres, heard = module.hear_records(features, GridResult(grid, 0.9, np.ones(30), ""), told_model(), backend)
    assert seen == told
    assert heard is form
    assert len(genres.probs) == 30


def test_a_bar_is_heard_with_its_neighbours_and_with_no_others(small: Path) -> None:
    model, patches = load_model_folder(small), pictures(40, 3)
    reach = model.shape.context_bars
    backend = OnnxBackend(model)
    other = patches.copy()
    other[20] = 1.0 - other[20]
    changed = (
        np.abs(backend.hear(other, steady(len(other))).logits - backend.hear(patches, steady(len(patches))).logits).max(
            axis=1
        )
        > 0
    )
    assert np.flatnonzero(changed)[[0, -1]].tolist() == [20 - reach, 20 + reach]


def test_auto_takes_the_cpu_where_there_is_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import housex_blender.analysis.backends as backends

    monkeypatch.setattr(backends, "_gpu_seems_there", lambda: False)
    backend = open_backend(load_model_folder(), "auto")
    assert (backend.name, backend.device) == ("onnx", "cpu")
    assert backend.description == "ONNX Runtime on cpu"


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a GPU on the testing machine, torch is told that there is one, and the network is kept where it is."""
    torch = pytest.importorskip("torch")
    import housex_blender.analysis.backends as backends
    import housex_blender.analysis.network as network

    monkeypatch.setattr(backends, "_gpu_seems_there", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "Test GPU")
    monkeypatch.setattr(network.MixNet, "to", lambda self, _device: self)
    backend = open_backend(load_model_folder(), "auto")
    assert (backend.name, backend.device) == ("torch", "cuda")
    assert backend.description == "torch on Test GPU"


@pytest.mark.parametrize(("device", "library"), [("cuda", "torch"), ("cuda", "onnx"), ("mps", "auto"), ("tpu", "auto")])
def test_a_device_that_is_not_there_is_refused(device: str, library: str) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError, match=device):
        open_backend(load_model_folder(), device, library)


def _card(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        from .models import change_card

        change_card(folder, change)

    return spoil


def _append(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + b"x") and None


def _text(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "card.json").write_text(text) and None


def _garbage(name: str) -> Callable[[Path], None]:
    """A file that is none, although the card knows it."""

    def spoil(folder: Path) -> None:
        from .models import know_files

        (folder / name).write_bytes(b"not a model" * 100)
        know_files(folder)

    return spoil


def _not_a_number(folder: Path) -> None:
    """One weight that is no number, in the last layer of the genres."""
    from .models import put_net, small_net

    net = small_net()
    net.genre.weight.data[4, 2] = float("nan")
    put_net(folder, net)


def _other_outputs(folder: Path) -> None:
    import torch

    from .models import know_files

    class Plain(torch.nn.Module):
        def forward(self, patches: torch.Tensor, bpm: torch.Tensor) -> torch.Tensor:
            return patches.mean(dim=(1, 2))[:, :9] + bpm[:, None]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Plain(), (torch.zeros(2, 1, 128, 64), torch.zeros(2)), str(folder / "model.onnx"),
                          dynamo=False, input_names=["patches", "bpm"], output_names=["logits"])  # fmt: skip
    know_files(folder)


def _network(**changes: Any) -> Callable[[Path], None]:
    return _card(lambda card: card["network"].update(changes))


# what is wrong -> how, and what is said of it
SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "no card": (lambda d: (d / "card.json").unlink(), "no model"),
    "card cut off": (_text("{"), "damaged: it is not JSON"),
    "card of nothing but brackets": (_text("[" * 100_000), "damaged: it is not JSON"),
    "a list": (_text("[]"), "damaged: it is not an object"),
    "an endless card": (_text(" " * 2_000_000), "damaged: it is too large"),
    "another feature version": (_card(lambda c: c.update(feature_version=99)), "needs features"),
    "older schema": (_card(lambda c: c.update(schema=1)), "schema 1, .* Train or download a model for this version"),
    "no schema": (_card(lambda c: c.pop("schema")), "schema None"),
    "another kind of network": (_network(kind="BarNet"), "BarNet.* Train or download"),
    "one genre": (_card(lambda c: c.update(genres=["Bigroom"])), "2 to 64"),
    "65 genres": (_card(lambda c: c.update(genres=[str(i) for i in range(65)])), "2 to 64"),
    "the same genre twice": (_card(lambda c: c.update(genres=["Techno", "Tech House"])), "different genres"),
    "a genre without a name": (_card(lambda c: c["genres"].__setitem__(0, " ")), "name of a genre is empty"),
    "genres that are numbers": (_card(lambda c: c.update(genres=[1, 2])), "not a list of names"),
    "no hash": (_card(lambda c: c.pop("sha256")), "has no 'sha256'"),
    "no smoothing": (_card(lambda c: c.pop("smoothing")), "has no 'smoothing'"),
    "no evidence": (_card(lambda c: c["smoothing"].pop("evidence")), "has no 'evidence'"),
    "evidence that is no number": (
        _card(lambda c: c["smoothing"].update(evidence=float("nan"))),
        "its evidence is not",
    ),
    "an endless bias": (_card(lambda c: c["smoothing"].update(change_bias=float("inf"))), "its change_bias is not"),
    "a temperature of nothing": (_card(lambda c: c.update(temperature=0)), "its temperature is not"),
    "a temperature beyond all": (_card(lambda c: c.update(temperature=10**400)), "its temperature is not"),
    "a temperature in words": (_card(lambda c: c.update(temperature="warm")), "its temperature is not"),
    "a limit that is a truth": (_card(lambda c: c.update(uncertain_below=True)), "its uncertain_below is not"),
    "a name that is none": (_card(lambda c: c.update(name=None)), "its name is not a text"),
    "three widths": (_network(widths=[4, 6, 8]), "3 widths, not 4"),
    "absurd widths": (_network(widths=[4, 6, 8, 10**9]), "widths are not whole numbers"),
    "an absurd size": (_network(size=10**7), "size are not whole numbers"),
    "a broken size": (_network(size=12.5), "size are not whole numbers"),
    "no dilations": (_network(dilations=[]), "0 dilations"),
    "a network in words": (_card(lambda c: c.update(network="big")), "damaged"),
    "weights changed": (_append("model.onnx"), "not the file its card describes"),
    "weights missing": (lambda d: (d / "model.onnx").unlink(), "no model.onnx"),
    "a graph that is none": (_garbage("model.onnx"), "cannot be opened"),
    "a graph that answers less": (_other_outputs, "answers logits, not logits, attributes, handover, embedding"),
    "a graph of another size": (_network(size=13), r"embedding of shape \(3, 12\) for 3 bars, not \(3, 13\)"),
    "not a number in the weights": (_not_a_number, r"not numbers \(logits\)"),
    "three genres for nine outputs": (
        _card(lambda c: c.update(genres=["a", "b", "c"])),
        "for 9 genres, its card names 3",
    ),
    "ten genres for nine outputs": (_card(lambda c: c["genres"].append("a")), "for 9 genres, its card names 10"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_model_folder_is_refused(small: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(small, folder)
    assert OnnxBackend(load_model_folder(folder)).name == "onnx"
    spoil, said = SPOILED[what]
    spoil(folder)
    with pytest.raises(ModelError, match=said) as caught:
        OnnxBackend(load_model_folder(folder))
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    assert caught.value.hint


# the torch backend reads other files, and says what is wrong in its own words
SPOILED_WEIGHTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "weights changed": (_append("weights.safetensors"), "not the file its card describes"),
    "weights that are none": (_garbage("weights.safetensors"), "do not fit its card"),
    "not a number in the weights": (_not_a_number, "not numbers"),
    "three genres for nine outputs": (_card(lambda c: c.update(genres=["a", "b", "c"])), "do not fit its card"),
    "ten genres for nine outputs": (_card(lambda c: c["genres"].append("a")), "do not fit its card"),
    "another size": (_network(size=13), "do not fit its card"),
    "other dilations": (_network(dilations=[1]), "do not fit its card"),
}


@pytest.mark.parametrize("what", SPOILED_WEIGHTS)
def test_spoiled_weights_are_refused_by_torch(small: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(small, folder)
    spoil, said = SPOILED_WEIGHTS[what]
    spoil(folder)
    with pytest.raises(ModelError, match=said):
        open_backend(load_model_folder(folder), "cpu", "torch")


@pytest.mark.parametrize("classes", [2, 3, 4, 8, 64])
def test_models_with_other_classes_load(tmp_path: Path, classes: int) -> None:
    pytest.importorskip("torch")
    from .models import small_model

    names = (*GENRES, *(f"genre {number}" for number in range(64)))[:classes]
    model = load_model_folder(small_model(tmp_path / "model", names, uncertain_below=0.3))
    assert model.genres == names
    assert model.uncertain_below == 0.3
    for library in ("onnx", "torch"):
        heard = open_backend(model, "cpu", library).hear(pictures(3), steady(3))
        assert [part.shape for part in heard] == [(3, classes), (3, 7), (3,), (3, 12)]
        assert np.linalg.norm(heard.embedding, axis=1) == pytest.approx(np.ones(3), abs=1e-5)

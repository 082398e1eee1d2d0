"""Probe and fine-tune of pre-trained encoders: tiny ones of every layout, saved and loaded for real."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")

from housex_blender.analysis.front_ends import card_of, front_end_from
from housex_blender.analysis.front_ends.waveform import Waveform
from housex_blender.core.errors import HouseXError, ModelError
from trainer.data.collection import Track
from trainer.engine.optimising import make_optimiser
from trainer.systems import get_setup
from trainer.systems.local_model import transformers_part
from trainer.systems.mel_conformer import htk_filters

from . import tiny_models

LAYOUTS = ("hubert", "mert", "wav2vec2", "wav2vec2-conformer", "ast", "whisper", "musicfm", "muq")
RATES_HZ = {"mert": 24000, "musicfm": 24000, "muq": 24000}


def save(folder: Path, layout: str) -> Path:
    if layout in ("musicfm", "muq"):
        return tiny_models.save_mel_conformer(folder, layout)
    special = {"ast": tiny_models.save_spectrogram_transformer, "whisper": tiny_models.save_whisper}
    return special[layout](folder) if layout in special else tiny_models.save_waveform_encoder(folder, layout)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("encoders")
    return {layout: save(place / layout, layout) for layout in LAYOUTS}


def built(folder: Path, name: str = "encoders/probe", weights: str = "pretrained", **options: str):
    setup = get_setup(name, "fixed", {"model": str(folder), "classes": "housex", **options})
    torch.manual_seed(1)
    return setup, setup.build(weights)


def sounds(setup, seconds: float = 0.4) -> tuple[torch.Tensor, torch.Tensor]:
    rate_hz = setup.front_end.sample_rate_hz
    x, kind = tiny_models.tones(6, round(seconds * rate_hz), rate_hz)
    ready = np.stack([setup.front_end.ready(row.numpy()) for row in x])
    return torch.from_numpy(ready), kind


def trained(setup, network, steps: int, rate: float = 1.0) -> list[float]:
    """The engine's steps on six sounds."""
    x, target = sounds(setup)
    optimiser = make_optimiser(network, setup.training, setup.group_lr)
    for group in optimiser.param_groups:
        group["lr"] *= rate
    losses = []
    for _ in range(steps):
        network.train()
        if setup.prepare_training is not None:
            setup.prepare_training(network)
        loss = torch.nn.functional.cross_entropy(network(x), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_probe_learns_without_touching_the_encoder_and_reloads_to_the_same_answers(folders, layout: str):
    setup, network = built(folders[layout])
    assert setup.front_end.sample_rate_hz == RATES_HZ.get(layout, 16000)
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    losses = trained(setup, network, 8, rate=10.0)
    assert losses[-1] < losses[0]
    for name, value in network.encoder.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    # a checkpoint fills a network that was built without the published weights
    _, again = built(folders[layout], weights="none")
    x, _ = sounds(setup)
    with torch.no_grad():
        said = network.eval()(x)
        assert said.shape == (6, 4)
        assert not torch.allclose(again.eval()(x), said)
        again.load_state_dict(network.state_dict())
        torch.testing.assert_close(again(x), said, rtol=0, atol=0)
        torch.testing.assert_close(network.classifier(setup.embed(network, x)), said)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_fine_tune_moves_the_encoder_but_not_what_reads_the_samples(folders, layout: str):
    setup, network = built(folders[layout], "encoders/fine-tune")
    before = {name: value.clone() for name, value in network.named_parameters()}
    losses = trained(setup, network, 8, rate=5.0)
    assert losses[-1] < losses[0]
    moved = [name for name, value in network.named_parameters() if not torch.equal(value, before[name])]
    assert any(name.startswith("encoder.") for name in moved)
    assert not any(name.startswith("encoder.feature_extractor.") for name in moved)
    # no parameter is left without a gradient, which several processes could not agree on
    idle = [name for name, value in network.named_parameters() if value.requires_grad and value.grad is None]
    assert idle == []


def test_mert_is_read_without_its_own_code_as_the_hubert_that_it_is(folders, tmp_path: Path):
    transformers = transformers_part("transformers")
    _, network = built(folders["mert"], layers="last", pooling="mean")
    hubert = transformers.HubertModel.from_pretrained(folders["hubert"]).eval()
    x = torch.randn(1, 4000)
    torch.testing.assert_close(network.eval().encoder(x).last_hidden_state, hubert(x).last_hidden_state)
    # with its other inputs it is none
    folder = save(tmp_path / "mert", "mert")
    tiny_models.change(folder / "config.json", feature_extractor_cqt=True)
    with pytest.raises(ModelError, match=r'"mert" wants to run code of its own.*trust=yes'):
        built(folder)


def test_code_in_a_folder_runs_only_where_it_is_trusted(tmp_path: Path):
    folder = save(tmp_path / "own", "wav2vec2")
    (folder / "own_code.py").write_text(
        "from transformers import Wav2Vec2Config, Wav2Vec2Model\n\n\n"
        "class OwnConfig(Wav2Vec2Config):\n    model_type = 'own_music'\n\n\n"
        "class OwnModel(Wav2Vec2Model):\n    config_class = OwnConfig\n",
        encoding="utf-8",
    )
    tiny_models.change(folder / "config.json", model_type="own_music", architectures=["OwnModel"],
                       auto_map={"AutoConfig": "own_code.OwnConfig", "AutoModel": "own_code.OwnModel"})  # fmt: skip
    with pytest.raises(ModelError, match="wants to run code of its own"):
        built(folder)
    setup, network = built(folder, trust="yes")
    assert type(network.encoder).__name__ == "OwnModel"
    assert network(sounds(setup)[0]).shape == (6, 4)


def test_layers_and_pooling_are_what_the_options_say(folders):
    setup, network = built(folders["hubert"])
    assert network.layer_weights.shape == (3,)
    assert network.classifier.in_features == 64
    x, _ = sounds(setup)
    with torch.no_grad():
        network.eval()
        network.layer_weights[2] = 50.0
        _, last = built(folders["hubert"], layers="last")
        assert last.layer_weights is None
        torch.testing.assert_close(network.features(x), last.eval().features(x), rtol=1e-4, atol=1e-4)
        _, mean = built(folders["hubert"], layers="last", pooling="mean")
        hidden = mean.eval().encoder(x).last_hidden_state
        torch.testing.assert_close(mean.features(x), mean.norm(hidden.mean(dim=1)))


def test_what_a_processor_says_of_the_input_counts_too(tmp_path: Path):
    folder = save(tmp_path / "nested", "mert")
    extractor = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    (folder / "preprocessor_config.json").unlink()
    said = {"processor_class": "Wav2Vec2Processor", "feature_extractor": extractor | {"sampling_rate": 22000}}
    (folder / "processor_config.json").write_text(json.dumps(said), encoding="utf-8")
    assert built(folder)[0].front_end.sample_rate_hz == 22000
    # MERT's config tells its rate itself, of a model that says nothing it is that of speech
    (folder / "processor_config.json").unlink()
    assert built(folder)[0].front_end.sample_rate_hz == 24000
    tiny_models.change(folder / "config.json", model_type="hubert", sample_rate=None)
    assert get_setup("encoders/probe", "fixed", {"model": str(folder)}).front_end.sample_rate_hz == 16000


def test_masks_and_dropped_layers_of_pre_training_are_off(folders):
    _, network = built(folders["wav2vec2"], "encoders/fine-tune")
    assert not network.encoder.config.apply_spec_augment
    assert network.encoder.config.layerdrop == 0.0
    setup, probe = built(folders["wav2vec2"])
    probe.train()
    setup.prepare_training(probe)
    assert not probe.encoder.training
    assert probe.classifier.training


def test_the_mel_spectrogram_of_the_conformers_is_that_of_their_pre_training():
    librosa = pytest.importorskip("librosa")
    wanted = librosa.filters.mel(sr=24000, n_fft=2048, n_mels=128, htk=True, norm=None)
    np.testing.assert_allclose(htk_filters(128), wanted, atol=1e-5)


def test_musicfm_and_muq_of_the_same_tensors_say_the_same(folders):
    (setup, one), (_, other) = built(folders["musicfm"]), built(folders["muq"])
    x, _ = sounds(setup)
    assert not setup.front_end.normalise
    torch.testing.assert_close(one.eval()(x), other.eval()(x))
    # 25 vectors per second, of the input and of two layers
    hidden = one.encoder(torch.randn(1, 24000)).hidden_states
    assert [tuple(layer.shape) for layer in hidden] == [(1, 25, 64)] * 3


def test_a_conformer_with_missing_or_damaged_files_is_told(tmp_path: Path):
    folder = save(tmp_path / "cut", "musicfm")
    state = torch.load(folder / "pretrained_fma.pt", weights_only=True)["state_dict"]
    del state["model.conformer.layers.1.self_attn.linear_q.weight"]
    torch.save({"state_dict": state}, folder / "pretrained_fma.pt")
    with pytest.raises(ModelError, match=r'"cut" lacks weights, the first is conformer\.layers\.1'):
        built(folder)
    (folder / "pretrained_fma.pt").write_bytes(b"not tensors")
    with pytest.raises(ModelError, match=r"pretrained_fma\.pt does not hold weights"):
        built(folder)
    folder = save(tmp_path / "muq", "muq")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match='"muq" has no weights'):
        built(folder)


def test_what_is_no_encoder_is_told(folders, tmp_path: Path):
    with pytest.raises(HouseXError, match="No encoder is chosen"):
        get_setup("encoders/probe").build("pretrained")
    with pytest.raises(HouseXError, match="cannot begin from imagenet"):
        get_setup("encoders/probe", "fixed", {"model": str(folders["ast"])}).build("imagenet")
    with pytest.raises(ModelError, match=r"no folder .*m-a-p/MERT.*never downloaded"):
        built(Path("m-a-p/MERT-v1-95M"))
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(ModelError, match=r'"model" has no config\.json'):
        built(folder)
    (folder / "config.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match="holds no settings"):
        built(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "no_such_kind"}), encoding="utf-8")
    with pytest.raises(ModelError, match='"model" has no weights'):
        built(folder)
    with pytest.raises(ModelError, match="cannot be loaded"):
        built(folder, weights="none")
    text = tmp_path / "bert"
    transformers = transformers_part("transformers")
    transformers.BertModel(transformers.BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=1,
                                                   intermediate_size=16, vocab_size=20)).save_pretrained(text)  # fmt: skip
    with pytest.raises(ModelError, match="BertModel does not take sound"):
        built(text)


def test_a_half_downloaded_encoder_is_refused(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    folder = save(tmp_path / "half", "wav2vec2")
    state = load_file(folder / "model.safetensors")
    some = {name: value for name, value in state.items() if "encoder.layers.1" not in name}
    save_file(some, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r'"half" lacks \d+ of the model\'s weights'):
        built(folder)


def test_pieces_lie_in_the_drops_or_fill_the_track():
    pieces = get_setup("encoders/probe", "fixed", {"classes": "mainstage"}).pieces
    rng = np.random.default_rng(0)
    label = np.eye(8, dtype=np.float32)[0]
    track = Track("a", label, Path("a.wav"), duration_s=60.0, drops_s=((10.0, 40.0), (50.0, 52.0)))
    assert [piece.start_s for piece in pieces(track, 3, rng)] == [10.0, 17.5, 25.0, 32.5, 50.0]
    whole = Track("a", label, Path("a.wav"), duration_s=31.0)
    assert [(piece.track, piece.start_s) for piece in pieces(whole, 3, rng)] == [(3, 7.5 * n) for n in range(4)]
    assert pieces(Track("a", label, Path("a.wav"), drops_s=()), 3, rng) == []
    assert pieces(Track("a", label), 3, rng) == []


def test_the_waveform_front_end_normalises_as_wav2vec_does_and_stands_on_a_card():
    samples = (0.3 + 0.1 * np.random.default_rng(0).standard_normal(16000)).astype(np.float32)
    front_end = Waveform(16000, 1.0)
    assert front_end.shape == (16000,)
    assert front_end.window_samples == 16000
    extractor = transformers_part("transformers").Wav2Vec2FeatureExtractor(do_normalize=True)
    wanted = extractor(samples, sampling_rate=16000, return_tensors="np")["input_values"][0]
    np.testing.assert_allclose(front_end.ready(front_end.stored(samples)), wanted, atol=1e-4)
    assert not front_end.ready(np.zeros(16000, np.float32)).any()
    plain = Waveform(24000, 0.5, normalise=False)
    np.testing.assert_array_equal(plain.ready(samples), samples)
    assert front_end_from(json.loads(json.dumps(card_of(plain)))) == plain

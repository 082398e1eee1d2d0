"""Pre-trained music encoders, a linear probe on them and a fine-tune: the papers' future work. Zone: trainer (torch).

Any audio encoder of `transformers` in a local folder: MERT (arXiv 2306.00107), HuBERT, wav2vec 2.0 and its Conformer,
WavLM, AST, the encoder of Whisper; MusicFM and MuQ as they are published; others with code of their own in their folder
where the user trusts it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from housex_blender.analysis.front_ends.waveform import Waveform
from housex_blender.core.errors import HouseXError, ModelError

from ..data import classes
from ..data.collection import Piece, Track
from .base import Counted, Setup, Training
from .local_model import first_line, has_weights, load_network, loaded, needs_own_code, read_settings, transformers_part
from .mel_conformer import SAMPLE_RATE_HZ as MEL_CONFORMER_RATE_HZ
from .mel_conformer import is_mel_conformer, load_mel_conformer

NAMES = ("encoders/probe", "encoders/fine-tune")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "model": ("",),
    "classes": ("mainstage", "gtzan", "housex"),
    # a learned weighted sum of the hidden layers, as MERT's authors probe, or the last one
    "layers": ("weighted", "last"),
    "pooling": ("mean+std", "mean"),
    # whether code that lies in the model's folder may run
    "trust": ("no", "yes"),
    # for data sets that also come as pictures
    "source": ("audio",),
}
_EXTRACTOR_FILE, _PROCESSOR_FILE = "preprocessor_config.json", "processor_config.json"
PRETRAINED, NONE = "pretrained", "none"

_CLASSES = {"mainstage": classes.MAINSTAGE, "gtzan": classes.GTZAN, "housex": classes.HOUSEX}
# four bars at 128 BPM; a third of a clip of GTZAN
_WINDOW_S = {"mainstage": 7.5, "housex": 7.5, "gtzan": 9.9}
_CLIPS_PER_DROP = 4
_MERT = "mert_model"
_MERT_RATE_HZ, _SPEECH_RATE_HZ = 24000, 16000
# extractors that hand on the samples; others make spectrograms
_OF_SAMPLES = ("Wav2Vec2FeatureExtractor", "")
# they drop or mask parts at random while training, which a small data set does not need and a shared step forbids
_AT_RANDOM = {"apply_spec_augment": False, "layerdrop": 0.0, "encoder_layerdrop": 0.0}

_PROBE = Training("adamw", lr=1e-3, batch=16, epochs=60, weight_decay=0.01, patience=10)
_FINE_TUNE = Training("adamw", lr=1e-3, batch=8, epochs=20, weight_decay=0.01, schedule="cosine", warmup_share=0.1,
                      patience=5, clip_norm=1.0)  # fmt: skip
_ENCODER_FACTOR = 0.03
_NOTES = {
    "encoders/probe": "The encoder is frozen, in evaluation mode; only a linear layer on its layers is learned.",
    "encoders/fine-tune": "The encoder learns at 3 % of the last layer's rate; what reads the samples stays frozen.",
}


class EncoderClassifier(nn.Module):
    """An encoder, its hidden layers mixed, averaged over time, and one linear layer.

    Attributes:
        encoder: The pre-trained network.
        frozen: Whether gradients stop before it.
    """

    def __init__(
        self,
        encoder: nn.Module,
        inputs: Callable[[Tensor], Mapping[str, Tensor]],
        classes: int,
        *,
        weighted: bool,
        with_spread: bool,
        frozen: bool,
    ) -> None:
        """Look at what the encoder answers to silence, so that its sizes need not be known.

        Args:
            encoder: A network that returns ``hidden_states`` of (B, T, D).
            inputs: From (B, samples) waveforms to what the encoder is called with.
            classes: C.
            weighted: Mix all hidden layers by learned weights; else take the last.
            with_spread: Pool over time to mean and standard deviation; else to the mean.
            frozen: Do not train the encoder.

        Raises:
            ModelError: It answers in another way.
        """
        super().__init__()
        self.encoder = encoder
        self.frozen = frozen
        self._inputs, self._with_spread = inputs, with_spread
        with torch.no_grad():
            layers, width = self._sizes()
        self.layer_weights = nn.Parameter(torch.zeros(layers)) if weighted else None
        width *= 2 if with_spread else 1
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)

    def _sizes(self) -> tuple[int, int]:
        """Number of hidden layers and their width.

        Raises:
            ModelError: The encoder does not take sound, or does not tell its layers.
        """
        kind = type(self.encoder).__name__
        try:
            hidden = self.eval()._hidden(torch.zeros(1, _SPEECH_RATE_HZ))
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                f"{kind} does not take sound: {first_line(error)}.",
                "Choose an audio encoder, and leave its preprocessor_config.json in the folder.",
            ) from error
        if not hidden or hidden[-1].ndim != 3:
            raise ModelError(
                f"{kind} does not tell its hidden layers over time.",
                "Choose an encoder like MERT, HuBERT, wav2vec 2.0, AST or Whisper's.",
            )
        return len(hidden), hidden[-1].shape[-1]

    def _hidden(self, waveforms: Tensor) -> Sequence[Tensor]:
        """(B, T, D) of every layer; none where the encoder does not tell."""
        answer = self.encoder(**self._inputs(waveforms), output_hidden_states=True)
        hidden = tuple(getattr(answer, "hidden_states", None) or ())
        last = getattr(answer, "last_hidden_state", None)
        # some end with a norm that the list of layers lacks
        return (*hidden[:-1], last) if hidden and last is not None and last.shape == hidden[-1].shape else hidden

    def features(self, waveforms: Tensor) -> Tensor:
        """(B, D) of (B, samples): the vectors before the last layer."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            hidden = self._hidden(waveforms)
        if self.layer_weights is None:
            mixed = hidden[-1]
        else:
            mixed = torch.einsum("l,lbtd->btd", self.layer_weights.softmax(dim=0), torch.stack(tuple(hidden)))
        pooled = mixed.mean(dim=1)
        if self._with_spread:
            pooled = torch.cat([pooled, mixed.std(dim=1, unbiased=False)], dim=1)
        normed: Tensor = self.norm(pooled)
        return normed

    def forward(self, waveforms: Tensor) -> Tensor:
        """(B, C) logits of (B, samples) waveforms."""
        logits: Tensor = self.classifier(self.features(waveforms))
        return logits


def setup(name: str, preset: str, options: Mapping[str, str]) -> Setup:
    """A probe or a fine-tune; the encoder is read when the network is built.

    Args:
        name: One of NAMES.
        preset: All three are the same: nobody published code or figures of this.
        options: Of OPTIONS; ``model`` is the encoder's folder.

    Raises:
        ModelError: The folder does not hold a model.
    """
    dataset, probe = options["classes"], name == "encoders/probe"
    front_end = _front_end(options["model"], _WINDOW_S[dataset])
    group_lr = {"encoder.": 0.0} if probe else {"encoder.": _ENCODER_FACTOR, "encoder.feature_extractor.": 0.0}
    return Setup(
        system=name,
        preset=preset,
        options=options,
        dataset=dataset,
        classes=_CLASSES[dataset],
        front_end=front_end,
        build=lambda weights: _build(options, weights, front_end.sample_rate_hz, probe),
        pieces=lambda track, index, _rng: _pieces(track, index, front_end.window_s),
        split="tracks",
        labels="soft",
        training=_PROBE if probe else _FINE_TUNE,
        counted=Counted(None, None, "The size is the encoder's, and none was published."),
        weights=PRETRAINED,
        notes=(_NOTES[name], "Nobody published this: as_code, as_paper and fixed are the same."),
        group_lr=group_lr,
        embed=lambda network, batch: network.features(batch),
        prepare_training=_freeze_modes if probe else None,
    )


def _front_end(model: str, window_s: float) -> Waveform:
    """What the model's folder says of its input; before one is chosen, MERT's."""
    folder = Path(model)
    if model and is_mel_conformer(folder):
        return Waveform(MEL_CONFORMER_RATE_HZ, window_s, normalise=False)
    settings = read_settings(folder) if model else {"model_type": _MERT}
    extractor = _extractor_settings(folder) if model else {}
    normalise = _of_samples(extractor) and bool(extractor.get("do_normalize", True))
    return Waveform(_rate_hz(settings, extractor), window_s, normalise)


def _freeze_modes(network: nn.Module) -> None:
    """Frozen parts must not drop out or count statistics."""
    encoder: nn.Module = network.get_submodule("encoder")
    encoder.eval()


def _rate_hz(settings: Mapping[str, Any], extractor: Mapping[str, Any]) -> int:
    stated = extractor.get("sampling_rate") or settings.get("sample_rate") or settings.get("sampling_rate")
    if isinstance(stated, int) and stated > 0:
        return stated
    return _MERT_RATE_HZ if settings.get("model_type") == _MERT else _SPEECH_RATE_HZ


def _extractor_settings(folder: Path) -> Mapping[str, Any]:
    """What the folder says of its input, in a file of its own or among those of a processor; maybe nothing."""
    nested = read_settings(folder, _PROCESSOR_FILE).get("feature_extractor", {})
    return read_settings(folder, _EXTRACTOR_FILE) or (nested if isinstance(nested, dict) else {})


def _of_samples(extractor: Mapping[str, Any]) -> bool:
    return extractor.get("feature_extractor_type", "") in _OF_SAMPLES


def _pieces(track: Track, index: int, window_s: float) -> list[Piece]:
    """Four per drop, equally spaced; of a track whose drops nobody looked for, one window after the other."""
    if track.path is None:
        return []
    if track.drops_s is None:
        count = max(1, int(track.duration_s / window_s))
        return [Piece(index, number * window_s) for number in range(count)]
    starts = [np.linspace(start_s, max(start_s, end_s - window_s), _CLIPS_PER_DROP) for start_s, end_s in track.drops_s]
    return [Piece(index, float(start_s)) for start_s in dict.fromkeys(np.concatenate([*starts, []]).tolist())]


def _build(options: Mapping[str, str], weights: str, sample_rate_hz: int, frozen: bool) -> EncoderClassifier:
    if not options["model"]:
        raise HouseXError("No encoder is chosen.", "Name the folder of one: --option model=FOLDER.")
    if weights not in (PRETRAINED, NONE):
        raise HouseXError(
            f"An encoder cannot begin from {weights}.", "Choose pretrained, for its folder's weights, or none."
        )
    folder = Path(options["model"])
    encoder = _encoder(folder, weights != NONE, options["trust"] == "yes")
    # in float32 whatever it was saved in: mixed precision is the engine's business
    encoder = encoder.float().requires_grad_(not frozen)
    network = EncoderClassifier(
        encoder,
        _inputs_of(folder, sample_rate_hz),
        len(_CLASSES[options["classes"]]),
        weighted=options["layers"] == "weighted",
        with_spread=options["pooling"] == "mean+std",
        frozen=frozen,
    )
    if not frozen:
        _freeze_unused(network)
    return network


def _freeze_unused(network: nn.Module) -> None:
    """Freeze parameters that no answer depends on, such as the vector for masked frames: no process learns them."""
    network.eval()(torch.zeros(1, _SPEECH_RATE_HZ)).sum().backward()
    for parameter in network.parameters():
        parameter.requires_grad_(parameter.grad is not None)
        parameter.grad = None
    network.train()


def _encoder(folder: Path, pretrained: bool, trust: bool) -> nn.Module:
    if is_mel_conformer(folder):
        return load_mel_conformer(folder, pretrained)
    transformers = transformers_part("transformers")
    settings = read_settings(folder)
    plain = _plain_mert(settings)
    own_code = needs_own_code(settings) and not plain
    if own_code and not trust:
        raise ModelError(
            f'"{folder.name}" wants to run code of its own.', "Read that code, then choose --option trust=yes."
        )
    if pretrained and not has_weights(folder):
        raise ModelError(f'"{folder.name}" has no weights.', "Download them too, or train from random ones: none.")
    if plain:
        # the library has no class of that name; without its extra inputs MERT is a HuBERT
        config = transformers.HubertConfig(**{key: settings[key] for key in settings if key not in _NOT_HUBERT})
        model_class = transformers.HubertModel
    else:
        config = loaded(transformers.AutoConfig.from_pretrained, folder, "config", trust_remote_code=own_code)
        model_class = transformers.AutoModel
    for name, value in _AT_RANDOM.items():
        if hasattr(config, name):
            setattr(config, name, value)
    if pretrained:
        trusted = {} if plain else {"trust_remote_code": own_code}
        network: Any = load_network(model_class.from_pretrained, folder, config=config, **trusted)
    elif plain:
        network = model_class(config)
    else:
        network = model_class.from_config(config, trust_remote_code=own_code)
    found: nn.Module = network.get_encoder() if getattr(config, "is_encoder_decoder", False) else network
    return found


_NOT_HUBERT = ("model_type", "architectures", "auto_map", "transformers_version")


def _plain_mert(settings: Mapping[str, Any]) -> bool:
    """Whether it is a MERT without the parts that HuBERT does not have."""
    extra = settings.get("feature_extractor_cqt") or settings.get("deepnorm")
    return settings.get("model_type") == _MERT and not extra


def _inputs_of(folder: Path, sample_rate_hz: int) -> Callable[[Tensor], Mapping[str, Tensor]]:
    """What turns waveforms into an encoder's input: nothing, or the spectrogram that its folder describes."""
    if is_mel_conformer(folder) or _of_samples(_extractor_settings(folder)):
        return lambda waveforms: {"input_values": waveforms}
    transformers = transformers_part("transformers")
    extractor = loaded(transformers.AutoFeatureExtractor.from_pretrained, folder, "preprocessor")

    def spectrograms(waveforms: Tensor) -> Mapping[str, Tensor]:
        sounds = [sound.numpy() for sound in waveforms.detach().float().cpu()]
        made = extractor(sounds, sampling_rate=sample_rate_hz, return_tensors="pt")
        name = extractor.model_input_names[0]
        return {name: made[name].to(waveforms.device)}

    return spectrograms

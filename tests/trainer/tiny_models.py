"""Tiny audio models with random weights, saved the way published ones are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.systems.local_model import transformers_part

CONVOLUTIONS = {"conv_dim": (16, 16, 16), "conv_stride": (8, 8, 5), "conv_kernel": (16, 8, 5)}
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}


def save_waveform_encoder(folder: Path, kind: str) -> Path:
    """HuBERT, wav2vec 2.0 or its Conformer; of ``mert`` the layout that MERT is published in."""
    transformers = transformers_part("transformers")
    torch.manual_seed(0)
    config_class, model_class = {
        "hubert": (transformers.HubertConfig, transformers.HubertModel),
        "mert": (transformers.HubertConfig, transformers.HubertModel),
        "wav2vec2": (transformers.Wav2Vec2Config, transformers.Wav2Vec2Model),
        "wav2vec2-conformer": (transformers.Wav2Vec2ConformerConfig, transformers.Wav2Vec2ConformerModel),
    }[kind]
    model_class(config_class(**SIZES, **CONVOLUTIONS)).save_pretrained(folder)
    rate_hz = 24000 if kind == "mert" else 16000
    extractor = transformers.Wav2Vec2FeatureExtractor(sampling_rate=rate_hz, do_normalize=True)
    extractor.save_pretrained(folder)
    if kind == "mert":
        change(folder / "config.json", model_type="mert_model", architectures=["MERTModel"], sample_rate=24000,
               feature_extractor_cqt=False, deepnorm=False, attention_relax=-1.0,
               auto_map={"AutoConfig": "configuration_MERT.MERTConfig", "AutoModel": "modeling_MERT.MERTModel"})  # fmt: skip
    return folder


def save_spectrogram_transformer(folder: Path) -> Path:
    """AST."""
    transformers = transformers_part("transformers")
    torch.manual_seed(0)
    config = transformers.ASTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
                                    max_length=128, num_mel_bins=32)  # fmt: skip
    transformers.ASTModel(config).save_pretrained(folder)
    transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=128).save_pretrained(folder)
    return folder


def save_whisper(folder: Path) -> Path:
    """An encoder with a decoder that no encoder needs."""
    transformers = transformers_part("transformers")
    torch.manual_seed(0)
    config = transformers.WhisperConfig(d_model=32, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
                                        decoder_attention_heads=2, encoder_ffn_dim=48, decoder_ffn_dim=48, vocab_size=64,
                                        num_mel_bins=16, max_source_positions=100, max_target_positions=16,
                                        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
                                        suppress_tokens=[], begin_suppress_tokens=[])  # fmt: skip
    transformers.WhisperModel(config).save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=2).save_pretrained(folder)
    return folder


def save_mel_conformer(folder: Path, kind: str) -> Path:
    """MusicFM or MuQ with the tensors that they are published with."""
    from safetensors.torch import save_file

    from trainer.systems.mel_conformer import MelConformer

    torch.manual_seed(0)
    shape = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 1, "intermediate_size": 48,
             "position_embeddings_type": "rotary", "conv_depthwise_kernel_size": 5, "hidden_act": "swish"}  # fmt: skip
    config = transformers_part("transformers").Wav2Vec2ConformerConfig(**shape)
    config._attn_implementation = "eager"
    state = MelConformer(config, bands=32, filters=8, hop=240, mean=0.0, spread=1.0).state_dict()
    state = {f"model.{name}": value.clone() for name, value in state.items()}
    # what only pre-training uses
    state |= {"model.linear.weight": torch.zeros(16, 64), "model.cls_token": torch.zeros(64)}
    statistics = {"melspec_2048_mean": 6.8, "melspec_2048_std": 18.4}
    folder.mkdir(exist_ok=True)
    if kind == "musicfm":
        torch.save({"state_dict": state}, folder / "pretrained_fma.pt")
        (folder / "fma_stats.json").write_text(json.dumps(statistics), encoding="utf-8")
    else:
        settings = {"encoder_dim": 64, "encoder_depth": 2, "hop_length": 240, "stat": statistics, "w2v2_config": shape}
        (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        save_file(state, folder / "model.safetensors")
    return folder


def change(path: Path, **settings: Any) -> None:
    """Other settings in a JSON file."""
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(found | settings), encoding="utf-8")


def tones(count: int, samples: int, rate_hz: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, samples) noise, low tones and high tones by turns, and (count,) which."""
    rng = np.random.default_rng(0)
    kinds = np.arange(count) % 3
    time_s = np.arange(samples) / rate_hz
    sounds = [
        rng.standard_normal(samples) if kind == 0 else np.sin(2 * np.pi * (150 if kind == 1 else 2500) * time_s)
        for kind in kinds
    ]
    return torch.tensor(np.array(sounds), dtype=torch.float32), torch.from_numpy(kinds)


def _byte_tokenizer(special: list[str], **named: str) -> Any:
    """One token per byte; ``named`` are special ones that a processor asks for by name."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    return transformers_part("transformers").PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=special,
        extra_special_tokens=named,
    )


def save_qwen2_audio(folder: Path) -> Path:
    """A language model that hears, of the layout of Qwen2-Audio."""
    transformers = transformers_part("transformers")
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
    tokenizer = _byte_tokenizer(special)
    extractor = transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=8)
    transformers.Qwen2AudioProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    hears = {"model_type": "qwen2_audio_encoder", "d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2,
             "encoder_ffn_dim": 48, "num_mel_bins": 16, "max_source_positions": 400}  # fmt: skip
    writes = {"model_type": "qwen2", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
              "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": len(tokenizer)}  # fmt: skip
    config = transformers.Qwen2AudioConfig(audio_config=hears, text_config=writes,
                                           audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"))  # fmt: skip
    transformers.Qwen2AudioForConditionalGeneration(config).save_pretrained(folder)
    return folder


_SEES_AND_HEARS = {
    "image_token": "<|IMAGE|>", "audio_token": "<|AUDIO|>", "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>", "vision_eos_token": "<|vision_eos|>",
    "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>",
}  # fmt: skip
_TEMPLATE = (
    "{% for turn in messages %}<|im_start|>{{ turn['role'] }}\n{% for part in turn['content'] %}"
    "{% if part['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
)


def save_omni(folder: Path) -> dict[str, torch.Tensor]:
    """The layout of Qwen2.5-Omni, with its thinking half only; returns that half's tensors."""
    from safetensors.torch import save_file

    transformers = transformers_part("transformers")
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_SEES_AND_HEARS.values()]
    tokenizer = _byte_tokenizer(special, **_SEES_AND_HEARS)
    extractor = transformers.WhisperFeatureExtractor(feature_size=16, chunk_length=8)
    transformers.Qwen2_5OmniProcessor(transformers.Qwen2VLImageProcessor(), transformers.Qwen2VLVideoProcessor(), extractor,
                                      tokenizer, chat_template=_TEMPLATE).save_pretrained(folder)  # fmt: skip
    number = tokenizer.convert_tokens_to_ids
    hears = {"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "num_mel_bins": 16,
             "max_source_positions": 400, "n_window": 20, "output_dim": 32}  # fmt: skip
    sees = {"depth": 1, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": 32}
    writes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2,
              "num_key_value_heads": 2, "vocab_size": len(tokenizer),
              "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}}  # fmt: skip
    torch.manual_seed(0)
    thinker = transformers.Qwen2_5OmniThinkerForConditionalGeneration(transformers.Qwen2_5OmniThinkerConfig(
        audio_config=hears, vision_config=sees, text_config=writes, audio_token_index=number("<|AUDIO|>"),
        image_token_index=number("<|IMAGE|>"), video_token_index=number("<|VIDEO|>"),
        audio_start_token_id=number("<|audio_bos|>"), audio_end_token_id=number("<|audio_eos|>"),
        vision_start_token_id=number("<|vision_bos|>"), vision_end_token_id=number("<|vision_eos|>"),
    ))  # fmt: skip
    with torch.no_grad():
        for value in thinker.parameters():
            # random weights of this size hardly listen
            value.mul_(10.0 if value.ndim > 1 else 1.0)
    state = {f"thinker.{name}": value.clone() for name, value in thinker.state_dict().items()}
    # what speaks is not read
    save_file(state | {"talker.codec_head.weight": torch.zeros(2, 2)}, folder / "model.safetensors", {"format": "pt"})
    settings = {"model_type": "qwen2_5_omni", "architectures": ["Qwen2_5OmniModel"],
                "thinker_config": thinker.config.to_dict()}  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return thinker.state_dict()

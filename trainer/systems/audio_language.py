"""Language models that hear, from local folders, asked one question about one clip. Zone: trainer (transformers)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from housex_blender.analysis.headers import shown
from housex_blender.core.errors import ModelError

from .local_model import first_line, has_weights, load_network, loaded, needs_own_code, read_settings, transformers_part

_DEFAULT_RATE_HZ = 16000
# a number or a name, and the few words that some models cannot help saying
_MOST_TOKENS = 64
# the thinking half of Omni is what answers in text
_CLASS_OF = {"qwen2_5_omni": "Qwen2_5OmniThinkerForConditionalGeneration"}
# its own code answers in chat()
_CHATS = "qwen"
# families whose published folders hold code or weights that transformers has no class for
_FOREIGN = {
    "qwen": "Qwen-Audio",
    "kimi_audio": "Kimi-Audio",
    "musilingo": "MusiLingo",
    "mullama": "MU-LLaMA",
}
_ELSEWHERE = "Ask it with its own program."


class Listener(Protocol):
    """A model that answers a question about a clip.

    Attributes:
        sample_rate_hz: Of the samples it takes.
    """

    sample_rate_hz: int

    def answer(self, prompt: str, samples: NDArray[np.float32]) -> str:
        """The reply to a prompt about mono samples; the same every time."""
        ...


def open_listener(folder: Path, trust: bool, device: str = "auto") -> Listener:
    """Load a model.

    Args:
        folder: With config.json, weights and the processor.
        trust: Whether code that lies in the folder may run.
        device: ``cpu``, ``cuda`` or ``auto``.

    Raises:
        ModelError: The folder holds no such model, or one that needs code of its own which is not trusted.
    """
    settings = read_settings(folder)
    if not has_weights(folder):
        raise ModelError(f'"{shown(folder.name)}" has no weights.', "Download them too.")
    kind = str(settings.get("model_type", ""))
    own_code = needs_own_code(settings) and kind not in _known_kinds()
    if own_code and not trust:
        raise ModelError(
            f'{_FOREIGN.get(kind, shown(folder.name))} runs code that lies in "{shown(folder.name)}".',
            "Read that code, then choose --option trust=yes.",
        )
    if not own_code and kind not in _known_kinds():
        raise ModelError(
            f'transformers has no audio-language model of the kind "{_FOREIGN.get(kind, shown(kind))}".',
            _ELSEWHERE,
        )
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if own_code and kind == _CHATS:
        return _Chatting(folder, where)
    try:
        return _Generating(folder, kind, own_code, where)
    except ModelError as error:
        raise ModelError(error.message, _ELSEWHERE if own_code else error.hint) from error


def _known_kinds() -> Mapping[str, str]:
    """Kind -> class of every model of transformers that takes sound or pictures and gives text."""
    transformers_part("transformers")
    auto = transformers_part("transformers.models.auto.modeling_auto")
    names: Mapping[str, str] = auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES
    return names


def _dtype(device: str) -> torch.dtype:
    return torch.bfloat16 if device.startswith("cuda") else torch.float32


class _Generating:
    """A processor makes tokens of a conversation with sound, the model goes on with it."""

    def __init__(self, folder: Path, kind: str, trust: bool, device: str) -> None:
        transformers = transformers_part("transformers")
        self._device = device
        read = transformers.AutoProcessor.from_pretrained
        self._processor = loaded(read, folder, "processor", trust_remote_code=trust)
        auto = transformers.AutoModelForCausalLM if trust else transformers.AutoModelForMultimodalLM
        load = getattr(transformers, _CLASS_OF[kind]) if kind in _CLASS_OF else auto
        trusted = {} if kind in _CLASS_OF else {"trust_remote_code": trust}
        self._model = load_network(load.from_pretrained, folder, dtype=_dtype(device), **trusted).to(device).eval()
        extractor = getattr(self._processor, "feature_extractor", None)
        self.sample_rate_hz = int(getattr(extractor, "sampling_rate", None) or _DEFAULT_RATE_HZ)

    def answer(self, prompt: str, samples: NDArray[np.float32]) -> str:
        """Greedy, so that the reply is the same every time."""
        content = [{"type": "audio", "audio": samples}, {"type": "text", "text": prompt}]
        turns = [{"role": "user", "content": content}]
        return _told(lambda: self._reply(turns, samples))

    def _reply(self, turns: list[dict[str, Any]], samples: NDArray[np.float32]) -> str:
        text = self._processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        inputs = self._processor(
            text=[text], audio=[samples], sampling_rate=self.sample_rate_hz, return_tensors="pt", padding=True
        )
        ready = {
            name: value.to(self._device, _dtype(self._device) if value.is_floating_point() else value.dtype)
            for name, value in inputs.items()
        }
        with torch.inference_mode():
            tokens = self._model.generate(
                **ready, max_new_tokens=_MOST_TOKENS, do_sample=False, num_beams=1, temperature=None, top_p=None,
                top_k=None,
            )  # fmt: skip
        new = tokens[:, ready["input_ids"].shape[1] :]
        reply: str = self._processor.batch_decode(new, skip_special_tokens=True)[0]
        return reply.strip()


class _Chatting:
    """Code of the folder with ``chat()`` that reads a file, as Qwen-Audio's first version has it."""

    sample_rate_hz = _DEFAULT_RATE_HZ

    def __init__(self, folder: Path, device: str) -> None:
        transformers = transformers_part("transformers")
        read = transformers.AutoTokenizer.from_pretrained
        self._tokenizer = loaded(read, folder, "tokenizer", trust_remote_code=True)
        load = transformers.AutoModelForCausalLM.from_pretrained
        self._model = load_network(load, folder, dtype=_dtype(device), trust_remote_code=True).to(device).eval()

    def answer(self, prompt: str, samples: NDArray[np.float32]) -> str:
        """Greedy, so that the reply is the same every time."""
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "clip.wav"
            soundfile.write(path, samples, self.sample_rate_hz, subtype="FLOAT")
            return _told(lambda: self._reply(path, prompt))

    def _reply(self, path: Path, prompt: str) -> str:
        query = self._tokenizer.from_list_format([{"audio": str(path)}, {"text": prompt}])
        with torch.inference_mode():
            reply, _history = self._model.chat(self._tokenizer, query=query, history=None, do_sample=False)
        return str(reply).strip()


def _told(ask: Callable[[], str]) -> str:
    """Ask, and tell what a model of somebody else fails with in a sentence.

    Raises:
        ModelError: The model failed.
    """
    try:
        return ask()
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError("The model does not fit into the graphics memory.", "Choose the device cpu.") from error
    except Exception as error:  # the code of any model may stand behind this call
        raise ModelError(f"The model failed on a clip: {first_line(error)}.", "Is it a model that hears?") from error

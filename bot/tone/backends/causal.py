"""An open causal model from a folder or a .gguf file: how it is read, and how a conversation is laid out for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# For a model that ships no template of its own; it is stored with the result, so that a server lays out the same.
TEMPLATE = (
    "{% for m in messages %}{{ '### ' + m['role'] + '\n' + m['content'] + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"
)


def read_model(path: Path, device: str) -> tuple[Any, Any]:
    """(model, tokenizer), in 32 bits on the CPU, 16 on a GPU. Raises OSError or ValueError where the files are no such model."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, more = (path.parent, {"gguf_file": path.name}) if path.suffix == ".gguf" else (path, {})
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **more)
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=dtype, **more)
    if more:  # the weights were unpacked while they were read; the mark of packed ones would forbid storing what is learnt
        model.hf_quantizer = None
        model.config.__dict__.pop("quantization_config", None)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.to(device), tokenizer


def laid_out(tokenizer: Any, messages: Sequence[Mapping[str, Any]]) -> str:
    """Everything before the assistant's turn, which begins where it ends."""
    plain = [{"role": one["role"], "content": one["content"]} for one in messages]
    return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True))

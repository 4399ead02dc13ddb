"""A voice that was trained on this machine and is served by nobody yet, asked in this process: to measure it, not to answer with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.answer.write import ModelUnavailable, Usage
from bot.config import Config
from bot.tone.backends.causal import laid_out, read_model
from bot.tone.dataset import prompt
from connectors.base import ConfigProblem

ROOM = 1.6  # tokens of an answer, as a share of the question's; more is rambling
LEAST_ROOM = 64


class LocalRewriter:
    """`longest`: tokens that are taken although the answer has not ended by then; None: such an answer is none."""

    def __init__(self, folder: Path, device: str = "cpu", longest: int | None = None) -> None:
        self._folder = folder
        self._device = device
        self._longest = longest

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        try:
            return read_model(self._folder, self._device)
        except ImportError as missing:
            raise ConfigProblem(f"a model on this machine needs {missing.name}; install draftdesk[train]") from None
        except (OSError, ValueError) as problem:
            raise ConfigProblem(f"{self._folder}: is no model that can be read ({type(problem).__name__})") from None

    def close(self) -> None: ...

    def rewrite(self, text: str, language: str, ticket_id: str) -> tuple[str, Usage]:
        """The likeliest words. Raises ModelUnavailable for an answer that does not end."""
        return self.ask(prompt(text, language), ticket_id)

    def ask(self, messages: Sequence[Mapping[str, Any]], ticket_id: str) -> tuple[str, Usage]:
        """The likeliest words. Raises ModelUnavailable for an answer that does not end."""
        import torch

        model, tokenizer = self._loaded
        asked = tokenizer(laid_out(tokenizer, messages), add_special_tokens=False, return_tensors="pt").to(self._device)
        size = int(asked["input_ids"].shape[1])
        room = self._longest or max(LEAST_ROOM, int(ROOM * size))
        with torch.no_grad():
            made = model.generate(**asked, max_new_tokens=room, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        said = made[0][size:]
        usage = Usage(size, len(said))
        if self._longest is None and len(said) >= room and int(said[-1]) != tokenizer.eos_token_id:
            raise ModelUnavailable("the answer does not end", retryable=False, usage=usage)
        return str(tokenizer.decode(said, skip_special_tokens=True)).strip(), usage


def folder_of(config: Config, model: str) -> Path:
    """Of a model that was trained here, or of the base itself. Raises ConfigProblem."""
    training = config.training
    trained = config.data_dir / "voice" / "models" / model
    if trained.exists():
        return trained
    if training is not None and training.provider == "lora" and model in (str(training.model), training.model.name, "base"):
        return training.model
    raise ConfigProblem(f"{model}: neither a model in {trained.parent} nor the base of training:")

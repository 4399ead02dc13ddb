"""The training process: `python -m bot.tone.backends.tuning FOLDER`. Killed at any moment, it goes on from its last checkpoint."""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.tone.backends.causal import laid_out, read_model
from bot.tone.backends.workbench import Standing, Workbench
from bot.tone.trainer import Point

EPOCHS, BATCH, RATE, SEED = 3, 4, 4e-4, 42  # where nothing else was asked for
RANK, ALPHA, DROPOUT = 16, 32, 0.05
LONGEST = 1_024  # tokens of an example; longer ones are left out, and told
WARM_UP = 0.06  # of all steps
LOOKS = 5  # at the held-out replies in the course of a training, beside the one before it
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids; of those before `said` nothing is learnt."""

    ids: tuple[int, ...]
    said: int


@dataclass(slots=True)
class Training:
    """What a checkpoint holds beside weights: how far it has come."""

    step: int
    tokens: int
    points: list[Point]


def main(folder: Path) -> None:
    bench = Workbench(folder)
    try:
        run(bench)
    except (OSError, ValueError, RuntimeError, KeyError) as problem:  # what frameworks raise for files and memory
        reason = f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
        bench.tell(reason)
        bench.put(replace(bench.standing(), state="failed", reason=reason))


def run(bench: Workbench) -> None:
    import torch

    request = bench.request()
    parameters = request["parameters"]
    seed = int(parameters.get("seed") or SEED)
    torch.manual_seed(seed)
    bench.tell(f"Reading the base model {Path(request['model']).name}")
    base, tokenizer = read_model(Path(request["model"]), request["device"])
    train, left_out = _examples(Path(request["train"]), tokenizer)
    held_out = _examples(Path(request["held_out"]), tokenizer)[0] if request["held_out"] else []
    if left_out:
        bench.tell(f"{left_out} examples are longer than {LONGEST} tokens and left out")
    if not train:
        raise ValueError("no example is short enough to be learnt from")
    model = _adapted(base)
    batch, epochs = int(parameters.get("batch_size") or BATCH), int(parameters.get("n_epochs") or EPOCHS)
    rate = RATE * float(parameters.get("learning_rate_multiplier") or 1.0)
    order = list(_batches(len(train), batch, epochs, seed))
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=rate, weight_decay=0.0)
    course = Course(bench, model, tokenizer, optimizer, order, rate, request["device"])
    if not course.go(train, held_out):
        bench.tell("The job has been cancelled")
        bench.put(replace(bench.standing(), state="cancelled"))
        return
    name = str(request["name"])
    _export(model, tokenizer, Path(request["models"]) / name)
    bench.tell(f"The model lies in {Path(request['models']) / name}")
    (bench.folder / CHECKPOINT).unlink(missing_ok=True)
    bench.put(replace(bench.standing(), state="succeeded", model=name))


@dataclass(frozen=True, slots=True)
class Course:
    """One training from its first step, or from where it was left, to its last."""

    bench: Workbench
    model: Any
    tokenizer: Any
    optimizer: Any
    order: Sequence[Sequence[int]]
    rate: float
    device: str

    def go(self, train: Sequence[Example], held_out: Sequence[Example]) -> bool:
        """False when it was asked to stop. What was done before is not done again."""
        done = self._restored() or Training(0, 0, [])
        every = max(1, math.ceil(len(self.order) / LOOKS))
        if not done.points:
            self._look(done, None, held_out)
        losses: list[float] = []
        while done.step < len(self.order):
            if self.bench.asked_to_stop():
                return False
            losses.append(self._step(done, train))
            if done.step % every == 0 or done.step == len(self.order):
                self._look(done, sum(losses) / len(losses), held_out)
                losses = []
                self._keep(done)
            self.bench.put(Standing("started", done.step, len(self.order), done.tokens))
        return True

    def _step(self, done: Training, train: Sequence[Example]) -> float:
        import torch

        share = done.step / len(self.order)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * (min(1.0, (share + 1e-3) / WARM_UP) if share < WARM_UP else (1.0 - share) / (1.0 - WARM_UP))
        self.model.train()
        chosen = [train[at] for at in self.order[done.step]]
        loss = _loss(self.model, chosen, self.tokenizer.pad_token_id, self.device)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([one for one in self.model.parameters() if one.requires_grad], 1.0)
        self.optimizer.step()
        done.step += 1
        done.tokens += sum(len(one.ids) for one in chosen)
        return float(loss.detach())

    def _look(self, done: Training, train_loss: float | None, held_out: Sequence[Example]) -> None:
        import torch

        self.model.eval()
        total = words = 0.0
        with torch.no_grad():
            for one in held_out:
                count = len(one.ids) - one.said
                total += float(_loss(self.model, [one], self.tokenizer.pad_token_id, self.device)) * count
                words += count
        valid = total / words if words else None
        done.points.append(Point(done.step, train_loss, valid))
        self.bench.put_curve(done.points)
        said = [f"training loss={train_loss:.4f}"] if train_loss is not None else []
        said += [f"held-out loss={valid:.4f}"] if valid is not None else []
        self.bench.tell(f"Step {done.step}/{len(self.order)}: {', '.join(said)}")

    def _keep(self, done: Training) -> None:
        import torch
        from peft import get_peft_model_state_dict

        fresh = self.bench.folder / f"{CHECKPOINT}.new"
        points = [(one.step, one.train_loss, one.valid_loss) for one in done.points]
        held = {"adapter": get_peft_model_state_dict(self.model), "optimizer": self.optimizer.state_dict(), "chance": torch.get_rng_state()}
        torch.save({**held, "step": done.step, "tokens": done.tokens, "points": points}, fresh)
        fresh.replace(self.bench.folder / CHECKPOINT)

    def _restored(self) -> Training | None:
        import torch
        from peft import set_peft_model_state_dict

        path = self.bench.folder / CHECKPOINT
        if not path.exists():
            return None
        held = torch.load(path, map_location="cpu", weights_only=True)
        set_peft_model_state_dict(self.model, held["adapter"])
        self.optimizer.load_state_dict(held["optimizer"])
        torch.set_rng_state(held["chance"])
        self.bench.tell(f"Going on from step {held['step']}")
        return Training(held["step"], held["tokens"], [Point(*row) for row in held["points"]])


def _adapted(base: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    shape = LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=DROPOUT, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(base, shape)


def _examples(path: Path, tokenizer: Any) -> tuple[list[Example], int]:
    """And how many were too long."""
    found = []
    lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    for line in lines:
        messages = json.loads(line)["messages"]
        asked = tokenizer(laid_out(tokenizer, messages[:-1]), add_special_tokens=False)["input_ids"]
        said = tokenizer(messages[-1]["content"] + tokenizer.eos_token, add_special_tokens=False)["input_ids"]
        if len(asked) + len(said) <= LONGEST:
            found.append(Example((*asked, *said), len(asked)))
    return found, len(lines) - len(found)


def _batches(count: int, size: int, epochs: int, seed: int) -> Iterator[list[int]]:
    """The same order for the same seed, so that a resumed training meets each example as often as an uninterrupted one."""
    for epoch in range(epochs):
        order = list(range(count))
        random.Random(seed * 1_000 + epoch).shuffle(order)  # noqa: S311 (an order, nothing secret)
        yield from (order[at : at + size] for at in range(0, count, size))


def _loss(model: Any, chosen: Sequence[Example], pad: int, device: str) -> Any:
    """Mean over the tokens that are to be said."""
    import torch

    longest = max(len(one.ids) for one in chosen)
    ids = torch.tensor([[*one.ids, *[pad] * (longest - len(one.ids))] for one in chosen], device=device)
    seen = torch.tensor([[1] * len(one.ids) + [0] * (longest - len(one.ids)) for one in chosen], device=device)
    wanted = torch.tensor(
        [[-100] * one.said + list(one.ids[one.said :]) + [-100] * (longest - len(one.ids)) for one in chosen], device=device
    )
    return model(input_ids=ids, attention_mask=seen, labels=wanted).loss


def _export(model: Any, tokenizer: Any, folder: Path) -> None:
    """The adapter alone, and merged into its base: what an OpenAI-compatible server for open models reads."""
    fresh = folder.with_name(folder.name + ".new")
    model.save_pretrained(fresh / "adapter")
    merged = model.merge_and_unload()
    merged.save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    if not folder.exists():
        fresh.rename(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

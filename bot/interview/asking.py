"""Where answers come from: flags first, then the person at the terminal; what nobody gave is told all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import typer

from connectors.guide import Choice, Question

ALL = "all"


class Unanswered(Exception):
    """Flags that a script must give; or one whose value cannot be used."""


@dataclass(slots=True)
class Asking:
    """`given`: answers by flag, ``help.auth.client_id`` -> text. Without a terminal nothing is asked."""

    given: Mapping[str, str]
    at_terminal: bool
    lacking: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def text(self, path: str, question: Question, *, again: bool = False) -> str:
        """One answer. `again`: the first one did not work, so a flag is not taken twice."""
        if path in self.given and not again:
            self.used.add(path)
            return self.given[path]
        if not self.at_terminal:
            if question.default is None:
                self.lacking.append(f"--set {path}={question.example or '…'}")
            return question.default or ""
        prompt = question.asks + (f" (such as {question.example})" if question.example and question.default is None else "")
        while True:
            said = str(typer.prompt(prompt, default=question.default, hide_input=question.kind == "secret", err=True)).strip()
            if said or question.default is not None:
                return said

    def yes(self, path: str, asks: str, *, default: bool) -> bool:
        if path in self.given:
            self.used.add(path)
            return self.given[path].lower() in ("yes", "true", "y", "1")
        return typer.confirm(asks, default=default, err=True) if self.at_terminal else default

    def one(self, path: str, asks: str, options: Sequence[Choice]) -> str:
        """One of several; the first is proposed."""
        if path in self.given or not self.at_terminal or len(options) == 1:
            said = self.given.get(path, options[0].value)
            self.used.add(path)
            if said not in [option.value for option in options]:
                raise Unanswered(f"--set {path}={said}: choose one of {', '.join(option.value for option in options)}")
            return said
        self._show(options)
        while True:
            said = str(typer.prompt(asks, default="1", err=True)).strip()
            if found := _picked([said], options):
                return found[0]

    def several(self, path: str, asks: str, options: Sequence[Choice], *, required: bool) -> tuple[str, ...]:
        """Any number of several, by number or value; names that the vendor did not list are taken too."""
        if path in self.given:
            self.used.add(path)
            said = [piece.strip() for piece in self.given[path].split(",") if piece.strip()]
            return tuple(option.value for option in options) if said == [ALL] else tuple(said)
        if not self.at_terminal:
            if required:
                self.lacking.append(f"--set {path}={','.join(option.value for option in options[:2]) or '…'}")
            return ()
        self._show(options)
        while True:
            reply = str(typer.prompt(f"{asks}; numbers or names with commas, or {ALL}", default="" if not required else None, err=True))
            said = [piece.strip() for piece in reply.split(",") if piece.strip()]
            chosen = tuple(option.value for option in options) if said == [ALL] else _picked(said, options)
            if chosen or not required:
                return chosen

    def finish(self) -> None:
        """Raises Unanswered when a script gave too little, or something that nobody asked for."""
        unknown = [f"--set {path}: nothing asks for this" for path in self.given if path not in self.used]
        missing = [f"missing: {flag}" for flag in self.lacking]
        if missing or unknown:
            raise Unanswered("\n".join(missing + unknown))

    def _show(self, options: Sequence[Choice]) -> None:
        for number, option in enumerate(options, start=1):
            typer.echo(f"  {number:>2}  {option.value}" + (f"  {option.title}" if option.title != option.value else ""), err=True)


def _picked(said: Sequence[str], options: Sequence[Choice]) -> tuple[str, ...]:
    def value(word: str) -> str:
        return options[int(word) - 1].value if word.isdigit() and 1 <= int(word) <= len(options) else word

    return tuple(dict.fromkeys(value(word) for word in said))


def flags(settings: Sequence[str]) -> dict[str, str]:
    """``a.b=c`` pairs. Raises Unanswered."""
    found: dict[str, str] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise Unanswered(f"--set {setting}: write PATH=VALUE, such as --set help.base_url=https://acme.zendesk.com")
        found[path] = value
    return found

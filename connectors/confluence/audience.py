"""Who may read a page: what its space says, unless a label, a restriction on it or on anything above it keeps it in, or nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.base import Audience
from connectors.confluence.client import Wiki
from connectors.confluence.parse import Leaf


@dataclass(slots=True)
class Readers:
    """What is known of pages' own restrictions, and of what is above them; asked for one by one where no list tells."""

    wiki: Wiki
    spaces: Mapping[str, Audience]  # by key; one not named is internal
    kept_in: frozenset[str] = frozenset()  # labels of pages for agents only
    own: dict[str, bool] = field(default_factory=dict)  # restricted by itself; what nobody tells counts as restricted
    above: dict[str, tuple[str, ...]] = field(default_factory=dict)
    labels: dict[str, frozenset[str]] = field(default_factory=dict)
    asked: int = 0  # one by one

    def learn(self, leaves: Sequence[Leaf], key: str) -> None:
        """Of many pages at once, and of what is above them; of an internal space nothing needs to be known."""
        if self.spaces.get(key) != "public":
            return
        self._take(leaves)
        self._take(self.wiki.protection([leaf.id for leaf in leaves if self._untold(leaf)]))
        higher = dict.fromkeys(id for leaf in leaves for id in self.above.get(leaf.id, ()))
        if strangers := [id for id in higher if id not in self.own and id.isdigit()]:
            self._take(self.wiki.protection(strangers))

    def of(self, page: Leaf, key: str) -> Audience:
        """Internal wherever in doubt."""
        if self.spaces.get(key) != "public" or self._labelled(page.id):
            return "internal"
        return "internal" if any(self._restricted(id) for id in (page.id, *self._chain(page))) else "public"

    def _take(self, told: Sequence[Leaf]) -> None:
        for leaf in told:
            if leaf.restricted is not None:
                self.own[leaf.id] = leaf.restricted
            if leaf.ancestors is not None:
                self.above[leaf.id] = leaf.ancestors
            if leaf.labels is not None:
                self.labels[leaf.id] = leaf.labels

    def _untold(self, leaf: Leaf) -> bool:
        return leaf.restricted is None or leaf.ancestors is None or (bool(self.kept_in) and leaf.labels is None)

    def _labelled(self, id: str) -> bool:
        """What nobody tells counts as labelled: searching does not show a page yet, and the next comparison does."""
        return bool(self.kept_in) and (id not in self.labels or not self.kept_in.isdisjoint(self.labels[id]))

    def _chain(self, page: Leaf) -> tuple[str, ...]:
        known = self.above.get(page.id)
        if known is None or (page.parent is not None and page.parent not in known):
            self.asked += 1
            told = self.wiki.ancestors(page)
            known = ("?",) if told is None else told
            self.above[page.id] = known
        return known

    def _restricted(self, id: str) -> bool:
        if id not in self.own:
            self.asked += 1
            self.own[id] = self.wiki.restricted(id) is not False if id.isdigit() else True
        return self.own[id]

"""What the index remembers of its passages."""

from __future__ import annotations

from collections.abc import Sequence

from storage.memory import Memory


class Shop:
    """Counts what is read from it; what is not in stock it leaves out."""

    def __init__(self, **stock: str) -> None:
        self.stock = stock
        self.asked: list[list[str]] = []

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(keys))
        return {key: self.stock[key] for key in keys if key in self.stock}


def test_what_was_read_is_not_read_again() -> None:
    shop, memory = Shop(a="1", b="2", c="3"), Memory[str, str](10)
    assert memory.get(["b", "a"], shop.read) == {"b": "2", "a": "1"}
    assert list(memory.get(["c", "a"], shop.read)) == ["c", "a"]
    assert shop.asked == [["b", "a"], ["c"]]


def test_what_is_not_there_is_left_out_and_asked_for_again() -> None:
    shop, memory = Shop(a="1"), Memory[str, str](10)
    assert memory.get(["a", "x"], shop.read) == {"a": "1"}
    shop.stock["x"] = "9"
    assert memory.get(["a", "x"], shop.read) == {"a": "1", "x": "9"}


def test_after_a_write_everything_is_read_anew() -> None:
    shop, memory = Shop(a="1"), Memory[str, str](10)
    memory.get(["a"], shop.read)
    shop.stock["a"] = "2"
    memory.forget()
    assert memory.get(["a"], shop.read) == {"a": "2"}


def test_what_was_read_before_a_write_and_comes_after_it_is_not_kept() -> None:
    memory, shop = Memory[str, str](10), Shop(a="new")

    def slow(keys: Sequence[str]) -> dict[str, str]:
        memory.forget()
        return dict.fromkeys(keys, "old")

    assert memory.get(["a"], slow) == {"a": "old"}
    assert memory.get(["a"], shop.read) == {"a": "new"}


def test_no_more_is_kept_than_was_said_and_what_is_asked_for_often_stays() -> None:
    shop, memory = Shop(**{key: key for key in "abcdef"}), Memory[str, str](3)
    for key in "abacad":
        memory.get([key], shop.read)
    shop.asked.clear()
    memory.get(["a", "c", "d"], shop.read)
    assert shop.asked == []
    memory.get(["b"], shop.read)
    assert shop.asked == [["b"]]

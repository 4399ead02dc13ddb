"""What the vendors' headers say of their limits, in every spelling that was seen; and what a sheet of taken calls allows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.quota import Budget, budgets, cost, retry_after, tightest
from storage.quota import LARGEST_CHUNK, LEASE, Sheet

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        # Confluence Data Center: 100 tokens, 20 of which come back every 3 s, so all of them in 15 s.
        (
            {
                "X-RateLimit-Limit": "100",
                "X-RateLimit-Remaining": "60",
                "X-RateLimit-Interval-Seconds": "3",
                "X-RateLimit-FillRate": "20",
                "retry-after": "0",
            },
            Budget(100, 60, None, None, 15.0),
        ),
        # Confluence Cloud: bursts of calls, and points an hour.
        (
            {"X-RateLimit-Limit": "40", "X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "2026-11-22T12:00:10Z"},
            Budget(40, 3, 10),
        ),
        (
            {"RateLimit-Policy": '"tenant-quota";q=65000;w=3600', "RateLimit": '"tenant-quota";r=64000;t=1800'},
            Budget(65000, 64000, 1800, None, 3600, points=True),
        ),
        (
            {"Beta-RateLimit-Policy": '"a b" ; q=10 ; w=60', "beta-ratelimit": '"a b" ; r=1 ; t=5'},
            Budget(10, 1, 5, None, 60, points=True),
        ),
        # Freshdesk
        ({"x-ratelimit-total": "50.0", "x-ratelimit-remaining": "14.0", "x-ratelimit-used-currentrequest": "3"}, Budget(50, 14, None)),
        ({"x-ratelimit-total": "5000", "x-ratelimit-remaining": "1400"}, Budget(5000, 1400, None, None, 3600)),
    ],
)  # fmt: skip
def test_each_vendors_spelling_is_read(headers: dict[str, str], expected: Budget) -> None:
    assert budgets(headers, NOW) == (expected,)


def test_of_two_policies_and_two_products_the_tightest_counts() -> None:
    headers = {
        "RateLimit-Policy": '"burst";q=100;w=10, "hourly";q=1000;w=3600',
        "RateLimit": '"burst";r=90;t=4, "hourly";r=100;t=900',
        "x-rate-limit": "700",
        "x-rate-limit-remaining": "699",
        "zendesk-ratelimit-tickets-index": "total=100; remaining=1; resets=30",
    }
    assert tightest(budgets(headers, NOW)) == Budget(1000, 100, 900, None, 3600, points=True)
    assert tightest(()) is None


def test_of_two_spellings_of_one_budget_the_one_that_tells_its_reset_counts() -> None:
    headers = {"x-rate-limit": "700", "x-rate-limit-remaining": "7"}
    headers |= {"ratelimit-limit": "700", "ratelimit-remaining": "7", "ratelimit-reset": "20"}
    assert tightest(budgets(headers, NOW)) == Budget(700, 7, 20)


@pytest.mark.parametrize(("said", "calls"), [("1", 1), ("3", 3), ("3.0", 3), ("0", 1), ("-4", 1), ("many", 1), ("9999999", 100), (None, 1)])
def test_what_a_call_cost_is_at_least_one_and_never_absurd(said: str | None, calls: float) -> None:
    assert cost({} if said is None else {"X-RateLimit-Used-CurrentRequest": said}) == calls


def test_a_delay_of_nothing_while_tokens_remain_is_no_delay() -> None:
    assert retry_after({"retry-after": "0", "x-ratelimit-limit": "9", "x-ratelimit-remaining": "5"}, NOW) is None


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("ratelimit", "ratelimit-policy", "beta-ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining"),
                *("x-ratelimit-fillrate", "x-ratelimit-interval-seconds", "x-ratelimit-used-currentrequest"),
            ]
        ),
        st.text() | st.from_regex(r'"a";[qrtw]=[0-9]{1,20}(;[qrtw]=[0-9]{1,3})?') | st.integers().map(str),
    )
)
def test_lying_headers_give_sane_numbers_or_none(headers: dict[str, str]) -> None:
    for budget in budgets(headers, NOW):
        assert budget.limit > 0
        assert budget.remaining >= 0
        assert budget.window is None or 0 < budget.window <= 86_400
    assert 1 <= cost(headers) <= 100


# --- the sheet


SHEETS = st.builds(
    Sheet,
    ours=st.floats(0.1, 5000),
    reserve=st.floats(0, 1000),
    window=st.floats(1, 3600),
    remaining=st.none() | st.floats(0, 5000),
    remaining_until=st.floats(0, 5000),
    held_until=st.floats(0, 5000),
    taken=st.lists(st.tuples(st.floats(0, 5000), st.floats(1, 500), st.just("x")), max_size=20).map(tuple),
)


@given(SHEETS, st.floats(0, 5000))
def test_after_the_wait_a_call_is_in_order_and_a_chunk_never_exceeds_our_share(sheet: Sheet, now: float) -> None:
    assert sheet.ours is not None
    sheet = sheet.at(now)
    wait = sheet.wait(now)
    later = sheet.at(now + wait + 0.001)
    assert later.wait(now + wait + 0.001) <= 0.1
    ready = later.at(now + 20_000)
    assert ready.spent() == 0
    assert 1 <= ready.chunk() <= max(1.0, min(ready.ours or 1, LARGEST_CHUNK))


@given(st.lists(st.tuples(st.floats(0, 300), st.integers(1, 3)), max_size=200), st.integers(1, 40))
def test_no_window_holds_more_than_our_share_whenever_leases_are_used(asks: list[tuple[float, int]], ours: int) -> None:
    """Each lease may be used as late as its life allows: the worst case is counted."""
    sheet, taken = Sheet(ours=float(ours), window=60.0), list[tuple[float, float]]()
    for at, times in sorted(asks):
        for _ in range(times):
            sheet = sheet.at(at)
            if sheet.wait(at) == 0:
                chunk = sheet.chunk()
                sheet = Sheet(ours=sheet.ours, window=60.0, taken=(*sheet.taken, (at, chunk, "x")))
                taken.append((at, chunk))
    for start, _ in taken:
        latest = start + LEASE  # the first lease is used at the very end of its life, the others at once
        assert sum(calls for at, calls in taken if start <= at < latest + 60.0) <= ours

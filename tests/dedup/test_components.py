"""Connected components of pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.components import components


def by_walking(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    beside: dict[int, set[int]] = {node: set() for node in range(count)}
    for one, other in pairs:
        beside[one].add(other)
        beside[other].add(one)
    found: dict[int, int] = {}
    for number, node in enumerate(range(count)):
        waiting = [node] if node not in found else []
        while waiting:
            now = waiting.pop()
            if now not in found:
                found[now] = number
                waiting += beside[now]
    names = sorted(set(found.values()))
    return [names.index(found[node]) for node in range(count)]


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_nodes_are_together_when_a_walk_along_pairs_joins_them(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = graph
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    assert components(count, ends[:, 0], ends[:, 1]).tolist() == by_walking(count, pairs)


def test_a_long_chain_is_one_component() -> None:
    order = np.random.default_rng(0).permutation(100_000)
    assert not components(len(order), order[:-1], order[1:]).any()

"""Which clips go into a set."""

import numpy as np
import pytest

from vgan.prepare.choose import choose, fair_shares
from vgan.prepare.settings import Settings

A, B = (np.random.default_rng(seed).bytes(160).hex() for seed in (1, 2))


def facts(name, *shots):
    """Facts of a source whose shots have (signature, first frames of clips)."""
    return {
        "source": name,
        "error": "",
        "warnings": [],
        "clips": sum(len(starts) for _, starts in shots),
        "shots": [
            {
                "start": 0.0,
                "signature": signature,
                "reason": "",
                "duplicate_of": "",
                "clips": len(starts),
                "clip_starts": starts,
            }
            for signature, starts in shots
        ],
    }


@pytest.mark.parametrize(
    ("counts", "most", "shares"),
    [
        ([5, 5, 5], 0, [5, 5, 5]),
        ([5, 5, 5], 20, [5, 5, 5]),
        ([5, 5, 5], 6, [2, 2, 2]),
        ([5, 5, 5], 7, [3, 2, 2]),
        ([1, 100, 0, 3], 10, [1, 6, 0, 3]),
        ([9, 9, 9], 2, [1, 1, 0]),
    ],
)
def test_shares_are_fair(counts, most, shares):
    assert fair_shares(counts, most) == shares


def test_repeated_shots_are_left_out_once():
    given = [
        facts("b", (A, [0]), (B, [16])),
        facts("a", (A, [0, 16])),
        facts("c", (A, [32])),
    ]
    told, chosen = choose(given, Settings())
    assert chosen == {"a#00000000", "a#00000016", "b#00000016"}
    assert [one["source"] for one in told] == ["a", "b", "c"]
    repeated = told[1]["shots"][0]
    assert (repeated["duplicate_of"], repeated["clips"]) == ("a#0", 0)
    assert repeated["found"] == 1
    assert told[2]["clips"] == 0
    assert told[2]["split"] == ""
    assert given[2]["clips"] == 1  # a copy was changed


def test_few_clips_are_spread_over_a_source():
    told, chosen = choose(
        [facts("a", (A, list(range(0, 160, 16))))], Settings(max_clips=2)
    )
    assert chosen == {"a#00000032", "a#00000112"}
    assert told[0]["shots"][0]["clips"] == 2
    told, _ = choose(
        [facts("a", (A, [0])), facts("b", (B, [0]))], Settings(max_clips=1)
    )
    assert told[1]["shots"][0]["reason"] == "left out by max_clips"


def test_sources_stay_on_their_side():
    rng = np.random.default_rng(0)
    some = [facts(f"{k}.mp4", (rng.bytes(160).hex(), [0])) for k in range(15)]
    told, _ = choose(some, Settings(validation=0.3))
    sides = {one["source"]: one["split"] for one in told}
    assert set(sides.values()) == {"train", "validation"}
    fewer, _ = choose(some[:-3], Settings(validation=0.3))
    for one in fewer:
        assert one["split"] == sides[one["source"]]

"""The watch for drift, by the engine's own rules: which requests are shadowed, and when there is an alarm."""

from __future__ import annotations

import pytest

import paretone
from paretone._paretone import Routing, Watch


@pytest.fixture(scope="module")
def routing(asr: paretone.Recognizer) -> Routing:
    return Routing(asr)


def test_a_watch_counts_words_and_gives_the_alarm(routing):
    watch = Watch(routing)
    assert watch.compare(["the", "old", "man"], ["the", "old", "man"])[:2] == (0, 3)
    assert watch.compare(["an", "old", "man", "walked"], ["the", "old", "man"])[:2] == (2, 3)
    assert watch.compare([], [])[:2] == (0, 0)
    alarms = [watch.compare(["quite"] * 20, ["other"] * 20)[3] for _ in range(30)]
    assert alarms[-1] and not alarms[0] and sorted(alarms) == alarms, "it goes off, and stays on"


def test_answers_that_agree_never_give_it(routing):
    watch = Watch(routing)
    _, _, evidence, alarm = [watch.compare(["the", "same"], ["the", "same"]) for _ in range(2000)][-1]
    assert not alarm and 0 < evidence < 1


def test_a_share_of_requests_is_shadowed_but_not_where_the_reference_answers(routing, asr):
    tiers = [(step / 1000, goal) for step in range(101) for goal in ("cost", "response-time")]
    most = f"osfa({asr.versions[-1].name})"
    alone = {routing.tier(*tier)[3] for tier in tiers if not any(routing.shadows(*tier, str(at), 1.0) for at in range(9))}
    assert alone <= {most}, "of what is never shadowed all is answered by the most accurate version"
    cheap = next(tier for tier in tiers if routing.tier(*tier)[3] != most)
    count = sum(routing.shadows(*cheap, str(at), 0.1) for at in range(1000))
    assert 60 < count < 140
    assert not any(routing.shadows(*cheap, str(at), 0.0) for at in range(1000))
    again = [routing.shadows(*cheap, str(at), 0.5) for at in range(64)]
    assert again == [routing.shadows(*cheap, str(at), 0.5) for at in range(64)]

#!/usr/bin/env python3
"""Would fewer candidates certify more? Candidates proposed by some speakers and certified by others, beside all
candidates at once: scripts/eval/proposals.py OUTCOMES [--draws N] [--certifying N] [--proposing N]

OUTCOMES are those of development speakers (`paretone bench --split dev --versions all --outcomes OUTCOMES`). They are
taken for the population: each draw takes speakers from it with replacement, once to propose and once to certify. So
nobody's luck is larger than it would be with as many new speakers, and the test speakers are not asked. The bound is that
of `population` (src/tiers/generate/population.rs): Student's quantile at the kurtosis' degrees of freedom, and the
multiplier bootstrap's critical value for all candidates. Pairs give the second version's answer at full operation.

Needs numpy and scipy (recorded with 2.4.6 and 1.17.1).
"""

import argparse
import csv
from collections import defaultdict

import numpy as np
from scipy import stats

TOLERANCES = (0.01, 0.02, 0.05, 0.10)
# Two to the octave, from 20 % down.
PROPOSED_FOR = [0.2 * 2 ** (-step / 2) for step in range(13)]
LEAST_FREEDOM = 4


class Table:
    """Requests by version, and the number of each request's speaker."""

    def __init__(self, errors, response, shared, improvable, speaker):
        self.errors, self.response, self.shared = errors, response, shared
        self.improvable, self.speaker = improvable, speaker
        self.speakers = int(speaker.max()) + 1

    def draw(self, count, random):
        """So many speakers with replacement, each time as another speaker."""
        of_speaker = [np.flatnonzero(self.speaker == number) for number in range(self.speakers)]
        drawn = [of_speaker[number] for number in random.integers(0, self.speakers, count)]
        places = np.concatenate(drawn)
        return self.take(places, np.repeat(np.arange(count), [len(part) for part in drawn]))

    def repeated(self, times):
        places = np.tile(np.arange(len(self.speaker)), times)
        speaker = np.concatenate([self.speaker + self.speakers * time for time in range(times)])
        return self.take(places, speaker)

    def take(self, places, speaker):
        return Table(self.errors[:, places], self.response[:, places], self.shared[places],
                     self.improvable[:, places], speaker)

    def sums(self, values):
        return np.bincount(self.speaker, weights=values, minlength=self.speakers)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seconds = defaultdict(float)
    for row in rows:
        seconds[row["version"]] += float(row["response_seconds"])
    versions = {name: place for place, name in enumerate(sorted(seconds, key=seconds.get))}
    requests = {key: place for place, key in enumerate(dict.fromkeys((row["set"], row["id"]) for row in rows))}
    speakers = {key: place for place, key in enumerate(dict.fromkeys((row["set"], row["group"]) for row in rows))}
    columns = {name: np.zeros((len(versions), len(requests)))
               for name in ("errors", "response_seconds", "scores_seconds", "improvable")}
    speaker = np.zeros(len(requests), int)
    for row in rows:
        place = requests[row["set"], row["id"]]
        speaker[place] = speakers[row["set"], row["group"]]
        for name, values in columns.items():
            values[versions[row["version"]], place] = float(row[name])
    return Table(columns["errors"], columns["response_seconds"], columns["scores_seconds"][-1], columns["improvable"],
                 speaker)


def everything(table, grid):
    """Every version alone, and every pair with thresholds evenly spread over the requests: (first, second, threshold)."""
    versions = len(table.errors)
    policies = [(version, None, None) for version in range(versions)]
    for first in range(versions):
        falling = np.sort(table.improvable[first])[::-1]
        thresholds = [falling[round(len(falling) * step / grid)] for step in range(1, grid)]
        policies += [(first, second, at) for second in range(first + 1, versions) for at in thresholds]
    return policies


class Bounded:
    """Policies on a table: what they save of the slowest version's response and cost, and the bound on their degradation."""

    def __init__(self, table, policies, delta, random, draws=20):
        reference = table.sums(table.errors[-1])
        requests = table.sums(np.ones(len(table.speaker)))
        added, taken = [], []
        for first, second, threshold in policies:
            errors, response, cost = table.errors[first], table.response[first], table.response[first]
            if second is not None:
                asked = table.improvable[first] > threshold
                errors = np.where(asked, table.errors[second], errors)
                response = np.where(asked, np.maximum(response, table.response[second]), response)
                cost = np.where(asked, cost + table.response[second] - table.shared, cost)
            added.append(table.sums(errors - table.errors[-1]))
            taken.append((response.mean(), cost.mean()))
        self.savings = 1 - np.array(taken).T / table.response[-1].mean()
        self.bounds = self.bound(np.array(added), reference, requests, int(draws / delta), delta, random)

    def bound(self, added, reference, requests, draws, delta, random):
        count, total = len(reference), requests.sum()
        means, mean = added.sum(1) / total, reference.sum() / total
        ratio = means / mean
        parts = added - ratio[:, None] * reference
        square, fourth = (parts**2).sum(1), (parts**4).sum(1)
        with np.errstate(all="ignore"):
            kurtosis = count * fourth / square**2
            freedom = np.where(square > 0, np.clip(count / np.maximum(kurtosis - 1, 1e-30) - 1, 0, count - 1), 0)
        counts = np.floor(freedom) >= LEAST_FREEDOM
        scaled = (parts[counts] / np.sqrt(square[counts])[:, None]).T.astype(np.float32)
        largest = np.concatenate([(random.standard_normal((1000, count), dtype=np.float32) @ scaled).max(1)
                                  for _ in range(-(-draws // 1000))])[:draws]
        largest.sort()
        self.critical = largest[int(np.ceil((1 - delta) * (draws + 1))) - 1]
        quantile = np.where(counts, stats.t.isf(stats.norm.sf(self.critical), np.maximum(np.floor(freedom), 1)), np.inf)
        # Fieller's limit, each speaker left out once.
        scale, rest = (count - 1) / count / total**2, 1 - requests / total
        above, below = (added - requests * means[:, None]) / rest, (reference - requests * mean) / rest
        with np.errstate(all="ignore"):
            lead = mean**2 - scale * (below**2).sum() * quantile**2
            half = means * mean - scale * (above * below).sum(1) * quantile**2
            last = means**2 - scale * (above**2).sum(1) * quantile**2
            upper = (half + np.sqrt(np.maximum(half**2 - lead * last, 0))) / lead
        return np.where(square == 0, 0, np.where((lead > 0) & np.isfinite(upper), upper, np.inf))

    def best(self, savings, tolerance):
        """The policy that saves most within the tolerance, and what it saves."""
        within = np.flatnonzero(self.bounds <= tolerance)
        at = within[np.argmax(savings[within])]
        return at, savings[at]

    def figures(self, other=None):
        """What is certified of response and of cost; by this or by another family of policies."""
        families = [self, other] if other else [self]
        return [max(family.best(family.savings[objective], at)[1] for family in families)
                for objective in (0, 1) for at in TOLERANCES]


def propose(table, times, delta, random):
    table = table.repeated(times)
    policies = everything(table, 100)
    bounded = Bounded(table, policies, delta, random)
    chosen = {bounded.best(savings, tolerance)[0] for savings in bounded.savings for tolerance in PROPOSED_FOR}
    alone = [policy for policy in policies if policy[1] is None]
    return alone + [policies[at] for at in sorted(chosen) if policies[at][1] is not None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outcomes")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--certifying", type=int, default=78)
    parser.add_argument("--proposing", type=int, default=28)
    parser.add_argument("--delta", type=float, default=0.001)
    args = parser.parse_args()
    population, random, delta = read(args.outcomes), np.random.default_rng(1), args.delta
    figures, critical, counts = defaultdict(list), defaultdict(list), defaultdict(list)
    for _ in range(args.draws):
        table = population.draw(args.certifying, random)
        times = max(1, round(args.certifying / args.proposing))
        proposed = propose(population.draw(args.proposing, random), times, delta, random)
        whole = everything(table, 100)
        families = {"all candidates": (Bounded(table, whole, delta, random), None),
                    "proposed ones": (Bounded(table, proposed, delta, random), None),
                    "both, at half of delta each": (Bounded(table, whole, delta / 2, random),
                                                    Bounded(table, proposed, delta / 2, random))}
        for name, (family, other) in families.items():
            figures[name].append(family.figures(other))
            critical[name].append(family.critical)
            counts[name].append(len(family.bounds))
    print(f"{args.draws} draws: {args.proposing} speakers propose, {args.certifying} others certify, of a population of "
          f"{population.speakers}; delta {delta}")
    print("Mean saving in % that is certified at a tolerance of 1, 2, 5 and 10 %, response then cost; the mean of all eight, "
          "less that of all candidates, with the standard error; candidates; critical value")
    everywhere = 100 * np.array(figures["all candidates"]).mean(1)
    for name, values in figures.items():
        values = 100 * np.array(values)
        more = values.mean(1) - everywhere
        shown = " ".join(f"{value:5.1f}" for value in values.mean(0))
        error = more.std(ddof=1) / len(more) ** 0.5
        print(f"{name:28} {shown}   {more.mean():+5.2f} ± {error:.2f}   {np.mean(counts[name]):6.0f}   "
              f"{np.mean(critical[name]):.2f}")


if __name__ == "__main__":
    main()

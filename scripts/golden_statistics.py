#!/usr/bin/env python3
"""Writes what scipy and statsmodels make of the statistics in src/tiers, for tests/statistics.rs.

    pip install numpy scipy statsmodels
    python scripts/golden_statistics.py        # writes tests/golden/statistics.json

Inputs are drawn with a fixed seed and stored beside the answers. What no library has (Fieller's limit with jackknife
variances, the wealth of a diversified gambler) is computed here from its definition, by root finding and leaving out one
group after another, and not by the formulas of the Rust code.
"""

import json
from pathlib import Path

import numpy as np
import statsmodels.formula.api as smf
from scipy import integrate, optimize, stats
from scipy.special import logsumexp
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.proportion import proportion_confint

random = np.random.default_rng(20190324)


def quantiles():
    tails = [0.4, 0.1, 0.025, 1e-3, 1e-5, 1e-8]
    return {
        "normal": [[tail, stats.norm.isf(tail)] for tail in tails],
        "student": [[df, tail, stats.t.isf(tail, df)] for df in [4, 5, 7.5, 30, 77, 3000] for tail in tails],
    }


def shares():
    rows = []
    for count, trials in [(0, 10), (1, 10), (5, 10), (10, 10), (3, 4000), (226, 4000), (0, 1010), (999, 1000)]:
        interval = lambda method: list(map(float, proportion_confint(count, trials, alpha=0.05, method=method)))
        rows.append({"count": count, "trials": trials, "wilson": interval("wilson"), "exact": interval("beta")})
    return rows


def correlations():
    """ICC(1) from the mean squares of statsmodels' one-way analysis of variance."""
    rows = []
    for groups, effect in [(5, 0.0), (12, 1.0), (30, 0.4)]:
        sizes = random.integers(1, 9, groups)
        labels = np.repeat(np.arange(groups), sizes)
        values = np.repeat(random.normal(0, effect, groups), sizes) + random.normal(0, 1, labels.size)
        table = anova_lm(smf.ols("y ~ C(g)", {"y": values, "g": labels}).fit())
        between, within = table["mean_sq"]
        typical = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (groups - 1)
        icc = (between - within) / (between + (typical - 1) * within)
        rows.append({"values": values.tolist(), "groups": labels.tolist(), "correlation": icc})
    return rows


def ratios():
    rows = []
    for groups, quantile, inflation in [(8, 2.0, 1.0), (40, 4.5, 1.0), (78, 3.1, 10.0), (500, 5.0, 1.0)]:
        requests = random.integers(5, 60, groups).astype(float)
        reference = random.poisson(1.4 * requests).astype(float)
        added = random.poisson(0.05 * requests) - random.poisson(0.02 * requests).astype(float)
        value = added.sum() / reference.sum()

        def off(ratio):
            left = added - ratio * reference
            mean = left.sum() / requests.sum()
            without = (left.sum() - left) / (requests.sum() - requests)
            variance = (groups - 1) / groups * ((without - mean) ** 2).sum()
            return mean + quantile * np.sqrt(inflation * variance)

        psi = added - value * reference
        kurtosis = stats.kurtosis(np.concatenate([psi, -psi]), fisher=False)  # about zero
        rows.append({
            "added": added.tolist(), "reference": reference.tolist(), "requests": requests.tolist(),
            "quantile": quantile, "inflation": inflation, "value": value,
            "upper": optimize.brentq(off, value, value + 5, xtol=1e-14),
            "freedom": float(np.clip(groups / (kurtosis - 1) - 1, 0, groups - 1)),
        })
    return rows


def sup_t():
    """Upper quantiles of the largest of k normal variables that share a part: T_i = sqrt(r) Z + sqrt(1-r) Z_i."""
    rows = []
    for k, shared, delta in [(1, 0.0, 0.05), (20, 0.0, 0.01), (20, 0.5, 0.01), (100, 0.9, 0.05)]:
        def above(c):
            inside = lambda z: stats.norm.pdf(z) * stats.norm.cdf((c - np.sqrt(shared) * z) / np.sqrt(1 - shared)) ** k
            return 1 - integrate.quad(inside, -9, 9, epsabs=1e-12)[0]

        critical = optimize.brentq(lambda c: above(c) - delta, 0, 8)
        slope = (above(critical - 1e-4) - above(critical + 1e-4)) / 2e-4
        rows.append({"count": k, "shared": shared, "delta": delta, "critical": critical, "density": slope})
    return rows


def wealth():
    rows = []
    for n, mean in [(1, -0.5), (100, -0.3), (5000, -0.02), (300, 0.1)]:
        values = np.clip(random.normal(mean, 0.5, n), -3, 1.25)
        bets = 0.5 ** np.arange(1, 17) / 1.25
        logs = np.log1p(-np.outer(bets, values)).sum(axis=1)
        rows.append({"values": values.tolist(), "highest": 1.25, "log_wealth": float(logsumexp(logs) - np.log(16))})
    return rows


def trials():
    """After how many values the published stopping rule is confident, by scipy's z-scores."""
    rows = []
    for quantile in [1.0, 2.0, stats.norm.isf(0.001)]:
        values = random.normal(0.03, 0.01, 20000)
        span = lambda n: np.ptp(stats.zscore(values[:n]))
        needed = next(n for n in range(2, values.size) if span(n) > 2 * quantile)
        rows.append({"values": values[:needed].tolist(), "quantile": quantile})
    return rows


if __name__ == "__main__":
    made = {
        "quantiles": quantiles(), "shares": shares(), "correlations": correlations(), "ratios": ratios(),
        "sup_t": sup_t(), "wealth": wealth(), "trials": trials(),
    }
    out = Path(__file__).parent.parent / "tests/golden/statistics.json"
    out.write_text(json.dumps(made) + "\n")

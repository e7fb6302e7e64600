"""How many times faster, utterance by utterance."""

import numpy as np


class Times:
    """Least seconds of each utterance and side; sides take turns, so that what else the machine does hits all alike."""

    def __init__(self):
        self.least = {}

    def add(self, side, utterance, seconds):
        times = self.least.setdefault(side, {})
        times[utterance] = min(seconds, times.get(utterance, seconds))

    def total(self, side):
        return sum(self.least[side].values())

    def fastest(self, sides):
        return min(sides, key=self.total)

    def ratio(self, title, ours, peer):
        """Prints the spread of the peer's time over ours; returns the median."""
        by_utterance = [self.least[peer][u] / seconds for u, seconds in self.least[ours].items()]
        low, median, high = np.percentile(by_utterance, [5, 50, 95])
        print(
            f"{title}: {median:.2f} times faster ({low:.2f}-{high:.2f}, least {min(by_utterance):.2f}); "
            f"all together {self.total(ours) * 1000:.2f} ms against {self.total(peer) * 1000:.2f} ms",
            flush=True,
        )
        return float(median)

"""Writes small G.carpa and G.fst for the tests (tests/golden/kaldi), and what sentences cost in them.

usage: golden_rescoring.py FOLDER

The files are laid out as Kaldi's arpa-to-const-arpa and arpa2fst lay them out; the costs come from the n-grams
themselves: by the definition of backing off, and as the cheapest of all ways through the automaton. A line of
rescoring.txt is the file, the words, a colon, what each word costs, and ending.
"""
import itertools
import math
import pathlib
import struct
import sys

BEGIN, END, UNKNOWN, WORDS = 7, 8, 6, 9
# Of a folder whose words are yes, yet and [unk], of which the large model knows two: <s>, </s>, none, and how many.
OF_FOLDER = 4, 5, -1, 6
FOLDER = {
    (4,): (-99 * math.log(10), -0.25), (5,): (-1.0, 0), (1,): (-3.0, -0.5), (2,): (-0.5, -0.125), (4, 2): (-0.25, 0),
    (1, 2): (-0.75, 0), (2, 5): (-0.375, 0),
}
# ln p and ln of the back-off weight by n-gram. Word 5 is not known; word 4 is, and no n-gram goes on from it.
LARGE = {
    (BEGIN,): (-99 * math.log(10), -0.5), (END,): (-2.0, 0), (UNKNOWN,): (-6.0, -0.125),
    (1,): (-1.5, -0.25), (2,): (-2.5, 0.375), (3,): (-3.5, -1.0), (4,): (-4.5, 0),
    (BEGIN, 1): (-0.5, -0.75), (BEGIN, 3): (-2.25, 0), (1, 2): (-0.75, -0.0625), (1, UNKNOWN): (-3.0, 0),
    (2, 1): (-1.25, 0), (2, 3): (-0.875, -0.3125), (3, END): (-0.1875, 0), (UNKNOWN, 1): (-0.4375, 0),
    (BEGIN, 1, 2): (-0.125, 0), (1, 2, 3): (-0.21875, 0), (2, 3, END): (-0.09375, 0), (2, 3, 1): (-2.75, 0),
}
# As much of the graph's model; there (1, 2) costs more than backing off does, which is what counts.
SMALL = {
    (BEGIN,): (0, -0.5), (END,): (-2.25, 0), (1,): (-1.25, -0.25), (2,): (-1.5, -0.5), (3,): (-3.25, 0),
    (4,): (-4.0, 0), (6,): (-7.0, 0), (BEGIN, 1): (-0.625, 0), (1, 2): (-3.0, 0), (2, 3): (-1.0, 0), (2, END): (-0.5, 0),
}


def text(name):
    return name.encode() + b" "


def number(value):
    return struct.pack("<bi", 4, value)



def const_arpa(ngrams, symbols, overflowing):
    """The file, the places of these n-grams in the overflow; symbols are <s>, </s>, the unknown word and the number of words."""
    *symbols, words = symbols
    children = {}
    for ngram in ngrams:
        children.setdefault(ngram[:-1], []).append(ngram[-1])
    histories = sorted(ngram for ngram in ngrams if len(ngram) == 1 or ngram in children)
    begins, at = {}, 0
    for history in histories:
        begins[history] = at
        at += 3 + 2 * len(children.get(history, []))
    states = b""
    for history in histories:
        follow = sorted(children.get(history, []))
        states += struct.pack("<ffi", *ngrams[history], len(follow))
        for word in follow:
            longer = history + (word,)
            if longer in overflowing:
                info = -(2 * overflowing.index(longer) + 1)
            elif longer in begins:
                info = 2 * (begins[longer] - begins[history]) + 1
            else:
                info = struct.unpack("<i", struct.pack("<f", ngrams[longer][0]))[0] & ~1
            states += struct.pack("<ii", word, info)
    places = [begins.get((word,), -1) + 1 for word in range(words)]
    order = max(map(len, ngrams))
    return b"".join([
        b"\0B", text("<ConstArpaLm>"), text("<LmInfo>"), *map(number, [*symbols, order]), text("</LmInfo>"),
        text("<LmStates>"), struct.pack("<bq", 8, len(states) // 4), states, text("</LmStates>"),
        text("<LmUnigram>"), number(words), struct.pack(f"<{words}q", *places), text("</LmUnigram>"),
        text("<LmOverflow>"), number(len(overflowing)),
        struct.pack(f"<{len(overflowing)}q", *(begins[ngram] + 1 for ngram in overflowing)), text("</LmOverflow>"),
        text("</ConstArpaLm>"),
    ])


def ln_probability(ngrams, history, word):
    if history + (word,) in ngrams:
        return ngrams[history + (word,)][0]
    if not history:
        return -math.inf
    return ngrams.get(history, (0, 0))[1] + ln_probability(ngrams, history[1:], word)


def costs_in_arpa(ngrams, words):
    """By the definition; after a word that is not known, nothing is remembered."""
    history, costs = (BEGIN,), []
    for word in words:
        known = word if (word,) in ngrams else UNKNOWN
        costs.append(-ln_probability(ngrams, history[-2:], known))
        history = (*history, word) if word == known else ()
    return [*costs, -ln_probability(ngrams, history[-2:], END)]


def automaton(ngrams):
    """States by history: what ending costs, and arcs of input, output, cost and target. Backing off reads a
    label of its own and puts out nothing, as in Kaldi's G.fst."""
    histories = sorted({ngram[:-1] for ngram in ngrams} | {(), *(n for n in ngrams if len(n) == 1 and n != (END,))})
    target = lambda ngram: next(ngram[at:] for at in range(len(ngram) + 1) if ngram[at:] in histories)
    states = []
    for history in histories:
        arcs, ending = [], math.inf
        for ngram, (probability, _) in ngrams.items():
            if ngram[:-1] == history and ngram[-1] == END:
                ending = -probability
            elif ngram[:-1] == history and ngram[-1] != BEGIN:
                arcs.append((ngram[-1], ngram[-1], -probability, histories.index(target(ngram))))
        if history:
            arcs.append((WORDS, 0, -ngrams[history][1], histories.index(target(history[1:]))))
        states.append((ending, arcs))
    return histories.index((BEGIN,)), states


def vector(start, states):
    string = lambda value: struct.pack("<i", len(value)) + value
    arcs = sum(len(arcs) for _, arcs in states)
    out = struct.pack("<i", 2125659606) + string(b"vector") + string(b"standard")
    out += struct.pack("<iiQqqq", 2, 0, 3, start, len(states), arcs)
    for ending, arcs in states:
        out += struct.pack("<fq", ending, len(arcs)) + b"".join(struct.pack("<iifi", *arc) for arc in arcs)
    return out


def cheapest(start, states, words):
    """What the first words and none but these cost, by all ways."""
    least, waiting = math.inf, [(start, 0, 0.0)]
    while waiting:
        state, said, cost = waiting.pop()
        ending, arcs = states[state]
        if said == len(words):
            least = min(least, cost + ending)
        for _, word, more, to in arcs:
            if word == 0:
                waiting.append((to, said, cost + more))
            elif said < len(words) and word == words[said]:
                waiting.append((to, said + 1, cost + more))
    return least


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "G.carpa").write_bytes(const_arpa(LARGE, (BEGIN, END, UNKNOWN, WORDS), [(1, 2)]))
    (folder / "folder.carpa").write_bytes(const_arpa(FOLDER, OF_FOLDER, []))
    start, states = automaton(SMALL)
    (folder / "G.fst").write_bytes(vector(start, states))
    lines = []
    for length in range(4):
        for words in itertools.product([1, 2, 3, 4, 5, 6], repeat=length):
            if length == 3 and sum(words) % 3:
                continue
            sentence = " ".join(map(str, words))
            costs = " ".join(f"{cost:.6f}" for cost in costs_in_arpa(LARGE, words))
            lines.append(f"G.carpa {sentence} : {costs}")
            lines.append(f"G.fst {sentence} : {cheapest(start, states, words):.6f}")
    (folder / "rescoring.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

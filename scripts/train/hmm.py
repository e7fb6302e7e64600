"""Phones, numerator graphs, the phone-trigram denominator and the tied left-biphone pdfs of the acoustic model.

One HMM state a phone ("chain" topology): the frame that enters a phone is scored by its *entry* pdf, every further
frame by its *loop* pdf. Both depend on the phone and its left neighbour, tied by a tree. Silence is optional between
words and at both ends. At the start of an utterance the left context is silence.
"""

import collections
import ctypes

import numpy as np

import native

SILENCE, SPOKEN_NOISE = "SIL", "SPN"
PHONES = [SILENCE, SPOKEN_NOISE] + (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)
SIL = 0
START = len(PHONES)  # the "phone" before an utterance: scored as silence, its own history in the phone trigram

QUESTIONS = {  # phonetic classes of the left neighbour; every single phone is a question too
    "silence": "SIL SPN",
    "vowel": "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "front": "AE EH EY IH IY AY OY",
    "back": "AA AO OW UH UW AW",
    "high": "IH IY UH UW EY AY OY Y",
    "low": "AA AE AO AW AY",
    "central": "AH ER",
    "diphthong": "AW AY EY OW OY",
    "rounded": "AO OW OY UH UW W AW",
    "ending-high-front": "IY IH EY AY OY Y",
    "ending-back": "AW OW UW UH W",
    "rhotic": "ER R",
    "semivowel": "W Y R L ER",
    "liquid": "L R ER",
    "stop": "B D G K P T",
    "voiced-stop": "B D G",
    "voiceless-stop": "K P T",
    "affricate": "CH JH",
    "fricative": "DH F HH S SH TH V Z ZH",
    "voiced-fricative": "DH V Z ZH",
    "voiceless-fricative": "F HH S SH TH",
    "sibilant": "S SH Z ZH CH JH",
    "strident": "S Z",
    "nasal": "M N NG",
    "labial": "B P M F V W",
    "alveolar": "D T N S Z L",
    "dental": "DH TH",
    "palatal": "SH ZH CH JH Y",
    "velar": "G K NG",
    "voiceless": "CH F HH K P S SH T TH SIL SPN",
    "sonorant": "L M N NG R W Y ER",
    "obstruent": "B CH D DH F G HH JH K P S SH T TH V Z ZH",
    "coronal": "D T N S Z L DH TH SH ZH CH JH R",
}


def read_lexicon(path):
    """word -> list of pronunciations, each a tuple of phone indices."""
    index = {phone: i for i, phone in enumerate(PHONES)}
    lexicon = collections.defaultdict(list)
    for line in open(path):
        word, phones = line.rstrip("\n").split("\t")[:2]
        lexicon[word].append(tuple(index[phone] for phone in phones.split()))
    return lexicon


class Phrase:
    """All phone sequences of a transcript: nodes (phone, left phone), arcs weighted by the phone trigram later."""

    def __init__(self, text, lexicon):
        phones, successors, first = [], [], []
        ends = [None]  # instances that can precede what comes next; None is the start

        def link(previous, to):
            for end in previous:
                (first if end is None else successors[end]).append(to)

        def add(phone):
            phones.append(phone)
            successors.append([])
            return len(phones) - 1

        for word in text.split():
            silence = add(SIL)
            link(ends, silence)
            ends = ends + [silence]
            word_ends = []
            for pronunciation in lexicon.get(word) or [(1,)]:
                previous = ends
                for phone in pronunciation:
                    instance = add(phone)
                    link(previous, instance)
                    previous = [instance]
                word_ends += previous
            ends = word_ends
        silence = add(SIL)
        link(ends, silence)
        final = set(ends + [silence])

        self.phone, self.left, self.first, self.final, arcs = [], [], [], [], []
        node_of = {}

        def node(instance, left):
            key = (instance, left)
            if key not in node_of:
                node_of[key] = len(self.phone)
                self.phone.append(phones[instance])
                self.left.append(left)
                self.final.append(instance in final)
                order.append(key)
            return node_of[key]

        order = []
        self.first = [node(instance, START) for instance in first]
        done = 0
        while done < len(order):
            instance, left = order[done]
            for following in successors[instance]:
                arcs.append((done, node(following, phones[instance])))
            done += 1
        # Number the nodes so that instances (hence frames) ascend: the kernel then walks memory forwards.
        rank = np.argsort([key[0] for key in order], kind="stable")
        place = np.empty(len(order), np.int32)
        place[rank] = np.arange(len(order), dtype=np.int32)
        self.phone = np.array(self.phone, np.int32)[rank]
        self.left = np.array(self.left, np.int32)[rank]
        self.final = np.array(self.final, np.float32)[rank]
        self.first = place[np.array(self.first)]
        arcs = np.array(arcs, np.int32).reshape(-1, 2)
        arcs = place[arcs]
        arcs = arcs[np.lexsort((arcs[:, 0], arcs[:, 1]))]
        self.source, self.target = np.ascontiguousarray(arcs[:, 0]), np.ascontiguousarray(arcs[:, 1])

    def trigram_counts(self, counts):
        """Adds the expected phone trigrams when every branch is equally likely."""
        weight = np.zeros(len(self.phone))
        weight[self.first] = 1.0 / len(self.first)
        out = np.bincount(self.source, minlength=len(self.phone)) + (self.final > 0)
        for node in self.first:
            counts[START, START, self.phone[node]] += weight[node]
        for a in np.argsort(self.source, kind="stable"):
            i, j = self.source[a], self.target[a]
            share = weight[i] / out[i]
            weight[j] += share
            counts[self.left[i], self.phone[i], self.phone[j]] += share


class Denominator:
    """Phone trigram as an HMM: a state for each seen two-phone history; no smoothing, so every numerator fits."""

    def __init__(self, counts):
        size = START + 1
        self.trigram = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1e-30)
        histories = {(START, START): 0}
        queue = [(START, START)]
        arcs = []
        for a, b in queue:
            for c in np.nonzero(counts[a, b])[0]:
                if (b, c) not in histories:
                    histories[b, c] = len(queue)
                    queue.append((b, int(c)))
                arcs.append((histories[a, b], histories[b, c], self.trigram[a, b, c]))
        self.left = np.array([a for a, _ in queue], np.int32)
        self.phone = np.array([b if b < size - 1 else SIL for _, b in queue], np.int32)
        arcs = np.array(arcs)
        self.states = len(queue)
        source, target = arcs[:, 0].astype(np.int32), arcs[:, 1].astype(np.int32)
        weight = arcs[:, 2].astype(np.float32)
        by_target, by_source = np.lexsort((source, target)), np.lexsort((target, source))
        self.in_offset = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=self.states))]).astype(np.int32)
        self.in_source, self.in_weight = source[by_target], weight[by_target]
        self.out_offset = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=self.states))]).astype(np.int32)
        self.out_target, self.out_weight = target[by_source], weight[by_source]
        # Average over the first 100 frames from the start, as Kaldi does; the loop has probability 1/2.
        here, total = np.zeros(self.states), np.zeros(self.states)
        here[0] = 1.0
        for _ in range(100):
            total += here
            here = 0.5 * here + 0.5 * np.bincount(target, weights=here[source] * weight, minlength=self.states)
        self.initial = (total / total.sum()).astype(np.float32)


def monophone_pdfs():
    """[left, phone, entry/loop] -> pdf, without context."""
    n = len(PHONES)
    return np.broadcast_to(np.arange(2 * n).reshape(1, n, 2), (n, n, 2)).astype(np.int32).copy()


def tree_pdfs(stats, leaves, minimum):
    """Ties the left contexts of every (phone, entry/loop) by likelihood-based questions.

    stats: [left, phone, arc, 1 + 2 d] = count, sum, sum of squares of d nearly uncorrelated features.
    Splits the leaf with the largest gain in diagonal-Gaussian likelihood until there are `leaves`, each with at least
    `minimum` frames. Returns ([left, phone, arc] -> pdf, text of the tree).
    """
    n = len(PHONES)
    dims = (stats.shape[3] - 1) // 2
    sets = {name: [PHONES.index(p) for p in members.split()] for name, members in QUESTIONS.items()}
    sets.update({phone: [i] for i, phone in enumerate(PHONES)})

    def likelihood(total):
        count = np.maximum(total[..., 0], 1e-10)
        mean = total[..., 1 : 1 + dims] / count[..., None]
        variance = np.maximum(total[..., 1 + dims :] / count[..., None] - mean**2, 1e-2)
        return -0.5 * total[..., 0] * np.log(variance).sum(axis=-1)

    def best_split(phone, arc, members):
        own = stats[members, phone, arc]
        whole = own.sum(axis=0)
        base = likelihood(whole)
        best = (0.0, None, None, None)
        for name, question in sets.items():
            mask = np.isin(members, question)
            if not mask.any() or mask.all():
                continue
            yes = own[mask].sum(axis=0)
            no = whole - yes
            if min(yes[0], no[0]) < minimum:
                continue
            gain = likelihood(yes) + likelihood(no) - base
            if gain > best[0]:
                best = (gain, name, members[mask], members[~mask])
        return best

    import heapq

    everyone = np.arange(n)
    heap, kept, text = [], [], []
    for phone in range(n):
        for arc in (0, 1):
            heapq.heappush(heap, (-best_split(phone, arc, everyone)[0], len(heap), phone, arc, everyone))
    total = serial = len(heap)
    while heap:
        gain, _, phone, arc, members = heapq.heappop(heap)
        if gain == 0 or total >= leaves:
            kept.append((phone, arc, members))
            continue
        _, name, yes, no = best_split(phone, arc, members)
        text.append(f"{PHONES[phone]}.{'entry' if arc == 0 else 'loop'}: left in {name}? gain {-gain:.0f}")
        for side in (yes, no):
            serial += 1
            heapq.heappush(heap, (-best_split(phone, arc, side)[0], serial, phone, arc, side))
        total += 1
    pdfs = np.zeros((n, n, 2), np.int32)
    for pdf, (phone, arc, members) in enumerate(sorted(kept, key=lambda k: (k[0], k[1], k[2][0]))):
        pdfs[members, phone, arc] = pdf
    return pdfs, "\n".join(text) + "\n"


# ---- the C kernel -------------------------------------------------------------------------------------------------

_I, _F, _D = (np.ctypeslib.ndpointer(dtype=t, flags="C") for t in (np.int32, np.float32, np.float64))
_P = ctypes.c_void_p


class _Den(ctypes.Structure):
    _fields_ = [("states", ctypes.c_int32)] + [
        (name, _P) for name in "entry loop initial in_offset in_source in_weight out_offset out_target out_weight".split()
    ]


class _Num(ctypes.Structure):
    _fields_ = [("nodes", ctypes.c_int32)] + [
        (name, _P)
        for name in "entry loop entry_class loop_class initial final in_offset in_source in_weight".split()
    ]


class _Batch(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in "frames sequences pdfs classes".split()] + [
        (name, _P) for name in "lengths logits gradient class_targets numerator denominator".split()
    ]


def _fill(struct, keep, **arrays):
    for name, array in arrays.items():
        array = np.ascontiguousarray(array)
        keep.append(array)
        setattr(struct, name, array.ctypes.data)


def compile_kernel(cache):
    kernel = native.library("chain", cache, ["-fno-finite-math-only", "-fopenmp"])
    kernel.chain_align.restype = ctypes.c_double
    return kernel


class Chain:
    """LF-MMI loss with given pdfs: the denominator and every utterance's numerator, in the kernel's form."""

    def __init__(self, cache, phrases, denominator, pdfs, leak=1e-5):
        self.kernel, self.pdf_count, self.leak = compile_kernel(cache), int(pdfs.max()) + 1, leak
        self.classes = 2 * len(PHONES)
        self.keep, self.numerators, self.phrases = [], {}, phrases
        context = np.append(np.arange(len(PHONES)), SIL)  # START is scored as silence
        self.den = _Den(states=denominator.states)
        d = denominator
        tied = pdfs[context[d.left], d.phone]
        _fill(self.den, self.keep, entry=tied[:, 0], loop=tied[:, 1], initial=d.initial, in_offset=d.in_offset,
              in_source=d.in_source, in_weight=d.in_weight, out_offset=d.out_offset, out_target=d.out_target,
              out_weight=d.out_weight)
        for key, phrase in phrases.items():
            num = _Num(nodes=len(phrase.phone))
            tied = pdfs[context[phrase.left], phrase.phone]
            initial = np.zeros(num.nodes, np.float32)
            initial[phrase.first] = d.trigram[START, START, phrase.phone[phrase.first]]
            weight = d.trigram[phrase.left[phrase.source], phrase.phone[phrase.source], phrase.phone[phrase.target]]
            offset = np.concatenate([[0], np.cumsum(np.bincount(phrase.target, minlength=num.nodes))])
            _fill(num, self.keep, entry=tied[:, 0], loop=tied[:, 1], entry_class=2 * phrase.phone,
                  loop_class=2 * phrase.phone + 1, initial=initial, final=phrase.final,
                  in_offset=offset.astype(np.int32), in_source=phrase.source, in_weight=weight.astype(np.float32))
            self.numerators[key] = num

    def loss(self, keys, lengths, logits):
        """logits: float32 [frames, sequences, pdfs]. Returns (gradient of −objective, class targets, per-frame objective sum,
        frames that counted)."""
        frames, sequences, pdfs = logits.shape
        assert pdfs == self.pdf_count and logits.flags.c_contiguous and logits.dtype == np.float32
        gradient = np.zeros_like(logits)
        targets = np.zeros((frames, sequences, self.classes), np.float32)
        numerator, denominator = np.zeros(sequences), np.zeros(sequences)
        batch = _Batch(frames=frames, sequences=sequences, pdfs=pdfs, classes=self.classes)
        lengths = np.ascontiguousarray(lengths, np.int32)
        keep = []
        _fill(batch, keep, lengths=lengths)
        for name, array in dict(logits=logits, gradient=gradient, class_targets=targets, numerator=numerator,
                                denominator=denominator).items():
            setattr(batch, name, array.ctypes.data)
        numerators = (_Num * sequences)(*(self.numerators[key] for key in keys))
        self.kernel.chain_pass(ctypes.byref(self.den), numerators, ctypes.byref(batch), ctypes.c_float(self.leak))
        good = np.isfinite(numerator)
        return gradient, targets, float((numerator - denominator)[good].sum()), int(lengths[good].sum())

    def align(self, key, logits):
        """Best path: (left phone, phone, 0 entry / 1 loop) of every frame, or None."""
        logits = np.ascontiguousarray(logits, np.float32)
        path = np.zeros(len(logits), np.int32)
        score = self.kernel.chain_align(ctypes.byref(self.numerators[key]), logits.ctypes.data_as(_P), len(logits),
                                        logits.shape[1], path.ctypes.data_as(_P))
        if not np.isfinite(score):
            return None
        phrase, node = self.phrases[key], path // 2
        left = np.where(phrase.left[node] == START, SIL, phrase.left[node])
        return left, phrase.phone[node], path % 2

"""Pronunciations of English words: by hand, CMUdict, inflection, spelling and compound rules, G2P.

Each rule derives an unknown word from known ones, for words derived that way are right far more
often than a grapheme-to-phoneme model's guess: `favourable` is `favorable`, `counselled` is
`counseled`, `housemaid` is `house` + `maid`. Stress is dropped everywhere: the phone set is the
39 stressless ARPAbet symbols.
"""

import re
from pathlib import Path

from g2p import G2p

UNVOICED = {"P", "T", "K", "F", "TH"}
SIBILANT = {"S", "Z", "SH", "ZH", "CH", "JH"}

# British or nineteenth-century spelling -> American, tried wherever the pattern occurs.
SPELLING = [
    ("our", "or"), ("is(?=e|ing|ation|able)", "iz"), ("ys(?=e|ing)", "yz"), ("ll", "l"),
    ("l(?=ful|ment|l?$)", "ll"), ("tre(?=$|s|d)", "ter"), ("bre(?=$|s)", "ber"),
    ("chre(?=$|s)", "cher"), ("ence(?=$|s)", "ense"), ("ogue(?=$|s)", "og"), ("ae", "e"),
    ("oe", "e"), ("gramme", "gram"), ("xion", "ction"), ("gement", "gment"), ("eable", "able"), ("que(?=$|s)", "ck"), ("ough", "ow"),
    ("ce(?=d|$|s)", "se"), ("ey(?=$|s)", "y"), ("gaol", "jail"), ("shew", "show"),
    ("waggon", "wagon"), ("enquir", "inquir"), ("aluminium", "aluminum"), ("^en", "in"),
    ("^in", "en"), ("grey", "gray"), ("ph", "f"), ("z", "s"),
]
MIN_RESPELLED = 5  # letters: shorter words are rarely variants of others

SUFFIXES = [
    ("ly", "L IY"), ("ness", "N AH S"), ("nesses", "N AH S IH Z"), ("less", "L AH S"),
    ("lessly", "L AH S L IY"), ("lessness", "L AH S N AH S"), ("ful", "F AH L"),
    ("fully", "F AH L IY"), ("ment", "M AH N T"), ("ments", "M AH N T S"), ("like", "L AY K"),
    ("man", "M AH N"), ("men", "M AH N"), ("ship", "SH IH P"), ("hood", "HH UH D"),
    ("some", "S AH M"), ("ward", "W ER D"), ("wards", "W ER D Z"), ("wise", "W AY Z"),
    ("fold", "F OW L D"), ("er", "ER"), ("ers", "ER Z"), ("est", "AH S T"), ("ish", "IH SH"),
    ("able", "AH B AH L"), ("ably", "AH B L IY"), ("eth", "AH TH"), ("or", "ER"), ("y", "IY"),
    ("age", "IH JH"), ("ages", "IH JH IH Z"), ("let", "L AH T"), ("lets", "L AH T S"),
    ("ery", "ER IY"), ("ry", "R IY"), ("ie", "IY"), ("ies", "IY Z"), ("ily", "AH L IY"),
    ("bly", "B L IY"), ("ism", "IH Z AH M"), ("ist", "IH S T"), ("ists", "IH S T S"),
]
PREFIXES = [
    ("un", "AH N"), ("re", "R IY"), ("mis", "M IH S"), ("non", "N AA N"), ("dis", "D IH S"),
    ("inter", "IH N T ER"), ("anti", "AE N T IY"), ("semi", "S EH M IY"), ("sub", "S AH B"),
    ("pre", "P R IY"), ("super", "S UW P ER"), ("ex", "EH K S"), ("be", "B IH"), ("a", "AH"),
    ("fore", "F AO R"), ("in", "IH N"), ("im", "IH M"),
]
CLITICS = {
    "'ll": ["AH L"], "'ve": ["AH V"], "n't": ["AH N T", "N T"], "'re": ["ER"], "'m": ["M"],
    "'em": ["AH M"], "'am": ["AH M"],
}
MIN_PART = 3  # letters of the first half of a compound
# Second halves of three letters: all others are endings that happen to be words (lee-ring).
SHORT_HALVES = set(
    "arm axe bag bed box boy cap car cup day dog ear eye fly god gun hat ice jar leg lid man men "
    "mop net oak off oil one out pan pen pot rug sea set son sun tea top tub way war web".split()
)
HAND = Path(__file__).with_name("pronunciations.txt")


def load_cmudict(path):
    """word -> list of pronunciations (tuples of phones), stress and comments dropped."""
    table = {}
    for line in open(path, encoding="utf-8"):
        word, _, phones = line.split("#")[0].strip().replace("\t", " ").partition(" ")
        word = re.sub(r"\(\d+\)$", "", word)
        if not re.fullmatch(r"[a-z']+", word):
            continue
        entry = tuple(re.sub(r"\d", "", p) for p in phones.split())
        if entry not in table.setdefault(word, []):
            table[word].append(entry)
    return table


def stems(base, ending):
    """Spellings a stem may have had before `ending` was added, likeliest first.

    As is, with an e, undoubled, with y for i. One consonant after one vowel had an e (`sloped`),
    for it would have been doubled otherwise.
    """
    if ending == "ily":
        return [base + "y"]
    if ending == "bly":
        return [base + "ble"]
    out = [base]
    if ending[0] in "aeiouy":
        bare = re.search("(^|[^aeiou])[aeiou][^aeiouwxy]$", base)
        out.insert(0 if bare else 1, base + "e")
        if len(base) > 3 and base[-1] == base[-2]:
            out.append(base[:-1])
    if base.endswith("i"):
        out.append(base[:-1] + "y")
    if ending == "y" and base.endswith(("b", "p")):
        out.append(base + "le")
    return out


def plural(phones):
    """The phones with the s-ending of plurals, third persons and possessives."""
    if phones[-1] in SIBILANT:
        return phones + ("IH", "Z")
    return phones + (("S",) if phones[-1] in UNVOICED else ("Z",))


def past(phones):
    """The phones with the ending of -ed."""
    if phones[-1] in {"T", "D"}:
        return phones + ("IH", "D")
    return phones + (("T",) if phones[-1] in UNVOICED | SIBILANT - {"Z", "ZH", "JH"} else ("D",))


class Pronouncer:
    """Looks words up and derives what is missing; `source` tells which rule answered last."""

    def __init__(self, cmudict_path, common=()):
        self.table = load_cmudict(cmudict_path)
        self.table.update(load_cmudict(HAND))
        self.common = set(common)
        self.g2p = G2p()
        self.source = ""

    def pronounce(self, word):
        """All pronunciations of `word`, best rule first; never empty for [a-z']+ with a letter."""
        for name in ("dictionary", "clitic", "inflection", "affix", "spelling", "compound"):
            found = getattr(self, name)(word)
            if found:
                self.source = name
                return dedupe(found)
        self.source = "g2p"
        return [self.guess(word)]

    def known(self, word):
        """A stem's pronunciations by dictionary, spelling or inflection (one level deep)."""
        return self.dictionary(word) or self.spelling(word)

    def dictionary(self, word):
        return self.table.get(word, [])

    def spelling(self, word):
        """One or two spelling rules applied; the result must be in the dictionary."""
        if len(word) < MIN_RESPELLED:
            return []
        once = [w for rule in SPELLING for w in [re.sub(*rule, word)] if w != word]
        for w in once:
            if w in self.table:
                return self.table[w]
        for w in once:
            for rule in SPELLING[:6]:
                if re.sub(*rule, w) in self.table:
                    return self.table[re.sub(*rule, w)]
        return []

    def clitic(self, word):
        """Possessives, contractions, dropped g, and stray apostrophes at either end."""
        if word.endswith("'s"):
            return [plural(p) for p in self.any_of(word[:-2])]
        if word.endswith("s'"):
            return self.any_of(word[:-1])
        if word.endswith("in'"):
            return [p[:-1] + ("N",) for p in self.any_of(word[:-1] + "g") if p[-1] == "NG"]
        if word.endswith("'d"):
            return [past(p) for p in self.any_of(word[:-2])]
        for ending, tails in CLITICS.items():
            if word.endswith(ending):
                head = self.any_of(word[: -len(ending)])
                return [p + tuple(t.split()) for p in head for t in tails]
        if word.endswith("in") and word not in self.table and word + "g" in self.common:
            return [p[:-1] + ("N",) for p in self.any_of(word + "g") if p[-1] == "NG"]
        if "'" in word and word.strip("'"):
            return self.any_of(word.replace("'", ""))
        return []

    def any_of(self, word):
        """Pronunciations of a clitic's host by any rule, G2P included; a lone letter is its name."""
        if not word.strip("'"):
            return []
        before = self.source
        out = self.pronounce(word)
        self.source = before
        return out

    def inflection(self, word):
        """Plural, past and progressive of a known stem."""
        endings = [("s", plural), ("es", plural), ("ed", past), ("d", past),
                   ("ing", lambda p: p + ("IH", "NG")), ("ings", lambda p: p + ("IH", "NG", "Z"))]
        for ending, inflect in endings:
            base = word[: -len(ending)]
            if not word.endswith(ending) or len(base) < 3:
                continue
            if ending == "d" and not base.endswith("e"):
                continue
            for stem in stems(base, ending if ending != "es" else "e"):
                phones = self.known(stem) or self.affix(stem, depth=1)
                if phones and not (ending == "s" and stem.endswith("s")):
                    return [inflect(p) for p in phones]
        return []

    def affix(self, word, depth=0):
        """Known stem plus a productive suffix or prefix."""
        for ending, tail in sorted(SUFFIXES, key=lambda s: -len(s[0])):
            base = word[: -len(ending)]
            if not word.endswith(ending) or len(base) < 3:
                continue
            for stem in stems(base, ending):
                phones = self.known(stem) or (not depth and self.inflection(stem))
                if phones:
                    return [join(p, tail.split()) for p in phones]
        for start, head in PREFIXES:
            base = word[len(start):]
            if word.startswith(start) and len(base) > 3 and not (start == "a" and base[0] in "aeiou"):
                phones = self.known(base) or (not depth and (self.inflection(base) or self.affix(base, 1)))
                if phones:
                    return [tuple(head.split()) + p for p in phones]
        return []

    def compound(self, word):
        """Two common dictionary words written as one, split where both halves are commonest."""
        best = None
        for cut in range(MIN_PART, len(word) - MIN_PART + 1):
            a, b = word[:cut], word[cut:]
            if len(b) == MIN_PART and b not in SHORT_HALVES:
                continue
            if a in self.common and b in self.common and a in self.table and self.known_part(b):
                score = min(len(a), len(b))
                if best is None or score > best[0]:
                    best = (score, a, b)
        if best is None:
            return []
        return [self.table[best[1]][0] + self.known_part(best[2])[0]]

    def known_part(self, word):
        return self.table.get(word, []) or self.inflection(word)

    def guess(self, word):
        """The grapheme-to-phoneme model's answer; a single letter is never asked for."""
        phones = self.g2p.phones(word.replace("'", ""))
        return phones or ("AH",)


def join(stem, tail):
    """Stem plus suffix; `l` + `ly` share their L, `happy` + `ily` and `able` + `bly` their ends."""
    tail = tuple(tail)
    if stem[-1] == tail[0] == "IY":
        return stem + tail[1:]
    if tail == ("AH", "L", "IY") and stem[-1] == "IY":
        return stem[:-1] + tail
    if tail == ("B", "L", "IY") and stem[-3:] == ("B", "AH", "L"):
        return stem[:-3] + tail
    return stem + (tail[1:] if stem[-1] == tail[0] == "L" else tail)


def dedupe(found):
    return list(dict.fromkeys(found))

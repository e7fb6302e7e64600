//! Where may speech go? Lexicon, n-gram and the decoding graph.

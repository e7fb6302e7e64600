//! The counters of a speech outcome: columns of a table of outcomes beyond those that every table
//! has.
//!
//! They are defined here alone. A table of another service may have other counters, or none: what
//! needs a counter asks the table for it ([`Outcomes::counter`](super::Outcomes::counter)).

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident = $column:literal,)*) => {
        /// A counter that this library writes or reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Counter {
            $($(#[$doc])* $variant,)*
        }

        impl Counter {
            /// All counters, in the order in which they are written.
            pub const ALL: &[Counter] = &[$(Counter::$variant,)*];

            /// The name of its column.
            pub const fn column(self) -> &'static str {
                match self {
                    $(Counter::$variant => $column,)*
                }
            }
        }
    };
}

counters! {
    /// Substituted words.
    Substitutions = "substitutions",
    /// Deleted words.
    Deletions = "deletions",
    /// Inserted words.
    Insertions = "insertions",
    /// Length of the recording, in seconds.
    AudioSeconds = "audio_seconds",
    /// Seconds of work that all versions share within one process: features and acoustic scores.
    ScoresSeconds = "scores_seconds",
    /// Processor seconds of the search.
    SearchSeconds = "search_seconds",
    /// Processor seconds of rescoring.
    RescoreSeconds = "rescore_seconds",
    /// Score frames.
    Frames = "frames",
    /// Tokens expanded.
    Tokens = "tokens",
    /// Emitting arcs looked at.
    Arcs = "arcs",
    /// Epsilon arcs looked at.
    EpsilonArcs = "epsilon_arcs",
    /// Words of the answer.
    WordsHeard = "words_heard",
    /// Errors of the answer that the lattice's best word sequences expect.
    ExpectedErrors = "expected_errors",
    /// The probability that all words are right, by the lattice's best word sequences.
    Posterior = "posterior",
    /// The least probability of a word being right, by the lattice's best word sequences.
    WeakestWord = "weakest_word",
    /// How many word sequences those are.
    Alternatives = "alternatives",
    /// 1 if every segment ended in a final state, else 0.
    ReachedFinal = "reached_final",
    /// Frames in which the network top-N dropped tokens.
    CrowdedFrames = "crowded_frames",
    /// What the best path's scores fall short of the best scores of every frame, added up.
    AcousticGap = "acoustic_gap",
    /// Sum over frames of the largest extra cost that pruning allowed.
    Cutoff = "cutoff",
    /// Good paths that were nearly lost: the headroom's `near`.
    NearCutoff = "near_cutoff",
    /// How often the search's own best path was nearly lost: the headroom's `narrow`.
    Narrow = "narrow",
    /// How nearly the answer was lost, in units of cost: the headroom's `least`.
    LeastRoom = "least_room",
    /// What the path costs beyond its scores.
    GraphCost = "graph_cost",
    /// Nodes of the lattice.
    Nodes = "nodes",
    /// Sum over frames of the logarithm of how many scores were nearly the best.
    Rivals = "rivals",
    /// What the scores of the word that sounds least like itself fall short of the best scores.
    WidestGap = "widest_gap",
    /// Probability that the most accurate version does better. Policies compare it, as 1 −
    /// `improvable`, where a table has it; elsewhere they compare `confidence`.
    Improvable = "improvable",
    /// Calibrated expectation of the word errors.
    PredictedErrors = "predicted_errors",
    /// Reference words that cannot be recognised.
    Oov = "oov",
    /// 1 if the reference's own path costs less than the answer, which the search missed; else 0.
    SearchError = "search_error",
    /// The least errors that any path of the lattice has.
    LatticeErrors = "lattice_errors",
}

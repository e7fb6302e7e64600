//! `paretone._paretone`: the recogniser for Python. What people import is the package around it
//! (`python/paretone`), which holds the plain classes, the errors and the types.
//!
//! A long call lets go of Python's lock and can be interrupted (`interrupt`); arrays come in
//! without a copy where their kind and layout allow (`arrays`).

mod answer;
mod arrays;
mod decoder;
mod errors;
mod graph;
mod hearing;
mod interrupt;
mod lattice;
mod measuring;
mod network;
mod numbers;
mod recognizer;
mod recording;
mod routing;
mod scores;
mod stream;
mod subtitles;
mod tuning;
mod words;

/// The recogniser, for the package around it.
#[pyo3::pymodule(gil_used = false)]
mod _paretone {
    /// The package's version.
    #[expect(non_upper_case_globals, reason = "Python's name")]
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// The lowest sampling rate that is taken, in samples per second.
    #[expect(non_upper_case_globals, reason = "Python's name")]
    #[pymodule_export]
    const lowest_rate: u32 = *paretone::audio::RATES.start();

    /// The highest.
    #[expect(non_upper_case_globals, reason = "Python's name")]
    #[pymodule_export]
    const highest_rate: u32 = *paretone::audio::RATES.end();

    #[pymodule_export]
    use super::decoder::Decoder;
    #[pymodule_export]
    use super::graph::Graph;
    #[pymodule_export]
    use super::measuring::{
        Log, claim_folder, corpus_of, kind_of, kind_of_network, measure_settings,
        measure_settings_of_scores, measure_versions, measure_versions_of_scores, plain_settings,
        random_settings, save_outcomes, save_points, save_words,
    };
    #[pymodule_export]
    use super::network::Network;
    #[pymodule_export]
    use super::recognizer::Recognizer;
    #[pymodule_export]
    use super::routing::{Routing, Stop, Watch, hear_version};
    #[pymodule_export]
    use super::scores::Scores;
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::subtitles::{digits, subtitles};
    #[pymodule_export]
    use super::tuning::{
        close_settings, fit_confidence, grid_settings, learn_rules, part_speech, pick_versions,
        samples_of, tried_on, tuning_bases, tuning_steps,
    };
}

//! `paretone._paretone`: the recogniser for Python. What people import is the package around it
//! (`python/paretone`), which holds the plain classes, the errors and the types.
//!
//! A long call lets go of Python's lock and can be interrupted (`interrupt`); arrays come in without a
//! copy where their kind and layout allow (`arrays`).

mod answer;
mod arrays;
mod decoder;
mod errors;
mod graph;
mod hearing;
mod interrupt;
mod measuring;
mod recognizer;
mod recording;
mod routing;
mod scores;
mod stream;
mod subtitles;
mod words;

/// The recogniser, for the package around it.
#[pyo3::pymodule(gil_used = false)]
mod _paretone {
    #[pymodule_export]
    use super::decoder::Decoder;
    #[pymodule_export]
    use super::graph::Graph;
    #[pymodule_export]
    use super::measuring::{
        Log, claim_folder, corpus_of, kind_of, measure_settings, measure_versions, plain_settings,
        random_settings, save_outcomes, save_points,
    };
    #[pymodule_export]
    use super::recognizer::Recognizer;
    #[pymodule_export]
    use super::routing::{Routing, Stop, hear_version};
    #[pymodule_export]
    use super::scores::Scores;
    #[pymodule_export]
    use super::stream::Stream;
    #[pymodule_export]
    use super::subtitles::{digits, subtitles};
}

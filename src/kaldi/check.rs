//! The readers one by one, over bytes: for tests and fuzzing. `VoskFolder::import` runs them all.

use std::path::Path;

use super::KaldiError;
use super::conf::Conf;
use super::const_arpa::ConstArpaLm;
use super::front_end::front_end;
use super::import::final_mdl;
use super::ivector::{final_dubm, final_ie};
use super::language_fst::LanguageFst;
use super::nnet::{Component, Nnet, fold};
use crate::feature::FeatureKind;
use crate::graph::{Automaton, GraphError, LookAhead};
use crate::units::{Cost, WordId};

/// Input frames in an output frame.
const SUBSAMPLING: usize = 3;
/// Rows and columns of the component that stands for all.
const SQUARE: usize = 4;

/// Reads the bytes of a `final.mdl` and folds its network; returns the number of layers.
///
/// # Errors
/// As [`VoskFolder::import`](super::VoskFolder::import).
pub fn check_final_mdl(bytes: &[u8]) -> Result<usize, KaldiError> {
    let path = Path::new("final.mdl");
    let (_, nnet) = final_mdl(bytes, path)?;
    let folded = fold(&nnet, SUBSAMPLING);
    let folded = folded.map_err(|what| KaldiError::Network { path: path.to_owned(), what })?;
    Ok(folded.layers.len())
}

/// Folds a network of these config lines, each component of which is an affine of four values;
/// returns the number of layers.
///
/// # Errors
/// What is wrong with the lines.
pub fn check_config_lines(text: &str) -> Result<usize, String> {
    let mut nnet = Nnet::default();
    text.lines().try_for_each(|line| nnet.add(line))?;
    let names: Vec<String> =
        nnet.nodes.values().filter_map(|node| node.component.clone()).collect();
    for name in names {
        let component = match name.starts_with("relu") {
            true => Component::Relu,
            false => {
                Component::Affine { weights: ndarray::Array2::eye(SQUARE), bias: vec![0.0; SQUARE] }
            }
        };
        nnet.components.insert(name, component);
    }
    fold(&nnet, SUBSAMPLING).map(|folded| folded.layers.len())
}

/// Reads the bytes of an `mfcc.conf`; returns the number of values in a frame.
///
/// # Errors
/// What is wrong with the file.
pub fn check_front_end(bytes: &[u8]) -> Result<usize, KaldiError> {
    let conf = Conf::parse(bytes, Path::new("mfcc.conf"))?;
    Ok(front_end(&conf, FeatureKind::Mfcc)?.dims())
}

/// Reads the bytes of a `final.ie`; returns the number of Gaussians.
///
/// # Errors
/// What is wrong with the file.
pub fn check_extractor(bytes: &[u8]) -> Result<usize, KaldiError> {
    Ok(final_ie(bytes, Path::new("final.ie"))?.factors.len())
}

/// Reads the bytes of a `final.dubm`; returns the number of Gaussians.
///
/// # Errors
/// What is wrong with the file.
pub fn check_mixture(bytes: &[u8]) -> Result<usize, KaldiError> {
    Ok(final_dubm(bytes, Path::new("final.dubm"))?.weights.len())
}

/// Reads the bytes of a `Gr.fst`; returns the numbers of its states and arcs.
///
/// # Errors
/// What is wrong with the file.
pub fn check_language_fst(bytes: &[u8]) -> Result<(usize, usize), GraphError> {
    let (automaton, _) = Automaton::read(bytes)?;
    Ok((automaton.num_states(), automaton.arcs().len()))
}

/// Reads the bytes of an `HCLr.fst`; returns the numbers of its states and arcs.
///
/// # Errors
/// What is wrong with the file.
pub fn check_lexicon_fst(bytes: &[u8]) -> Result<(usize, usize), GraphError> {
    let LookAhead { automaton, .. } = LookAhead::read(bytes)?;
    Ok((automaton.num_states(), automaton.arcs().len()))
}

/// Reads the bytes of a `G.carpa`; returns what these words cost one behind the other, and ending
/// after them.
///
/// # Errors
/// What is wrong with the file.
pub fn check_const_arpa(bytes: &[u8], words: &[u32]) -> Result<Vec<f32>, KaldiError> {
    let model = ConstArpaLm::read(bytes.to_vec(), Path::new("G.carpa"))?;
    Ok(costs(words, model.start(), |at, word| model.step(at, word), |at| model.end(at)))
}

/// As [`check_const_arpa`], of a `G.fst`.
///
/// # Errors
/// What is wrong with the file.
pub fn check_subtracted_fst(bytes: &[u8], words: &[u32]) -> Result<Vec<f32>, KaldiError> {
    let (automaton, _) = Automaton::read(bytes)?;
    let model = LanguageFst::new(automaton, Path::new("G.fst"))?;
    Ok(costs(words, model.start(), |at, word| model.step(at, word), |at| model.end(at)))
}

/// What words cost in a language model one behind the other, from `at` on, and ending after them.
fn costs<H: Copy>(
    words: &[u32],
    mut at: H,
    step: impl Fn(H, WordId) -> (H, Cost),
    end: impl FnOnce(H) -> Cost,
) -> Vec<f32> {
    let mut say = |&word: &u32| {
        let (next, cost) = step(at, WordId(word));
        at = next;
        cost.0
    };
    let mut costs: Vec<f32> = words.iter().map(&mut say).collect();
    costs.push(end(at).0);
    costs
}

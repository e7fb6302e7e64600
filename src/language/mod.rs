//! Which word comes next, by all the words before it?
//!
//! [`NeuralModel`] is a recurrent network: one LSTM layer with a projection [Sak et al. 2014]
//! between tied tables of word vectors [Press and Wolf 2017], in which rare words have short
//! vectors that a matrix widens [Baevski and Auli 2019]. It was trained so that the sum over all
//! words is near one [Devlin et al. 2014], hence a word's probability costs one product of two
//! vectors.
//!
//! [`Histories`] remembers what was asked: beginnings that several paths share are computed once.
//! [`Mixture`] joins the network with the n-gram that weighed the paths before.

mod cell;
mod error;
mod file;
mod histories;
mod matrix;
mod mixture;
mod network;
mod vectors;
mod word_gates;

#[cfg(test)]
mod tests;

pub use error::LanguageError;
pub use histories::Histories;
pub use mixture::{Mixture, Reached};
pub use network::{NeuralModel, Next, Workspace};

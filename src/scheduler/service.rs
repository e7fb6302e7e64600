//! What a scheduler schedules: a service with several versions.

use crate::decode::Cancel;

/// A service whose versions answer the same requests. Immutable: all workers share it.
pub trait Service: Send + Sync + 'static {
    /// What is asked.
    type Request: Send + Sync;
    /// What all versions work from, made once for a request; for speech the scores.
    type Prepared: Send + Sync;
    /// What is answered.
    type Answer: Send;
    /// Why there is no answer.
    type Error: std::error::Error + Send + 'static;
    /// A worker's memory, reused from request to request.
    type Scratch;

    /// An empty memory for a worker.
    fn scratch(&self) -> Self::Scratch;

    /// Makes what all versions work from.
    ///
    /// # Errors
    /// The request cannot be used, or `cancel` told to stop.
    fn prepare(
        &self,
        request: &Self::Request,
        cancel: &Cancel,
        scratch: &mut Self::Scratch,
    ) -> Result<Self::Prepared, Self::Error>;

    /// How many parts of a request are decided one by one, as the segments of a long recording are:
    /// at least one.
    fn parts(&self, _prepared: &Self::Prepared) -> usize {
        1
    }

    /// The answer of a version to a part, both by their numbers.
    ///
    /// # Errors
    /// The version has none, or `cancel` told to stop.
    fn run(
        &self,
        prepared: &Self::Prepared,
        version_and_part: (usize, usize),
        cancel: &Cancel,
        scratch: &mut Self::Scratch,
    ) -> Result<Judged<Self::Answer>, Self::Error>;

    /// The answer to the whole request, of those to all of its parts in their order, which may be
    /// of different versions. A service whose requests have one part has nothing to join.
    fn join(
        &self,
        _prepared: &Self::Prepared,
        parts: Vec<Judged<Self::Answer>>,
    ) -> Judged<Self::Answer> {
        parts.into_iter().next().expect("a request has at least one part")
    }
}

/// An answer and how far to trust it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged<A> {
    /// The answer.
    pub answer: A,
    /// How sure the version is of it, from 0 to 1; larger is surer.
    pub confidence: f64,
    /// What policies compare, from 0 to 1: how sure the version is that no other does better. A
    /// service that knows nothing of others gives its confidence.
    pub sure: f64,
}

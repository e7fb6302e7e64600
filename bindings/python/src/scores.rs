//! A recording's scores: made once, searched often.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use paretone::recognizer::ScoredAudio;
use pyo3::prelude::*;

/// What a recording sounds like to the network: for each frame and each of its classes (pdfs) a natural-log
/// pseudo-likelihood, scaled as the search wants it.
///
/// `Recognizer.scores` makes it, and `Recognizer.search` takes it as often as one likes. Only what the speech
/// gate lets through is scored, in one or more segments; `numpy.asarray(scores)` is all of them, one after
/// the other.
///
/// Attributes
/// ----------
/// shape : tuple of int
///     Frames and pdfs.
/// audio_seconds : float
///     How long the recording is, in seconds.
/// segments : list of (float, numpy.ndarray)
///     Where each segment begins, in seconds, and a copy of its scores: ``float32``, frames × pdfs.
#[pyclass(frozen, module = "paretone")]
pub struct Scores {
    pub scored: ScoredAudio,
}

#[pymethods]
impl Scores {
    #[getter]
    fn shape(&self) -> (usize, usize) {
        let segments = self.scored.segments();
        let frames = segments.iter().map(|segment| segment.scores.num_frames());
        let pdfs = segments.first().map_or(0, |segment| segment.scores.num_pdfs());
        (frames.sum(), pdfs)
    }

    #[getter]
    fn audio_seconds(&self) -> f64 {
        self.scored.audio.0
    }

    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Vec<(f64, Bound<'py, PyArray2<f32>>)>> {
        let segments = self.scored.segments().iter();
        segments
            .map(|segment| {
                let (start, scores) = (segment.start(), &segment.scores);
                let rows = PyArray1::from_slice(py, scores.as_slice());
                let shape = [scores.num_frames(), scores.num_pdfs()];
                Ok((start.0, rows.reshape(shape)?))
            })
            .collect()
    }

    fn __len__(&self) -> usize {
        self.shape().0
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if copy == Some(false) {
            return Err(crate::errors::value(
                "scores are copied into an array: leave out copy=False",
            ));
        }
        let segments = self.scored.segments().iter();
        let all: Vec<f32> =
            segments.flat_map(|segment| segment.scores.as_slice()).copied().collect();
        let (frames, pdfs) = self.shape();
        let array = PyArray1::from_vec(py, all).reshape([frames, pdfs])?;
        match dtype {
            None => Ok(array.into_any()),
            Some(dtype) => array.call_method1("astype", (dtype,)),
        }
    }

    fn __repr__(&self) -> String {
        let (frames, pdfs) = self.shape();
        let seconds = self.scored.audio.0;
        format!("Scores({frames} frames x {pdfs} pdfs, {seconds:.2} s of audio)")
    }
}

//! The search over a graph, for scores of any network.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use paretone::confidence::doubt;
use paretone::decode::{
    Cancel, DecodeError, Decoder as Search, Hypothesis, Knob, Pruning, Scorer, Scratch,
};
use paretone::graph::{Graph as Automaton, WordTable};
use paretone::units::{Seconds, WordId};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arrays;
use crate::errors::{of_decode, of_decode_at, value, value_of};
use crate::graph::Graph;
use crate::interrupt::interruptible;
use crate::lattice::Columns;
use crate::numbers;

/// The search over a graph with one setting of its knobs, for scores of any network.
///
/// Parameters
/// ----------
/// graph : paretone.ctc.Graph
///     Where speech may go.
/// frame_shift : float, default 0.02
///     Seconds from one row of the scores to the next.
/// acoustic_scale : float, default 1.0
///     What scores are multiplied by; larger trusts the sound more than the language model. Another
///     scale than 1 copies the scores.
/// **knobs : float
///     ``network_beam``, ``network_top_n``, ``min_active``, ``global_beam``, ``global_top_n``,
///     ``local_beam``, ``local_top_n``, ``arc_budget``, ``lattice_beam``: larger is slower and more
///     accurate; ``math.inf`` switches one off, and 0 ``min_active``.
#[pyclass(frozen, module = "paretone")]
pub struct Decoder {
    automaton: Arc<Automaton>,
    words: Arc<WordTable>,
    pruning: Pruning,
    shift: Seconds,
    scale: f32,
    scratches: Mutex<Vec<Scratch>>,
}

/// Rows of scores where they lie.
struct Rows<'a> {
    data: &'a [f32],
    columns: usize,
    frames: usize,
}

impl Scorer for Rows<'_> {
    fn num_frames(&self) -> usize {
        self.frames
    }

    fn num_pdfs(&self) -> usize {
        self.columns
    }

    fn frame(&self, frame: usize) -> &[f32] {
        &self.data[frame * self.columns..][..self.columns]
    }
}

/// An answer, and the seconds it took.
struct Decoded {
    seconds: f64,
    heard: Hypothesis,
    confidences: Vec<f64>,
    posterior: f64,
    others: Vec<(Hypothesis, f64)>,
}

/// Frames that a search goes through before a signal would have to wait for too long.
const SHORT: usize = 4000;

#[pymethods]
impl Decoder {
    #[new]
    #[pyo3(signature = (graph, *, frame_shift=0.02, acoustic_scale=1.0, **knobs))]
    fn new(
        graph: &Graph,
        frame_shift: f64,
        acoustic_scale: f32,
        knobs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let above_zero = |number: f64| number > 0.0 && number.is_finite();
        if !above_zero(frame_shift) || !above_zero(acoustic_scale.into()) {
            return Err(value("frame_shift and acoustic_scale are numbers above 0"));
        }
        let mut pruning = Pruning::default();
        for (name, number) in knobs.into_iter().flatten() {
            let knob = knob(&name.extract::<String>()?)?;
            let number: f64 = number.extract()?;
            if !knob.allows(number) {
                return Err(value(format!(
                    "{knob}={number}: beams are 0 or more, counts 1 or more"
                )));
            }
            pruning.set(knob, number);
        }
        Ok(Decoder {
            automaton: Arc::clone(&graph.automaton),
            words: Arc::clone(&graph.words),
            pruning,
            shift: Seconds(frame_shift),
            scale: acoustic_scale,
            scratches: Mutex::default(),
        })
    }

    /// What scores say.
    ///
    /// Parameters
    /// ----------
    /// log_probs : array of float
    ///     Natural logarithms, frames × tokens. A C-contiguous ``float32`` array is read where it
    ///     lies; another is copied once.
    /// n_best : int, default 0
    ///     How many different answers to give in ``alternatives``.
    ///
    /// Returns
    /// -------
    /// paretone.Decoded
    ///     The words with their times (seconds) and their probabilities by the lattice.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     The scores are no matrix of floats, have too few columns, or hold NaN.
    #[pyo3(signature = (log_probs, n_best=0))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        log_probs: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = numbers::n_best)] n_best: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let matrix = arrays::matrix(log_probs)?;
        let (frames, columns) = (matrix.shape()[0], matrix.shape()[1]);
        let data = matrix.as_slice()?;
        let rows = Rows { data, columns, frames };
        let decoded = match frames < SHORT {
            true => py.detach(|| self.search(&rows, n_best, None)),
            false => {
                let stop = [Cancel::new()];
                interruptible(py, &stop, || self.search(&rows, n_best, Some(stop[0].clone())))?
            }
        };
        self.answer(py, &decoded.map_err(|error| of_decode(&error))?)
    }

    /// The lattice of scores: all paths that the search kept, within ``lattice_beam`` of the best.
    ///
    /// Parameters
    /// ----------
    /// log_probs : array of float
    ///     As for `decode`.
    ///
    /// Returns
    /// -------
    /// paretone.Lattice
    ///     Its nodes and arcs, as columns.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     As `decode`.
    fn lattice<'py>(
        &self,
        py: Python<'py>,
        log_probs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let matrix = arrays::matrix(log_probs)?;
        let (frames, columns) = (matrix.shape()[0], matrix.shape()[1]);
        let rows = Rows { data: matrix.as_slice()?, columns, frames };
        let stop = [Cancel::new()];
        let kept = interruptible(py, &stop, || {
            self.with_scratch(&rows, Some(stop[0].clone()), |rows, scratch| {
                let lattice = Search::new(&self.automaton, self.pruning)?.lattice(rows, scratch)?;
                Ok(Columns::of(&lattice, self.shift))
            })
        })?;
        kept.map_err(|error| of_decode(&error))?.lattice(py)
    }

    /// What many matrices say, worked on by several threads.
    ///
    /// Parameters
    /// ----------
    /// log_probs : iterable of arrays of float
    ///     Matrices as `decode` takes them, or one array, matrices × frames × tokens.
    /// n_best : int, default 0
    ///     As for `decode`.
    /// lengths : sequence of int, optional
    ///     How many frames of each matrix count, where they are padded; by default all.
    /// jobs : int, optional
    ///     How many threads; by default one a processor.
    ///
    /// Returns
    /// -------
    /// list of paretone.Decoded
    ///     In the order of the matrices; each as `decode` gives it.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     As `decode`, naming the first such matrix, counted from 0; lengths that are not the
    ///     matrices'.
    #[pyo3(signature = (log_probs, n_best=0, *, lengths=None, jobs=None))]
    fn decode_batch<'py>(
        &self,
        py: Python<'py>,
        log_probs: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = numbers::n_best)] n_best: usize,
        #[pyo3(from_py_with = numbers::lengths)] lengths: Option<Vec<usize>>,
        #[pyo3(from_py_with = numbers::jobs)] jobs: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let matrices = log_probs.try_iter()?.map(|one| arrays::matrix(&one?));
        let matrices = matrices.collect::<PyResult<Vec<_>>>()?;
        let all = batch(&matrices, lengths.as_deref())?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = jobs.unwrap_or_else(cores).clamp(1, all.len().max(1));
        let stop = [Cancel::new()];
        let work = || self.search_all(&all, n_best, jobs, &stop[0]);
        let decoded = interruptible(py, &stop, work)?;
        let answers = decoded.into_iter().enumerate().map(|(at, decoded)| {
            let decoded = decoded.map_err(|error| of_decode_at(at, &error))?;
            self.answer(py, &decoded)
        });
        answers.collect()
    }

    fn __repr__(&self) -> String {
        let on = Knob::ALL
            .into_iter()
            .map(|knob| (knob, self.pruning.get(knob)))
            .filter(|&(knob, number)| number != knob.off());
        let on: Vec<String> = on.map(|(knob, number)| format!("{knob}={number}")).collect();
        format!("Decoder({})", on.join(", "))
    }
}

/// The knob of this name.
///
/// # Errors
/// A `ValueError`: there is none.
pub fn knob(name: &str) -> PyResult<Knob> {
    name.parse().map_err(|error: paretone::decode::UnknownKnob| value_of(&error))
}

/// The rows that count of each matrix.
fn batch<'a>(
    matrices: &'a [PyReadonlyArray2<'_, f32>],
    lengths: Option<&[usize]>,
) -> PyResult<Vec<Rows<'a>>> {
    if lengths.is_some_and(|lengths| lengths.len() != matrices.len()) {
        return Err(value("lengths are as many as the matrices"));
    }
    let rows = |(at, matrix): (usize, &'a PyReadonlyArray2<'_, f32>)| {
        let (most, columns) = (matrix.shape()[0], matrix.shape()[1]);
        let frames = lengths.map_or(most, |lengths| lengths[at]);
        if frames > most {
            return Err(value(format!(
                "matrix {at} has {most} frames, and its length is {frames}"
            )));
        }
        let data = &matrix.as_slice()?[..frames * columns];
        Ok(Rows { data, columns, frames })
    };
    matrices.iter().enumerate().map(rows).collect()
}

impl Decoder {
    /// Searches each; answers are in the order of the matrices.
    fn search_all(
        &self,
        all: &[Rows<'_>],
        n_best: usize,
        jobs: usize,
        stop: &Cancel,
    ) -> Vec<Result<Decoded, DecodeError>> {
        let next = AtomicUsize::new(0);
        let worker = || {
            let mut made = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(rows) = all.get(at) else { return made };
                made.push((at, self.search(rows, n_best, Some(stop.clone()))));
            }
        };
        let mut made = thread::scope(|scope| {
            let others: Vec<_> = (1..jobs).map(|_| scope.spawn(worker)).collect();
            let mut made = worker();
            for other in others {
                made.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            made
        });
        made.sort_unstable_by_key(|&(at, _)| at);
        made.into_iter().map(|(_, decoded)| decoded).collect()
    }

    fn search(
        &self,
        rows: &Rows<'_>,
        n_best: usize,
        cancel: Option<Cancel>,
    ) -> Result<Decoded, DecodeError> {
        let began = Instant::now();
        let decoded = self
            .with_scratch(rows, cancel, |rows, scratch| self.search_with(rows, n_best, scratch));
        decoded.map(|decoded| Decoded { seconds: began.elapsed().as_secs_f64(), ..decoded })
    }

    /// Does some work on the scaled rows with a scratch that is put back.
    fn with_scratch<T>(
        &self,
        rows: &Rows<'_>,
        cancel: Option<Cancel>,
        work: impl FnOnce(&Rows<'_>, &mut Scratch) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let scaled: Vec<f32>;
        let rows = match self.scale == 1.0 {
            true => rows,
            false => {
                scaled = rows.data.iter().map(|score| score * self.scale).collect();
                &Rows { data: &scaled, ..*rows }
            }
        };
        let free = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = free().pop();
        let mut scratch = taken.unwrap_or_default();
        scratch.cancel = cancel;
        let done = work(rows, &mut scratch);
        scratch.cancel = None;
        free().push(scratch);
        done
    }

    fn search_with(
        &self,
        rows: &Rows<'_>,
        n_best: usize,
        scratch: &mut Scratch,
    ) -> Result<Decoded, DecodeError> {
        let lattice = Search::new(&self.automaton, self.pruning)?.lattice(rows, scratch)?;
        let cancel = scratch.cancel.as_ref();
        let paths = lattice.paths();
        let heard = paths.best();
        let risk = doubt(&paths, &heard, cancel)?;
        let mut others = Vec::new();
        if n_best > 0 {
            for other in paths.n_best(n_best) {
                let posterior = doubt(&paths, &other, cancel)?.sequence;
                others.push((other, posterior));
            }
        }
        Ok(Decoded {
            seconds: 0.0,
            heard,
            confidences: risk.words,
            posterior: risk.sequence,
            others,
        })
    }

    fn answer<'py>(&self, py: Python<'py>, decoded: &Decoded) -> PyResult<Bound<'py, PyAny>> {
        let classes = py.import("paretone._result")?;
        let (word, other) = (classes.getattr("Word")?, classes.getattr("Alternative")?);
        let at = |seconds: Seconds| (seconds.0 * 1000.0).round() / 1000.0;
        let words = { decoded.heard.words.iter().zip(&decoded.confidences) }
            .map(|(heard, &confidence)| {
                let (start, end) = heard.seconds(self.shift);
                word.call1((self.name(heard.id), at(start), at(end), confidence))
            })
            .collect::<PyResult<Vec<_>>>()?;
        let others = { decoded.others.iter() }
            .map(|(heard, posterior)| {
                let names: Vec<&str> = heard.words.iter().map(|word| self.name(word.id)).collect();
                other.call1((names.join(" "), heard.cost.0, posterior))
            })
            .collect::<PyResult<Vec<_>>>()?;
        let heard = &decoded.heard;
        let parts = heard.parts.unwrap_or_default();
        let fields = (
            PyTuple::new(py, words)?,
            decoded.posterior,
            heard.cost.0,
            parts.acoustic.0,
            parts.graph.0,
            heard.reached_final,
            PyTuple::new(py, others)?,
            decoded.seconds,
        );
        classes.getattr("Decoded")?.call1(fields)
    }

    fn name(&self, id: WordId) -> &str {
        self.words.name(id).unwrap_or("<?>")
    }
}

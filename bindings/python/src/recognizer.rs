//! The recogniser's class.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use paretone::acoustic::{Precision, Scores as Matrix};
use paretone::decode::Cancel;
use paretone::recognizer::{Options, ScoredAudio, StreamOptions, shelf};
use paretone::units::Hertz;
use paretone::{RecognizerScratch, Rules, Tiers, TiersError};
use pyo3::prelude::*;

use crate::answer::result;
use crate::arrays;
use crate::errors::{of_class, of_recognizer, of_tiers, value, value_of};
use crate::hearing::{self, How};
use crate::interrupt::interruptible;
use crate::numbers;
use crate::recording::Recording;
use crate::scores::Scores;
use crate::stream::Stream;
use crate::words::word_list;

/// A model, opened and ready. It never changes: threads may share it, and each call lets go of
/// Python's lock.
///
/// Parameters
/// ----------
/// model : str or os.PathLike, optional
///     A model's folder (ours, or one of Vosk's) or its name. By default ``$PARETONE_MODEL``, else
///     the model ``en`` where the command line finds it (``models`` in the working folder,
///     ``~/.local/share/paretone/models`` and so on), else the one that came with this package.
/// precision : {"auto", "f32", "int8"}, default "auto"
///     In which numbers the network multiplies; "auto" is the fastest.
/// large_model : bool, default True
///     Whether to open the large language models; without them nothing is rescored.
/// speech_gate : bool, default True
///     Whether what is no speech is left out.
/// mmap : bool, default True
///     Whether graph and language models are mapped from their files; in memory (False) they take
///     0.1 to 0.2 s more to open, and a wide search takes some per cent less where the system has
///     huge pages.
/// words : sequence of str or path, optional
///     Words and phrases of one's own, as `with_words` takes them.
///
/// Raises
/// ------
/// paretone.ModelError
///     There is no such model, or it cannot be used.
///
/// Examples
/// --------
/// >>> import paretone
/// >>> asr = paretone.Recognizer()
/// >>> asr.sample_rate
/// 16000
#[pyclass(frozen, module = "paretone")]
pub struct Recognizer {
    pub inner: Arc<paretone::Recognizer>,
    pub precision: Precision,
    /// Opened at the first tolerance.
    tiers: Mutex<Option<Arc<Tiers>>>,
    /// As many as ever worked at once.
    scratches: Mutex<Vec<RecognizerScratch>>,
}

/// How to hear, as Python says it.
struct Asked<'a, 'py> {
    version: Option<&'a str>,
    setting: Option<&'a str>,
    tolerance: Option<Bound<'py, PyAny>>,
    objective: Option<&'a str>,
    n_best: usize,
}

#[pymethods]
impl Recognizer {
    #[new]
    #[pyo3(signature = (model=None, *, precision="auto", large_model=true, speech_gate=true, mmap=true, words=None))]
    fn new(
        py: Python<'_>,
        model: Option<PathBuf>,
        precision: &str,
        large_model: bool,
        speech_gate: bool,
        mmap: bool,
        words: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let words = words.map(word_list).transpose()?;
        let folder = model_folder(py, model)?;
        let precision: Precision = precision.parse().map_err(|error| value_of(&error))?;
        let options = Options::default()
            .precision(precision)
            .large_model(large_model)
            .speech_gate(speech_gate)
            .private_copies(!mmap);
        let open = || {
            let plain = paretone::Recognizer::open_with(folder, options)?;
            words
                .map_or(Ok(None), |words| plain.with_words(&words).map(Some))
                .map(|own| own.unwrap_or(plain))
        };
        let inner = interruptible(py, &[], open)?.map_err(of_recognizer)?;
        Ok(Recognizer::new_with(inner, precision))
    }

    /// The same model, which also knows words of one's own, and thinks them likelier than usual.
    ///
    /// Network and language models are shared with this one; it takes some 0.1 s for a thousand
    /// words. Those of an earlier list are not kept. Nothing is certified of a model with such
    /// words: at every tolerance the most accurate version answers, with a warning.
    ///
    /// Parameters
    /// ----------
    /// words : sequence of str or path
    ///     A word or phrase each, as it is to be written, perhaps with a boost and phones:
    ///     ``"Paretone"``, ``"Ada Lovelace"``, ``"Paretone 3.0 P EH R AH T OW N"``; or a file with
    ///     one a line.
    ///
    /// Returns
    /// -------
    /// paretone.Recognizer
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     A line is no word, or the file cannot be read.
    /// paretone.ModelError
    ///     A word cannot be pronounced.
    fn with_words(&self, py: Python<'_>, words: &Bound<'_, PyAny>) -> PyResult<Self> {
        let list = word_list(words)?;
        let made = interruptible(py, &[], || self.inner.with_words(&list))?;
        let inner = made.map_err(of_recognizer)?;
        Ok(Recognizer::new_with(inner, self.precision))
    }

    /// The model's name.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// The model's folder.
    #[getter]
    fn folder(&self) -> PathBuf {
        self.inner.folder().into()
    }

    /// Samples per second that the model listens at, to which every recording is brought.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.inner.sample_rate().0
    }

    /// Seconds from one row of scores to the next.
    #[getter]
    fn frame_shift(&self) -> f64 {
        self.inner.frame_shift().0
    }

    /// The knobs that are used by default, as text: those of the most accurate version.
    #[getter]
    fn setting(&self) -> String {
        self.inner.setting().to_string()
    }

    /// The model's versions, fastest first.
    #[getter]
    fn versions<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        versions_of(py, self.inner.versions())
    }

    /// What is said in a recording.
    ///
    /// Parameters
    /// ----------
    /// audio : str, os.PathLike, binary file, bytes or array of float
    ///     A file of any kind that the command line reads, by its path or opened, the bytes of one,
    ///     or the samples of one channel, nominally from -1 to 1. A C-contiguous ``float32`` array is read where it lies;
    ///     other floats are copied once.
    /// rate : int, optional
    ///     Samples per second of an array; by default the model's, 16000. A file says its own.
    /// version : str, optional
    ///     "v1" (fastest) to "v7" (most accurate), which is the default.
    /// setting : str, optional
    ///     Knobs in place of a version, as in ``"network_beam=11 lattice_beam=4 rescore"``.
    /// tolerance : float or str, optional
    ///     How many more errors than the most accurate version's are tolerated, relative to those:
    ///     ``0.05`` or ``"5%"``. The cheapest policy that is certified to keep that answers.
    /// objective : {"response-time", "cost"}, optional
    ///     What a tolerance saves; by default the response time.
    /// n_best : int, default 0
    ///     How many different answers to give in ``alternatives``.
    /// channel : int, optional
    ///     Hear this channel of a file, the first being 1; by default the average of all.
    ///
    /// Returns
    /// -------
    /// paretone.Result
    ///     The words with their times (seconds) and confidences (0 to 1, or None).
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     An argument means nothing: integers, two dimensions, NaN, an unknown version.
    /// paretone.AudioError
    ///     The recording cannot be read; `paretone.MissingFile` (a `FileNotFoundError` too) where
    ///     there is none.
    #[pyo3(signature = (audio, rate=None, *, version=None, setting=None, tolerance=None, objective=None, n_best=0, channel=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn transcribe(
        &self,
        py: Python<'_>,
        audio: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = numbers::rate)] rate: Option<Hertz>,
        version: Option<&str>,
        setting: Option<&str>,
        tolerance: Option<Bound<'_, PyAny>>,
        objective: Option<&str>,
        #[pyo3(from_py_with = numbers::n_best)] n_best: usize,
        #[pyo3(from_py_with = numbers::channel)] channel: Option<usize>,
    ) -> PyResult<Py<PyAny>> {
        let asked = Asked { version, setting, tolerance, objective, n_best };
        let how = self.how(py, asked)?;
        let recording = self.recording(audio, rate)?;
        let source = recording.source(channel)?;
        let stop = [Cancel::new(), Cancel::new()];
        let heard = interruptible(py, &stop.clone(), || {
            self.with_scratch(|scratch| how.hear(&self.inner, &source, scratch, stop))
        })?;
        result(py, &heard.map_err(of_tiers)?)
    }

    /// The network's scores of a recording, to be searched as often as one likes.
    ///
    /// Parameters
    /// ----------
    /// audio, rate, channel
    ///     As `transcribe` takes them.
    ///
    /// Returns
    /// -------
    /// paretone.Scores
    ///     ``numpy.asarray(scores)`` is a ``float32`` matrix, frames × pdfs.
    #[pyo3(signature = (audio, rate=None, *, channel=None))]
    fn scores(
        &self,
        py: Python<'_>,
        audio: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = numbers::rate)] rate: Option<Hertz>,
        #[pyo3(from_py_with = numbers::channel)] channel: Option<usize>,
    ) -> PyResult<Scores> {
        let recording = self.recording(audio, rate)?;
        let source = recording.source(channel)?;
        let stop = [Cancel::new()];
        let scored = interruptible(py, &stop, || {
            self.with_scratch(|scratch| {
                scratch.cancel_by(Some(stop[0].clone()));
                let mut signal = source.signal(self.inner.sample_rate())?;
                self.inner.score_signal(&mut signal, scratch)
            })
        })?;
        let scored = scored.map_err(of_recognizer)?;
        Ok(Scores { scored })
    }

    /// What scores say.
    ///
    /// Parameters
    /// ----------
    /// scores : paretone.Scores or array of float
    ///     What `scores` gave, or a matrix of the same kind, frames × pdfs, as one segment; it is
    ///     copied once.
    /// version, setting, n_best
    ///     As `transcribe` takes them.
    ///
    /// Returns
    /// -------
    /// paretone.Result
    ///     The same that `transcribe` hears in the recording.
    #[pyo3(signature = (scores, *, version=None, setting=None, n_best=0))]
    fn search(
        &self,
        py: Python<'_>,
        scores: &Bound<'_, PyAny>,
        version: Option<&str>,
        setting: Option<&str>,
        #[pyo3(from_py_with = numbers::n_best)] n_best: usize,
    ) -> PyResult<Py<PyAny>> {
        let setting = hearing::setting(&self.inner, version, setting)?;
        let how = How::Setting { setting, n_best };
        let (ours, copied);
        let scored = match scores.cast::<Scores>() {
            Ok(scores) => {
                ours = scores;
                &ours.get().scored
            }
            Err(_) => {
                copied = self.copied(scores)?;
                &copied
            }
        };
        let stop = [Cancel::new()];
        let heard = interruptible(py, &stop, || {
            self.with_scratch(|scratch| {
                scratch.cancel_by(Some(stop[0].clone()));
                how.search(&self.inner, scored, scratch)
            })
        })?;
        result(py, &heard.map_err(of_tiers)?)
    }

    /// Speech as it is spoken: chunks of samples go in, guesses and final results come out.
    ///
    /// Parameters
    /// ----------
    /// chunks : iterable of arrays of float, optional
    ///     Where the samples come from; the stream is then iterated over. Without it, `Stream.push`
    ///     takes them.
    /// rate : int, optional
    ///     Samples per second; by default the model's, 16000.
    /// version, setting, tolerance, objective
    ///     How final results are made, as `transcribe` takes them. Guesses are made at the fastest
    ///     version.
    ///
    /// Returns
    /// -------
    /// paretone.Stream
    ///     An iterator of `paretone.Event`: ``partial`` while an utterance goes on, ``final`` when
    ///     it has ended.
    #[pyo3(signature = (chunks=None, *, rate=None, version=None, setting=None, tolerance=None, objective=None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn stream(
        &self,
        py: Python<'_>,
        chunks: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = numbers::rate)] rate: Option<Hertz>,
        version: Option<&str>,
        setting: Option<&str>,
        tolerance: Option<Bound<'_, PyAny>>,
        objective: Option<&str>,
    ) -> PyResult<Stream> {
        let asked = Asked { version, setting, tolerance, objective, n_best: 0 };
        let how = self.how(py, asked)?;
        let rate = rate.unwrap_or(self.inner.sample_rate());
        let options = StreamOptions::default().rate(rate);
        Stream::new(Arc::clone(&self.inner), &options, how, chunks)
    }

    fn __repr__(&self) -> String {
        let (name, folder) = (self.inner.name(), self.inner.folder().display());
        format!("Recognizer({name}, from {folder})")
    }
}

impl Recognizer {
    fn new_with(inner: paretone::Recognizer, precision: Precision) -> Self {
        Recognizer {
            inner: Arc::new(inner),
            precision,
            tiers: Mutex::default(),
            scratches: Mutex::default(),
        }
    }

    /// What Python calls a recording; samples are of the rate given, else of the model's.
    ///
    /// # Errors
    /// It is none.
    pub fn recording<'py>(
        &self,
        audio: &Bound<'py, PyAny>,
        rate: Option<Hertz>,
    ) -> PyResult<Recording<'py>> {
        Recording::of(audio, rate, self.inner.sample_rate())
    }

    fn how(&self, py: Python<'_>, asked: Asked<'_, '_>) -> PyResult<How> {
        let Some(tolerance) = asked.tolerance else {
            if asked.objective.is_some() {
                return Err(value("an objective needs a tolerance"));
            }
            return Ok(How::Setting {
                setting: hearing::setting(&self.inner, asked.version, asked.setting)?,
                n_best: asked.n_best,
            });
        };
        if asked.version.is_some() || asked.setting.is_some() || asked.n_best > 0 {
            return Err(value(
                "a tolerance chooses the versions itself: leave out version, setting and n_best",
            ));
        }
        let tolerance = hearing::tolerance(&tolerance)?;
        let objective = hearing::objective(asked.objective)?;
        Ok(How::Tier(self.tiers(py)?, tolerance, objective))
    }

    /// The rules of the model's folder; those of a model with words of the caller's own promise
    /// nothing.
    ///
    /// # Errors
    /// There are none that the model can follow.
    pub fn tiers(&self, py: Python<'_>) -> PyResult<Arc<Tiers>> {
        let mut tiers = self.tiers.lock().unwrap_or_else(PoisonError::into_inner);
        if tiers.is_none() {
            let opened = match Tiers::of_model(Arc::clone(&self.inner)) {
                Err(TiersError::Unfit(why)) => self.uncertified(py, &why)?,
                opened => opened.map_err(of_tiers)?,
            };
            *tiers = Some(Arc::new(opened));
        }
        Ok(Arc::clone(tiers.as_ref().expect("opened above")))
    }

    /// The most accurate version at every tolerance, with a warning.
    fn uncertified(&self, py: Python<'_>, why: &dyn std::error::Error) -> PyResult<Tiers> {
        let best = self.inner.versions().most_accurate();
        let best = best.ok_or_else(|| of_class("TierError", why.to_string()))?;
        let told = format!(
            "{why}; until then {} answers at every tolerance, and nothing is certified",
            best.name
        );
        let category = py.get_type::<pyo3::exceptions::PyUserWarning>();
        py.import("warnings")?.call_method1("warn", (told, category))?;
        let rules = Rules::uncertified(&best.name);
        Tiers::new(Arc::clone(&self.inner), rules).map_err(of_tiers)
    }

    /// The scores of somebody else, copied.
    fn copied(&self, object: &Bound<'_, PyAny>) -> PyResult<ScoredAudio> {
        let matrix = arrays::matrix(object)?;
        let [_, pdfs] = *matrix.as_array().shape() else {
            unreachable!("a matrix has two dimensions");
        };
        if pdfs == 0 {
            return Err(value("scores without columns: the model has more pdfs"));
        }
        let rows = matrix.as_slice()?.to_vec();
        let scores = Matrix::from_rows(rows, pdfs, self.inner.frame_shift());
        Ok(ScoredAudio::of_scores(scores))
    }

    /// Works with a scratch that is used again; one that a panic left is not.
    pub fn with_scratch<T>(&self, work: impl FnOnce(&mut RecognizerScratch) -> T) -> T {
        let free = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = free().pop();
        let mut scratch = taken.unwrap_or_default();
        let made = work(&mut scratch);
        scratch.cancel_by(None);
        free().push(scratch);
        made
    }
}

/// Versions as objects of the package's plain class.
///
/// # Errors
/// The class cannot be made.
pub fn versions_of<'py>(
    py: Python<'py>,
    versions: &paretone::recognizer::Versions,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let class = py.import("paretone._result")?.getattr("Version")?;
    let version = |version: &paretone::recognizer::Version| {
        let measured = &version.measured;
        class.call1((
            &version.name,
            version.setting.to_string(),
            measured.wer_percent,
            measured.response_seconds,
        ))
    };
    versions.list.iter().map(version).collect()
}

/// The folder of a model: as the command line finds it, else the one of the package.
fn model_folder(py: Python<'_>, asked: Option<PathBuf>) -> PyResult<PathBuf> {
    let asked = asked.or_else(|| std::env::var_os("PARETONE_MODEL").map(PathBuf::from));
    match shelf::find(asked.as_deref()) {
        Ok(folder) => Ok(folder),
        Err(none) => {
            let package: PathBuf = py.import("paretone._result")?.getattr("PACKAGE")?.extract()?;
            let own = package.join("models").join(&none.name);
            match shelf::is_model(&own) {
                true => Ok(own),
                false => Err(of_class("ModelError", none.to_string())),
            }
        }
    }
}

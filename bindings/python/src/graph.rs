//! Graphs for networks that were trained with CTC.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paretone::WithCauses;
use paretone::graph::ctc::{self, Tokens};
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;
use paretone::graph::{Graph as Automaton, WordTable};
use paretone::units::{Cost, PdfId};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::{of_class, value, value_of};
use crate::interrupt::interruptible;
use crate::numbers;

/// Where the speech of a CTC network may go: lexicon and n-gram over its tokens (TLG).
///
/// `Graph.compile` builds one, `Graph.open` maps one that was saved, `Graph.from_openfst` reads one of OpenFst's.
/// It never changes: threads and decoders share it.
///
/// Attributes
/// ----------
/// num_states, num_arcs : int
///     Its size; arcs that consume a frame and others.
/// num_tokens : int
///     Columns that scores must have at least.
#[pyclass(frozen, module = "paretone.ctc")]
pub struct Graph {
    pub automaton: Arc<Automaton>,
    pub words: Arc<WordTable>,
}

/// Any error with its causes, as `paretone.GraphError`.
fn graph_error(error: &(dyn std::error::Error + 'static)) -> PyErr {
    of_class("GraphError", WithCauses(error).to_string())
}

#[pymethods]
impl Graph {
    /// Compile the graph of a lexicon over a CTC network's tokens and an n-gram.
    ///
    /// Parameters
    /// ----------
    /// tokens : sequence of str, or path
    ///     The name of each column of the scores: characters, pieces of words, phones; or a file with one a line.
    /// lexicon : dict or path
    ///     How each word is made of tokens: ``{"yes": "y e s"}``, ``{"yes": ["y", "e", "s"]}`` or several ways,
    ///     ``{"either": [["iy", "dh", "er"], ["ay", "dh", "er"]]}``; or a file with one way a line.
    /// arpa : path
    ///     The n-gram, as ARPA, compressed by gzip or not. Its words that the lexicon lacks are left out.
    /// blank : int, default 0
    ///     The blank's column.
    /// word_penalty : float, default 0.0
    ///     A cost added to each word; larger: fewer, longer words.
    ///
    /// Returns
    /// -------
    /// paretone.ctc.Graph
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     The tokens or the shape of the lexicon.
    /// paretone.GraphError
    ///     What is wrong with lexicon or n-gram, with file and line.
    #[staticmethod]
    #[pyo3(signature = (tokens, lexicon, arpa, *, blank=0, word_penalty=0.0))]
    fn compile(
        py: Python<'_>,
        tokens: &Bound<'_, PyAny>,
        lexicon: &Bound<'_, PyAny>,
        arpa: PathBuf,
        #[pyo3(from_py_with = numbers::column)] blank: u32,
        word_penalty: f32,
    ) -> PyResult<Graph> {
        let names = token_names(tokens)?;
        let tokens = Tokens::new(names, PdfId(blank)).map_err(|error| value_of(&error))?;
        let text = lexicon_text(lexicon)?;
        if words_of(&text).next().is_none() {
            return Err(value("the lexicon has no words: say how each is made of tokens"));
        }
        let made = interruptible(py, &[], || built(&tokens, &text, &arpa, Cost(word_penalty)))?;
        let (graph, table) = made.map_err(|told| of_class("GraphError", told))?;
        Ok(Graph { automaton: Arc::new(graph), words: Arc::new(table) })
    }

    /// Open a graph that was saved, or that ``paretone graph compile`` made.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     The graph; it is mapped, not read.
    /// words : path
    ///     Its word table: line n is the word of number n, counted from 0.
    #[staticmethod]
    fn open(path: PathBuf, words: PathBuf) -> PyResult<Graph> {
        let automaton = Automaton::open(&path).map_err(|error| graph_error(&error))?;
        Graph::named(automaton, &words)
    }

    /// Read a graph of OpenFst's, such as ``TLG.fst``, whose input labels are columns plus one.
    ///
    /// Parameters
    /// ----------
    /// path : path
    ///     A vector or constant automaton over the tropical semiring.
    /// words : path
    ///     Its words, with their numbers or in their order.
    #[staticmethod]
    fn from_openfst(py: Python<'_>, path: PathBuf, words: PathBuf) -> PyResult<Graph> {
        let automaton = py.detach(|| Automaton::read_openfst(&path));
        Graph::named(automaton.map_err(|error| graph_error(&error))?, &words)
    }

    /// Save the graph, for `open`; and its words beside it where `words` names a file.
    #[pyo3(signature = (path, words=None))]
    fn save(&self, py: Python<'_>, path: PathBuf, words: Option<PathBuf>) -> PyResult<()> {
        let saved = py.detach(|| self.automaton.save(&path));
        saved.map_err(|error| graph_error(&error))?;
        self.save_words(words)
    }

    /// Save the graph as an automaton of OpenFst's, and its words where `words` names a file.
    #[pyo3(signature = (path, words=None))]
    fn save_openfst(&self, py: Python<'_>, path: PathBuf, words: Option<PathBuf>) -> PyResult<()> {
        let saved = py.detach(|| self.automaton.save_openfst(&path));
        saved.map_err(|error| graph_error(&error))?;
        self.save_words(words)
    }

    /// The words by number.
    #[getter]
    fn words(&self) -> Vec<&str> {
        let ids = (0..self.words.len() as u32).map(paretone::units::WordId);
        ids.map(|id| self.words.name(id).unwrap_or("")).collect()
    }

    #[getter]
    fn num_states(&self) -> usize {
        self.automaton.num_states()
    }

    #[getter]
    fn num_arcs(&self) -> (usize, usize) {
        self.automaton.num_arcs()
    }

    #[getter]
    fn num_tokens(&self) -> usize {
        self.automaton.num_pdfs()
    }

    fn __repr__(&self) -> String {
        let (emitting, epsilon) = self.automaton.num_arcs();
        let (states, arcs) = (self.automaton.num_states(), emitting + epsilon);
        let words = self.words.len();
        format!("Graph({states} states, {arcs} arcs, {words} words)")
    }
}

impl Graph {
    fn named(automaton: Automaton, words: &Path) -> PyResult<Graph> {
        let name = words.display().to_string();
        let text = std::fs::read(words).map_err(|error| {
            of_class("GraphError", format!("cannot read the words of {name}: {error}"))
        })?;
        let table = match is_numbered(&text) {
            true => WordTable::from_numbered(text.as_slice(), &name),
            false => WordTable::from_reader(text.as_slice(), &name),
        };
        Ok(Graph {
            automaton: Arc::new(automaton),
            words: Arc::new(table.map_err(|error| graph_error(&error))?),
        })
    }

    fn save_words(&self, path: Option<PathBuf>) -> PyResult<()> {
        let Some(path) = path else { return Ok(()) };
        let mut text = self.words().join("\n");
        text.push('\n');
        Ok(std::fs::write(path, text)?)
    }
}

/// The graph and its word table, or what is wrong.
fn built(
    tokens: &Tokens,
    lexicon: &str,
    arpa: &Path,
    word_penalty: Cost,
) -> Result<(Automaton, WordTable), String> {
    let table = WordTable::of_words(words_of(lexicon), "the lexicon's words").map_err(told)?;
    let lexicon = tokens.lexicon(Cursor::new(lexicon), "the lexicon", &table);
    let ngram = pack(Arpa::open(arpa, &table).map_err(told)?, &table, 0).map_err(told)?;
    let graph = ctc::compile(tokens, &lexicon.map_err(told)?, &ngram, word_penalty);
    Ok((graph.map_err(told)?.0, table))
}

/// An error with its causes.
fn told(error: impl std::error::Error + 'static) -> String {
    WithCauses(&error).to_string()
}

/// The words of a lexicon, in its order; CMUdict's alternatives, as `either(2)`, are no other words.
fn words_of(lexicon: &str) -> impl Iterator<Item = &str> {
    let first = lexicon.lines().filter_map(|line| line.split_whitespace().next());
    let words = first.filter(|word| !word.starts_with(";;;") && !word.starts_with('#'));
    words.map(|word| match word.split_once('(') {
        Some((word, number)) if !word.is_empty() && number.ends_with(')') => word,
        _ => word,
    })
}

/// The names of tokens, from a sequence or a file.
fn token_names(tokens: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    match path_of(tokens)? {
        Some(path) => Ok(read(&path)?.lines().map(|line| line.trim_end().into()).collect()),
        None => tokens.extract(),
    }
}

/// A lexicon as the text of a file.
fn lexicon_text(lexicon: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Some(path) = path_of(lexicon)? {
        return read(&path);
    }
    let mut text = String::new();
    for (word, said) in lexicon.cast::<PyDict>()? {
        let word: String = word.extract()?;
        if !is_plain(&word) || words_of(&word).next() != Some(&word) {
            return Err(value(format!(
                "{word:?} is no word of a lexicon: words have no spaces, do not begin with # or ;;;, \
                 and do not end with a number in brackets"
            )));
        }
        for way in ways(&said)? {
            if let Some(token) = way.iter().find(|token| !is_plain(token)) {
                return Err(value(format!(
                    "{word:?} has the token {token:?}: a token is not empty and has no spaces"
                )));
            }
            text += &format!("{word}\t{}\n", way.join(" "));
        }
    }
    Ok(text)
}

/// Whether it is a name of one piece.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace)
}

/// How a word may be said: tokens in a string, a sequence of tokens, or of such sequences.
fn ways(said: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<String>>> {
    if let Ok(text) = said.extract::<String>() {
        return Ok(vec![text.split_whitespace().map(String::from).collect()]);
    }
    if let Ok(tokens) = said.extract::<Vec<String>>() {
        return Ok(vec![tokens]);
    }
    let ways = said.extract::<Vec<Vec<String>>>();
    ways.map_err(|_| value("a lexicon says a word by tokens in a string, a list, or lists of them"))
}

/// The path, if the object is one.
pub fn path_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    let is_path = object.is_instance_of::<PyString>() || object.hasattr("__fspath__")?;
    is_path.then(|| object.extract()).transpose()
}

fn read(path: &Path) -> PyResult<String> {
    std::fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        of_class("GraphError", format!("cannot read {path}: {error}"))
    })
}

/// Whether the lines are words with their numbers, as OpenFst and Kaldi write them.
fn is_numbered(text: &[u8]) -> bool {
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(first).split_whitespace().count() == 2
}

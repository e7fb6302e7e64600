//! Networks of any kind: scores that somebody else makes, searched over a graph of their own.
//!
//! Such a model is a folder: the graph, the words, and how scores are read (`scores.toml`). Beside
//! them lie what a tuning makes, under the names that they have in any model's folder: versions,
//! confidence, rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::files::{WORDS, read};
use super::{Setting, Timings, Transcript, Versions, VersionsError, identity};
use crate::acoustic::Scores;
use crate::confidence::{Calibration, CalibrationError, Findings};
use crate::decode::{DecodeError, Decoder, Scratch, Word};
use crate::graph::{Graph, GraphError, TextError, WordTable};
use crate::provenance::{MadeFor, hash};
use crate::units::Seconds;

/// Where speech may go.
const GRAPH: &str = "scores.graph";
/// How scores are read.
const SCORES: &str = "scores.toml";

/// How the scores of a network are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkScores {
    /// What tells the network from others; whoever changes it gives another name.
    pub network: String,
    /// From one row of the scores to the next.
    pub frame_shift: Seconds,
    /// What scores are multiplied by; larger trusts the sound more than the language model.
    pub acoustic_scale: f32,
}

/// Why a folder is no model of a network's scores.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnyNetworkError {
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The description is none.
    #[error("{} does not say how scores are read: {problem}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The graph cannot be used.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The words cannot be used.
    #[error(transparent)]
    Words(#[from] TextError),
    /// The model cannot be told from others.
    #[error(transparent)]
    Model(#[from] super::RecognizerError),
    /// The versions cannot be used.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The calibration cannot be used.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
}

/// A graph that is searched for the scores of any network, with what was learnt of its answers.
/// Immutable: share it between threads.
pub struct AnyNetwork {
    graph: Graph,
    words: WordTable,
    scores: NetworkScores,
    versions: Versions,
    calibration: Calibration,
    made_for: MadeFor,
}

impl AnyNetwork {
    /// Makes a model of a graph; one that is there stays, so that it must be the same.
    ///
    /// # Errors
    /// The description means nothing, or the folder cannot be written.
    pub fn save(
        folder: &Path,
        graph: &Graph,
        words: &WordTable,
        scores: &NetworkScores,
    ) -> Result<(), AnyNetworkError> {
        scores.check(&folder.join(SCORES))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(|source| AnyNetworkError::Io { path, source })
        };
        let text = toml::to_string(scores).expect("a description is a plain table");
        let io = |source| AnyNetworkError::Io { path: folder.into(), source };
        fs::create_dir_all(folder).map_err(io)?;
        graph.save(&folder.join(GRAPH))?;
        write(WORDS, words.to_text().as_bytes())?;
        write(SCORES, text.as_bytes())
    }

    /// Opens a model. Versions and confidence that were made for another one are none.
    ///
    /// # Errors
    /// A file is missing or cannot be used.
    pub fn open(folder: &Path) -> Result<AnyNetwork, AnyNetworkError> {
        let path = folder.join(SCORES);
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        let scores: NetworkScores = toml::from_str(&text).map_err(|error| {
            let problem = error.to_string();
            AnyNetworkError::Description { path: path.clone(), problem }
        })?;
        scores.check(&path)?;
        let words = read(&folder.join(WORDS))?;
        let pieces = [text.as_bytes(), &words];
        let model = identity::with_graph(Some(&hash(pieces)), &folder.join(GRAPH))?;
        let mut made_for = MadeFor { model: Some(model), ..MadeFor::default() };
        let mut versions = Versions::of_model(folder)?;
        if !versions.made_for.changed(&made_for).is_empty() {
            versions = Versions::default();
        }
        made_for.versions = versions.hash();
        let mut calibration = Calibration::for_use(folder)?;
        if !calibration.made_for.changed(&made_for).is_empty() {
            calibration = Calibration::default();
        }
        made_for.calibration = calibration.hash();
        Ok(AnyNetwork {
            graph: Graph::open(&folder.join(GRAPH))?,
            words: WordTable::from_reader(words.as_slice(), WORDS)?,
            scores,
            versions,
            calibration,
            made_for,
        })
    }

    /// How scores are read.
    pub fn scores(&self) -> &NetworkScores {
        &self.scores
    }

    /// The versions, fastest first.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// What measurements depend on.
    pub fn made_for(&self) -> &MadeFor {
        &self.made_for
    }

    /// A network's scores as the search wants them, from rows of natural logarithms, `columns`
    /// wide.
    ///
    /// # Panics
    /// The rows are not whole.
    pub fn scaled(&self, rows: &[f32], columns: usize) -> Scores {
        let mut scores = Scores::from_rows(rows.to_vec(), columns, self.scores.frame_shift);
        scores.scale(self.scores.acoustic_scale);
        scores
    }

    /// What was said, by scores and a setting. There is no larger language model here: `rescore`
    /// asks only for what the lattice says of the words.
    ///
    /// # Errors
    /// The setting is out of range, or the scores cannot be searched.
    pub fn search(
        &self,
        setting: &Setting,
        scores: &Scores,
        scratch: &mut Scratch,
    ) -> Result<Transcript, DecodeError> {
        let mut transcript = Transcript {
            audio: Seconds(scores.num_frames() as f64 * scores.shift().0),
            reached_final: true,
            ..Transcript::default()
        };
        let started = Instant::now();
        let lattice = Decoder::new(&self.graph, setting.pruning)?.lattice(scores, scratch)?;
        let searched = started.elapsed().as_secs_f64();
        let paths = lattice.paths();
        let heard = paths.best();
        let findings = Findings::of(&paths, &heard, scratch.cancel.as_ref())?;
        let place = |word: &Word| {
            let name = self.words.name(word.id).unwrap_or("<?>");
            (name, word.seconds(self.scores.frame_shift))
        };
        let answer = transcript.append(&heard, Some(&findings), place);
        let version = self.versions.at(setting);
        let heads = version.and_then(|version| self.calibration.versions.get(&version.name));
        if let Some(heads) = heads {
            transcript.expected_errors = answer.and_then(|answer| heads.expected_errors(&answer));
            transcript.judge_by(heads);
        }
        let rescore = Seconds(started.elapsed().as_secs_f64() - searched);
        transcript.timings = Timings { search: Seconds(searched), rescore, ..Timings::default() };
        Ok(transcript)
    }
}

impl NetworkScores {
    fn check(&self, path: &Path) -> Result<(), AnyNetworkError> {
        let numbers = [self.frame_shift.0, f64::from(self.acoustic_scale)];
        match numbers.iter().all(|number| *number > 0.0 && number.is_finite()) {
            true => Ok(()),
            false => Err(AnyNetworkError::Description {
                path: path.into(),
                problem: "frame_shift and acoustic_scale are numbers above 0".into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::graph::ctc::{self, Tokens};
    use crate::graph::ngram::arpa::Arpa;
    use crate::graph::ngram::pack::pack;
    use crate::units::{Cost, PdfId};

    const ARPA: &str = "\\data\\\nngram 1=4\n\n\\1-grams:\n-99 <s>\n-0.5 </s>\n-0.5 ball\n\
                        -0.5 all\n\n\\end\\\n";

    fn save(folder: &Path, network: &str) {
        let arpa = folder.join("lm.arpa");
        fs::write(&arpa, ARPA).unwrap();
        let words = WordTable::of_words(["ball", "all"], "words").unwrap();
        let tokens = Tokens::new(["-", "a", "b", "l"].map(String::from).into(), PdfId(0)).unwrap();
        let lexicon = Cursor::new("ball\tb a l l\nall\ta l l\n");
        let lexicon = tokens.lexicon(lexicon, "lexicon", &words).unwrap();
        let ngram = pack(Arpa::open(&arpa, &words).unwrap(), &words, 0).unwrap();
        let graph = ctc::compile(&tokens, &lexicon, &ngram, Cost(0.0)).unwrap().0;
        let scores = NetworkScores {
            network: network.into(),
            frame_shift: Seconds(0.04),
            acoustic_scale: 0.5,
        };
        AnyNetwork::save(folder, &graph, &words, &scores).unwrap();
    }

    /// Scores of `b a l - l`.
    fn scores(network: &AnyNetwork) -> Scores {
        let mut rows = [-6.0; 5 * 4];
        for (frame, token) in [2, 1, 3, 0, 3].into_iter().enumerate() {
            rows[4 * frame + token] = -0.01;
        }
        network.scaled(&rows, 4)
    }

    #[test]
    fn a_folder_hears_scores_and_knows_what_was_learnt_of_it() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "one");
        let network = AnyNetwork::open(folder.path()).unwrap();
        let setting: Setting = "network_beam=16 lattice_beam=8 rescore".parse().unwrap();
        let scores = scores(&network);
        assert_eq!(scores.get(0, PdfId(1)), -3.0);
        let heard = network.search(&setting, &scores, &mut Scratch::new()).unwrap();
        assert_eq!(heard.text(), "ball");
        assert_eq!(heard.audio, Seconds(0.2));
        // Two other paths say "all", each at 2.99 more: e^(−0.6 × 2.99) times as probable.
        let posterior = 1.0 / (1.0 + 2.0 * (-0.6f64 * 2.99).exp());
        let [word] = heard.word_evidence.as_slice() else { panic!("{:?}", heard.word_evidence) };
        assert!(heard.reached_final && (word.posterior - posterior).abs() < 0.04, "{word:?}");
        assert_eq!((heard.evidence.unwrap().words, heard.confidence), (1, None));

        let measured = Default::default();
        let version = super::super::Version { name: "v1".into(), measured, setting };
        let versions = Versions {
            made_for: network.made_for().clone(),
            list: vec![version],
            ..Versions::default()
        };
        let path = folder.path().join(super::super::VERSIONS_FILE);
        fs::write(path, versions.to_text()).unwrap();
        let named = |folder: &Path| AnyNetwork::open(folder).unwrap().versions().list.len();
        assert_eq!(named(folder.path()), 1);
        save(folder.path(), "two");
        assert_eq!(named(folder.path()), 0, "they are another network's");
    }

    #[test]
    fn other_folders_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(AnyNetwork::open(folder.path()), Err(AnyNetworkError::Model(_))));
        save(folder.path(), "one");
        for wrong in ["frame_shift = 0.0", "frame_shift = nan", "frame = 1"] {
            let text = format!("network = \"one\"\nacoustic_scale = 1.0\n{wrong}\n");
            fs::write(folder.path().join(SCORES), text).unwrap();
            let told = AnyNetwork::open(folder.path()).map(|_| ()).unwrap_err();
            assert!(matches!(told, AnyNetworkError::Description { .. }), "{wrong}: {told}");
        }
    }
}

//! Speech corpora: lists of utterances with their audio, reference text and speaker, in the layouts
//! they come in.
//!
//! | layout | recognised by | speaker | accent |
//! |---|---|---|---|
//! | [`table`]: our manifest | a `.tsv` file with columns `id path text`, or a folder with such a `manifest.tsv` | `speaker` | `accent` |
//! | [`table`]: Common Voice | `validated.tsv` (or another list) beside `clips/` | `client_id` | `accents`, `accent` |
//! | [`voxforge`] | folders with `etc/PROMPTS` and `wav/` or `flac/` | name of the submission | README's dialect |
//! | [`librispeech`] | `*.trans.txt` beside the audio, at any depth | first number of the id | none |
//! | [`kaldi`] | a data directory: `wav.scp` and `text`, maybe `segments` | `utt2spk` | none |

pub mod halves;
pub mod kaldi;
pub mod librispeech;
pub mod table;
pub mod voxforge;

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::EvalError;
#[cfg(feature = "speech")]
use crate::audio::{AudioError, Waveform};
use crate::units::Seconds;

/// Transcript lists of the largest public corpora have some hundred megabytes.
const MAX_TEXT_BYTES: u64 = 1 << 30;
/// Audio files looked for where a corpus names utterances without an extension, best first.
const EXTENSIONS: [&str; 6] = ["wav", "flac", "opus", "ogg", "oga", "mp3"];
/// Corpora nest their folders a few levels deep; the bound stops at link cycles.
const MAX_DEPTH: usize = 8;

/// Lists that a folder may have of its own utterances.
const LISTS: [&str; 2] = ["manifest.tsv", "validated.tsv"];

/// One utterance of a corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Utterance {
    /// Unique within the corpus.
    pub id: String,
    /// Its audio file.
    pub audio: PathBuf,
    /// The reference text, as the corpus writes it.
    pub text: String,
    /// Who speaks; empty when unknown.
    pub speaker: String,
    /// The speaker's accent or first language; empty when unknown.
    pub accent: String,
    /// The speaker's gender as the corpus writes it, in lower case; empty when unknown.
    pub gender: String,
    /// The part of the corpus; empty when it has none.
    pub set: String,
    /// `train`, `dev`, `test`; empty when the corpus does not say.
    pub split: String,
    /// Duration, where the corpus says.
    pub seconds: Option<Seconds>,
    /// The part of the audio file that it is, where it is not all of it.
    pub part: Option<Part>,
}

/// A part of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Where it starts.
    pub start: Seconds,
    /// Where it ends; none for the recording's end.
    pub end: Option<Seconds>,
}

impl Utterance {
    /// Its samples, at the rate of the recording, all channels averaged. If the utterance is a part
    /// of a recording, reading stops at its end.
    ///
    /// # Errors
    /// The file cannot be read, or ends before the part begins.
    #[cfg(feature = "speech")]
    pub fn waveform(&self) -> Result<Waveform, AudioError> {
        match self.part {
            None => Waveform::open(&self.audio),
            Some(Part { start, end }) => Waveform::open_part(&self.audio, start, end),
        }
    }
}

/// Reads a corpus, whichever of the known layouts it has, in the order of its files.
///
/// # Errors
/// The path has none of the layouts, a file of the corpus cannot be read or is malformed, an id
/// occurs twice.
pub fn open(path: &Path) -> Result<Vec<Utterance>, EvalError> {
    let mut utterances = if path.is_file() {
        table::open(path)?
    } else if let Some(list) = LISTS.map(|name| path.join(name)).iter().find(|list| list.is_file())
    {
        table::open(list)?
    } else {
        let mut utterances = Vec::new();
        collect(path, 0, &mut utterances)?;
        utterances
    };
    if utterances.is_empty() {
        return Err(EvalError::UnknownLayout(path.into()));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = utterances.iter().find(|utterance| !seen.insert(utterance.id.as_str())) {
        return Err(EvalError::Duplicate { path: path.into(), id: twice.id.clone() });
    }
    utterances.shrink_to_fit();
    Ok(utterances)
}

/// Walks a folder for Kaldi's data directories, VoxForge submissions and LibriSpeech chapters, in
/// alphabetical order.
fn collect(folder: &Path, depth: usize, utterances: &mut Vec<Utterance>) -> Result<(), EvalError> {
    if kaldi::is_in(folder) {
        utterances.extend(kaldi::open(folder)?);
        return Ok(());
    }
    if folder.join("etc/PROMPTS").is_file() {
        utterances.extend(voxforge::open(folder)?);
        return Ok(());
    }
    let error = |source| EvalError::Read { path: folder.into(), source };
    let entries = std::fs::read_dir(folder).map_err(error)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(error)?;
    paths.sort();
    for path in paths {
        if path.is_dir() && depth < MAX_DEPTH {
            collect(&path, depth + 1, utterances)?;
        } else if path.to_string_lossy().ends_with(".trans.txt") {
            utterances.extend(librispeech::open(&path)?);
        }
    }
    Ok(())
}

/// Keeps `limit` utterances, evenly spread over the list so that all its speakers stay represented.
pub fn spread(utterances: Vec<Utterance>, limit: usize) -> Vec<Utterance> {
    let all = utterances.len();
    if limit >= all {
        return utterances;
    }
    let kept = |i: usize| (i + 1) * limit / all > i * limit / all;
    let numbered = utterances.into_iter().enumerate();
    numbered.filter_map(|(i, utterance)| kept(i).then_some(utterance)).collect()
}

/// The audio file `folder/stem.*`, or the WAV that should be there.
fn audio_file(folder: &Path, stem: &str) -> PathBuf {
    let files = EXTENSIONS.map(|extension| folder.join(format!("{stem}.{extension}")));
    files.iter().find(|file| file.is_file()).unwrap_or(&files[0]).clone()
}

/// Last part of a path written in a corpus' own file: what it names never leaves the corpus'
/// folder.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A whole text file, `-` being standard input, whether compressed by gzip or not; UTF-16 where it
/// begins with a mark that says so. Bytes that are not UTF-8 become U+FFFD, as old corpora have
/// some Latin-1.
pub(super) fn read_text(path: &Path) -> Result<String, EvalError> {
    let error = |source| EvalError::Read { path: path.into(), source };
    let mut input: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(error)?),
    };
    let mut bytes = read_all(&mut input, path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = read_all(&mut MultiGzDecoder::new(bytes.as_slice()), path)?;
    }
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => of_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => of_utf16(rest, u16::from_be_bytes),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    };
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn read_all(input: &mut impl Read, path: &Path) -> Result<Vec<u8>, EvalError> {
    let error = |source| EvalError::Read { path: path.into(), source };
    let mut bytes = Vec::new();
    input.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes).map_err(error)?;
    match bytes.len() as u64 > MAX_TEXT_BYTES {
        true => Err(EvalError::TooLarge { path: path.into(), limit: MAX_TEXT_BYTES }),
        false => Ok(bytes),
    }
}

fn of_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|&pair| unit(pair)).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/corpora").join(name)
    }

    /// id, file name of the audio, text, speaker, accent, set, split.
    fn rows(name: &str) -> Vec<[String; 7]> {
        let row = |u: Utterance| {
            let file = u.audio.file_name().unwrap().to_string_lossy().to_string();
            [u.id, file, u.text, u.speaker, u.accent, u.set, u.split]
        };
        open(&fixture(name)).unwrap().into_iter().map(row).collect()
    }

    #[test]
    fn the_samples_of_the_repository_are_a_corpus() {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/samples");
        let heard = open(&samples).unwrap();
        assert_eq!(heard, open(&samples.join("manifest.tsv")).unwrap());
        assert!(heard.len() > 3 && heard.iter().all(|sample| sample.audio.is_file()));
    }

    #[test]
    fn a_manifest_with_any_column_order() {
        let want = [
            ["u1", "u1.wav", "hello \"world\"", "s1", "Mandarin", "clean", "dev"],
            ["u2", "u2.opus", "", "s2", "", "other", "test"],
        ];
        assert_eq!(rows("manifest.tsv"), want);
        let utterances = open(&fixture("manifest.tsv")).unwrap();
        assert_eq!(utterances[0].audio, fixture("audio/u1.wav"));
        assert_eq!(utterances[0].seconds, Some(Seconds(1.5)));
    }

    #[test]
    fn voxforge_submissions() {
        let want = [
            ["ann-20100101-abc/a0001", "a0001.wav", "THE FIRST", "ann", "Irish English", "", ""],
            ["ann-20100101-abc/a0002", "a0002.wav", "THE SECOND", "ann", "Irish English", "", ""],
            [
                "anonymous-20100102-xyz/b1",
                "b1.wav",
                "A THIRD",
                "anonymous-20100102-xyz",
                "",
                "",
                "",
            ],
        ];
        assert_eq!(rows("voxforge"), want);
    }

    #[test]
    fn voxforge_readmes_tell_accent_and_gender() {
        let utterances = open(&fixture("voxforge")).unwrap();
        let genders: Vec<&str> = utterances.iter().map(|u| u.gender.as_str()).collect();
        assert_eq!(genders, ["female", "female", ""]);
    }

    /// The shared corpus has four submissions in VoxForge's own layout.
    #[test]
    fn real_voxforge_submissions() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/speech/voxforge");
        if !folder.is_dir() {
            eprintln!("skipped: no ../shared/speech/voxforge beside the repository");
            return;
        }
        let utterances = open(&folder).unwrap();
        assert_eq!(utterances.len(), 40);
        for utterance in &utterances {
            assert!(utterance.audio.is_file(), "{}", utterance.audio.display());
            assert!(!utterance.text.is_empty() && !utterance.accent.is_empty());
            assert!(["male", "female"].contains(&utterance.gender.as_str()));
        }
        let speakers: HashSet<&str> = utterances.iter().map(|u| u.speaker.as_str()).collect();
        assert_eq!(speakers.len(), 4);
    }

    #[test]
    fn librispeech_chapters() {
        let want = [
            ["84-121123-0000", "84-121123-0000.wav", "GO DO YOU HEAR", "84", "", "dev-clean", ""],
            ["84-121123-0001", "84-121123-0001.flac", "BUT IN LESS", "84", "", "dev-clean", ""],
        ];
        assert_eq!(rows("librispeech"), want);
    }

    #[test]
    fn common_voice_lists() {
        let want = [
            [
                "common_voice_en_1.mp3",
                "common_voice_en_1.mp3",
                "It's \"one\", then.",
                "c0ffee",
                "Scottish English",
                "",
                "",
            ],
            ["common_voice_en_2.mp3", "common_voice_en_2.mp3", "Two", "beef", "", "", ""],
        ];
        assert_eq!(rows("common_voice"), want);
    }

    #[test]
    fn kaldi_s_data_directories() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("dev")).unwrap();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/samples/river.wav");
        for (name, text) in [
            ("dev/wav.scp", format!("r {}\n", samples.display())),
            ("dev/segments", "r-2 r 1.5 -1\nr-1 r 0.25 1.5\n".into()),
            ("dev/text", "r-1 one\nr-2 two\n".into()),
            ("dev/utt2spk", "r-1 ann\nr-2 ann\n".into()),
        ] {
            std::fs::write(at(name), text).unwrap();
        }
        let utterances = open(folder.path()).unwrap();
        let whole = Waveform::open(&samples).unwrap();
        let place = |seconds: f64| (seconds * f64::from(whole.rate.0)) as usize;
        let [first, second] = [0, 1].map(|at| utterances[at].waveform().unwrap());
        assert_eq!(first.samples, whole.samples[place(0.25)..place(1.5)]);
        assert_eq!(second.samples, whole.samples[place(1.5)..]);
        // And a manifest says as much.
        let mut manifest = Vec::new();
        table::write(&mut manifest, &utterances).unwrap();
        let manifest = String::from_utf8(manifest).unwrap();
        assert_eq!(table::parse(&manifest, &at("m.tsv")).unwrap(), utterances);
        let beyond = Waveform::open_part(&samples, Seconds(1e5), None);
        assert!(matches!(beyond, Err(AudioError::NoSuchPart { .. })));
    }

    #[test]
    fn other_folders_are_no_corpora() {
        let error = open(&fixture("voxforge/ann-20100101-abc/etc")).unwrap_err();
        assert!(matches!(error, EvalError::UnknownLayout(_)), "{error}");
        let error = open(&fixture("nowhere")).unwrap_err();
        assert!(matches!(error, EvalError::Read { .. }), "{error}");
    }

    #[test]
    fn a_limit_spreads() {
        let utterance = |i: usize| Utterance { id: i.to_string(), ..Utterance::default() };
        let kept = spread((0..10).map(utterance).collect(), 3);
        assert_eq!(kept.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["3", "6", "9"]);
    }
}

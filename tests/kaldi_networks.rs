//! Networks of Kaldi's that read i-vectors or have older nonlinearities: what they score, held
//! against `scripts/kaldi/golden_networks.py`; and extractors that are damaged.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array2, s};
use paretone::acoustic::{Network, NetworkScratch, Precision, Scores, SilenceFinder};
use paretone::feature::Features;
use paretone::kaldi::{VoskFolder, check_extractor, check_mixture};
use paretone::units::Seconds;
use serde::Deserialize;

/// An utterance and its scores.
#[derive(Deserialize)]
struct Case {
    features: Vec<Vec<f32>>,
    scores: Vec<Vec<f32>>,
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi").join(name)
}

fn cases(name: &str) -> Vec<(Features, Vec<f32>)> {
    let text = fs::read(golden(name).join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
    let features = |case: &Case| {
        let shape = (case.features.len(), case.features[0].len());
        let frames = Array2::from_shape_vec(shape, case.features.concat()).unwrap();
        Features { frames, shift: Seconds(0.01) }
    };
    cases.iter().map(|case| (features(case), case.scores.concat())).collect()
}

fn network(folder: &Path, precision: Precision) -> Network {
    let imported = VoskFolder::find(folder).unwrap().import().unwrap();
    let kernels = precision.kernels();
    let network = Network::from_tensors(&imported.description, &imported.tensors, kernels).unwrap();
    match imported.adaptation {
        Some(adaptation) => network.adapted(adaptation).unwrap(),
        None => network,
    }
}

fn import_error(folder: &Path) -> String {
    let error = VoskFolder::find(folder).unwrap().import().err().expect("an error");
    paretone::WithCauses(&error).to_string()
}

/// A copy of the folder with i-vectors.
fn copy(to: &Path) -> PathBuf {
    for part in ["am", "conf", "ivector"] {
        fs::create_dir_all(to.join(part)).unwrap();
        for entry in fs::read_dir(golden("adapted").join(part)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
        }
    }
    to.to_owned()
}

#[test]
fn scores_are_those_of_the_description() {
    for name in ["adapted", "older"] {
        let network = network(&golden(name), Precision::F32);
        let mut scratch = NetworkScratch::default();
        for (features, wanted) in cases(name) {
            let scores = network.scores(&features, &mut scratch).unwrap();
            let frames = features.frames.nrows();
            assert_eq!(scores.num_frames(), frames.div_ceil(3), "{name}, {frames} frames");
            let off = scores.as_slice().iter().zip(&wanted).map(|(a, b)| (a - b).abs());
            let off = off.fold(0.0, f32::max);
            assert!(off < 1e-3, "{name}, {frames} frames: off by {off}");
        }
    }
}

#[test]
fn integers_are_near() {
    for name in ["adapted", "older"] {
        let network = network(&golden(name), Precision::Int8);
        for (features, wanted) in cases(name) {
            let scores = network.scores(&features, &mut NetworkScratch::default()).unwrap();
            let square =
                |values: &mut dyn Iterator<Item = f32>| -> f32 { values.map(|v| v * v).sum() };
            let mut off = scores.as_slice().iter().zip(&wanted).map(|(a, b)| a - b);
            let noise = square(&mut off) / square(&mut wanted.iter().copied());
            assert!(noise < 5e-3, "{name}: noise {noise} of the scores");
        }
    }
}

#[test]
fn streams_with_ivectors_equal_the_whole() {
    let network = network(&golden("adapted"), Precision::F32);
    for (features, _) in cases("adapted") {
        let frames = features.frames.nrows();
        let whole = network.scores(&features, &mut NetworkScratch::default()).unwrap();
        for piece in [1, 7, 20, 97] {
            let mut scratch = NetworkScratch::default();
            let (mut stream, mut scores) = (network.stream(&mut scratch), Scores::default());
            for from in (0..frames).step_by(piece) {
                let to = (from + piece).min(frames);
                stream.push(features.frames.slice(s![from..to, ..]), &mut scores).unwrap();
                let mut peeked = scores.clone();
                stream.peek(&mut NetworkScratch::default(), &mut peeked).unwrap();
                assert_eq!(peeked.num_frames(), to.div_ceil(3));
            }
            stream.finish(&mut scores).unwrap();
            assert_eq!(scores, whole, "{frames} frames in pieces of {piece}");
        }
    }
}

/// Says of all frames that they are silence or that none is; and the number of frames taken.
#[derive(Clone)]
struct Says(bool, u32);

impl SilenceFinder for Says {
    fn restart(&mut self) {
        self.1 = 0;
    }

    fn take(&mut self, rows: &[f32], pdfs: usize) {
        assert!(rows.len().is_multiple_of(pdfs), "whole rows");
        self.1 += (rows.len() / pdfs) as u32;
    }

    fn silent(&mut self) -> Option<u128> {
        (self.1 > 0).then_some(if self.0 { u128::MAX } else { 0 })
    }

    fn copy(&self) -> Box<dyn SilenceFinder + '_> {
        Box::new(self.clone())
    }
}

#[test]
fn a_finder_says_which_frames_count() {
    let network = network(&golden("adapted"), Precision::F32);
    let (features, _) = cases("adapted").pop().unwrap();
    let frames = features.frames.nrows();
    let score = |finder: Option<bool>, piece: usize| {
        let finder = finder.map(|silent| Box::new(Says(silent, 0)) as Box<dyn SilenceFinder>);
        let mut scratch = NetworkScratch::default();
        let mut scores = Scores::default();
        let mut stream = network.stream(&mut scratch).hearing_silence(finder);
        for from in (0..frames).step_by(piece) {
            let to = (from + piece).min(frames);
            stream.push(features.frames.slice(s![from..to, ..]), &mut scores).unwrap();
            stream.peek(&mut NetworkScratch::default(), &mut scores.clone()).unwrap();
        }
        stream.finish(&mut scores).unwrap();
        scores
    };
    assert_eq!(score(None, 7), network.scores(&features, &mut NetworkScratch::default()).unwrap());
    for silent in [true, false] {
        assert_eq!(score(Some(silent), 7), score(Some(silent), frames));
    }
    assert_ne!(score(Some(true), frames), score(Some(false), frames));
}

#[test]
fn the_ivector_makes_a_difference() {
    let folder = golden("adapted");
    let imported = VoskFolder::find(&folder).unwrap().import().unwrap();
    let kernels = Precision::F32.kernels();
    let without = Network::from_tensors(&imported.description, &imported.tensors, kernels).unwrap();
    let (features, wanted) = cases("adapted").pop().unwrap();
    let scores = without.scores(&features, &mut NetworkScratch::default()).unwrap();
    let off = scores.as_slice().iter().zip(&wanted).map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f32::max) > 0.1);
}

#[test]
fn extractors_cut_short_or_damaged_name_the_file() {
    let folder = golden("adapted/ivector");
    type Check = fn(&[u8]) -> Result<usize, paretone::kaldi::KaldiError>;
    for (name, check) in
        [("final.ie", check_extractor as Check), ("final.dubm", check_mixture as Check)]
    {
        let whole = fs::read(folder.join(name)).unwrap();
        assert_eq!(check(&whole).unwrap(), 7);
        for length in 0..whole.len() {
            let error = check(&whole[..length]).expect_err("cut short").to_string();
            assert!(error.starts_with(name), "{length}: {error}");
        }
        for at in 0..whole.len() {
            for value in [0x00, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = check(&damaged);
            }
        }
        let behind = [&whole[..], b"<"].concat();
        assert!(check(&behind).unwrap_err().to_string().contains("behind the end"));
    }
}

#[test]
fn missing_files_of_the_extractor_are_named() {
    let names = [
        "final.ie",
        "final.dubm",
        "final.mat",
        "global_cmvn.stats",
        "splice.conf",
        "online_cmvn.conf",
    ];
    for name in names {
        let folder = tempfile::tempdir().unwrap();
        let vosk = copy(folder.path());
        fs::remove_file(vosk.join("ivector").join(name)).unwrap();
        let told = import_error(&vosk);
        assert!(told.contains(name), "{told}");
    }
}

#[test]
fn parts_that_do_not_fit_name_file_and_token() {
    let told = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let folder = tempfile::tempdir().unwrap();
        let vosk = copy(folder.path());
        let path = vosk.join(name);
        fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
        import_error(&vosk)
    };
    let text = |text: &'static str| move |_: Vec<u8>| text.as_bytes().to_vec();
    let said = told("ivector/splice.conf", &text("--left-context=2\n--right-context=1\n"));
    assert!(said.contains("final.mat") && said.contains("24 spliced values"), "{said}");
    let said = told("ivector/splice.conf", &text("--left-context=99999999999\n"));
    assert!(said.contains("splice.conf"), "{said}");
    let said = told("ivector/splice.conf", &text("--left-context=-1\n"));
    assert!(said.contains("splice.conf") && said.contains("left-context"), "{said}");
    let said = told("ivector/online_cmvn.conf", &text("--norm-vars=true\n"));
    assert!(said.contains("online_cmvn.conf") && said.contains("norm-vars"), "{said}");
    let said = told("ivector/online_cmvn.conf", &text("--cmn-window=0\n"));
    assert!(said.contains("global_cmvn.stats") || said.contains("online_cmvn.conf"), "{said}");
    let said = told("ivector/global_cmvn.stats", &text(" [ 1 2\n 0 0 ]\n"));
    assert!(said.contains("global_cmvn.stats") && said.contains("6 values"), "{said}");
    let said = told("ivector/final.mat", &text(" [ 1 2 ]\n"));
    assert!(said.contains("final.mat"), "{said}");
    let other = |bytes: Vec<u8>| {
        let at = bytes.windows(10).position(|part| part == b"<INV_VARS>").unwrap();
        let mut bytes = bytes;
        // Behind the token, `FM `, and the numbers of rows and columns.
        bytes[at + 24..at + 28].copy_from_slice(&(-1f32).to_le_bytes());
        bytes
    };
    let said = told("ivector/final.dubm", &other);
    assert!(said.contains("final.dubm") && said.contains("above zero"), "{said}");
    let said = told(
        "conf/model.conf",
        &text("--endpoint.silence-phones=one\n--frame-subsampling-factor=3\n"),
    );
    assert!(said.contains("model.conf") && said.contains("silence-phones"), "{said}");
}

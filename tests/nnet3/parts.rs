//! A Vosk folder in small, whose graph is in two parts.

use std::fs;
use std::path::{Path, PathBuf};

use paretone::Waveform;
use paretone::units::Hertz;

use crate::fst::{Context, Fst, ngram};
use crate::nnet3::{Network, Part};

/// Features of a frame, and pdfs: two of each of four phones.
pub const DIMS: [usize; 2] = [6, 8];
/// Names by number, as `Gr.fst` has them.
const WORDS: [&str; 4] = ["<eps>", "yes", "yet", "[unk]"];
/// The label that reads nothing.
const SILENT: u32 = 9;

/// Where phone `phone` is entered, and where it stays.
pub fn entry(phone: u32) -> u32 {
    2 * phone
}

fn stay(phone: u32) -> u32 {
    2 * phone - 1
}

/// `yes` of phones 1 and 2, `yet` of 1 and 3, `[unk]` of 4, all between pauses of 4.
pub fn lexicon() -> Fst {
    let never = f32::INFINITY;
    Fst {
        start: 0,
        states: vec![
            (0.0, vec![(entry(1), 0, 0.1, 1), (entry(4), 0, 9.0, 4), (entry(4), 3, 12.0, 4)]),
            (never, vec![(stay(1), 0, 0.3, 1), (entry(2), 1, 0.0, 2), (entry(3), 2, 0.0, 3)]),
            (never, vec![(stay(2), 0, 0.3, 2), (SILENT, 0, 0.0, 0)]),
            (never, vec![(stay(3), 0, 0.3, 3), (SILENT, 0, 0.0, 0)]),
            (never, vec![(stay(4), 0, 0.3, 4), (SILENT, 0, 0.0, 0)]),
        ],
    }
}

pub fn language() -> Vec<u8> {
    let context = |parent, word, words: &[(u32, f32)]| {
        let words = words.to_vec();
        Context { parent, word, back_off: 0.25, ending: 0.5, words }
    };
    let contexts = [
        context(0, u32::MAX, &[(1, 1.0), (2, 1.0), (3, 4.0)]),
        context(0, 0, &[(1, 0.5)]),
        context(0, 1, &[(2, 0.75)]),
    ];
    ngram(&contexts, Some(&WORDS))
}

pub fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A Vosk folder whose network makes little difference between phones: the graph decides.
pub fn folder(at: &Path) -> PathBuf {
    let [features, pdfs] = DIMS;
    let mut net = Network::default();
    net.line(&format!("input-node name=input dim={features}"));
    let row = |pdf: usize| (0..features).map(|at| ((pdf * 7 + at * 3) % 5) as f32 / 1e5).collect();
    let weights = (0..pdfs).map(row).collect();
    net.node("output.affine", "input", Part::Affine(weights, vec![0.0; pdfs]));
    net.line("output-node name=output input=output.affine objective=linear");
    let vosk = at.join("vosk");
    put(&vosk, "am/final.mdl", &net.model(pdfs as i32));
    let mfcc = format!("--use-energy=false\n--num-mel-bins=23\n--num-ceps={features}\n");
    put(&vosk, "conf/mfcc.conf", mfcc.as_bytes());
    let settings = "--beam=13.0\n--max-active=7000\n--lattice-beam=6.0\n--acoustic-scale=1.0\n";
    put(&vosk, "conf/model.conf", settings.as_bytes());
    put(&vosk, "graph/HCLr.fst", &lexicon().look_ahead());
    put(&vosk, "graph/Gr.fst", &language());
    put(&vosk, "graph/disambig_tid.int", format!("{SILENT}\n").as_bytes());
    put(&vosk, "graph/phones/word_boundary.int", b"1 begin\n2 end\n3 end\n4 nonword\n");
    vosk
}

/// A second of noise.
pub fn noise() -> Waveform {
    let mut state = 7u32;
    let samples = (0..16_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    });
    Waveform { samples: samples.collect(), rate: Hertz(16_000) }
}

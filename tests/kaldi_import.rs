//! Vosk folders read: what a network of nnet3 computes, held against computing it the slow way; our
//! own model by way of a Vosk folder; and folders that are damaged.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use paretone::acoustic::{
    ModelDescription, Network as OurNetwork, NetworkScratch, Precision, Tensors,
};
use paretone::feature::Features;
use paretone::graph::Graph;
use paretone::kaldi::{
    ExportOptions, InputMean, VoskFolder, check_config_lines, check_final_mdl, check_front_end,
    export,
};
use paretone::recognizer::{Cache, Options};
use paretone::units::{Hertz, Seconds};
use paretone::{Recognizer, Waveform};

mod nnet3;
mod tiny_model;

use nnet3::{Network, Part, Slow};

/// Features of a frame, width of the layers, of the bottlenecks, and pdfs.
const DIMS: [usize; 4] = [6, 10, 4, 8];

/// Numbers without pattern between −0.5 and 0.5.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(self.0 >> 8) / f64::from(1 << 24) - 0.5) as f32
    }

    fn vector(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.next()).collect()
    }

    fn positive(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.next() + 0.7).collect()
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Vec<Vec<f32>> {
        (0..rows).map(|_| self.vector(columns)).collect()
    }
}

/// A chain model in small, with every supported component and descriptor: features that are
/// transformed, appended and transformed again, a plain layer, two factorised layers with bypasses,
/// of which one leads across the change of rate, and a branch that the output does not need.
fn chain() -> Network {
    let [features, width, narrow, pdfs] = DIMS;
    let mut numbers = Numbers(7);
    let mut net = Network::default();
    net.line(&format!("input-node name=input dim={features}"));
    let order = (0..features as i32).rev().collect();
    net.node("turned", "input", Part::Permute(order));
    net.node("scaled", "turned", Part::Scale(numbers.positive(features)));
    net.node("biased", "scaled", Part::Bias(numbers.vector(features)));
    let (scale, offset) = (numbers.positive(features), numbers.vector(features));
    net.node("shifted", "biased", Part::ScaleAndOffset(scale, offset));
    let spliced = "Append(Offset(shifted, -1), shifted, Offset(shifted, 1), Sum(Offset(Scale(-1.0, input), -2), Offset(input, 2)))";
    let lda =
        Part::FixedAffine(numbers.matrix(4 * features, 4 * features), numbers.vector(4 * features));
    net.node("lda", spliced, lda);
    let affine = Part::Affine(numbers.matrix(width, 4 * features), numbers.vector(width));
    net.node("tdnn1.affine", "lda", affine);
    let noop = layer(&mut net, &mut numbers, "tdnn1", width, None);
    let noop = factorised(&mut net, &mut numbers, "tdnnf2", (&noop, 1), (width, narrow));
    let noop = factorised(&mut net, &mut numbers, "tdnnf3", (&noop, 3), (width, narrow));
    net.node("prefinal-l", &noop, Part::Linear(numbers.matrix(narrow, width)));
    net.node("prefinal.batchnorm", "prefinal-l", batch_norm(&mut numbers, narrow));
    let affine = Part::Affine(numbers.matrix(pdfs, narrow), numbers.vector(pdfs));
    net.node("output.affine", "prefinal.batchnorm", affine);
    net.line("output-node name=output input=output.affine objective=linear");
    net.node("xent.lstm", "prefinal-l", Part::Lstm(narrow));
    net.node("xent.log-softmax", "xent.lstm", Part::LogSoftmax(narrow));
    net.line("output-node name=output-xent input=xent.log-softmax objective=linear");
    net
}

fn batch_norm(numbers: &mut Numbers, width: usize) -> Part {
    Part::BatchNorm(numbers.vector(width), numbers.positive(width))
}

/// What follows a layer's affine: ReLU, normalisation, dropout, and a sum with what a bypass
/// brings.
fn layer(
    net: &mut Network,
    numbers: &mut Numbers,
    name: &str,
    width: usize,
    bypass: Option<&str>,
) -> String {
    let part = |part: &str| format!("{name}.{part}");
    net.node(&part("relu"), &part("affine"), Part::Relu(width));
    net.node(&part("batchnorm"), &part("relu"), batch_norm(numbers, width));
    net.node(&part("dropout"), &part("batchnorm"), Part::Dropout(width));
    let Some(bypass) = bypass else {
        return part("dropout");
    };
    let sum = format!("Sum(Scale(0.66, {bypass}), {})", part("dropout"));
    net.node(&part("noop"), &sum, Part::NoOp(width));
    part("noop")
}

fn factorised(
    net: &mut Network,
    numbers: &mut Numbers,
    name: &str,
    (input, step): (&str, i32),
    (width, narrow): (usize, usize),
) -> String {
    let linear = Part::Tdnn(vec![-step, 0], numbers.matrix(narrow, 2 * width), vec![]);
    net.node(&format!("{name}.linear"), input, linear);
    let bias = numbers.vector(width);
    let affine = Part::Tdnn(vec![0, step], numbers.matrix(width, 2 * narrow), bias);
    net.node(&format!("{name}.affine"), &format!("{name}.linear"), affine);
    layer(net, numbers, name, width, Some(input))
}

/// A Vosk folder of a network, without a graph.
fn folder_of(network: &Network, folder: &Path) -> PathBuf {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder that can be made");
        fs::write(path, bytes).expect("writable");
    };
    put("am/final.mdl", &network.model(DIMS[3] as i32));
    let mfcc = format!("--use-energy=false\n--num-mel-bins=23\n--num-ceps={}\n", DIMS[0]);
    put("conf/mfcc.conf", mfcc.as_bytes());
    let settings = b"--beam=13.0\n--max-active=7000\n--lattice-beam=6.0\n--acoustic-scale=1.0\n--frame-subsampling-factor=3\n";
    put("conf/model.conf", settings);
    folder.to_owned()
}

fn import_error(folder: &Path) -> String {
    let error = VoskFolder::find(folder).expect("a Vosk folder").import().err().expect("an error");
    paretone::WithCauses(&error).to_string()
}

#[test]
fn a_folded_network_computes_what_the_nodes_say() {
    let folder = tempfile::tempdir().unwrap();
    let network = chain();
    let vosk = VoskFolder::find(&folder_of(&network, folder.path())).unwrap();
    let imported = vosk.import().unwrap();
    let layers = &imported.description.network.layers;
    // The plain layer, two factorised ones of two, the bottleneck and the output.
    assert_eq!(layers.len(), 7, "{layers:?}");
    let strides: Vec<usize> = layers.iter().map(|layer| layer.stride).collect();
    assert_eq!(strides.iter().product::<usize>(), 3, "{strides:?}");
    assert_eq!(layers.iter().filter(|layer| layer.bypass.is_some()).count(), 2);
    let kernels = Precision::F32.kernels();
    let ours = OurNetwork::from_tensors(&imported.description, &imported.tensors, kernels).unwrap();
    let mut numbers = Numbers(99);
    for count in [1, 2, 7, 50] {
        let frames: Vec<Vec<f32>> = (0..count).map(|_| numbers.vector(DIMS[0])).collect();
        let flat = frames.concat();
        let features = Features {
            frames: Array2::from_shape_vec((count, DIMS[0]), flat).unwrap(),
            shift: Seconds(0.01),
        };
        let scores = ours.scores(&features, &mut NetworkScratch::default()).unwrap();
        assert_eq!(scores.num_frames(), count.div_ceil(3));
        let mut slow = Slow::new(&network, &frames);
        for frame in 0..scores.num_frames() {
            let expected = slow.node("output", 3 * frame as i32);
            for (score, expected) in scores.row(frame).iter().zip(&expected) {
                let near = (f64::from(*score) - expected).abs() < 1e-4 * expected.abs().max(1.0);
                assert!(near, "frame {frame} of {count}: {score} {expected}");
            }
        }
    }
}

#[test]
fn our_model_by_way_of_a_vosk_folder_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let vosk = folder.path().join("vosk");
    export(&model, &vosk, &ExportOptions::default()).unwrap();
    let cache = Cache::in_folder(folder.path().join("cache"));
    let options = Options::default().cache(cache).precision(Precision::F32).large_model(false);
    let [ours, theirs] =
        [&model, &vosk].map(|folder| Recognizer::open_with(folder, options.clone()).unwrap());
    for seconds in [1, 2, 5] {
        let samples = tiny_model::noise(16_000 * seconds);
        let recording = Waveform {
            samples: samples.iter().map(|sample| f32::from(*sample) / 32768.0).collect(),
            rate: Hertz(16_000),
        };
        let (ours, theirs) =
            (ours.transcribe(&recording).unwrap(), theirs.transcribe(&recording).unwrap());
        assert_eq!(ours.text(), theirs.text());
        assert!((ours.cost.0 - theirs.cost.0).abs() < 1e-3 * ours.cost.0.abs().max(1.0));
        assert!(!ours.text().is_empty());
        // Also where nothing rescores and no graph is scaled: confidence is made from it.
        assert!(ours.evidence.is_some() && theirs.evidence.is_some());
        assert_eq!(theirs.word_evidence.len(), theirs.words.len());
    }
    // The second start maps what the first has read.
    assert!(Recognizer::open_with(&vosk, options).is_ok());
}

#[test]
fn a_model_cut_short_anywhere_is_an_error_that_names_the_file() {
    let whole = chain().model(DIMS[3] as i32);
    assert!(check_final_mdl(&whole).is_ok());
    for length in 0..whole.len() {
        let error = check_final_mdl(&whole[..length]).expect_err("cut short");
        assert!(error.to_string().starts_with("final.mdl"), "{length}: {error}");
    }
}

#[test]
fn damaged_models_are_errors_or_models_but_never_panics() {
    let whole = chain().model(DIMS[3] as i32);
    for at in 0..whole.len() {
        for value in [0x00, 0x7f, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            let _ = check_final_mdl(&damaged);
        }
    }
}

#[test]
fn networks_that_are_no_chain_of_layers_name_the_node() {
    let say = |change: &dyn Fn(&mut Network)| {
        let mut network = chain();
        change(&mut network);
        let folder = tempfile::tempdir().unwrap();
        import_error(&folder_of(&network, folder.path()))
    };
    let replace = |network: &mut Network, from: &str, to: &str| {
        for line in &mut network.lines {
            *line = line.replace(from, to);
        }
    };
    let told = say(&|network| replace(network, "input=output.affine", "input=xent.lstm"));
    assert!(
        told.contains("LstmNonlinearityComponent is not supported") && told.contains("xent.lstm"),
        "{told}"
    );
    let told = say(&|network| replace(network, "input=turned", "input=output.affine"));
    assert!(told.contains("reads itself"), "{told}");
    let told = say(&|network| replace(network, "input=lda", "input=nobody"));
    assert!(told.contains("no node nobody"), "{told}");
    let told = say(&|network| replace(network, "input=lda", "input=turned"));
    assert!(told.contains("tdnn1.affine") && told.contains("reads 6"), "{told}");
    let told = say(&|network| replace(network, "input=lda", "input=Sum(lda,"));
    assert!(told.contains("config line"), "{told}");
    let told = say(&|network| replace(network, "component=lda", "component=ldb"));
    assert!(told.contains("no component ldb"), "{told}");
    let told = say(&|network| replace(network, "input=lda", "input=IfDefined(lda)"));
    assert!(told.contains("IfDefined"), "{told}");
    let told = say(&|network| {
        if let Part::Affine(weights, _) = &mut network.parts[5].1 {
            weights[0][0] = f32::NAN;
        }
    });
    assert!(told.contains("final.mdl, at <LinearParams>") && told.contains("not finite"), "{told}");
}

#[test]
fn the_mean_of_cepstra_runs_and_that_of_energies_is_fixed() {
    let folder = tempfile::tempdir().unwrap();
    let vosk = folder_of(&chain(), folder.path());
    fs::write(vosk.join("am/global_cmvn.stats"), " [ 2 4 6 8 10 12 2\n 0 0 0 0 0 0 0 ]\n").unwrap();
    let mean = || VoskFolder::find(&vosk).unwrap().import().unwrap().mean;
    let means = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    assert_eq!(mean(), Some(InputMean::Running(means.clone())));
    fs::remove_file(vosk.join("conf/mfcc.conf")).unwrap();
    let bins = format!("--num-mel-bins={}\n", DIMS[0]);
    fs::write(vosk.join("conf/fbank.conf"), bins).unwrap();
    assert_eq!(mean(), Some(InputMean::Fixed(means)));
}

#[test]
fn the_words_are_those_of_least_risk_unless_the_folder_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let vosk = folder_of(&chain(), folder.path());
    let least_risk = || VoskFolder::find(&vosk).unwrap().import().unwrap().least_risk;
    assert!(least_risk());
    fs::write(vosk.join("conf/paretone.conf"), "--minimum-bayes-risk=false\n").unwrap();
    assert!(!least_risk());
}

/// What the fuzz targets begin with (`scripts/fuzz.sh`) stands in files. With
/// `PARETONE_WRITE_SEEDS` set they are written anew.
#[test]
fn the_seeds_of_the_fuzz_targets_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi");
    if std::env::var_os("PARETONE_WRITE_SEEDS").is_some() {
        write_seeds(&folder);
    }
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for name in ["chain.mdl", "convolution.mdl"] {
        assert!(check_final_mdl(&read(name)).unwrap() > 2, "{name}");
    }
    for name in ["const.fst", "vector.fst"] {
        assert!(Graph::from_openfst(read(name).as_slice()).unwrap().num_states() > 2, "{name}");
    }
    assert_eq!(check_front_end(&read("mfcc.conf")).unwrap(), 40);
    let lines = String::from_utf8(read("network.config")).unwrap();
    assert!(check_config_lines(&lines).unwrap() > 1);
}

fn write_seeds(to: &Path) {
    let put = |name: &str, bytes: &[u8]| fs::write(to.join(name), bytes).unwrap();
    put("chain.mdl", &chain().model(DIMS[3] as i32));
    let folder = tempfile::tempdir().unwrap();
    let vosk = exported_convolutions(folder.path());
    put("convolution.mdl", &fs::read(vosk.join("am/final.mdl")).unwrap());
    let graph = Graph::read_openfst(&vosk.join("graph/HCLG.fst")).unwrap();
    graph.save_openfst_const(&to.join("const.fst")).unwrap();
    graph.save_openfst(&to.join("vector.fst")).unwrap();
}

/// A model with convolutions as a Vosk folder.
fn exported_convolutions(folder: &Path) -> PathBuf {
    let model = tiny_model::write(folder);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/convolution");
    for name in ["model.json", "acoustic.safetensors"] {
        fs::copy(golden.join(name), model.join(name)).unwrap();
    }
    fs::write(model.join("lexicon.txt"), "<unk>\tSPN\nah\tAA\nbah\tAA AA\n").unwrap();
    let vosk = folder.join("vosk");
    export(&model, &vosk, &ExportOptions::default().mean(vec![0.0; 7])).unwrap();
    vosk
}

#[test]
fn a_graph_that_is_too_large_is_refused_by_its_header() {
    let mut bytes =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi/const.fst"))
            .unwrap();
    // Behind the number, two strings, version, flags, properties, start and the number of states.
    let arcs = 4 + 4 + "const".len() + 4 + "standard".len() + 4 + 4 + 8 + 8 + 8;
    bytes[arcs..arcs + 8].copy_from_slice(&(1i64 << 40).to_le_bytes());
    let error = Graph::from_openfst(bytes.as_slice()).unwrap_err().to_string();
    assert!(error.contains("arcs 1099511627776") && error.contains("smaller"), "{error}");
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let vosk = folder_of(&chain(), folder.path());
    fs::remove_file(vosk.join("conf/mfcc.conf")).unwrap();
    assert!(import_error(&vosk).contains("mfcc.conf"));
    fs::write(vosk.join("conf/mfcc.conf"), "--num-ceps=13\n").unwrap();
    assert!(import_error(&vosk).contains("use-energy"));
    fs::remove_file(vosk.join("conf/model.conf")).unwrap();
    assert!(VoskFolder::find(&vosk).is_none());
    let error = Recognizer::open(&vosk).err().expect("no model");
    assert!(error.to_string().contains("neither model.json nor"), "{error}");
}

#[test]
fn convolutions_go_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let vosk = exported_convolutions(folder.path());
    let imported = VoskFolder::find(&vosk).unwrap().import().unwrap();
    let kernels = Precision::F32.kernels();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/convolution");
    let description = ModelDescription::open(&golden).unwrap();
    let tensors = Tensors::open(&golden.join("acoustic.safetensors")).unwrap();
    let ours = OurNetwork::from_tensors(&description, &tensors, kernels).unwrap();
    let theirs =
        OurNetwork::from_tensors(&imported.description, &imported.tensors, kernels).unwrap();
    let mut numbers = Numbers(3);
    for count in [1, 5, 100] {
        let features = Features {
            frames: Array2::from_shape_vec((count, 7), numbers.vector(7 * count)).unwrap(),
            shift: Seconds(0.01),
        };
        let mut scratch = NetworkScratch::default();
        let [ours, theirs] =
            [&ours, &theirs].map(|network| network.scores(&features, &mut scratch).unwrap());
        assert_eq!(ours.num_frames(), theirs.num_frames());
        for (ours, theirs) in ours.as_slice().iter().zip(theirs.as_slice()) {
            assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
        }
    }
}

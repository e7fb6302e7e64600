//! The stages that `peer` asks, each opened once, with its working memory warm from file to file.

use std::path::Path;

use anyhow::{Context, Result, bail};
use ndarray::{Array2, ArrayView2, Axis};
use paretone::acoustic::{ModelDescription, Network, NetworkScratch, Precision, Scores, Tensors};
use paretone::audio::Waveform;
use paretone::decode::{Decoder, Pruning, Scratch};
use paretone::feature::Mfcc;
use paretone::graph::Graph;
use paretone::recognizer::{Recognizer, RecognizerScratch};
use paretone::units::{Cost, Hertz};

use super::npy::{read_npy, write_npy};

/// Answers a question with the seconds its work took and what was found.
pub trait Stage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)>;
}

/// Time on the wall, where the system does not tell threads apart.
#[cfg(not(unix))]
pub fn cpu_seconds() -> f64 {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed().as_secs_f64()
}

/// Processor time of this thread so far.
#[cfg(unix)]
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Recordings to 16-bit WAV at 16 kHz.
pub struct WavStage;

impl Stage for WavStage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)> {
        let [audio, out] = question else { bail!("a question is AUDIO and OUT") };
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let begin = cpu_seconds();
        let waveform = Waveform::open(Path::new(audio))?.at_rate(Hertz(spec.sample_rate))?;
        let seconds = cpu_seconds() - begin;
        let mut wav = hound::WavWriter::create(out, spec)?;
        for sample in &waveform.samples {
            wav.write_sample((sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16)?;
        }
        wav.finalize()?;
        Ok((seconds, waveform.samples.len().to_string()))
    }
}

/// Samples to MFCC.
pub struct FeatureStage(Mfcc);

impl FeatureStage {
    pub fn open(model: &Path) -> Result<Self> {
        Ok(FeatureStage(Mfcc::new(ModelDescription::open(model)?.feature)?))
    }
}

impl Stage for FeatureStage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)> {
        let [wav, out] = question else { bail!("a question is WAV and OUT") };
        let waveform = Waveform::open(Path::new(wav))?;
        let begin = cpu_seconds();
        let features = self.0.compute(&waveform)?;
        let seconds = cpu_seconds() - begin;
        write_npy(Path::new(out), features.frames.view())?;
        Ok((seconds, features.frames.nrows().to_string()))
    }
}

/// Features to scores.
pub struct NetworkStage {
    network: Network,
    scratch: NetworkScratch,
    scores: Scores,
}

impl NetworkStage {
    pub fn open(model: &Path, precision: Precision) -> Result<Self> {
        let description = ModelDescription::open(model)?;
        let tensors = Tensors::open(&model.join(&description.network.weights))?;
        Ok(NetworkStage {
            network: Network::from_tensors(&description, &tensors, precision.kernels())?,
            scratch: NetworkScratch::default(),
            scores: Scores::default(),
        })
    }

    fn pass(&mut self, features: &Array2<f32>, chunk: usize) -> Result<()> {
        self.scores.clear();
        let mut stream = self.network.stream(&mut self.scratch);
        for part in features.axis_chunks_iter(Axis(0), chunk) {
            stream.push(part, &mut self.scores)?;
        }
        Ok(stream.finish(&mut self.scores)?)
    }
}

impl Stage for NetworkStage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)> {
        let [features, chunk, out] = question else {
            bail!("a question is FEATURES, CHUNK and OUT")
        };
        let features = read_npy(Path::new(features))?;
        let chunk = match chunk.parse()? {
            0 => features.nrows().max(1),
            frames => frames,
        };
        let begin = cpu_seconds();
        self.pass(&features, chunk)?;
        let seconds = cpu_seconds() - begin;
        let shape = (self.scores.num_frames(), self.scores.num_pdfs());
        let scores = ArrayView2::from_shape(shape, self.scores.as_slice())?;
        write_npy(Path::new(out), scores)?;
        Ok((seconds, shape.0.to_string()))
    }
}

/// Scores to words, through a graph.
pub struct SearchStage {
    graph: Graph,
    scratch: Scratch,
}

impl SearchStage {
    pub fn open(graph: &Path) -> Result<Self> {
        Ok(SearchStage { graph: Graph::open(graph)?, scratch: Scratch::new() })
    }
}

impl Stage for SearchStage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)> {
        let [scores, beam, max_active, lattice_beam] = question else {
            bail!("a question is SCORES, BEAM, MAX-ACTIVE and LATTICE-BEAM")
        };
        let scores = read_npy(Path::new(scores))?;
        let lattice_beam: Option<f32> = match *lattice_beam {
            "-" => None,
            beam => Some(beam.parse()?),
        };
        let pruning = Pruning {
            network_beam: Cost(beam.parse()?),
            network_top_n: max_active.parse()?,
            lattice_beam: Cost(lattice_beam.unwrap_or(0.0)),
            ..Pruning::OFF
        };
        let decoder = Decoder::new(&self.graph, pruning)?;
        let begin = cpu_seconds();
        let found = match lattice_beam {
            Some(_) => decoder.lattice(&scores, &mut self.scratch)?.best_path(),
            None => decoder.decode(&scores, &mut self.scratch)?,
        };
        let seconds = cpu_seconds() - begin;
        let words = found.words.iter().map(|word| word.id.0.to_string());
        let words: Vec<_> = words.collect();
        Ok((seconds, format!("{}\t{}", found.cost.0, words.join(" "))))
    }
}

/// Recordings to text.
pub struct PipelineStage {
    recognizer: Recognizer,
    scratch: RecognizerScratch,
}

impl PipelineStage {
    pub fn open(model: &Path) -> Result<Self> {
        let recognizer = Recognizer::open(model)?;
        let scratch = recognizer.scratch();
        Ok(PipelineStage { recognizer, scratch })
    }
}

impl Stage for PipelineStage {
    fn answer(&mut self, question: &[&str]) -> Result<(f64, String)> {
        let [wav, version] = question else { bail!("a question is WAV and VERSION") };
        let version = self.recognizer.versions().get(version);
        let setting = version.context("no such version")?.setting;
        let waveform = Waveform::open(Path::new(wav))?;
        let begin = cpu_seconds();
        let transcript = self.recognizer.transcribe_at(&setting, &waveform, &mut self.scratch)?;
        let seconds = cpu_seconds() - begin;
        Ok((seconds, transcript.text()))
    }
}

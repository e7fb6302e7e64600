//! Which frames hold speech? A small network says so from the log mel energies that the features
//! are made of, whatever the words.
//!
//! Pauses, rooms and machines are no words, yet a search that must answer finds some in them, and a
//! mean over them moves the features of the speech beside them. So the recogniser hears only what
//! the gate lets through. What the network reads is each frame less the mean of the frames around
//! it (`level`): neither the volume nor the colour of a microphone nor a steady noise matters. It
//! was trained on speech among synthetic sounds of many kinds (`scripts/train/gate.py`), is made of
//! the layers of [`acoustic`](crate::acoustic), and answers for every third frame, 0.6 s later.

mod description;
mod level;

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayView2;

use crate::acoustic::{
    AcousticError, Kernels, Network, NetworkScratch, NetworkStream, Scores, Tensors,
};
use crate::feature::MfccConfig;
use description::Description;
use level::Level;

/// The file that describes the gate, in the model's folder; its weights lie beside it.
pub const GATE_FILE: &str = "gate.json";
/// A longer file is no description of a gate.
const MAX_BYTES: u64 = 1 << 20;

/// A trained gate, opened. Immutable: share it between threads.
pub struct Gate {
    network: Network,
    description: Description,
}

/// A gate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// Its description cannot be read.
    #[error("the speech gate's description {} cannot be read; copy the model's folder again", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Its description is not what it should be.
    #[error("{GATE_FILE}: {0}; copy the model's folder again")]
    Format(String),
    /// Its layers or weights cannot be used.
    #[error("the speech gate's network cannot be used; copy the model's folder again")]
    Network(#[from] AcousticError),
}

impl Gate {
    /// The gate in a model's folder, for mel energies of this front end; none if it has none.
    ///
    /// # Errors
    /// Its files cannot be read or are damaged, or it was trained on another front end.
    pub fn of_model(
        folder: &Path,
        front_end: &MfccConfig,
        kernels: Kernels,
    ) -> Result<Option<Gate>, GateError> {
        let path = folder.join(GATE_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let description = Description::parse(&read(&path)?, front_end)?;
        let tensors = Tensors::open(&folder.join(&description.network.weights))?;
        Self::new(description, &tensors, front_end, kernels).map(Some)
    }

    /// A gate from the bytes of its description and opened weights.
    ///
    /// # Errors
    /// As [`Gate::of_model`].
    pub fn from_bytes(
        description: &[u8],
        tensors: &Tensors,
        front_end: &MfccConfig,
        kernels: Kernels,
    ) -> Result<Gate, GateError> {
        let description = Description::parse(description, front_end)?;
        Self::new(description, tensors, front_end, kernels)
    }

    fn new(
        description: Description,
        tensors: &Tensors,
        front_end: &MfccConfig,
        kernels: Kernels,
    ) -> Result<Gate, GateError> {
        let shift = front_end.shift();
        let network = Network::of_layers(&description.network, shift, tensors, kernels)?;
        Ok(Gate { network, description })
    }

    /// Begins to listen.
    pub fn stream(&self) -> GateStream<'_> {
        let Description { frames_before, frames_after, .. } = self.description;
        GateStream {
            gate: self,
            level: Level::new(self.network.input_dim(), frames_before, frames_after),
            network: self.network.stream(NetworkScratch::default()),
            spare: NetworkScratch::default(),
            frames: 0,
            decided: 0,
            levelled: Vec::new(),
            odds: Scores::default(),
        }
    }
}

/// A gate that listens: frames of log mel energies in, for each whether it holds speech out, some
/// frames later. The answers do not depend on how the frames are cut into pushes.
pub struct GateStream<'g> {
    gate: &'g Gate,
    level: Level,
    network: NetworkStream<'g, NetworkScratch>,
    /// For the last answers.
    spare: NetworkScratch,
    /// Frames taken.
    frames: usize,
    /// Frames answered for.
    decided: usize,
    levelled: Vec<f32>,
    odds: Scores,
}

impl GateStream<'_> {
    /// Takes further frames, row after row, and appends the answers that they allow.
    ///
    /// # Errors
    /// A value is no number.
    pub fn push(&mut self, frames: &[f32], speech: &mut Vec<bool>) -> Result<(), GateError> {
        let dims = self.gate.network.input_dim();
        self.frames += frames.len() / dims;
        self.levelled.clear();
        let Self { level, levelled, .. } = self;
        for frame in frames.chunks_exact(dims) {
            level.push(frame, levelled);
        }
        self.take()?;
        self.answer(speech);
        Ok(())
    }

    /// Ends the recording: appends the answers that are left, one for each frame taken. The next
    /// frames begin another recording.
    ///
    /// # Errors
    /// As [`GateStream::push`].
    pub fn finish(&mut self, speech: &mut Vec<bool>) -> Result<(), GateError> {
        self.levelled.clear();
        self.level.finish(&mut self.levelled);
        self.take()?;
        self.answer(speech);
        self.odds.clear();
        self.network.peek(&mut self.spare, &mut self.odds)?;
        self.answer(speech);
        self.network.restart();
        (self.frames, self.decided) = (0, 0);
        Ok(())
    }

    /// Runs the network over the levelled frames.
    fn take(&mut self) -> Result<(), GateError> {
        let dims = self.gate.network.input_dim();
        let shape = (self.levelled.len() / dims, dims);
        let frames = ArrayView2::from_shape(shape, &self.levelled).expect("whole frames");
        self.odds.clear();
        Ok(self.network.push(frames, &mut self.odds)?)
    }

    /// Appends an answer for each frame that an output stands for.
    fn answer(&mut self, speech: &mut Vec<bool>) {
        let subsampling = self.gate.network.subsampling();
        for &odds in self.odds.as_slice() {
            let frames = subsampling.min(self.frames - self.decided);
            let is_speech = odds >= self.gate.description.threshold;
            speech.extend(std::iter::repeat_n(is_speech, frames));
            self.decided += frames;
        }
    }
}

/// The bytes of a description.
fn read(path: &Path) -> Result<Vec<u8>, GateError> {
    let io = |source| GateError::Io { path: path.into(), source };
    if fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
        return Err(GateError::Format(format!("more than {MAX_BYTES} bytes")));
    }
    fs::read(path).map_err(io)
}

#[cfg(test)]
mod tests;

//! `paretone features FILE`: the features of a recording, as NumPy or Kaldi read them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;

use crate::UsageError;
use paretone::audio::Waveform;
use paretone::feature::{
    FeatureKind, Features, Mfcc, MfccConfig, OnlineMean, OnlineMeanConfig, subtract_mean,
};

/// Write the features of one recording: MFCC or log-mel energies, one row per 10 ms
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The audio file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write to this file; standard output without it
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write in this form
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Compute these features, if not those that the model takes
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Subtract this mean
    #[arg(long, value_enum, default_value_t = Mean::None)]
    pub mean: Mean,
    /// Use the front end of this model's folder; without it, Kaldi's "hires" MFCC at 16 kHz
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
}

/// How features are written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A matrix of a Kaldi text archive
    Text,
    /// NumPy's .npy, 32-bit floats, frames x dimensions
    Npy,
}

/// What features are computed.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Mel-frequency cepstral coefficients
    Mfcc,
    /// Natural logs of mel energies
    LogMel,
}

/// Which mean is subtracted.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mean {
    /// None
    None,
    /// That of the recording
    Utterance,
    /// That of the last 6 seconds
    Online,
}

/// Computes and writes the features.
///
/// # Errors
/// When the model's description cannot be used, the audio cannot be read, or the output cannot be
/// written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mfcc = front_end(&args).map_err(UsageError)?;
    let name = args.file.display().to_string();
    let waveform = if args.file == Path::new("-") {
        Waveform::read(io::stdin().lock(), None)
    } else {
        Waveform::open(&args.file)
    };
    let waveform = waveform.with_context(|| name.clone())?;
    let waveform = waveform.at_rate(mfcc.config().sample_rate).with_context(|| name.clone())?;
    let mut features = mfcc.compute(&waveform)?;
    match args.mean {
        Mean::None => {}
        Mean::Utterance => subtract_mean(&mut features),
        Mean::Online => subtract_online_mean(&mut features)?,
    }
    let out: Box<dyn Write> = match &args.out {
        Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
        None => Box::new(io::stdout().lock()),
    };
    let mut out = BufWriter::new(out);
    match args.format {
        Format::Text => write_text(&mut out, &name, &features)?,
        Format::Npy => write_npy(&mut out, features.frames.dim(), &features.frames)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn front_end(args: &Args) -> anyhow::Result<Mfcc> {
    let mut config = match &args.model {
        Some(model) => described(&model.join("model.json"))?,
        None => MfccConfig::default(),
    };
    match args.kind {
        Some(Kind::Mfcc) => config.kind = FeatureKind::Mfcc,
        Some(Kind::LogMel) => config.kind = FeatureKind::LogMel,
        None => {}
    }
    Ok(Mfcc::new(config)?)
}

/// The front end in a model's description; the rest of the description is none of ours.
fn described(path: &Path) -> anyhow::Result<MfccConfig> {
    #[derive(serde::Deserialize)]
    struct Description {
        feature: MfccConfig,
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let description: Description =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    Ok(description.feature)
}

fn subtract_online_mean(features: &mut Features) -> anyhow::Result<()> {
    let mut mean = OnlineMean::new(OnlineMeanConfig::default(), features.frames.ncols(), None)?;
    for mut row in features.frames.rows_mut() {
        mean.apply(row.as_slice_mut().expect("the rows of computed features are contiguous"));
    }
    Ok(())
}

/// One matrix of a Kaldi text archive; a key has no spaces.
fn write_text(out: &mut impl Write, name: &str, features: &Features) -> io::Result<()> {
    write!(out, "{}  [", name.replace(char::is_whitespace, "_"))?;
    for row in features.frames.rows() {
        write!(out, "\n ")?;
        for value in row {
            write!(out, " {value}")?;
        }
    }
    writeln!(out, " ]")
}

/// Writes a row-major matrix. Reference: NumPy, "The .npy format", version 1.0.
pub(super) fn write_npy<'a>(
    out: &mut impl Write,
    (rows, columns): (usize, usize),
    values: impl IntoIterator<Item = &'a f32>,
) -> io::Result<()> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    // Magic, version, length and header fill a multiple of 64 bytes, and a newline ends them.
    let fill = 63 - (10 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', fill));
    header.push('\n');
    let length = u16::try_from(header.len()).expect("two numbers do not fill a header");
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for value in values {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use paretone::units::Seconds;

    #[test]
    fn what_numpy_and_kaldi_read() {
        let features = Features {
            frames: array![[1.0, -0.5], [0.25, 2.0], [0.0, 1e-9]],
            shift: Seconds(0.01),
        };
        let mut text = Vec::new();
        write_text(&mut text, "my file.wav", &features).unwrap();
        assert_eq!(text, b"my_file.wav  [\n  1 -0.5\n  0.25 2\n  0 0.000000001 ]\n");

        let mut npy = Vec::new();
        write_npy(&mut npy, features.frames.dim(), &features.frames).unwrap();
        assert_eq!(&npy[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
        assert_eq!((10 + header) % 64, 0);
        assert!(
            npy[10..10 + header]
                .starts_with(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }")
        );
        assert_eq!(npy[9 + header], b'\n');
        let values: Vec<f32> =
            npy[10 + header..].as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect();
        assert_eq!(values, [1.0, -0.5, 0.25, 2.0, 0.0, 1e-9]);
    }
}

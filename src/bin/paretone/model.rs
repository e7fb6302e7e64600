//! `paretone model …`: what a model folder holds, what its network says about a recording, and
//! which models there are (`shelf`).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::features::write_npy;
use super::{UsageError, export, model_folder, shelf};
use paretone::MadeFor;
use paretone::acoustic::{
    Hmm, LayerDescription, ModelDescription, Network, NetworkScratch, Normalisation, Precision,
    Scores, Tensors,
};
use paretone::audio::Waveform;
use paretone::feature::{Mfcc, subtract_mean};
use paretone::recognizer::made_for;

/// List, find and install models, check one, or score a recording with its network
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: ModelCommand,
}

/// The subcommands of `paretone model`.
#[derive(Subcommand, Debug)]
pub enum ModelCommand {
    /// Check a model folder and print what it holds
    Info {
        /// The model: its folder, or its name (see `paretone model list`) [default: en]
        #[arg(value_name = "DIR", env = "PARETONE_MODEL")]
        model: Option<PathBuf>,
        /// Numbers the network multiplies in: auto, f32 or int8
        #[arg(long, value_name = "NUMBERS", default_value_t)]
        precision: Precision,
    },
    /// Print the models that --model finds by name: name, folder, whose it is
    List,
    /// Print the folder of a model
    Where {
        /// Its name or folder [default: en]
        #[arg(value_name = "NAME", env = "PARETONE_MODEL")]
        model: Option<PathBuf>,
    },
    /// Copy a model to where --model finds it by name, in the user's data folder
    Install(shelf::InstallArgs),
    /// Compile a model's graph into the cache now, so that its first use is as quick as every other
    Prepare {
        /// The model's name or folder [default: en]
        #[arg(value_name = "NAME", env = "PARETONE_MODEL")]
        model: Option<PathBuf>,
    },
    /// Write the model in the form of another program
    Export(export::ExportArgs),
    /// Write the acoustic scores of one recording as .npy: output frames x pdfs, 32-bit floats
    Scores {
        /// The audio file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where to write; standard output without it
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The model: its folder, or its name (see `paretone model list`) [default: en]
        #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
        model: Option<PathBuf>,
        /// Numbers the network multiplies in: auto, f32 or int8
        #[arg(long, value_name = "NUMBERS", default_value_t)]
        precision: Precision,
    },
}

/// Opens the model and does what was asked.
///
/// # Errors
/// When the model or the audio cannot be used, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        ModelCommand::List => return shelf::list(),
        ModelCommand::Where { model } => return shelf::print_where(model),
        ModelCommand::Install(args) => return shelf::install(&args),
        ModelCommand::Prepare { model } => return shelf::prepare(model),
        ModelCommand::Export(args) => return export::run(&args),
        ModelCommand::Info { model, precision } => info(&model_folder(model)?, precision)?,
        ModelCommand::Scores { file, out, model, precision } => {
            let scores = scores(&model_folder(model)?, &file, precision)?;
            let out: Box<dyn Write> = match &out {
                Some(path) => {
                    Box::new(File::create(path).with_context(|| path.display().to_string())?)
                }
                None => Box::new(io::stdout().lock()),
            };
            let mut out = BufWriter::new(out);
            let shape = (scores.num_frames(), scores.num_pdfs());
            write_npy(&mut out, shape, scores.as_slice())?;
            out.flush()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Opened {
    description: ModelDescription,
    network: Network,
    hmm: Hmm,
}

fn open(folder: &Path, precision: Precision) -> anyhow::Result<Opened> {
    let open = || {
        let description = ModelDescription::open(folder)?;
        let tensors = Tensors::open(&folder.join(&description.network.weights))?;
        let network = Network::from_tensors(&description, &tensors, precision.kernels())?;
        let hmm = Hmm::from_tensors(&description.hmm, &tensors)?;
        anyhow::Ok(Opened { description, network, hmm })
    };
    Ok(open()
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?)
}

fn info(folder: &Path, precision: Precision) -> anyhow::Result<()> {
    let Opened { description, network, hmm } = open(folder, precision)?;
    let feature = &description.feature;
    let (left, right) = network.context();
    let mut out = io::stdout().lock();
    writeln!(out, "name         {}", description.name)?;
    writeln!(out, "licence      {}", description.licence)?;
    let made_for = made_for(folder, true).map_err(|error| UsageError(error.into()))?;
    write_hashes(&mut out, &made_for)?;
    writeln!(
        out,
        "features     {:?}, {} dimensions, {} ms every {} ms at {} Hz",
        feature.kind,
        feature.dims(),
        feature.frame_length_ms,
        feature.frame_shift_ms,
        feature.sample_rate.0
    )?;
    writeln!(
        out,
        "network      {} parameters, one output every {} frames",
        network.parameters(),
        network.subsampling()
    )?;
    writeln!(out, "context      {left} frames before, {right} after")?;
    writeln!(out, "phones       {}, {} pdfs", hmm.phones.len(), hmm.num_pdfs())?;
    let (int8, layers) = network.int8_layers();
    let kernels = precision.kernels();
    writeln!(out, "kernels      {:?}", kernels.float)?;
    if let Some(kernel) = kernels.int8 {
        writeln!(out, "             {kernel:?} for {int8} of {layers} layers")?;
    }
    let decode = &description.decode;
    writeln!(
        out,
        "search       beam {}, lattice beam {}, at most {} hypotheses",
        decode.beam, decode.lattice_beam, decode.max_active
    )?;
    writeln!(out, "layers")?;
    description.network.layers.iter().try_for_each(|layer| write_layer(&mut out, layer))?;
    Ok(())
}

fn write_hashes(out: &mut impl Write, made_for: &MadeFor) -> io::Result<()> {
    let hash = |part: &Option<String>| part.clone().unwrap_or("none".to_owned());
    writeln!(
        out,
        "hashes       model {}, front end {}, versions {}, calibration {}",
        hash(&made_for.model),
        hash(&made_for.front_end),
        hash(&made_for.versions),
        hash(&made_for.calibration)
    )
}

fn write_layer(out: &mut impl Write, layer: &LayerDescription) -> io::Result<()> {
    let (inputs, outputs) = (layer.input_dim, layer.output_dim);
    write!(out, "  {:16} {inputs:5} -> {outputs:<5}", layer.name)?;
    write!(out, " offsets {:?} stride {}", layer.offsets, layer.stride)?;
    let parts = [(layer.bias, " bias"), (layer.relu, " relu"), (layer.norm, " norm")];
    for (_, part) in parts.iter().filter(|(present, _)| *present) {
        write!(out, "{part}")?;
    }
    match &layer.bypass {
        Some(bypass) => writeln!(out, " + {} x {}", bypass.scale, bypass.layer),
        None => writeln!(out),
    }
}

fn scores(folder: &Path, file: &Path, precision: Precision) -> anyhow::Result<Scores> {
    let Opened { description, network, .. } = open(folder, precision)?;
    let mfcc = Mfcc::new(description.feature.clone()).map_err(|error| UsageError(error.into()))?;
    let name = || file.display().to_string();
    let waveform = Waveform::open(file).with_context(name)?;
    let waveform = waveform.at_rate(description.feature.sample_rate).with_context(name)?;
    let mut features = mfcc.compute(&waveform)?;
    if description.normalisation != Normalisation::None {
        subtract_mean(&mut features);
    }
    network.scores(&features, &mut NetworkScratch::default()).with_context(name)
}

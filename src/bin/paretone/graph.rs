//! `paretone graph compile|import|verify|info`: the decoding graph, from lexicon and n-gram, or a
//! Vosk folder, to the mapped file.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use xxhash_rust::xxh3::xxh3_64;

use super::{DONE, UsageError};
use paretone::acoustic::{Hmm, ModelDescription};
use paretone::graph::compile::{CompileOptions, CompileReport, compile_with_report};
use paretone::graph::lexicon::Lexicon;
use paretone::graph::ngram::Ngram;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;
use paretone::graph::{GRAPH_FORMAT, Graph, WordTable, ctc};
use paretone::kaldi::VoskFolder;
use paretone::units::{Cost, PdfId, WordId};

/// Compile decoding graphs, check them, and print what they hold
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a graph.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Build the decoding graph of a lexicon, an n-gram and an acoustic model (HCLG), or a CTC
    /// network's tokens (TLG)
    Compile(CompileArgs),
    /// Bring the graph of a Vosk folder into our form; HCLr.fst and Gr.fst are composed. Opening a
    /// folder does so too, and keeps the graph in the cache
    Import {
        /// The folder
        folder: PathBuf,
        /// Where to write the graph
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Read all of a graph and check every checksum, offset, target and cost
    Verify {
        /// The graph
        graph: PathBuf,
    },
    /// Print the sizes of a graph
    Info {
        /// The graph
        graph: PathBuf,
    },
}

/// What stands behind a column of the scores.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// A phone of our models in its context
    #[default]
    Hmm,
    /// A token, or the blank between tokens, of a network trained with connectionist temporal
    /// classification
    Ctc,
}

/// What a graph is built from.
#[derive(clap::Args, Debug)]
pub struct CompileArgs {
    /// Read the pronunciations here, one a line: `word PH PH PH` or `word probability PH PH PH`, as
    /// Kaldi and CMUdict write them too
    #[arg(long, value_name = "FILE")]
    pub lexicon: PathBuf,
    /// Read the n-gram from this ARPA file, compressed by gzip or not
    #[arg(long, value_name = "FILE", required_unless_present = "ngram", conflicts_with = "ngram")]
    pub arpa: Option<PathBuf>,
    /// Read the n-gram from this file of `paretone lm pack`
    #[arg(long, value_name = "FILE")]
    pub ngram: Option<PathBuf>,
    /// Read the words here: line n is the word of id n
    #[arg(long, value_name = "FILE")]
    pub words: PathBuf,
    /// Make a graph for scores of our models' phones, or of the tokens of a network trained with
    /// CTC
    #[arg(long, value_enum, default_value_t)]
    pub topology: Topology,
    /// Take phones and their states from this acoustic model's folder
    #[arg(long, value_name = "DIR", required_if_eq("topology", "hmm"))]
    pub model: Option<PathBuf>,
    /// Read the tokens here, for CTC: line n is the network's column n, counted from 0
    #[arg(long, value_name = "FILE", required_if_eq("topology", "ctc"))]
    pub tokens: Option<PathBuf>,
    /// Take this column for the blank, for CTC [default: 0]
    #[arg(long, value_name = "N", requires = "tokens")]
    pub blank: Option<u32>,
    /// Write the graph to this file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Add this cost to each word; larger: fewer, longer words [default: the model's]
    #[arg(long, value_name = "COST", allow_negative_numbers = true)]
    pub word_penalty: Option<f32>,
    /// Expect a pause at the start and after each word with this probability, from 0 to below 1
    /// [default: the model's]
    #[arg(long, value_name = "P")]
    pub silence_probability: Option<f32>,
}

/// Runs the subcommand.
///
/// # Errors
/// What is wrong with the files given.
pub fn run(args: Args) -> Result<ExitCode> {
    let done = match &args.command {
        Command::Compile(args) => compile(args),
        Command::Import { folder, out } => import(folder, out),
        Command::Verify { graph } => verify(graph),
        Command::Info { graph } => info(graph),
    };
    done.map_err(UsageError)?;
    Ok(ExitCode::from(DONE))
}

fn compile(args: &CompileArgs) -> Result<()> {
    let begin = Instant::now();
    let (graph, report) = match args.topology {
        Topology::Hmm => of_phones(args)?,
        Topology::Ctc => of_tokens(args)?,
    };
    graph.save(&args.out)?;
    tell(&args.out, &graph, &report);
    eprintln!("{:.1} s", begin.elapsed().as_secs_f64());
    Ok(())
}

fn import(folder: &Path, out: &Path) -> Result<()> {
    let begin = Instant::now();
    let vosk = VoskFolder::find(folder);
    let vosk = vosk.with_context(|| format!("{} is no Vosk folder", folder.display()))?;
    let transitions = vosk.transitions()?;
    let graph = vosk.graph_of(&transitions)?;
    graph.save(out)?;
    let (emitting, epsilon) = graph.num_arcs();
    eprintln!(
        "{}: {} states, {emitting} emitting and {epsilon} epsilon arcs, in {:.1} s",
        out.display(),
        graph.num_states(),
        begin.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// The graph over one of our models' phones.
fn of_phones(args: &CompileArgs) -> Result<(Graph, CompileReport)> {
    let model = args.model.as_ref().context("name a model with --model")?;
    let defaults = ModelDescription::open(model)?.decode;
    let hmm = Hmm::open(model)?;
    let (words, sum) = words_of(args)?;
    let lexicon = Lexicon::open(&args.lexicon, &words, &hmm.phones)?;
    let ngram = ngram(args, &words, sum)?;
    let penalty = args.word_penalty.unwrap_or(defaults.word_penalty);
    let silence = args.silence_probability;
    let options = CompileOptions::default()
        .word_penalty(Cost(penalty))
        .silence_probability(silence.unwrap_or(defaults.silence_probability));
    Ok(compile_with_report(&hmm, &lexicon, &ngram, &options)?)
}

/// The graph over the tokens of a CTC network.
fn of_tokens(args: &CompileArgs) -> Result<(Graph, CompileReport)> {
    if args.silence_probability.is_some() {
        bail!("--silence-probability is for --topology hmm: with CTC the blank is heard in pauses");
    }
    let tokens = args.tokens.as_ref().context("name a list with --tokens")?;
    let names = fs::read_to_string(tokens).with_context(|| tokens.display().to_string())?;
    let names = names.lines().map(|line| line.trim_end().to_owned());
    let tokens = ctc::Tokens::new(names.collect(), PdfId(args.blank.unwrap_or(0)))?;
    let (words, sum) = words_of(args)?;
    let lexicon = Lexicon::open(&args.lexicon, &words, tokens.names())?;
    let ngram = ngram(args, &words, sum)?;
    let penalty = Cost(args.word_penalty.unwrap_or(0.0));
    Ok(ctc::compile(&tokens, &lexicon, &ngram, penalty)?)
}

/// The word table and its checksum.
fn words_of(args: &CompileArgs) -> Result<(WordTable, u64)> {
    let name = args.words.display().to_string();
    let bytes = fs::read(&args.words).with_context(|| name.clone())?;
    let words = WordTable::from_reader(bytes.as_slice(), &name)?;
    Ok((words, xxh3_64(&bytes)))
}

fn ngram(args: &CompileArgs, words: &WordTable, sum: u64) -> Result<Ngram> {
    let ngram = match (&args.arpa, &args.ngram) {
        (Some(arpa), _) => pack(Arpa::open(arpa, words)?, words, sum)?,
        (None, Some(packed)) => Ngram::open(packed)?,
        (None, None) => bail!("give the n-gram: --arpa or --ngram"),
    };
    if ngram.words_sum() != sum {
        bail!("the n-gram was packed with another word table; pack it again with this one");
    }
    Ok(ngram)
}

/// Sizes on standard error, which is where compilers talk.
fn tell(out: &Path, graph: &Graph, report: &CompileReport) {
    let CompileReport { words, unpronounced, pronunciations, histories, roots, nodes } = report;
    let (emitting, epsilon) = graph.num_arcs();
    eprintln!(
        "{words} words, {pronunciations} pronunciations; {unpronounced} words of the n-gram have none"
    );
    eprintln!("{histories} histories, {roots} states between words, {nodes} within");
    let states = graph.num_states();
    eprintln!("{}: {states} states, {emitting} emitting and {epsilon} epsilon arcs", out.display());
}

fn verify(path: &Path) -> Result<()> {
    Graph::verify(path)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: sound", path.display())?;
    Ok(())
}

fn info(path: &Path) -> Result<()> {
    let graph = Graph::open(path)?;
    let (emitting, epsilon) = graph.num_arcs();
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "format\t{GRAPH_FORMAT}")?;
    writeln!(out, "states\t{}", graph.num_states())?;
    writeln!(out, "final states\t{}", graph.num_final())?;
    writeln!(out, "emitting arcs\t{emitting}")?;
    writeln!(out, "epsilon arcs\t{epsilon}")?;
    writeln!(out, "pdfs\t{}", graph.num_pdfs())?;
    writeln!(out, "words\t{}", words(&graph))?;
    writeln!(out, "bytes\t{}", bytes.len())?;
    writeln!(out, "checksum\t{:016x}", xxh3_64(&bytes))?;
    Ok(())
}

/// Number of different words that the graph can put out.
fn words(graph: &Graph) -> usize {
    let mut words = HashSet::new();
    for state in graph.states() {
        let arcs = graph.emitting_arcs(state).chain(graph.epsilon_arcs(state));
        words.extend(arcs.map(|arc| arc.word()).filter(|&word| word != WordId::EPSILON));
    }
    words.len()
}

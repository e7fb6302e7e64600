//! `paretone report OUTCOMES.csv… --out DIR`: how the versions compare, from recorded outcomes
//! alone.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DONE, UsageError};
use paretone::eval::BootstrapOptions;
use paretone::eval::page::{Page, Section};
use paretone::eval::table::{Cells, Table};
use paretone::eval::versions::figures::{Figure, figures};
use paretone::eval::versions::sections::{beside_paper, sections};
use paretone::eval::versions::tables::{claims_table, errors_table, times_table};
use paretone::eval::versions::{Hypotheses, ReportOptions, VersionReport};
use paretone::tiers::{self, Outcomes};
use paretone::units::Seconds;

/// Compare versions on recorded outcomes: error, time, categories, confidence; as a page with
/// pictures
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tables of outcomes; every version must have answered every request
    #[arg(required = true, value_name = "OUTCOMES.csv")]
    pub outcomes: Vec<PathBuf>,
    /// Write index.html, report.json and the pictures as .svg to this folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Show exemplars with what each version heard: a .tsv with the columns id, version, text (the
    /// version `reference` says what was said)
    #[arg(long, value_name = "FILE")]
    pub hypotheses: Option<PathBuf>,
    /// Add this network time to every request, in seconds [default: 0]; a round trip within a
    /// continent takes some 0.05
    #[arg(long, value_name = "SECONDS")]
    pub round_trip: Option<Seconds>,
    /// Set what was measured beside what the paper found (Halpern et al., ISPASS 2019)
    #[arg(long)]
    pub beside_paper: bool,
    /// Draw the speaker bootstrap from this seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// One file that went into a report.
#[derive(Serialize)]
struct Input {
    file: String,
    sha256: String,
    rows: usize,
}

/// What `report.json` holds.
#[derive(Serialize)]
struct Record<'a> {
    paretone: &'static str,
    inputs: &'a [Input],
    #[serde(flatten)]
    report: &'a VersionReport,
}

/// Makes the report.
///
/// # Errors
/// When a table cannot be used, or the files cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (outcomes, inputs) = read(&args.outcomes).map_err(UsageError)?;
    let hypotheses = match &args.hypotheses {
        Some(path) => Hypotheses::open(path).map_err(|error| UsageError(error.into()))?,
        None => Hypotheses::default(),
    };
    let options = ReportOptions::default()
        .round_trip(args.round_trip.unwrap_or(Seconds(0.0)))
        .bootstrap(BootstrapOptions::default().seed(args.seed));
    let report = VersionReport::new(&outcomes, &hypotheses, options);
    let figures = figures(&report)?;
    let page = page(&report, &figures, &inputs, args.beside_paper);
    write_files(&args.out, &report, &figures, (&inputs, &page))
        .with_context(|| format!("cannot write to {}", args.out.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    let beside_paper = args.beside_paper.then(|| claims_table(&report));
    for table in [errors_table(&report), times_table(&report)].into_iter().chain(beside_paper) {
        table.write_text(&mut out)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", args.out.join("index.html").display())?;
    out.flush()?;
    Ok(ExitCode::from(DONE))
}

fn read(paths: &[PathBuf]) -> anyhow::Result<(tiers::Table, Vec<Input>)> {
    let (mut tables, mut inputs) = (Vec::new(), Vec::new());
    for path in paths {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let table = Outcomes::read(bytes.as_slice(), path)?;
        inputs.push(Input {
            file: path.display().to_string(),
            sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            rows: table.rows.len(),
        });
        tables.push(table);
    }
    let names: Vec<&str> = inputs.iter().map(|input| input.file.as_str()).collect();
    let outcomes = tiers::Table::of(&tables).with_context(|| names.join(", "))?;
    Ok((outcomes, inputs))
}

fn write_files(
    folder: &Path,
    report: &VersionReport,
    figures: &[Figure],
    (inputs, page): (&[Input], &Page),
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for figure in figures {
        std::fs::write(folder.join(format!("{}.svg", figure.name)), &figure.svg)?;
    }
    let record = Record { paretone: env!("CARGO_PKG_VERSION"), inputs, report };
    let mut json = BufWriter::new(File::create(folder.join("report.json"))?);
    serde_json::to_writer_pretty(&mut json, &record)?;
    json.flush()?;
    Ok(std::fs::write(folder.join("index.html"), page.to_html())?)
}

fn page(
    report: &VersionReport,
    figures: &[Figure],
    inputs: &[Input],
    is_beside_paper: bool,
) -> Page {
    let mut sections = sections(report, figures);
    sections.extend(is_beside_paper.then(|| beside_paper(report)));
    sections.push(provenance(report, inputs));
    Page {
        title: "How the versions compare".to_owned(),
        lead: format!(
            "{} utterances of {} reference words, answered by {} versions, {} to {}.",
            report.utterances,
            report.words,
            report.versions.len(),
            report.versions[0],
            report.versions[report.versions.len() - 1]
        ),
        sections,
    }
}

fn provenance(report: &VersionReport, inputs: &[Input]) -> Section {
    let mut section = Section::new("How this was made");
    let files = inputs.iter().map(|input| input.file.as_str());
    section.text(format!(
        "paretone {}: paretone report {} --round-trip {} --seed {}; {} resampled corpora behind \
         each interval. All numbers are in report.json.",
        env!("CARGO_PKG_VERSION"),
        files.collect::<Vec<_>>().join(" "),
        report.tradeoff.round_trip.0,
        report.seed,
        report.draws
    ));
    let mut table = Table::new("Inputs", ["file", "rows", "SHA-256"]);
    table.cells = Cells::Words;
    for input in inputs {
        table.push(&input.file, [input.rows.to_string(), input.sha256.clone()]);
    }
    section.table(table);
    section
}

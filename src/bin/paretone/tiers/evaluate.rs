//! `paretone tiers evaluate`: the paper's evaluation, from recorded outcomes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::input::{Generator, Input, MethodName};
use crate::UsageError;
use paretone::eval::plot_tiers::{promises, savings, timelines};
use paretone::eval::tier_study::{Point, Study, StudyOptions, in_short, page, study, tables};
use paretone::tiers::folds::Split;
use paretone::tiers::{Method, Objective};

/// Judge tiers on held-out requests: promises kept, savings, what certificates allow
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which outcomes.
    #[command(flatten)]
    pub input: Input,
    /// Write index.html, report.txt, results.json, points.csv and the pictures to this folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Compare these methods
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "point,population,next-batch,finite-sample,paper"
    )]
    pub method: Vec<MethodName>,
    /// Make this many folds of each kind: random ones as in the paper, and ones that share no group
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(2..=1000),
    )]
    pub folds: u16,
    /// Certify on requests of these sets, and apply to those of --apply-set: a test of a shift
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "apply_set")]
    pub certify_set: Vec<String>,
    /// Apply to requests of these sets what was certified on --certify-set
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "certify_set")]
    pub apply_set: Vec<String>,
    /// How rules are learnt.
    #[command(flatten)]
    pub generator: Generator,
}

/// Runs the experiments and writes what they found.
///
/// # Errors
/// When the outcomes cannot be used or a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.input.load()?;
    for (flag, named) in [("certify-set", &args.certify_set), ("apply-set", &args.apply_set)] {
        check_sets(flag, named, &loaded.table.sets)?;
    }
    let batch = loaded.table.requests.len() / usize::from(args.folds);
    let methods = args.method.iter().map(|name| name.method(batch.max(1)));
    let rules = args.generator.options(Method::Population);
    let mut options = StudyOptions::new(loaded.reference, methods.collect(), rules);
    options.folds = usize::from(args.folds);
    options.network = args.input.network();
    let sets =
        (!args.certify_set.is_empty()).then_some((&args.certify_set[..], &args.apply_set[..]));
    let study = study(&loaded.table, &options, sets);
    write_files(&args.out, &study, &loaded.sha256)
        .with_context(|| format!("cannot write to {}", args.out.display()))?;
    writeln!(std::io::stdout().lock(), "{}", text(&study).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses the name of a set that the outcomes do not have.
fn check_sets(flag: &str, named: &[String], sets: &[String]) -> Result<(), UsageError> {
    let unknown = named.iter().find(|name| !sets.contains(name));
    unknown.map_or(Ok(()), |name| {
        let sets = sets.join(", ");
        Err(UsageError(anyhow!("--{flag} {name}: no request is of that set, only of {sets}")))
    })
}

fn write_files(folder: &Path, study: &Study, sha256: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("report.txt"), text(study))?;
    let json = serde_json::json!({ "outcomes_sha256": sha256, "study": study });
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(&json)?)?;
    write_points(&folder.join("points.csv"), &study.points)?;
    let pictures = pictures(study)?;
    for (name, svg) in &pictures {
        fs::write(folder.join(name), svg)?;
    }
    let page = page(&in_short(study), &tables(study), &pictures, sha256);
    fs::write(folder.join("index.html"), page.to_html())?;
    Ok(())
}

/// What the study comes to, and its tables.
fn text(study: &Study) -> String {
    let tables = tables(study).into_iter().map(|table| table.to_text());
    let all: Vec<String> = [in_short(study).join("\n") + "\n"].into_iter().chain(tables).collect();
    all.join("\n")
}

/// Names and SVG texts of all pictures.
fn pictures(study: &Study) -> anyhow::Result<Vec<(String, String)>> {
    let mut pictures = Vec::new();
    for (accounting, lines) in &study.timelines {
        let name = accounting.name();
        let title = format!("One request, {name} costs");
        pictures.push((format!("fig6-{name}.svg"), timelines(&title, lines)?));
    }
    for (split, split_name) in [(Split::Random, "random"), (Split::Disjoint, "disjoint")] {
        for method in
            study.methods.iter().map(|method| method.name()).filter(|name| *name != "point")
        {
            pictures
                .push((format!("fig8-{method}-{split_name}.svg"), promises(study, split, method)?));
            for (figure, objective) in
                [("fig9", Objective::ResponseTime), ("fig10", Objective::Cost)]
            {
                let svg = savings(study, split, method, objective)?;
                pictures.push((format!("{figure}-{method}-{split_name}.svg"), svg));
            }
        }
    }
    Ok(pictures)
}

/// A line of points.csv.
#[derive(serde::Serialize)]
struct Line {
    split: Split,
    fold: usize,
    method: &'static str,
    accounting: &'static str,
    contender: &'static str,
    tolerance: f64,
    bound: f64,
    degradation: f64,
    response_seconds: f64,
    cost_seconds: f64,
    escalated: f64,
    violated: bool,
}

fn write_points(path: &Path, points: &[Point]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    for point in points {
        writer.serialize(Line {
            split: point.split,
            fold: point.fold,
            method: point.method.name(),
            accounting: point.accounting.name(),
            contender: point.contender.name(point.method),
            tolerance: point.tolerance,
            bound: point.bound,
            degradation: point.degradation,
            response_seconds: point.response,
            cost_seconds: point.cost,
            escalated: point.escalated,
            violated: point.violated(),
        })?;
    }
    Ok(writer.flush()?)
}

//! `paretone tiers show`: a rules file as people read it.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::UsageError;
use paretone::eval::table::{Cells, Table};
use paretone::eval::tier_study::milliseconds;
use paretone::tiers::{Certificate, Method, Objective, Rule, Rules, Sharing};

/// Print a rules file as a table
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The rules, as `paretone tiers train` writes them
    #[arg(value_name = "RULES")]
    pub rules: PathBuf,
}

/// Prints the file.
///
/// # Errors
/// When the file is no rules file, or standard output is closed.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let rules = Rules::open(&args.rules).map_err(|error| UsageError(error.into()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    write_rules(&mut out, &rules)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The certificate in words, and a table for each objective.
///
/// # Errors
/// The writer fails.
pub fn write_rules(out: &mut impl Write, rules: &Rules) -> io::Result<()> {
    write_certificate(out, &rules.certificate)?;
    let highest = f64::from(rules.tolerances.steps) * rules.tolerances.step;
    for objective in Objective::ALL {
        let tiers: Vec<&Rule> =
            rules.tiers.iter().filter(|rule| rule.objective == objective).collect();
        let ends =
            tiers.iter().skip(1).map(|next| next.tolerance.as_share() - rules.tolerances.step);
        let ends = ends.chain([highest]);
        write_table(out, objective, tiers.iter().copied().zip(ends))?;
    }
    Ok(())
}

/// The rules of one objective, each with the last tolerance it serves; nothing where there are
/// none.
///
/// # Errors
/// The writer fails.
pub fn write_table<'a>(
    out: &mut impl Write,
    objective: Objective,
    rules: impl Iterator<Item = (&'a Rule, f64)>,
) -> io::Result<()> {
    let mut rules = rules.peekable();
    if rules.peek().is_some() {
        writeln!(out, "\nobjective {}", objective.name())?;
    }
    let columns =
        ["tolerance %", "policy", "bound %", "seen %", "response ms", "cost ms", "full", ""];
    let mut table = Table::new("", columns);
    table.cells = Cells::WordsIn(&[1, 7]);
    table.rows = rules.map(|(rule, end)| cells(rule, end)).collect();
    match table.rows.is_empty() {
        true => Ok(()),
        false => table.write_text(out),
    }
}

fn cells(rule: &Rule, end: f64) -> Vec<String> {
    let start = rule.tolerance.as_share();
    let range = match end > start + 1e-9 {
        true => format!("{:.1} – {:.1}", 100.0 * start, 100.0 * end),
        false => format!("{:.1}", 100.0 * start),
    };
    let remark = match rule.fallback {
        true => "fallback: nothing cheaper is certified",
        false => "",
    };
    vec![
        range,
        rule.policy.to_string(),
        format!("{:.2}", 100.0 * rule.bound),
        format!("{:.2}", 100.0 * rule.degradation),
        milliseconds(rule.expected.response),
        milliseconds(rule.expected.cost),
        format!("{:.0} %", 100.0 * rule.escalated),
        remark.to_owned(),
    ]
}

/// What is promised, and what it rests on.
///
/// # Errors
/// The writer fails.
pub fn write_certificate(out: &mut impl Write, certificate: &Certificate) -> io::Result<()> {
    let sure = 100.0 * (1.0 - certificate.delta);
    let reference = &certificate.reference;
    let kept = format!("no tier's errors exceed {reference}'s by more than its tolerance");
    let promise = match certificate.method {
        Method::Population | Method::FiniteSample => format!("in the long run {kept}"),
        Method::NextBatch { batch_requests } => {
            format!("over the next {batch_requests} requests {kept}")
        }
        Method::Paper => format!("in the worst of many samples of a tenth {kept}"),
        Method::Point => format!("none; on the recorded requests {kept}"),
    };
    writeln!(out, "promise, with {sure:.4} % confidence: {promise}")?;
    let sharing = match certificate.costing.sharing {
        Sharing::Shared => "versions share scores",
        Sharing::Separate => "each version pays for everything",
    };
    writeln!(
        out,
        "method {}; {} requests of {} groups (of speech: speakers); {reference} alone: {:.2} % errors",
        certificate.method.name(),
        certificate.requests,
        certificate.groups,
        100.0 * certificate.reference_error_rate,
    )?;
    writeln!(out, "costs: {sharing}, network {} s", certificate.costing.network.0)?;
    writeln!(
        out,
        "learnt {} from outcomes with SHA-256 {}",
        certificate.date, certificate.outcomes_sha256
    )
}

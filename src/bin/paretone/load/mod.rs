//! `paretone load`: how a running service bears load, by tier and offered rate.

mod overload;
mod results;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};

use self::results::Row;
use super::{DONE, SOME_FAILED, UsageError};
use paretone::service::load::{Caller, Plan, Summary, Target, offer};
use paretone::units::Seconds;

/// Send load to a running service and measure its answers and latency
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Call this service, by plain HTTP
    #[arg(long, value_name = "URL", value_parser = Target::parse, default_value = "http://127.0.0.1:8080")]
    pub url: Target,
    /// Ask for these tolerances, one after another
    #[arg(long, value_delimiter = ',', default_value = "0,0.02,0.05,0.1")]
    pub tolerance: Vec<String>,
    /// Ask for this objective
    #[arg(long, default_value = "response-time")]
    pub objective: String,
    /// Offer these rates, in requests a second
    #[arg(long, value_delimiter = ',', default_value = "10,20,40", value_parser = positive)]
    pub rate: Vec<f64>,
    /// Keep up each rate for this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = Seconds::positive)]
    pub seconds: Seconds,
    /// Measure the capacity, then offer this multiple of it instead of the rates, with a calm
    /// stretch before and after
    #[arg(long, value_name = "MULTIPLE", value_parser = positive)]
    pub overload: Option<f64>,
    /// Watch the memory of this process, the service's, under overload
    #[arg(long, value_name = "PID", requires = "overload")]
    pub pid: Option<u32>,
    /// Give up a request after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "90", value_parser = Seconds::positive)]
    pub patience: Seconds,
    /// Draw the arrivals from this seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write the figures to this file
    #[arg(long, value_name = "CSV")]
    pub csv: Option<PathBuf>,
    /// Draw latency and answers by offered rate into this file
    #[arg(long, value_name = "SVG")]
    pub svg: Option<PathBuf>,
    /// Recordings, sent in turn
    #[arg(required = true, value_name = "RECORDING")]
    pub recordings: Vec<PathBuf>,
}

impl Args {
    fn callers(&self) -> anyhow::Result<Vec<Arc<Caller>>> {
        let read = |path: &PathBuf| {
            let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
            anyhow::Ok(bytes.into())
        };
        let recordings: Vec<_> = self.recordings.iter().map(read).collect::<Result<_, _>>()?;
        let caller = |tolerance: &String| {
            Arc::new(Caller {
                target: self.url.clone(),
                tolerance: tolerance.clone(),
                objective: self.objective.clone(),
                recordings: recordings.clone(),
                patience: Duration::from_secs_f64(self.patience.0),
            })
        };
        Ok(self.tolerance.iter().map(caller).collect())
    }

    fn plan(&self, rate: f64) -> Plan {
        Plan { rate, time: Duration::from_secs_f64(self.seconds.0), seed: self.seed }
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok();
    let value = value.filter(|value| *value > 0.0 && *value <= 1e6);
    value.ok_or_else(|| "must be above 0 and at most 1000000".to_owned())
}

/// Measures, and prints a table.
///
/// # Errors
/// A [`UsageError`] when a recording cannot be read; another when a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let callers = args.callers().map_err(UsageError)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // One thread for the load leaves the other processors to the service.
    let runtime = runtime.worker_threads(1).enable_all().build()?;
    let rows = runtime.block_on(async {
        match args.overload {
            Some(multiple) => overload::measure(&args, &callers, multiple).await,
            None => measure(&args, &callers).await,
        }
    });
    results::print(&rows)?;
    if let Some(path) = &args.csv {
        results::write_csv(path, &rows)?;
    }
    if let Some(path) = &args.svg {
        let picture = results::picture(&rows).map_err(|error| anyhow!(error))?;
        std::fs::write(path, picture).with_context(|| path.display().to_string())?;
    }
    let failed: usize = rows.iter().map(|row| row.summary.failed).sum();
    Ok(ExitCode::from(if failed > 0 { SOME_FAILED } else { DONE }))
}

async fn measure(args: &Args, callers: &[Arc<Caller>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for caller in callers {
        for &rate in &args.rate {
            rows.push(stretch(caller, &args.plan(rate), "").await);
        }
    }
    rows
}

/// Offers one plan.
async fn stretch(caller: &Arc<Caller>, plan: &Plan, name: &'static str) -> Row {
    let sent = offer(caller, plan).await;
    Row {
        tolerance: caller.tolerance.clone(),
        stretch: name,
        offered: plan.rate,
        summary: Summary::of(&sent, plan.time),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(text: &str) -> Option<Args> {
        let line = Line::try_parse_from(text.split(' ')).ok()?;
        Some(line.args)
    }

    #[test]
    fn lists_are_taken_and_nonsense_is_not() {
        let args = parse("load --tolerance 0,5% --rate 1,2.5 a.wav b.wav").unwrap();
        assert_eq!(args.tolerance, ["0", "5%"]);
        assert_eq!((args.rate, args.recordings.len()), (vec![1.0, 2.5], 2));
        for wrong in [
            "load",
            "load --rate 0 a.wav",
            "load --rate NaN a.wav",
            "load --seconds -1 a.wav",
            "load --pid 1 a.wav",
            "load --url https://a a.wav",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}

//! Which settings a sweep measures: kept in its folder, so that an interrupted sweep goes on as it
//! began.

use std::collections::HashSet;
use std::fs;
use std::io;

use anyhow::{Context, anyhow, bail};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Args, Search, found};
use crate::UsageError;
use paretone::decode::Knob;
use paretone::recognizer::{Recognizer, Setting};
use paretone::sweep::log::MeasurementLog;
use paretone::sweep::{point, space};

/// The settings this command asks for: read from the folder's plan if it was given before, so that
/// it goes on as it began, else chosen and added to the plan.
pub(super) fn plan(args: &Args, recognizer: &Recognizer) -> anyhow::Result<Vec<Setting>> {
    let path = args.folder.join("plan.txt");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context(format!("cannot read {}", path.display())),
    };
    let base = args.base.of(recognizer)?;
    let name = format!(
        "# {:?}, {} settings, seed {}, {:?}, {:?}, from {base}",
        args.search, args.settings, args.seed, args.levels, args.list
    );
    let chapters = text.split_inclusive('\n').skip_while(|line| line.trim_end() != name);
    let planned: Vec<&str> = chapters.skip(1).take_while(|line| !line.starts_with('#')).collect();
    if !planned.is_empty() {
        let parse = |line: &str| Ok(line.trim_end().parse::<Setting>()?);
        return planned.into_iter().map(parse).collect();
    }
    let chosen = choose(args, &base)?;
    let mut chapter = format!("{text}{name}\n");
    for setting in &chosen {
        chapter += &format!("{setting}\n");
    }
    // Written beside and renamed, so that a plan is whole or not there.
    let draft = path.with_extension("part");
    fs::write(&draft, chapter)
        .and_then(|()| fs::rename(&draft, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(chosen)
}

/// Chooses settings, each once.
fn choose(args: &Args, base: &Setting) -> anyhow::Result<Vec<Setting>> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let levels = || -> Vec<(Knob, Vec<f64>)> {
        let pairs = args.levels.iter();
        pairs.map(|(knob, values)| (*knob, values.0.clone())).collect()
    };
    let mut chosen = match args.search {
        Search::Grid => space::grid(base, &levels()),
        Search::Knobs => space::one_at_a_time(base, &levels()),
        Search::Random | Search::Halving => space::random(base, args.settings, &mut random),
        Search::Near => space::near(&found_front(args)?, args.settings, &mut random),
        Search::List => listed(args)?,
        Search::Close => close(args)?,
    };
    let mut seen = HashSet::new();
    chosen.retain(|setting| seen.insert(setting.to_string()));
    Ok(chosen)
}

fn found_front(args: &Args) -> anyhow::Result<Vec<Setting>> {
    let log = MeasurementLog::open(&args.folder.join("measurements.csv"))?;
    let points = point::points(&log.found);
    let front = points.iter().filter(|p| p.on_front || p.on_arcs_front);
    let settings: Result<Vec<Setting>, _> = front.map(|point| point.setting.parse()).collect();
    let settings = settings?;
    if settings.is_empty() {
        let error = anyhow!("a near search starts from a front: sweep a grid or at random first");
        return Err(UsageError(error).into());
    }
    Ok(settings)
}

fn close(args: &Args) -> anyhow::Result<Vec<Setting>> {
    let path = args.points.as_ref().context("--search close needs --points FILE")?;
    let points = found::read(path)?;
    let settings = space::close(&points, args.gap).into_iter();
    Ok(settings
        .map(|at| points[at].setting.parse::<Setting>())
        .collect::<Result<_, _>>()
        .map_err(|error| UsageError(anyhow::Error::new(error)))?)
}

fn listed(args: &Args) -> anyhow::Result<Vec<Setting>> {
    let Some(path) = &args.list else {
        bail!("--search list needs --list FILE");
    };
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(UsageError)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| Ok(line.parse::<Setting>().map_err(|error| UsageError(error.into()))?))
        .collect()
}

//! Measuring what is planned and not measured yet.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use indicatif::ProgressBar;

use super::Args;
use crate::progress;
use paretone::eval::corpus::Utterance;
use paretone::recognizer::{Recognizer, RecognizerScratch, Setting};
use paretone::sweep::halving::{better_half, rungs};
use paretone::sweep::log::{Measurement, MeasurementLog};
use paretone::sweep::measure;
use paretone::sweep::point::{self, Point};

/// What a sweep works on.
pub(super) struct Sweep<'a> {
    pub args: &'a Args,
    pub recognizer: &'a Recognizer,
    pub utterances: &'a [Utterance],
}

impl Sweep<'_> {
    pub fn log(&self) -> anyhow::Result<MeasurementLog> {
        Ok(MeasurementLog::open(&self.args.folder.join("measurements.csv"))?)
    }

    /// Measures ever fewer settings on ever more utterances.
    pub fn halve(&self, mut settings: Vec<Setting>) -> anyhow::Result<()> {
        for utterances in rungs(settings.len(), self.utterances.len()) {
            self.measure(&settings, utterances)?;
            if utterances < self.utterances.len() {
                let first: HashSet<&str> = self.ids(utterances).collect();
                let mut found = self.log()?.found;
                found.retain(|one| first.contains(one.id.as_str()));
                let points = point::points(&found);
                let points: BTreeMap<&str, &Point> =
                    points.iter().map(|point| (point.setting.as_str(), point)).collect();
                let goals = settings.iter().map(|setting| {
                    let point = points.get(setting.to_string().as_str());
                    point.map_or((f64::NAN, f64::NAN), |p| (p.arcs_per_frame, p.wer_percent))
                });
                let kept = better_half(&goals.collect::<Vec<_>>());
                settings = kept.into_iter().map(|at| settings[at]).collect();
            }
        }
        Ok(())
    }

    fn ids(&self, count: usize) -> impl Iterator<Item = &str> {
        self.utterances[..count].iter().map(|utterance| utterance.id.as_str())
    }

    /// Measures the settings on the first utterances, as far as they are not in the log.
    pub fn measure(&self, settings: &[Setting], utterances: usize) -> anyhow::Result<()> {
        let log = self.log()?;
        let names: Vec<String> = settings.iter().map(Setting::to_string).collect();
        let missing = |id: &str| -> Vec<usize> {
            (0..names.len()).filter(|&at| !log.holds(&names[at], id)).collect()
        };
        let total: usize = self.ids(utterances).map(|id| missing(id).len()).sum();
        let bar = progress::bar(total as u64, "searches");
        let failure = Mutex::new(None);
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.args.jobs.map_or(jobs, usize::from);
        let work = |_: usize, utterance: &Utterance, scratch: &mut RecognizerScratch| {
            let at = missing(&utterance.id);
            let these: Vec<Setting> = at.iter().map(|&at| settings[at]).collect();
            let result = self.measure_one(&log, utterance, &these, scratch, &bar);
            if let Err(error) = result {
                let error = error.context(format!("{}", utterance.audio.display()));
                *failure.lock().expect("no thread panics with the lock") = Some(error);
            }
        };
        measure::for_each_utterance(self.recognizer, &self.utterances[..utterances], jobs, work);
        bar.finish_and_clear();
        match failure.into_inner().expect("no thread panics with the lock") {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Measures one utterance at some settings and appends each as soon as it is known.
    fn measure_one(
        &self,
        log: &MeasurementLog,
        utterance: &Utterance,
        settings: &[Setting],
        scratch: &mut RecognizerScratch,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        let repeats = usize::from(self.args.repeats);
        let prepared = measure::prepare(self.recognizer, utterance, repeats, scratch)?;
        for setting in settings {
            let one = std::slice::from_ref(setting);
            let heard = measure::hear(self.recognizer, &prepared, one, repeats, scratch)?;
            let heard = heard.first().expect("one setting, one answer");
            let judged = self.args.judging.judge(utterance, &heard.transcript.text())?;
            log.append(&Measurement::new(setting, &judged, &prepared, heard))?;
            bar.inc(1);
        }
        Ok(())
    }
}

//! A share of requests is answered by the reference version too, unseen, to notice drift.
//!
//! What the two answers disagree in bounds what the tier adds to the error rate, without reference
//! texts; see [`tiers::drift`](crate::tiers::drift). Each request counts as one unit of evidence,
//! as callers do not say who speaks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::memory::Held;
use super::metrics::ShadowMetrics;
use super::options::Options;
use super::request::Ask;
use super::serving::{Serving, Way};
use crate::audio::Waveform;
use crate::eval::disagreement;
use crate::recognizer::Transcript;
use crate::scheduler::{Client, TierId};
use crate::tiers::Rules;
use crate::tiers::drift::{Limits, Watch, shadows};

/// Shadows take turns as one client's requests do.
const SHADOWS: Client = Client(0);

/// The watch for drift.
pub struct Shadow {
    share: f64,
    deadline: Duration,
    counts: Arc<Counts>,
}

/// What has been counted.
struct Counts {
    metrics: ShadowMetrics,
    /// None where the rules leave nothing to watch for.
    watch: Mutex<Option<Watch>>,
}

impl Shadow {
    /// Shadows the options' share of requests, and watches them by the rules' limits.
    pub fn new(options: &Options, rules: &Rules, metrics: ShadowMetrics) -> Self {
        let watch = Mutex::new(Watch::new(Limits::of(rules)).ok());
        Shadow {
            share: options.shadow,
            deadline: options.deadline,
            counts: Arc::new(Counts { metrics, watch }),
        }
    }

    /// Whether to shadow a request: not where the reference version answers alone anyway.
    pub fn takes(&self, serving: &Serving, tier: TierId, id: &str) -> bool {
        shadows(serving.routing.rule(tier), id, self.share)
    }

    /// Has the strictest tier answer too, and counts how far the answers are apart; what is held is
    /// given back then. A shadow that finds no room is left out.
    pub fn compare(&self, serving: &Serving, waveform: Waveform, held: Held, answer: &Transcript) {
        let words: Vec<String> = answer.words.iter().map(|word| word.word.clone()).collect();
        let Ok(strictest) = serving.tier(Ask::default()) else {
            return;
        };
        let counts = Arc::clone(&self.counts);
        let (sender, reply) = tokio::sync::oneshot::channel();
        let tell = move |made| drop((sender.send(made), held));
        let Ok(admitted) =
            serving.submit(waveform, Way::Tier(strictest), SHADOWS, self.deadline, tell)
        else {
            return;
        };
        tokio::spawn(async move {
            if let Ok(Ok(served)) = reply.await {
                counts.count(&words, &served.answer);
            }
            drop(admitted);
        });
    }
}

impl Counts {
    fn count(&self, answer: &[String], shadow: &Transcript) {
        let shadow: Vec<String> = shadow.words.iter().map(|word| word.word.clone()).collect();
        let Ok(unit) = disagreement(answer, &shadow) else {
            return;
        };
        let metrics = &self.metrics;
        metrics.requests.inc();
        metrics.distance.inc_by(unit.distance.into());
        metrics.words.inc_by(unit.words.into());
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = &mut *watch {
            let was_on = watch.alarm().is_some();
            let is_on = watch.update(unit);
            metrics.evidence.set(watch.evidence());
            metrics.alarm.set(is_on.into());
            if is_on && !was_on {
                tracing::warn!("answers disagree with the reference version: traffic has drifted");
            }
        }
    }
}

//! What is said on standard error of how far a long command is, unless the user wants quiet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

static QUIET: AtomicBool = AtomicBool::new(false);

/// Shows and tells nothing from now on.
pub fn hush() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Says something that is no warning.
pub fn tell(what: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        eprintln!("paretone: {what}");
    }
}

/// A sign on a terminal that something goes on, gone when it is dropped or finished.
pub fn spinner(what: &'static str) -> ProgressBar {
    if QUIET.load(Ordering::Relaxed) {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    let spinner = ProgressBar::new_spinner()
        .with_style(style.expect("the template is well formed"))
        .with_message(what)
        .with_finish(indicatif::ProgressFinish::AndClear);
    spinner.enable_steady_tick(Duration::from_millis(200));
    spinner
}

/// A bar on standard error that counts `what` and says how long the rest will take.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    if QUIET.load(Ordering::Relaxed) {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:40}} {{human_pos}}/{{human_len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    ProgressBar::new(total).with_style(style)
}

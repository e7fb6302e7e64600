//! The bar that says how far a long command is.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar on standard error that counts `what` and says how long the rest will take.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let template = format!("{{bar:40}} {{human_pos}}/{{human_len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    ProgressBar::new(total).with_style(style)
}

//! Colours by meaning, so that the same thing has the same colour in all pictures.
//!
//! They are those of Okabe and Ito (2008, "Color universal design"), which people with
//! colour-blindness can tell apart.

use plotters::style::RGBColor;

/// A colour.
pub type Rgb = RGBColor;

/// What the eye should go to; time spent in the search.
pub const STRONG: Rgb = RGBColor(213, 94, 0);
/// Time spent on features and the acoustic model.
pub const WARM: Rgb = RGBColor(230, 159, 0);
/// Time spent on the network; what gets better.
pub const GREEN: Rgb = RGBColor(0, 158, 115);
/// What has no direction.
pub const SKY: Rgb = RGBColor(86, 180, 233);
/// A second line beside the strong one.
pub const BLUE: Rgb = RGBColor(0, 114, 178);
/// What is there to be compared with, not to be read itself.
pub const PALE: Rgb = RGBColor(160, 175, 190);

/// The colour of the one at `place` of `count` things that have an order: from light to dark.
pub fn shade(place: usize, count: usize) -> Rgb {
    let share = place as f64 / count.saturating_sub(1).max(1) as f64;
    let (light, dark) = ([196.0, 220.0, 240.0], [8.0, 48.0, 107.0]);
    let mix = |k: usize| (light[k] + share * (dark[k] - light[k])) as u8;
    RGBColor(mix(0), mix(1), mix(2))
}

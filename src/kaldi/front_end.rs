//! The front end that `mfcc.conf` or `fbank.conf` describes.
//!
//! Reference: the options of Kaldi's `feat/feature-window.h`, `feature-mfcc.h`,
//! `mel-computations.h` and their defaults.

use super::KaldiError;
use super::conf::Conf;
use crate::feature::{FeatureKind, MfccConfig, Window};
use crate::units::Hertz;

/// Options that only one value is supported of, which is also Kaldi's default unless `true` stands
/// last.
const FIXED: [(&str, &str, bool); 9] = [
    ("remove-dc-offset", "true", true),
    ("round-to-power-of-two", "true", true),
    ("snip-edges", "true", true),
    ("htk-compat", "false", true),
    ("htk-mode", "false", true),
    ("use-log-fbank", "true", true),
    ("use-power", "true", true),
    ("vtln-low", "100", true),
    // The zeroth cepstrum: Kaldi's default is the energy of the frame instead.
    ("use-energy", "false", false),
];

/// Reads the front end of a kind.
pub(super) fn front_end(conf: &Conf, kind: FeatureKind) -> Result<MfccConfig, KaldiError> {
    check_fixed(conf, kind)?;
    let rate: f64 = conf.get("sample-frequency", 16_000.0)?;
    if !(1_000.0..=192_000.0).contains(&rate) || rate.fract() != 0.0 {
        let what = format!("{rate} Hz is no usual sample rate");
        return Err(conf.error("sample-frequency", what));
    }
    let high: f64 = conf.get("high-freq", 0.0)?;
    let window = match conf.text("window-type").unwrap_or("povey") {
        "povey" => Window::Povey,
        "hanning" => Window::Hann,
        "hamming" => Window::Hamming,
        other => {
            let what =
                format!("window \"{other}\" is not supported: povey, hanning and hamming are");
            return Err(conf.error("window-type", what));
        }
    };
    Ok(MfccConfig {
        kind,
        sample_rate: Hertz(rate as u32),
        frame_length_ms: conf.get("frame-length", 25.0)?,
        frame_shift_ms: conf.get("frame-shift", 10.0)?,
        num_bins: conf.get("num-mel-bins", 23)?,
        num_ceps: conf.get("num-ceps", 13)?,
        low_hz: conf.get("low-freq", 20.0)?,
        // What is not above zero is counted from half the sample rate.
        high_hz: if high > 0.0 { high } else { rate / 2.0 + high },
        cepstral_lifter: conf.get("cepstral-lifter", 22.0)?,
        preemphasis: conf.get("preemphasis-coefficient", 0.97)?,
        window,
        noise_floor: 0.0,
        snip_edges: true,
    })
}

/// Refuses options whose value is not the one that is supported.
fn check_fixed(conf: &Conf, kind: FeatureKind) -> Result<(), KaldiError> {
    for (name, supported, is_default) in FIXED {
        let found = conf.text(name);
        let default_is_fine = is_default || kind == FeatureKind::LogMel;
        if found.map_or(default_is_fine, |found| found == supported) {
            continue;
        }
        let what = match found {
            Some(found) => format!("--{name}={found} is not supported, --{name}={supported} is"),
            None => format!("--{name}={supported} must be said: the default is not supported"),
        };
        return Err(conf.error(name, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> Result<MfccConfig, KaldiError> {
        let conf = Conf::parse(text.as_bytes(), Path::new("mfcc.conf"))?;
        front_end(&conf, FeatureKind::Mfcc)
    }

    #[test]
    fn kaldis_hires_configuration() {
        let text = "--use-energy=false\n--num-mel-bins=40\n--num-ceps=40\n--low-freq=20\n--high-freq=-400\n";
        assert_eq!(read(text).unwrap(), MfccConfig::default());
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (text, option) in [
            ("--num-ceps=40\n", "use-energy"),
            ("--use-energy=false\n--htk-compat=true\n", "htk-compat"),
            ("--use-energy=false\n--window-type=blackman\n", "window-type"),
            ("--use-energy=false\n--sample-frequency=0\n", "sample-frequency"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(option) && error.contains("mfcc.conf"), "{error}");
        }
    }
}

//! How a model is tuned, for whoever does the steps: the program by its own commands, the Python
//! package by calls of this library.
//!
//! Versions are chosen and their confidence is calibrated on one part of the speech, and tiers are
//! certified on the other, because a certificate that is measured on the speech it was chosen by
//! proves nothing ([`halves`](crate::eval::corpus::halves)).

use crate::decode::Knob;
use crate::recognizer::Setting;

/// Utterances on which many settings are tried before the good ones are measured on all.
pub const TRIED_ON: usize = 200;

/// What is to be done, in the order of [`Step::ALL`]: each step rests on the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Many settings around each of the [`bases`] are tried on [`TRIED_ON`] utterances of what is
    /// learnt on.
    Try,
    /// The settings close to the front, within [`gap_to_measure`], are measured on all of it.
    Measure,
    /// The versions are picked from those.
    Pick,
    /// What is learnt on is heard by all versions.
    Hear,
    /// Their confidence is calibrated from that; where there is too little speech, it is not.
    Calibrate,
    /// The other speech is heard by all versions.
    HearOthers,
    /// The tiers are certified by that.
    Certify,
}

impl Step {
    /// All steps, in their order.
    pub const ALL: [Step; 7] = [
        Step::Try,
        Step::Measure,
        Step::Pick,
        Step::Hear,
        Step::Calibrate,
        Step::HearOthers,
        Step::Certify,
    ];

    /// Its name, a word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Step::Try => "try",
            Step::Measure => "measure",
            Step::Pick => "pick",
            Step::Hear => "hear",
            Step::Calibrate => "calibrate",
            Step::HearOthers => "hear_others",
            Step::Certify => "certify",
        }
    }
}

/// The settings that sweeps start from: the model's own without its neural language model and,
/// where it has one, with it. The least number of tokens is off, which would make every beam wide.
pub fn bases(own: Setting, has_neural_model: bool) -> Vec<Setting> {
    let own = own.with(Knob::MinActive, Knob::MinActive.off());
    let with = |neural| Setting { neural, ..own };
    match has_neural_model && own.rescore {
        true => vec![with(false), with(true)],
        false => vec![with(false)],
    }
}

/// How many more errors than the best a setting may have to be measured on all of the speech,
/// relatively: somewhat more than the versions may have in the end, since it was seen on a part.
pub fn gap_to_measure(gap: f64) -> f64 {
    1.25 * gap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neural_model_is_tried_with_and_without() {
        let own: Setting = "network_beam=11 rescore neural".parse().unwrap();
        let neural = |has| bases(own, has).iter().map(|base| base.neural).collect::<Vec<_>>();
        assert_eq!((neural(true), neural(false)), (vec![false, true], vec![false]));
        assert_eq!(bases(Setting { rescore: false, ..own }, true).len(), 1);
        assert_eq!(bases(own.with(Knob::MinActive, 200.0), false), bases(own, false));
    }

    #[test]
    fn a_step_s_name_is_its_own() {
        let mut names = Step::ALL.map(Step::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Step::ALL.len());
    }
}

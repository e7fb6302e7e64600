//! The i-vector extractor of a folder: `ivector/`, by the names that libvosk expects.
//!
//! Reference: Kaldi's `ivector/ivector-extractor.cc`, `gmm/diag-gmm.cc` and the options of
//! `online2/online-ivector-feature.h`; libvosk takes their defaults.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::KaldiError;
use super::conf::Conf;
use super::folder::VoskFolder;
use super::input::Input;
use super::matrix_file::matrix_file;
use crate::acoustic::{IVectorError, IVectorExtractor, IVectorPart, IVectorParts, Mixture};
use crate::feature::OnlineMeanConfig;

/// libvosk's `--cmn-min-energy`: c0 below which a frame does not move the mean. Kaldi has none.
pub(super) const LEAST_ENERGY: f32 = 50.0;

/// What `final.ie` holds.
#[derive(Debug)]
pub(super) struct Factors {
    pub factors: Vec<Array2<f64>>,
    pub inverse_covariances: Vec<Array2<f64>>,
    pub offset: f64,
}

impl VoskFolder {
    /// Reads the i-vector extractor of a network with so many features.
    pub(super) fn ivector_extractor(&self, dims: usize) -> Result<IVectorExtractor, KaldiError> {
        let file = |name: &str| self.ivector(name);
        let splice = Conf::open(&file("splice.conf"))?;
        let mean = self.mean_of(&file("global_cmvn.stats"), dims)?;
        let [extractor, mixture] = [file("final.ie"), file("final.dubm")];
        let Factors { factors, inverse_covariances, offset } =
            final_ie(&super::read(&extractor)?, &extractor)?;
        let parts = IVectorParts {
            splice: (splice.get("left-context", 4)?, splice.get("right-context", 4)?),
            transform: matrix_file(&file("final.mat"))?.map(|value| *value as f32),
            mean: (mean, running_mean(&file("online_cmvn.conf"))?),
            mixture: final_dubm(&super::read(&mixture)?, &mixture)?,
            factors,
            inverse_covariances,
            offset,
        };
        let found = IVectorExtractor::new(parts);
        found.map_err(|IVectorError { part, what }| {
            let (name, token) = match part {
                IVectorPart::Splice => ("splice.conf", "left-context"),
                IVectorPart::Transform => ("final.mat", "["),
                IVectorPart::Mean => ("global_cmvn.stats", "["),
                IVectorPart::Mixture => ("final.dubm", "<MEANS_INVVARS>"),
                IVectorPart::Factors => ("final.ie", "<M>"),
            };
            KaldiError::Format { path: file(name), token: token.into(), what }
        })
    }

    /// The files of the extractor, where there is one.
    pub(super) fn ivector_files(&self) -> Vec<PathBuf> {
        let names = [
            "final.ie",
            "final.dubm",
            "final.mat",
            "global_cmvn.stats",
            "splice.conf",
            "online_cmvn.conf",
        ];
        let files = names.map(|name| self.ivector(name));
        files.into_iter().filter(|path| path.is_file()).collect()
    }
}

/// How the mean that the mixture's features are taken less runs.
fn running_mean(path: &Path) -> Result<OnlineMeanConfig, KaldiError> {
    let conf = Conf::open(path)?;
    for (name, supported) in [("norm-means", true), ("norm-vars", false)] {
        if conf.get(name, supported)? != supported {
            return Err(conf.error(name, format!("--{name}={} is not supported", !supported)));
        }
    }
    let defaults = OnlineMeanConfig::default();
    Ok(OnlineMeanConfig {
        window: conf.get("cmn-window", defaults.window)?,
        prior_frames: conf.get("global-frames", defaults.prior_frames)?,
        least_energy: conf.get("cmn-min-energy", LEAST_ENERGY)?,
    })
}

/// Reads the bytes of a `final.ie`.
pub(super) fn final_ie(bytes: &[u8], path: &Path) -> Result<Factors, KaldiError> {
    let mut input = Input::new(bytes, path)?;
    input.expect("<IvectorExtractor>")?;
    input.expect("<w>")?;
    let weights = input.matrix()?;
    if !weights.is_empty() {
        return Err(input.error("weights that change with the i-vector are not supported"));
    }
    input.expect("<w_vec>")?;
    input.vector()?;
    input.expect("<M>")?;
    let count = input.count(13)?;
    let factors = (0..count).map(|_| input.matrix_f64()).collect::<Result<Vec<_>, _>>()?;
    input.expect("<SigmaInv>")?;
    let inverse_covariances = factors.iter().map(|_| input.symmetric_f64());
    let inverse_covariances = inverse_covariances.collect::<Result<Vec<_>, _>>()?;
    input.expect("<IvectorOffset>")?;
    let offset = input.float()?;
    if !super::input::is_float(offset) {
        return Err(input.error(format!("an offset of {offset}")));
    }
    input.expect("</IvectorExtractor>")?;
    input.end()?;
    Ok(Factors { factors, inverse_covariances, offset })
}

/// Reads the bytes of a `final.dubm`.
pub(super) fn final_dubm(bytes: &[u8], path: &Path) -> Result<Mixture, KaldiError> {
    let mut input = Input::new(bytes, path)?;
    let opening = input.token()?;
    let closing = match opening.as_str() {
        "<DiagGMM>" => "</DiagGMM>",
        "<DiagGMMBegin>" => "<DiagGMMEnd>",
        _ => return Err(input.error("<DiagGMM> was expected")),
    };
    let mut token = input.token()?;
    if token == "<GCONSTS>" {
        // They follow from the others.
        input.vector()?;
        token = input.token()?;
    }
    if token != "<WEIGHTS>" {
        return Err(input.error("<WEIGHTS> was expected"));
    }
    let weights = input.vector()?;
    input.expect("<MEANS_INVVARS>")?;
    let scaled_means = input.matrix()?;
    input.expect("<INV_VARS>")?;
    let inverse_variances = input.matrix()?;
    input.expect(closing)?;
    input.end()?;
    Ok(Mixture { weights, scaled_means, inverse_variances })
}

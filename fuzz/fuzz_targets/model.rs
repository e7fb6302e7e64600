//! The reader of acoustic models: `model.json` and the safetensors file. The input is both, parted
//! by the first zero byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::acoustic::{Hmm, ModelDescription, Network, Precision, Tensors};

fuzz_target!(|bytes: &[u8]| {
    let parts =
        bytes.iter().position(|&byte| byte == 0).map_or((bytes, &[][..]), |at| bytes.split_at(at));
    let tensors = Tensors::from_bytes(parts.1.get(1..).unwrap_or_default().to_vec());
    let Ok(description) = ModelDescription::from_json(parts.0) else { return };
    let _ = Hmm::from_tensors(&description.hmm, &tensors);
    let _ = Network::from_tensors(&description, &tensors, Precision::Auto.kernels());
});

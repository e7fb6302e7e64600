//! The reader of speech gates: `gate.json` and the safetensors file. The input is both files,
//! separated by the first zero byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::acoustic::{Precision, Tensors};
use paretone::feature::MfccConfig;
use paretone::gate::Gate;

fuzz_target!(|bytes: &[u8]| {
    let parts =
        bytes.iter().position(|&byte| byte == 0).map_or((bytes, &[][..]), |at| bytes.split_at(at));
    let tensors = Tensors::from_bytes(parts.1.get(1..).unwrap_or_default().to_vec());
    let kernels = Precision::Auto.kernels();
    let front_end = MfccConfig { noise_floor: 1.0 / 12.0, ..MfccConfig::default() };
    if let Ok(gate) = Gate::from_bytes(parts.0, &tensors, &front_end, kernels) {
        let _ = gate.stream().finish(&mut Vec::new());
    }
});

//! The reader of neural language models: whatever opens can be asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::acoustic::Precision;
use paretone::language::NeuralModel;
use paretone::units::WordId;

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = NeuralModel::from_bytes(bytes, Precision::Auto.kernels()) else { return };
    if model.num_words() > 2 {
        let last = WordId(model.num_words() as u32 - 1);
        let _ = model.costs(&[last, WordId(0)]);
    }
});

//! The model that the program holds, if it was built with one (`embed-model`).

use std::io;
use std::path::PathBuf;

use paretone::recognizer::{Cache, CacheKey};

#[cfg(embedded_model)]
mod model {
    include!(concat!(env!("OUT_DIR"), "/embedded_model.rs"));
}

#[cfg(not(embedded_model))]
mod model {
    pub const FILES: &[(&str, &[u8])] = &[];
    pub const HASH: u128 = 0;
}

/// Whether there is one.
pub fn is_there() -> bool {
    !model::FILES.is_empty()
}

/// Bytes of its files.
pub fn size() -> usize {
    model::FILES.iter().map(|(_, bytes)| bytes.len()).sum()
}

/// Its folder in the cache, written if need be.
///
/// # Errors
/// There is none, or the cache cannot be written.
pub fn unpack() -> io::Result<PathBuf> {
    if !is_there() {
        return Err(io::Error::other("the program was built without a model"));
    }
    let key = CacheKey::new("model-1").with(&model::HASH.to_le_bytes());
    Cache::of_user().unpacked(&key, model::FILES)
}

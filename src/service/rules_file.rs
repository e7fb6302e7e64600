//! The rules' file as it is on the disk, as far as changes of it must be noticed.

use std::path::Path;

use sha2::{Digest as _, Sha256};

/// A digest of a file's content.
pub type Digest = [u8; 32];

/// The digest of a file; none where it cannot be read.
pub fn digest(path: &Path) -> Option<Digest> {
    Some(Sha256::digest(std::fs::read(path).ok()?).into())
}

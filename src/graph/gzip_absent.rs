//! Text that may be compressed by gzip, in a build that cannot expand it: it is refused by name.

use std::io::{self, BufRead, Cursor, Read};

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The text behind a reader, as it is.
///
/// # Errors
/// It begins as gzip does, or its first bytes cannot be read.
pub(super) fn expanded<'r>(mut reader: impl BufRead + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut head = Vec::with_capacity(MAGIC.len());
    (&mut reader).take(MAGIC.len() as u64).read_to_end(&mut head)?;
    if head == MAGIC {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "compressed by gzip, which this build does not read: expand the file, or build with the feature `speech`",
        ));
    }
    Ok(Box::new(Cursor::new(head).chain(reader)))
}

//! What an MP4 calls the codec of its sound: the four characters of its sample entry, which
//! symphonia passes over where it does not know them.
//!
//! Reference: ISO/IEC 14496-12, 8.4.3 (handler), 8.5.2 (sample description).

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::atoms::Atoms;

/// The four-character code of the first track of sound; none where the file has no such track.
pub(super) fn of_sound(file: &mut (impl Read + Seek)) -> Option<[u8; 4]> {
    Atoms::of(file).code_of_sound().ok().flatten()
}

impl<F: Read + Seek> Atoms<'_, F> {
    fn code_of_sound(&mut self) -> io::Result<Option<[u8; 4]>> {
        let Some(movie) = self.movie()? else {
            return Ok(None);
        };
        let mut at = movie.start;
        while let Some(track) = self.find(at..movie.end, b"trak")? {
            at = track.end;
            if let Some(media) = self.find(track, b"mdia")?
                && let Some(handler) = self.find(media.clone(), b"hdlr")?
                && self.word(handler.start + 8)?.to_be_bytes() == *b"soun"
            {
                return self.code(media);
            }
        }
        Ok(None)
    }

    fn code(&mut self, media: Range<u64>) -> io::Result<Option<[u8; 4]>> {
        let mut within = Some(media);
        for name in [b"minf", b"stbl", b"stsd"] {
            within = match within {
                Some(atom) => self.find(atom, name)?,
                None => None,
            };
        }
        match within {
            Some(entries) => Ok(Some(self.word(entries.start + 12)?.to_be_bytes())),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::audio::{AudioError, Reader};

    const FILE: &[u8] = include_bytes!("../../tests/audio/aac.m4a");

    /// The file, its sound called so.
    fn called(code: &[u8; 4]) -> Vec<u8> {
        let mut file = FILE.to_vec();
        let at = file.windows(4).position(|bytes| bytes == b"mp4a").unwrap();
        file[at..at + 4].copy_from_slice(code);
        file
    }

    #[test]
    fn a_codec_that_nobody_knows_is_named() {
        for (code, shown) in [(b"mha1", "\"mha1\""), (b"a\x01\"\xff", "\"a\\x01\\\"\\xff\"")] {
            assert_eq!(of_sound(&mut Cursor::new(called(code))), Some(*code));
            let error = Reader::of_bytes(called(code), None, None).err().unwrap();
            assert!(matches!(error, AudioError::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains(shown), "{error}");
        }
    }

    #[test]
    fn damage_names_nothing_and_a_file_without_sound_has_none() {
        for cut in (0..FILE.len()).step_by(7) {
            of_sound(&mut Cursor::new(&FILE[..cut]));
        }
        let mut silent = called(b"mha1");
        let at = silent.windows(4).position(|bytes| bytes == b"soun").unwrap();
        silent[at..at + 4].copy_from_slice(b"vide");
        assert_eq!(of_sound(&mut Cursor::new(&silent)), None);
        let error = Reader::of_bytes(silent, None, None).err().unwrap();
        assert!(matches!(error, AudioError::Unsupported { .. }), "{error}");
    }
}

//! When the sound of an MP4 begins: its edit list, which symphonia passes over.
//!
//! A list begins with an empty edit where the track begins later than the file, and its first edit
//! leaves out the samples that the encoder put in front.
//!
//! Reference: ISO/IEC 14496-12, 8.6.6 (edit lists), 8.2.2 (movie), 8.3.2 (track), 8.4.2 (media).

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::atoms::Atoms;
use crate::units::Seconds;

/// Edits of a track that are looked at.
const MOST_EDITS: u32 = 10_000;
/// More than this is no encoder's delay: whoever cut a recording without rewriting it may want all
/// that was said.
const LONGEST_PRIMING: f64 = 1.0;

/// When a track begins.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beginning {
    /// How long after the earliest track of its file.
    pub delay: Seconds,
    /// How much of its beginning is the encoder's own.
    pub priming: Seconds,
}

/// What one track's list says.
#[derive(Clone, Copy, Debug, Default)]
struct Edits {
    id: u32,
    /// Units of the movie before it begins, and of the media that are left out.
    empty: u64,
    left_out: u64,
    /// Units of a second of the media.
    scale: u32,
}

/// When each track begins, by its id; nothing where the file does not say.
pub(super) fn beginnings(file: &mut (impl Read + Seek)) -> Vec<(u32, Beginning)> {
    Atoms::of(file).beginnings().ok().flatten().unwrap_or_default()
}

impl<F: Read + Seek> Atoms<'_, F> {
    fn beginnings(&mut self) -> io::Result<Option<Vec<(u32, Beginning)>>> {
        let Some(movie) = self.movie()? else {
            return Ok(None);
        };
        let Some(header) = self.find(movie.clone(), b"mvhd")? else {
            return Ok(None);
        };
        let scale = self.scale(header)?;
        let (mut tracks, mut at) = (Vec::new(), movie.start);
        while let Some(track) = self.find(at..movie.end, b"trak")? {
            tracks.extend(self.track(track.clone())?);
            at = track.end;
        }
        let earliest = tracks.iter().map(|track| track.empty).min().unwrap_or(0);
        let seconds = |units: u64, scale: u32| units as f64 / f64::from(scale.max(1));
        let beginning = |track: &Edits| {
            let priming = seconds(track.left_out, track.scale);
            let priming = Some(priming).filter(|priming| *priming <= LONGEST_PRIMING);
            Beginning {
                delay: Seconds(seconds(track.empty - earliest, scale)),
                priming: Seconds(priming.unwrap_or(0.0)),
            }
        };
        let known = tracks.iter().filter(|track| scale > 0 && track.scale > 0);
        Ok(Some(known.map(|track| (track.id, beginning(track))).collect()))
    }

    fn track(&mut self, track: Range<u64>) -> io::Result<Option<Edits>> {
        let Some(header) = self.find(track.clone(), b"tkhd")? else {
            return Ok(None);
        };
        let wide = self.word(header.start)? >> 24 == 1;
        let id = self.word(header.start + if wide { 20 } else { 12 })?;
        let mut edits = Edits { id, ..Edits::default() };
        if let Some(media) = self.find(track.clone(), b"mdia")?
            && let Some(header) = self.find(media, b"mdhd")?
        {
            edits.scale = self.scale(header)?;
        }
        if let Some(list) = self.find(track, b"edts")?
            && let Some(list) = self.find(list, b"elst")?
        {
            self.list(list, &mut edits)?;
        }
        Ok(Some(edits))
    }

    /// The empty edits before the first, and where in the media that one begins.
    fn list(&mut self, list: Range<u64>, edits: &mut Edits) -> io::Result<()> {
        let wide = self.word(list.start)? >> 24 == 1;
        let mut at = list.start + 8;
        for _ in 0..self.word(list.start + 4)?.min(MOST_EDITS) {
            let (lasts, from, entry) = match wide {
                true => (self.long(at)?, self.long(at + 8)?.cast_signed(), 20),
                false => {
                    let from = self.word(at + 4)?.cast_signed();
                    (self.word(at)?.into(), from.into(), 12)
                }
            };
            at += entry;
            if at > list.end {
                break;
            }
            if from >= 0 {
                edits.left_out = from.cast_unsigned();
                break;
            }
            edits.empty = edits.empty.saturating_add(lasts);
        }
        Ok(())
    }

    /// Units of a second, by the header of a movie or of a track's media.
    fn scale(&mut self, header: Range<u64>) -> io::Result<u32> {
        let wide = self.word(header.start)? >> 24 == 1;
        self.word(header.start + if wide { 20 } else { 12 })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn atom(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32 + 8).to_be_bytes();
        [&size[..], name, body].concat()
    }

    fn words(all: &[u32]) -> Vec<u8> {
        all.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A track of edits, each with its duration and where in the media it begins.
    fn track(id: u32, edits: &[(u32, i32)]) -> Vec<u8> {
        let mut list = words(&[0, edits.len() as u32]);
        for (lasts, from) in edits {
            list.extend(words(&[*lasts, from.cast_unsigned(), 1 << 16]));
        }
        let media = atom(b"mdia", &atom(b"mdhd", &words(&[0, 0, 0, 16_000, 0])));
        let list = atom(b"edts", &atom(b"elst", &list));
        atom(b"trak", &[atom(b"tkhd", &words(&[0, 0, 0, id])), list, media].concat())
    }

    fn movie(tracks: &[Vec<u8>]) -> Vec<u8> {
        let header = atom(b"mvhd", &words(&[0, 0, 0, 1000, 0]));
        let movie = atom(b"moov", &[header, tracks.concat()].concat());
        [atom(b"ftyp", b"isom"), atom(b"mdat", &[7; 100]), movie].concat()
    }

    #[test]
    fn tracks_begin_where_their_first_edit_does() {
        for (edits, delay, priming) in [
            (&[][..], 0.0, 0.0),
            (&[(900, 0)], 0.0, 0.0),
            (&[(900, 1024)], 0.0, 0.064),
            (&[(2500, -1), (900, 1024)], 2.5, 0.064),
            (&[(900, 80_000)], 0.0, 0.0),
        ] {
            let file = movie(&[track(1, &[(9000, 0)]), track(2, edits)]);
            let (_, found) = beginnings(&mut Cursor::new(file))[1];
            assert_eq!((found.delay.0, found.priming.0), (delay, priming), "{edits:?}");
        }
        // Where nothing begins before it, it begins at once, as players have it.
        let alone = movie(&[track(2, &[(2500, -1), (900, 0)])]);
        assert_eq!(beginnings(&mut Cursor::new(alone)), [(2, Beginning::default())]);
    }

    #[test]
    fn damage_says_nothing() {
        let whole = movie(&[track(1, &[(9000, 0)]), track(2, &[(2500, -1), (900, 1024)])]);
        for cut in 0..whole.len() {
            assert!(beginnings(&mut Cursor::new(&whole[..cut])).is_empty());
            let mut changed = whole.clone();
            changed[cut] ^= 0xff;
            for (_, found) in beginnings(&mut Cursor::new(changed)) {
                assert!(found.delay.0 >= 0.0 && found.priming.0 <= LONGEST_PRIMING);
            }
        }
    }
}

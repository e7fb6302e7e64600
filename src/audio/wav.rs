//! WAV: PCM, float and G.711 of any width and byte order, IMA and Microsoft ADPCM, GSM 06.10 and
//! MPEG audio, in RIFF, RIFX, RF64 and BW64, read as the bytes come.
//!
//! Reference: Microsoft, "Multiple Channel Audio Data and WAVE Files"; EBU Tech 3306 (RF64);
//! ITU-R BS.2088 (BW64).
//!
//! Chunks are read as writers leave them: in any order, of odd size with or without the pad byte,
//! with sizes that were never filled in ([`open_end`](super::wav_data)), and one file after the
//! other.

use std::io::{Seek, SeekFrom, Write};

use super::source::{Lookahead, Peek};
use super::wav_data::{Data, is_form, is_name};
use super::wav_layout::{Layout, Payload, damaged};
use super::{AudioError, Block, Decode, Losses};
use crate::units::Seconds;

/// A data chunk that precedes the fmt chunk is kept in memory up to this, and beyond in a file.
const KEPT_IN_MEMORY: usize = 1 << 24;
/// So few bytes at a file's end, or any number of zeros, are a writer's leftovers.
const LEFTOVERS: usize = 512;

/// Decodes WAV files, one after the other.
pub(super) struct WavDecoder<'a> {
    bytes: Lookahead<'a>,
    part: Part,
    /// The data chunk under way.
    playing: Option<(Data, Payload)>,
    /// Data chunks that came before their fmt chunk.
    early: Option<Lookahead<'a>>,
    losses: Losses,
    heard: bool,
    /// How much of the data chunk under way was heard.
    lasted: Seconds,
}

/// What is known of one file of those after each other.
#[derive(Default)]
struct Part {
    big_endian: bool,
    layout: Option<Layout>,
    /// The data chunk's size by the ds64 chunk.
    long_size: Option<u64>,
}

impl<'a> WavDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>) -> Self {
        WavDecoder {
            bytes,
            part: Part::default(),
            playing: None,
            early: None,
            losses: Losses::default(),
            heard: false,
            lasted: Seconds(0.0),
        }
    }

    /// Reads chunks up to the next data; false at the end.
    fn next_data(&mut self) -> Result<bool, AudioError> {
        loop {
            if self.begin_part()? {
                continue;
            }
            let Some(chunk) = self.bytes.take::<8>()? else {
                return self.end();
            };
            if !is_name(&chunk) {
                return self.end_at(&chunk);
            }
            let size = self.part.u32([chunk[4], chunk[5], chunk[6], chunk[7]]);
            match &chunk[..4] {
                b"fmt " => {
                    let layout = Layout::read(&mut self.bytes, size, self.part.big_endian)?;
                    self.part.layout = Some(layout);
                    if let Some(early) = self.early.take() {
                        return self.play_early(early, layout);
                    }
                }
                b"ds64" => self.read_long_size(size)?,
                b"data" => {
                    let data = Data::new(size, self.part.long_size);
                    let Some(layout) = self.part.layout else {
                        self.keep_early(data)?;
                        continue;
                    };
                    self.playing = Some((data, Payload::new(layout)?));
                    return Ok(true);
                }
                _ => {
                    self.bytes.skip(u64::from(size))?;
                    self.skip_padding(size)?;
                }
            }
        }
    }

    /// Reads a file's first twelve bytes, if the next bytes are such.
    fn begin_part(&mut self) -> Result<bool, AudioError> {
        let head = self.bytes.peek(12)?;
        if !is_form(head) {
            if self.heard || head.len() >= 12 && !head.starts_with(b"RIF") {
                return Ok(false);
            }
            if head.starts_with(b"RIF") {
                return Err(damaged(match head.len() < 12 {
                    true => "it ends inside the header",
                    false => "the RIFF file holds no WAVE",
                }));
            }
            return Ok(false);
        }
        self.part = Part { big_endian: head.starts_with(b"RIFX"), ..Part::default() };
        self.bytes.consume(12);
        Ok(true)
    }

    /// The pad byte after a chunk of odd size. Some writers leave it out; then the next chunk's
    /// name stands in its place.
    fn skip_padding(&mut self, size: u32) -> Result<(), AudioError> {
        if size % 2 == 1 {
            let next = self.bytes.peek(9)?;
            let left_out = next.len() >= 8 && is_name(next) && !next.get(1..).is_some_and(is_name);
            if !left_out {
                self.bytes.consume(1);
            }
        }
        Ok(())
    }

    /// The ds64 chunk: sizes of RIFF, data and samples in 64 bits.
    fn read_long_size(&mut self, size: u32) -> Result<(), AudioError> {
        let fields = self.bytes.peek(16)?;
        if size >= 16
            && let Some(&long) = fields.get(8..16).and_then(|bytes| bytes.first_chunk::<8>())
        {
            self.part.long_size = Some(match self.part.big_endian {
                true => u64::from_be_bytes(long),
                false => u64::from_le_bytes(long),
            });
        }
        self.bytes.skip(u64::from(size))?;
        self.skip_padding(size)
    }

    /// Keeps the bytes of a data chunk until the fmt chunk says what they are.
    fn keep_early(&mut self, mut data: Data) -> Result<(), AudioError> {
        let mut kept = tempfile::spooled_tempfile(KEPT_IN_MEMORY);
        loop {
            let mut view = data.view(&mut self.bytes);
            let here = view.peek(1)?;
            if here.is_empty() {
                break;
            }
            let count = here.len();
            kept.write_all(here).map_err(AudioError::Read)?;
            view.consume(count);
        }
        self.skip_padding(data.odd())?;
        kept.seek(SeekFrom::Start(0)).map_err(AudioError::Read)?;
        self.early = Some(Lookahead::of(kept));
        Ok(())
    }

    /// Plays data that came early: their bytes first, then what follows the fmt chunk.
    fn play_early(&mut self, early: Lookahead<'a>, layout: Layout) -> Result<bool, AudioError> {
        self.early = Some(early);
        self.playing = Some((Data::new(u32::MAX, None), Payload::new(layout)?));
        Ok(true)
    }

    /// No chunk follows.
    fn end(&mut self) -> Result<bool, AudioError> {
        match self.heard {
            true => Ok(false),
            false => Err(damaged(match (self.part.layout, &self.early) {
                (None, Some(_)) => "it holds no fmt chunk",
                _ => "it ends before the data chunk",
            })),
        }
    }

    /// What follows is no chunk: a tag or a writer's leftovers, or something that should be heard.
    fn end_at(&mut self, chunk: &[u8]) -> Result<bool, AudioError> {
        if !self.heard {
            return Err(damaged("the chunks after its header are damaged"));
        }
        let rest = self.bytes.peek(LEFTOVERS)?;
        let long = rest.len() >= LEFTOVERS && rest.iter().chain(chunk).any(|&byte| byte != 0);
        if long {
            let what = "what follows the WAV file's data chunk is neither a chunk nor another file";
            self.losses.stop(what);
        }
        Ok(false)
    }
}

impl Decode for WavDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        loop {
            let Some((data, payload)) = &mut self.playing else {
                if !self.next_data()? {
                    return Ok(false);
                }
                continue;
            };
            let bytes = self.early.as_mut().unwrap_or(&mut self.bytes);
            if payload.next_block(&mut data.view(bytes), block, &mut self.losses)? {
                self.heard = true;
                self.lasted.0 += block.duration().0;
                return Ok(true);
            }
            let lasted = std::mem::take(&mut self.lasted);
            data.finish(bytes, lasted, &mut self.losses)?;
            let odd = data.odd();
            self.playing = None;
            if self.early.take().is_none() {
                self.skip_padding(odd)?;
            }
        }
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

impl Part {
    fn u32(&self, bytes: [u8; 4]) -> u32 {
        match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        }
    }
}

//! MPEG audio, layers 1 to 3: frames found here, decoded by symphonia.
//!
//! Reference: ISO/IEC 11172-3 and 13818-3 (frame headers), "MP3 Info Tag" (Xing and LAME).
//!
//! Why not symphonia's reader: it gives up where a tag of more than a megabyte precedes the first
//! frame, trims everything after the number of frames that the first Xing tag states, and its
//! decoder wants one rate and one number of channels. Here tags are passed over by their lengths
//! wherever they stand, and each recording of several after each other is decoded to its end.

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};

use super::codec::Codec;
use super::mpeg_header::{Header, InfoTag, LONGEST_FRAME};
use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Decode, Losses, tag};
use crate::units::Seconds;

/// How much is decoded into one block.
const FRAMES_IN_BLOCK: usize = 16;
/// Before the first frame, so many bytes of something else are searched.
const LONGEST_SEARCH: u64 = 1 << 20;

/// The frames of one recording, or of several after each other.
#[derive(Default)]
pub(super) struct MpegFrames {
    /// The last frame's header, where frames follow each other without a gap.
    in_step: Option<Header>,
    codec: Option<(Header, Codec)>,
    part: Part,
    /// Bytes passed over in search of a frame.
    junk: u64,
    heard: bool,
    frame: Vec<u8>,
}

/// What the info tag says of the recording under way, and how far that has come.
#[derive(Default)]
struct Part {
    info: Option<InfoTag>,
    frames: u64,
    /// Samples of a channel still to drop from the start.
    skip: usize,
    /// The last samples, which are padding if the recording ends here.
    held: Vec<f32>,
}

impl MpegFrames {
    /// The next frames of `bytes`; false at their end.
    pub(super) fn next_block(
        &mut self,
        bytes: &mut impl Peek,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<bool, AudioError> {
        block.restart(0, 0);
        for _ in 0..FRAMES_IN_BLOCK {
            let Some(header) = self.find_frame(bytes, losses)? else {
                self.part.end(block);
                if let Some((header, _)) = &self.codec {
                    self.part.tell(header, losses);
                }
                return Ok(!block.samples.is_empty());
            };
            if block.rate != 0 && !header.continues(block) {
                break;
            }
            if let Some((last, _)) = &self.codec
                && !last.is_like(&header)
            {
                if block.rate != 0 {
                    break;
                }
                block.restart(last.rate, last.channels);
                self.part.end(block);
                self.part = Part::default();
                self.codec = None;
                break;
            }
            self.take_frame(header, bytes, block, losses)?;
        }
        Ok(true)
    }

    /// Decodes the frame that comes next, or starts a recording by what its info tag says.
    fn take_frame(
        &mut self,
        header: Header,
        bytes: &mut impl Peek,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        self.frame.clear();
        self.frame.extend_from_slice(&bytes.peek(header.length)?[..header.length]);
        bytes.consume(header.length);
        self.in_step = Some(header);
        self.heard = true;
        if block.rate == 0 {
            block.restart(header.rate, header.channels);
        }
        if let Some(info) = InfoTag::read(&self.frame, &header) {
            self.part.end(block);
            self.part = Part::new(info);
            self.codec = None;
            return Ok(());
        }
        let codec = match &mut self.codec {
            Some((last, codec)) if last.is_like(&header) => codec,
            codec => &mut codec.insert((header, new_codec(&header)?)).1,
        };
        let first = block.samples.len();
        let decoded = codec.decode(&self.frame, header.samples as u64, block, losses)?;
        if !decoded {
            // Silence keeps the time of what follows.
            losses.drop_stretch(header.lasts(), "a frame");
            let end = first + header.samples * header.channels;
            block.samples.resize(end, 0.0);
        }
        self.part.trim(block, first);
        Ok(())
    }

    /// Passes over tags and what is no frame; the header of the next frame, whose bytes are all
    /// there.
    fn find_frame(
        &mut self,
        bytes: &mut impl Peek,
        losses: &mut Losses,
    ) -> Result<Option<Header>, AudioError> {
        loop {
            let here = bytes.peek(LONGEST_FRAME + tag::HEAD)?;
            if here.is_empty() {
                self.junk_ends(losses);
                return match self.heard {
                    true => Ok(None),
                    false => Err(no_frames()),
                };
            }
            if let Some(length) = tag::length(here) {
                skip(bytes, length)?;
                self.in_step = None;
                continue;
            }
            if let Some(header) = Header::read(here)
                && here.len() >= header.length
                && (self.in_step.is_some_and(|last| last.is_alike(&header))
                    || is_confirmed(&here[header.length..], &header))
            {
                self.junk_ends(losses);
                return Ok(Some(header));
            }
            self.in_step = None;
            // A frame cut off by the end of the file is no junk.
            let cut_off = self.heard
                && self.junk == 0
                && Header::read(here).is_some_and(|header| header.length > here.len());
            let next = here[1..].iter().position(|&byte| matches!(byte, 0xff | b'I' | b'A' | b'T'));
            let passed = next.map_or(here.len(), |at| at + 1);
            let silent = here[..passed].iter().all(|&byte| byte == 0) || cut_off;
            self.junk += if silent { 0 } else { passed as u64 };
            bytes.consume(passed);
            if !self.heard && self.junk > LONGEST_SEARCH {
                return Err(no_frames());
            }
        }
    }

    /// Counts what was passed over between frames as lost.
    fn junk_ends(&mut self, losses: &mut Losses) {
        let junk = std::mem::take(&mut self.junk);
        if let Some((header, _)) = &self.codec
            && junk > 0
        {
            let lasts = header.lasts().0 * junk as f64 / header.length as f64;
            losses.drop_stretch(Seconds(lasts), format!("{junk} bytes are no MPEG audio"));
        }
    }
}

impl Part {
    fn new(info: InfoTag) -> Self {
        Part { skip: info.delay, info: Some(info), ..Part::default() }
    }

    /// Drops the encoder's delay from a block's new samples, from `first` on, and holds back what
    /// may be padding.
    fn trim(&mut self, block: &mut Block, first: usize) {
        self.frames += 1;
        let channels = block.channels.max(1);
        let new = block.samples.len() - first;
        let skipped = (self.skip * channels).min(new);
        block.samples.drain(first..first + skipped);
        self.skip -= skipped / channels;
        let Some(info) = self.info else { return };
        // More frames than the tag tells of: something else was put behind them.
        let padding = match info.frames.is_some_and(|frames| self.frames > frames) {
            true => 0,
            false => info.padding * channels,
        };
        if padding > 0 || !self.held.is_empty() {
            block.samples.splice(first..first, self.held.drain(..));
            let keep = block.samples.len().saturating_sub(padding).max(first);
            self.held.extend(block.samples.drain(keep..));
        }
    }

    /// Tells where fewer frames came than the info tag promises.
    fn tell(&self, header: &Header, losses: &mut Losses) {
        if let Some(promised) = self.info.and_then(|info| info.frames) {
            let lasts = |frames: u64| Seconds(header.lasts().0 * frames as f64);
            losses.ends_early(lasts(self.frames), lasts(promised));
        }
    }

    /// Ends the recording: what is held back is padding where all frames came.
    fn end(&mut self, block: &mut Block) {
        let frames = self.info.and_then(|info| info.frames);
        let cut_short = frames.is_some_and(|frames| self.frames < frames);
        if cut_short {
            block.samples.append(&mut self.held);
        }
        self.held.clear();
    }
}

/// Whether what follows a frame says that it was one.
fn is_confirmed(rest: &[u8], header: &Header) -> bool {
    let next = Header::read(rest).is_some_and(|next| next.is_alike(header));
    next || rest.is_empty() || tag::length(rest).is_some()
}

fn skip(bytes: &mut impl Peek, count: u64) -> Result<(), AudioError> {
    let mut left = count;
    while left > 0 {
        let here = bytes.peek(1)?.len() as u64;
        if here == 0 {
            break;
        }
        bytes.consume(here.min(left) as usize);
        left -= here.min(left);
    }
    Ok(())
}

fn new_codec(header: &Header) -> Result<Codec, AudioError> {
    let (id, format) = match header.layer {
        1 => (CODEC_ID_MP1, "MPEG layer 1"),
        2 => (CODEC_ID_MP2, "MPEG layer 2"),
        _ => (CODEC_ID_MP3, "mp3"),
    };
    let mut parameters = AudioCodecParameters::new();
    parameters.for_codec(id).with_sample_rate(header.rate);
    Codec::new(format, &parameters)
}

fn no_frames() -> AudioError {
    AudioError::Malformed { format: "mp3", what: "it holds no audio".into() }
}

/// A file of MPEG audio.
pub(super) struct MpegDecoder<'a> {
    bytes: Lookahead<'a>,
    frames: MpegFrames,
    losses: Losses,
}

impl<'a> MpegDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>) -> Self {
        MpegDecoder { bytes, frames: MpegFrames::default(), losses: Losses::default() }
    }
}

impl Decode for MpegDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        self.frames.next_block(&mut self.bytes, block, &mut self.losses)
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

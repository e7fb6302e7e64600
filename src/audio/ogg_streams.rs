//! What is in an Ogg file: Opus, Vorbis or FLAC, one stream or a chain of them.
//!
//! Reference: RFC 7845 (Opus), Xiph's "Vorbis I specification", A.2, and "Ogg FLAC mapping".

use super::ogg::{Page, Pages, damaged};
use super::ogg_flac::FlacStream;
use super::opus::{OpusHead, OpusPackets};
use super::source::Lookahead;
use super::vorbis::VorbisStream;
use super::{AudioError, Block, Decode, Losses};
use crate::units::Seconds;

/// Decodes the streams of an Ogg file.
pub(super) struct OggDecoder<'a> {
    pages: Pages<'a>,
    page: Page,
    stream: Option<Stream>,
    losses: Losses,
    heard: bool,
}

/// A stream under way.
struct Stream {
    codec: StreamCodec,
    /// Packets before the first of sound.
    headers: u32,
    clock: Clock,
}

enum StreamCodec {
    Opus { head: Option<OpusHead>, packets: Option<Box<OpusPackets>> },
    Vorbis(Box<VorbisStream>),
    Flac(Box<FlacStream>),
}

/// Where in the stream decoding is, in samples of a channel, to end where the last page says.
#[derive(Default)]
struct Clock {
    decoded: u64,
    /// What the positions count from, beyond the stream's first sample: a stream that was cut out
    /// of a longer one keeps its positions.
    base: Option<u64>,
}

/// Whether a stream that begins with such a packet is sound.
fn is_sound(first: &[u8]) -> bool {
    [&b"OpusHead"[..], b"\x01vorbis", b"\x7fFLAC"].iter().any(|magic| first.starts_with(magic))
}

impl<'a> OggDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>) -> Self {
        OggDecoder {
            pages: Pages::new(bytes, is_sound),
            page: Page::default(),
            stream: None,
            losses: Losses::default(),
            heard: false,
        }
    }

    /// Says what is there where nothing, or only a part, can be heard.
    fn end(&mut self) -> Result<bool, AudioError> {
        let other = self.pages.unwanted.as_deref().map(codec_name);
        match (self.heard, other) {
            (true, Some(codec)) if self.is_chained() => {
                let what = format!("a stream of {codec} follows, which is not read");
                self.losses.stop(what);
                Ok(false)
            }
            (true, _) => Ok(false),
            (false, Some(codec)) => {
                Err(AudioError::Unsupported { what: format!("Ogg with {codec}") })
            }
            (false, None) => Err(damaged("it ends inside the headers")),
        }
    }

    /// Whether the unread stream is another recording, appended to this one. Video and skeleton
    /// streams are not: they accompany the sound.
    fn is_chained(&self) -> bool {
        let along: [&[u8]; 4] = [b"fishead", b"\x80theora", b"BBCD", b"\x01video"];
        let other = self.pages.unwanted.as_deref().unwrap_or_default();
        !along.iter().any(|magic| other.starts_with(magic))
    }
}

impl Decode for OggDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        loop {
            if !self.pages.next(&mut self.page)? {
                let junk = std::mem::take(&mut self.pages.junk);
                if junk > 0 && self.heard {
                    // A page holds about a second.
                    let lasts = Seconds(junk as f64 / 4096.0);
                    let why = format!("{junk} bytes are no Ogg pages");
                    self.losses.drop_stretch(lasts, why);
                }
                return self.end();
            }
            block.restart(0, 0);
            if self.page.begins {
                let first = self.page.packets().next().unwrap_or_default();
                self.stream = Some(Stream::new(first)?);
                continue;
            }
            let Some(stream) = &mut self.stream else {
                continue;
            };
            stream.take(&self.page, block, &mut self.losses)?;
            if block.rate != 0 {
                self.heard = true;
                return Ok(true);
            }
        }
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

impl Stream {
    /// A stream that begins with such a packet.
    fn new(first: &[u8]) -> Result<Self, AudioError> {
        let (codec, headers) = match first {
            [b'O', ..] => {
                let head = Some(OpusHead::parse(first)?);
                let packets = None;
                (StreamCodec::Opus { head, packets }, 1)
            }
            [0x7f, ..] => {
                let (flac, headers) = FlacStream::new(first)?;
                (StreamCodec::Flac(Box::new(flac)), headers)
            }
            _ => (StreamCodec::Vorbis(Box::new(VorbisStream::new(first))), 2),
        };
        Ok(Stream { codec, headers, clock: Clock::default() })
    }

    /// Decodes a page's packets.
    fn take(
        &mut self,
        page: &Page,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        let mut sound = false;
        for packet in page.packets() {
            match &mut self.codec {
                StreamCodec::Vorbis(vorbis) if self.headers > 0 => vorbis.header(packet)?,
                _ if self.headers > 0 => {}
                StreamCodec::Vorbis(vorbis) => vorbis.decode(packet, block, losses)?,
                StreamCodec::Flac(flac) => flac.decode(packet, block, losses)?,
                StreamCodec::Opus { head, packets } => {
                    if let Some(head) = head.take() {
                        *packets = Some(Box::new(OpusPackets::new(&head)?));
                    }
                    if let Some(packets) = packets {
                        packets.decode(packet, block, losses)?;
                    }
                }
            }
            sound |= self.headers == 0;
            self.headers = self.headers.saturating_sub(1);
        }
        if sound {
            let skip = match &self.codec {
                StreamCodec::Opus { packets: Some(packets), .. } => packets.skipped(),
                _ => 0,
            };
            let step = match &self.codec {
                StreamCodec::Opus { .. } => super::opus::STEP,
                _ => 1,
            };
            self.clock.trim(page, block, (step, skip));
        }
        Ok(())
    }
}

impl Clock {
    /// Drops from a stream's last page what is beyond the position it ends at. `step`: positions to
    /// a sample; `skip`: samples of the stream that the codec dropped from its start.
    fn trim(&mut self, page: &Page, block: &mut Block, (step, skip): (u64, u64)) {
        let channels = block.channels.max(1);
        let new = (block.samples.len() / channels) as u64;
        self.decoded += new;
        let Some(granule) = page.granule else { return };
        let end = granule / step;
        let decoded = self.decoded + skip;
        let base = *self.base.get_or_insert_with(|| match page.ends {
            true => 0,
            false => end.saturating_sub(decoded),
        });
        if page.ends {
            let beyond = decoded.saturating_sub(end.saturating_sub(base)).min(new);
            block.samples.truncate((new - beyond) as usize * channels);
        }
    }
}

/// The codec of a stream that begins with such bytes, as people call it.
fn codec_name(first: &[u8]) -> &'static str {
    let names: [(&[u8], &str); 7] = [
        (b"Speex   ", "Speex"),
        (b"\x80theora", "Theora (video without sound that is read)"),
        (b"BBCD", "Dirac (video without sound that is read)"),
        (b"CELT    ", "CELT"),
        (b"fLaC", "FLAC in the form before 2005"),
        (b"PCM     ", "OggPCM"),
        (b"\x01video", "OGM video"),
    ];
    let known = names.iter().find(|(magic, _)| first.starts_with(magic));
    known.map_or("another codec than Opus, Vorbis and FLAC", |(_, name)| name)
}

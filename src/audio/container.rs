//! Which container do the first bytes begin? The content decides, never the file name, except where
//! a name says that sound is to be searched for.

use super::{AudioError, aac, transport, wav_data};

/// Who reads the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Wav,
    Au,
    Ogg,
    /// MPEG audio, layers 1 to 3.
    Mpeg,
    /// AAC in frames of ADTS.
    Adts,
    /// An MPEG transport stream.
    Transport,
    /// One of symphonia's readers, named by its file extension.
    Media(&'static str),
}

impl Container {
    /// The container of a file that begins with `head`, tags passed over.
    pub(super) fn of(head: &[u8], name_hint: Option<&str>) -> Result<Self, AudioError> {
        if head.is_empty() {
            return Err(AudioError::Empty);
        }
        if let Some(what) = riff_without_wave(head) {
            return Err(AudioError::Unsupported { what: what.into() });
        }
        if let Some(container) = Self::by_magic(head) {
            return Ok(container);
        }
        if let Some(what) = refused(head) {
            return Err(AudioError::Unsupported { what: what.into() });
        }
        let name = name_hint.unwrap_or_default().to_ascii_lowercase();
        let searched = [".mp3", ".mp2", ".mpga"].iter().any(|end| name.ends_with(end));
        match searched {
            true => Ok(Container::Mpeg),
            false => Err(AudioError::NotAudio { head: head[..head.len().min(8)].to_vec() }),
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Container::Wav => "WAV",
            Container::Au => "AU",
            Container::Ogg => "Ogg",
            Container::Mpeg => "mp3",
            Container::Adts => "AAC",
            Container::Transport => "MPEG-TS",
            Container::Media(name) => name,
        }
    }

    fn by_magic(head: &[u8]) -> Option<Self> {
        let container = match head {
            [b'R', b'I', b'F', b'F' | b'X', ..] | [b'R', b'F', b'6', b'4', ..] => Self::Wav,
            _ if wav_data::is_form(head) => Self::Wav,
            [b'O', b'g', b'g', b'S', ..] => Self::Ogg,
            [b'.', b's', b'n', b'd', ..] => Self::Au,
            [b'f', b'L', b'a', b'C', ..] => Self::Media("flac"),
            [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => {
                Self::Media("aiff")
            }
            [b'c', b'a', b'f', b'f', ..] => Self::Media("caf"),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Self::Media("mkv"),
            _ if is_mp4(head) => Self::Media("mp4"),
            _ if aac::is_adts(head) => Self::Adts,
            _ if transport::layout(head).is_some() => Self::Transport,
            // An MPEG audio frame: eleven ones, then neither a reserved layer, nor bit rate, nor
            // sample rate.
            [0xff, b, c, ..]
                if b & 0xe0 == 0xe0 && b & 0x06 != 0 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c =>
            {
                Self::Mpeg
            }
            _ => return None,
        };
        Some(container)
    }
}

/// Whether a file begins as one of ISO's base media format does, or one of QuickTime's, which may
/// lack the type.
fn is_mp4(head: &[u8]) -> bool {
    let Some(name) = head.get(4..8) else {
        return false;
    };
    let atoms: [&[u8]; 8] =
        [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"];
    // A 3GP file of AMR is refused by its codec.
    atoms.contains(&name)
}

/// What a RIFF file is that is no WAV, as people call it.
fn riff_without_wave(head: &[u8]) -> Option<&'static str> {
    const FORMS: [(&[u8; 4], &str); 5] = [
        (b"AVI ", "AVI"),
        (b"WEBP", "WebP, which is a picture,"),
        (b"RMID", "MIDI, which holds notes and no sound,"),
        (b"sfbk", "a SoundFont"),
        (b"ACON", "an animated cursor"),
    ];
    let form = head.strip_prefix(b"RIFF").or(head.strip_prefix(b"RIFX"))?.get(4..8)?;
    FORMS.iter().find(|(name, _)| form == *name).map(|(_, what)| *what)
}

/// Whether frames of AAC in LATM follow each other: eleven bits of a mark, then the length.
fn is_latm(head: &[u8]) -> bool {
    let length = |head: &[u8]| match *head {
        [0x56, b, c, ..] if b & 0xe0 == 0xe0 => {
            Some(3 + (usize::from(b & 0x1f) << 8 | usize::from(c)))
        }
        _ => None,
    };
    length(head).is_some_and(|first| match head.get(first..) {
        Some(next @ [_, _, _, ..]) => length(next).is_some(),
        // The first is longer than what is looked at.
        _ => head.len() > 512,
    })
}

/// What begins so and is not read, as people call it.
fn refused(head: &[u8]) -> Option<&'static str> {
    const NAMES: [(&[u8], &str); 27] = [
        (b"#!AMR-WB", "AMR-WB"),
        (b"#!AMR", "AMR"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (WMA, ASF)"),
        (b"#!SILK", "SILK (voice messages)"),
        (b"\x02#!SILK", "SILK (voice messages)"),
        (b"NIST_1A", "NIST SPHERE"),
        (b"wvpk", "WavPack"),
        (b"MAC ", "Monkey's Audio"),
        (b"TTA1", "True Audio"),
        (b"MPCK", "Musepack"),
        (b"MP+", "Musepack"),
        (b".ra\xfd", "RealAudio"),
        (b".RMF", "RealMedia"),
        (b"DSD ", "DSD"),
        (b"FRM8", "DSDIFF"),
        (b"MThd", "MIDI, which holds notes and no sound,"),
        (b"riff\x2e\x91\xcf\x11", "Sony Wave64"),
        (b"FLV", "Flash video"),
        (b"\x00\x00\x01\xba", "an MPEG program stream"),
        (b"Creative Voice File", "Creative Voice (VOC)"),
        (b"\x0b\x77", "AC-3 (Dolby Digital)"),
        (b"ADIF", "AAC in ADIF"),
        (b"\x7f\xfe\x80\x01", "DTS"),
        (b"\xfe\x7f\x01\x80", "DTS"),
        (b"\x1f\xff\xe8\x00", "DTS"),
        (b"\xff\x1f\x00\xe8", "DTS"),
        (b"DTSHDHDR", "DTS-HD"),
    ];
    if is_latm(head) {
        return Some("AAC in LATM");
    }
    let mut all = NAMES.iter();
    let (_, name) = all.find(|(magic, _)| head.starts_with(magic))?;
    Some(name)
}

//! The formats against each other and against the formulas behind their signals.

use std::io::Cursor;

use super::*;

pub(super) const RATE: u32 = 16_000;

pub(super) fn read(bytes: &[u8]) -> Result<Waveform, AudioError> {
    Waveform::read(bytes, None)
}

/// The signal of `scripts/golden_audio.py`.
pub(super) fn chirp() -> Vec<f32> {
    let sample = |n: usize| {
        let t = n as f64 / f64::from(RATE);
        let wave = (2.0 * std::f64::consts::PI * (200.0 * t + 6000.0 * t * t)).sin();
        (16384.0 * wave).round() as f32 / 32768.0
    };
    (0..RATE as usize / 4).map(sample).collect()
}

/// A RIFF file whose every header field can lie.
pub(super) struct Wav {
    pub(super) tag: u16,
    pub(super) channels: u16,
    pub(super) rate: u32,
    pub(super) block: u16,
    pub(super) bits: u16,
    pub(super) claimed: Option<u32>,
    pub(super) data: Vec<u8>,
}

impl Default for Wav {
    fn default() -> Self {
        Wav { tag: 1, channels: 1, rate: RATE, block: 2, bits: 16, claimed: None, data: vec![] }
    }
}

impl Wav {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut fmt = Vec::new();
        fmt.extend(self.tag.to_le_bytes());
        fmt.extend(self.channels.to_le_bytes());
        fmt.extend(self.rate.to_le_bytes());
        fmt.extend(self.rate.wrapping_mul(u32::from(self.block)).to_le_bytes());
        fmt.extend(self.block.to_le_bytes());
        fmt.extend(self.bits.to_le_bytes());
        let claimed = self.claimed.unwrap_or(self.data.len() as u32);
        riff(&[(b"fmt ", 16, &fmt), (b"data", claimed, &self.data)])
    }
}

pub(super) fn riff(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
    let mut bytes = b"RIFF\xff\xff\xff\xffWAVE".to_vec();
    for (id, claimed, body) in chunks {
        bytes.extend(*id);
        bytes.extend(claimed.to_le_bytes());
        bytes.extend(*body);
    }
    bytes
}

#[test]
fn hound_writes_and_we_read_every_width() {
    use hound::{SampleFormat, WavSpec, WavWriter};
    let wave = chirp();
    for (bits, sample_format) in [
        (8, SampleFormat::Int),
        (16, SampleFormat::Int),
        (24, SampleFormat::Int),
        (32, SampleFormat::Int),
        (32, SampleFormat::Float),
    ] {
        for channels in 1..=3u16 {
            let spec =
                WavSpec { channels, sample_rate: RATE, bits_per_sample: bits, sample_format };
            let mut bytes = Cursor::new(Vec::new());
            let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
            for &sample in &wave {
                // The channels differ and their mean is the sample.
                for channel in 0..channels {
                    let offset = (f32::from(channel) - f32::from(channels - 1) / 2.0) / 4.0;
                    let value = sample + offset;
                    let full = (1i64 << (bits - 1)) as f32;
                    match sample_format {
                        SampleFormat::Float => writer.write_sample(value).unwrap(),
                        SampleFormat::Int => writer
                            .write_sample((f64::from(value) * f64::from(full)).floor() as i32)
                            .unwrap(),
                    }
                }
            }
            writer.finalize().unwrap();
            let ours = read(bytes.get_ref()).unwrap();
            assert_eq!((ours.rate, ours.samples.len()), (Hertz(RATE), wave.len()));
            let step = if sample_format == SampleFormat::Float {
                1e-6
            } else {
                2.0 / (1i64 << bits) as f32
            };
            let worst = farthest(&ours.samples, &wave);
            assert!(worst <= step + 1e-6, "{bits} bits, {channels} channels: off by {worst}");
        }
    }
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn g711_and_double_samples() {
    let companded = |tag, data| {
        let wav = Wav { tag, block: 1, bits: 8, data, ..Wav::default() };
        read(&wav.bytes()).unwrap().samples.iter().map(|s| (s * 32768.0) as i32).collect::<Vec<_>>()
    };
    // The ends and the middle of ITU-T G.711's tables, at 16 bits.
    assert_eq!(companded(7, vec![0x00, 0x7f, 0x80, 0xff]), [-32124, 0, 32124, 0]);
    assert_eq!(companded(6, vec![0x2a, 0x55, 0xaa, 0xd5]), [-32256, -8, 32256, 8]);
    let data = [0.25f64, -1.5].iter().flat_map(|s| s.to_le_bytes()).collect();
    let double = Wav { tag: 3, block: 8, bits: 64, data, ..Wav::default() };
    assert_eq!(read(&double.bytes()).unwrap().samples, [0.25, -1.5]);
}

#[test]
fn a_pipe_s_sizes_odd_chunks_and_cut_frames_are_read() {
    let data = [1i16, -2, 3].iter().flat_map(|s| s.to_le_bytes()).collect::<Vec<_>>();
    let expected: Vec<f32> = [1.0, -2.0, 3.0].map(|s| s / 32768.0).into();
    // What ffmpeg, others, and a recorder that lost power leave as the size.
    for claimed in [u32::MAX, 0, 1000, 6] {
        let wav = Wav { claimed: Some(claimed), data: data.clone(), ..Wav::default() };
        assert_eq!(read(&wav.bytes()).unwrap().samples, expected, "claimed {claimed}");
    }
    let half_a_sample = Wav { data: [&data[..], &[9]].concat(), ..Wav::default() };
    assert_eq!(read(&half_a_sample.bytes()).unwrap().samples, expected);
    let fmt = &Wav::default().bytes()[20..36];
    let odd = riff(&[
        (b"LIST", 3, b"abc\0"),
        (b"fmt ", 16, fmt),
        (b"data", 6, &data),
        (b"LIST", 2, b"no"),
    ]);
    assert_eq!(read(&odd).unwrap().samples, expected);
}

#[test]
fn compressed_chirps_decode_in_place() {
    let wave = chirp();
    let table: [(&str, &[u8], f32); 4] = [
        ("flac", include_bytes!("../../tests/audio/chirp.flac"), 1e-6),
        ("mp3", include_bytes!("../../tests/audio/chirp.mp3"), 0.05),
        ("ogg", include_bytes!("../../tests/audio/chirp.ogg"), 0.05),
        ("opus", include_bytes!("../../tests/audio/chirp.opus"), 0.15),
    ];
    for (name, bytes, tolerance) in table {
        let ours = read(bytes).unwrap();
        assert_eq!((ours.rate, ours.samples.len()), (Hertz(RATE), wave.len()), "{name}");
        let error: f32 = ours.samples.iter().zip(&wave).map(|(a, b)| (a - b).powi(2)).sum();
        let power: f32 = wave.iter().map(|a| a * a).sum();
        assert!((error / power).sqrt() <= tolerance, "{name}: off by {}", (error / power).sqrt());
        // Cut anywhere, a file gives the samples it still holds, or says what is wrong.
        for cut in (0..bytes.len()).step_by(97) {
            if let Ok(part) = read(&bytes[..cut]) {
                assert!(part.samples.len() <= wave.len() + 1152, "{name} cut to {cut} bytes");
            }
        }
    }
}

#[test]
fn resampled_tones_stay_in_place() {
    let tone = |rate: u32, hertz: f64, count: usize| -> Vec<f32> {
        let step = 2.0 * std::f64::consts::PI * hertz / f64::from(rate);
        (0..count).map(|n| (step * n as f64).sin() as f32 * 0.5).collect()
    };
    for rate in [8_000, 11_025, 16_001, 22_050, 32_000, 44_100, 48_000, 96_000] {
        let wave = Waveform { samples: tone(rate, 1000.0, rate as usize), rate: Hertz(rate) };
        let ours = wave.at_rate(Hertz(RATE)).unwrap();
        assert_eq!((ours.samples.len(), ours.rate), (RATE as usize, Hertz(RATE)));
        // Away from the ends, where the filter sees the silence around the recording.
        let middle = 2000..14_000;
        let worst =
            farthest(&ours.samples[middle.clone()], &tone(RATE, 1000.0, 16_000)[middle.clone()]);
        assert!(worst < 2e-5, "{rate} Hz: off by {worst}");
        if rate > 20_000 {
            let high = Waveform { samples: tone(rate, 9_000.0, rate as usize), rate: Hertz(rate) };
            let alias =
                farthest(&high.at_rate(Hertz(RATE)).unwrap().samples[middle], &[0.0; 12_000]);
            assert!(alias < 2e-5, "{rate} Hz: 9 kHz leaks as {alias}");
        }
    }
    // Shorter than one block, where the delay is easily forgotten: the pulse stays where it was.
    let mut pulse = vec![0.0; 300];
    pulse[150] = 1.0;
    let short = Waveform { samples: pulse, rate: Hertz(48_000) }.at_rate(Hertz(RATE)).unwrap();
    let peak = (0..100).max_by(|&a, &b| short.samples[a].total_cmp(&short.samples[b]));
    assert_eq!((short.samples.len(), peak), (100, Some(50)));
}

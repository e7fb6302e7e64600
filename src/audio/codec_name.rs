//! Codecs by the names that people know them by, for those that are not read.

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::*;

/// What people call a codec.
pub(super) fn of(codec: AudioCodecId) -> &'static str {
    match codec {
        CODEC_ID_AAC => {
            "AAC of this kind (only the low-complexity profile of one or two channels is read)"
        }
        CODEC_ID_AC3 => "AC-3 (Dolby Digital)",
        CODEC_ID_EAC3 => "E-AC-3 (Dolby Digital Plus)",
        CODEC_ID_AC4 => "AC-4",
        CODEC_ID_DCA => "DTS",
        CODEC_ID_TRUEHD => "Dolby TrueHD",
        CODEC_ID_WMA => "Windows Media Audio",
        CODEC_ID_SPEEX => "Speex",
        CODEC_ID_WAVPACK => "WavPack",
        CODEC_ID_MONKEYS_AUDIO => "Monkey's Audio",
        CODEC_ID_TTA => "True Audio",
        CODEC_ID_MUSEPACK => "Musepack",
        CODEC_ID_ADPCM_G722 => "G.722",
        CODEC_ID_ADPCM_G726 | CODEC_ID_ADPCM_G726LE => "G.726 ADPCM",
        CODEC_ID_ADPCM_MS | CODEC_ID_ADPCM_IMA_WAV | CODEC_ID_ADPCM_IMA_QT => "this form of ADPCM",
        CODEC_ID_COOK | CODEC_ID_SIPR | CODEC_ID_RA10 | CODEC_ID_RA20 => "RealAudio",
        _ => "an audio codec that is not known",
    }
}

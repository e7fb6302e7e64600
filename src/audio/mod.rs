//! Which samples? Waveforms from files.

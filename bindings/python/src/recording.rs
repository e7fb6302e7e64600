//! What `transcribe` takes: a file, the bytes of one, or samples.

use std::io::Cursor;
use std::path::PathBuf;

use numpy::PyReadonlyArray1;
use paretone::audio::{AudioError, ChannelChoice, Reader, Signal};
use paretone::units::Hertz;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};

use crate::arrays;
use crate::errors::value;

/// A recording that Python named.
pub enum Recording<'py> {
    File(PathBuf),
    Bytes(PyBackedBytes),
    Samples(PyReadonlyArray1<'py, f32>, Hertz),
}

/// The same, as another thread sees it.
pub enum Source<'a> {
    File(&'a PathBuf, ChannelChoice),
    Bytes(&'a [u8], ChannelChoice),
    Samples(&'a [f32], Hertz),
}

impl<'py> Recording<'py> {
    /// A path, bytes, or samples of a rate, by default `usual`.
    ///
    /// # Errors
    /// It is none of these, or samples are not what they should be.
    pub fn of(object: &Bound<'py, PyAny>, rate: Option<u32>, usual: Hertz) -> PyResult<Self> {
        let is_file = object.is_instance_of::<PyString>() || object.hasattr("__fspath__")?;
        let is_bytes = object.is_instance_of::<PyBytes>();
        if (is_file || is_bytes) && rate.is_some() {
            return Err(value("rate is for samples: a recording says its own, so leave it out"));
        }
        if is_file {
            return Ok(Recording::File(object.extract()?));
        }
        if is_bytes {
            return Ok(Recording::Bytes(object.extract()?));
        }
        let rate = rate.map_or(usual, Hertz);
        Ok(Recording::Samples(arrays::samples(object)?, rate))
    }

    /// One channel of it, counted from 1, or the average of all.
    ///
    /// # Errors
    /// Samples have one channel only, and the first is number 1.
    pub fn source(&self, channel: Option<usize>) -> PyResult<Source<'_>> {
        let choice = match channel {
            None => ChannelChoice::Mix,
            Some(0) => return Err(value("channels are counted from 1")),
            Some(channel) => ChannelChoice::One(channel - 1),
        };
        Ok(match self {
            Recording::File(path) => Source::File(path, choice),
            Recording::Bytes(bytes) => Source::Bytes(bytes, choice),
            Recording::Samples(..) if channel.is_some() => {
                return Err(value("channel is for recordings: samples are one channel"));
            }
            Recording::Samples(samples, rate) => Source::Samples(samples.as_slice()?, *rate),
        })
    }
}

impl<'a> Source<'a> {
    /// What a model that listens at `rate` hears of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn signal(&self, rate: Hertz) -> Result<Signal<'a>, AudioError> {
        match *self {
            Source::File(path, choice) => Signal::new(Reader::open(path, None)?, rate, choice),
            Source::Bytes(bytes, choice) => {
                let reader = Reader::of_stream(Cursor::new(bytes), None, None)?;
                Signal::new(reader, rate, choice)
            }
            Source::Samples(samples, from) => Signal::of_samples(samples, from, rate),
        }
    }
}

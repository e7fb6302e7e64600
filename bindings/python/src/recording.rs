//! What `transcribe` takes: a file by its path or opened, the bytes of one, or samples.

use std::io::Cursor;
use std::path::PathBuf;

use numpy::PyReadonlyArray1;
use paretone::audio::{AudioError, ChannelChoice, Reader, Signal};
use paretone::units::Hertz;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

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
    /// A path, an opened file, bytes, or samples of a rate, by default `usual`.
    ///
    /// # Errors
    /// It is none of these, or samples are not what they should be.
    pub fn of(object: &Bound<'py, PyAny>, rate: Option<Hertz>, usual: Hertz) -> PyResult<Self> {
        let its_own = || match rate {
            Some(_) => Err(value("rate is for samples: a recording says its own, so leave it out")),
            None => Ok(()),
        };
        if object.is_instance_of::<PyString>() || object.hasattr("__fspath__")? {
            its_own()?;
            return Ok(Recording::File(object.extract()?));
        }
        if let Some(bytes) = bytes_of(object)? {
            its_own()?;
            return Ok(Recording::Bytes(bytes));
        }
        if object.hasattr("read")? {
            its_own()?;
            let whole = object.call_method0("read")?;
            let bytes = bytes_of(&whole)?;
            return bytes.map(Recording::Bytes).ok_or_else(|| {
                value("reading from it gives no bytes: open the recording with open(path, \"rb\")")
            });
        }
        Ok(Recording::Samples(arrays::samples(object)?, rate.unwrap_or(usual)))
    }

    /// One channel of it, counted from 1, or the average of all.
    ///
    /// # Errors
    /// Samples have one channel only, and the first is number 1.
    pub fn source(&self, channel: Option<usize>) -> PyResult<Source<'_>> {
        let choice = match channel {
            None => ChannelChoice::Mix,
            Some(channel) => ChannelChoice::One(channel.saturating_sub(1)),
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

/// The bytes of an object that holds such.
fn bytes_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PyBackedBytes>> {
    if object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>() {
        return Ok(Some(object.extract()?));
    }
    let is_view = object.is_instance_of::<PyMemoryView>();
    if is_view && object.getattr("itemsize")?.extract::<usize>()? == 1 {
        let bytes = object.call_method0("tobytes")?;
        return Ok(Some(bytes.extract()?));
    }
    Ok(None)
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

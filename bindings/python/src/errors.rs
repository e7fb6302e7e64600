//! The library's errors as Python's: classes of `paretone.Error` by what the caller can do, and
//! `ValueError` where an argument is wrong.

use std::error::Error;
use std::io::ErrorKind;

use paretone::audio::AudioError;
use paretone::decode::DecodeError;
use paretone::recognizer::RecognizerError;
use paretone::{TiersError, WithCauses};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// An error of the class `name` of `paretone._errors`.
pub fn of_class(name: &str, told: String) -> PyErr {
    Python::attach(|py| {
        let class = py.import("paretone._errors");
        let error = class.and_then(|errors| errors.call_method1(name, (told,)));
        error.map_or_else(|error| error, PyErr::from_value)
    })
}

/// An argument that means nothing.
pub fn value(told: impl Into<String>) -> PyErr {
    PyValueError::new_err(told.into())
}

/// An error with its causes, as an argument that means nothing.
pub fn value_of(error: &(dyn Error + 'static)) -> PyErr {
    value(WithCauses(error).to_string())
}

/// Why there is no answer.
pub fn of_tiers(error: TiersError) -> PyErr {
    match error {
        TiersError::Recognizer(error) => of_recognizer(error),
        error => of_class("TierError", WithCauses(&error).to_string()),
    }
}

/// Why a model cannot be opened, or a recording not be recognised.
pub fn of_recognizer(error: RecognizerError) -> PyErr {
    let told = WithCauses(&error).to_string();
    match &error {
        RecognizerError::Audio(AudioError::Rate { .. }) => {
            value("rate: give samples per second from 1000 to 384000")
        }
        RecognizerError::Audio(AudioError::NoSuchChannel { .. }) => value(told),
        RecognizerError::Audio(AudioError::Open { source, .. })
            if source.kind() == ErrorKind::NotFound =>
        {
            of_class("MissingFile", told)
        }
        RecognizerError::Audio(_) => of_class("AudioError", told),
        RecognizerError::Decode(error) => of_decode(error),
        _ => of_class("ModelError", told),
    }
}

/// Why scores cannot be searched.
pub fn of_decode(error: &DecodeError) -> PyErr {
    decode_error(error, error.to_string())
}

/// Why one matrix of several, counted from 0, cannot be searched.
pub fn of_decode_at(at: usize, error: &DecodeError) -> PyErr {
    decode_error(error, format!("matrix {at}: {error}"))
}

fn decode_error(error: &DecodeError, told: String) -> PyErr {
    match error {
        DecodeError::PdfMismatch { .. }
        | DecodeError::BadScore { .. }
        | DecodeError::BadPruning { .. } => value(told),
        _ => of_class("DecodeError", told),
    }
}

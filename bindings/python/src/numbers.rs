//! Whole numbers of Python's: one that is out of range is a `ValueError` that says what is meant.

use paretone::units::Hertz;
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;

use crate::errors::value;

/// The number, or what was `told` of it where it is negative or too large.
///
/// # Errors
/// A `ValueError` where it is out of range, and Python's `TypeError` where it is no whole number.
fn whole<T: TryFrom<usize>>(object: &Bound<'_, PyAny>, told: &str) -> PyResult<T> {
    let wrong = || value(format!("{object}: {told}"));
    match object.extract::<usize>() {
        Ok(number) => T::try_from(number).map_err(|_| wrong()),
        Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => Err(wrong()),
        Err(error) => Err(error),
    }
}

/// How many answers.
pub fn n_best(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    whole(object, "n_best is a number of answers, 0 or more")
}

/// Samples per second that are read.
pub fn rate(object: &Bound<'_, PyAny>) -> PyResult<Option<Hertz>> {
    if object.is_none() {
        return Ok(None);
    }
    let told = "rate is samples per second: give one from 1000 to 384000";
    let rate = whole(object, told)?;
    match paretone::audio::RATES.contains(&rate) {
        true => Ok(Some(Hertz(rate))),
        false => Err(value(format!("{rate}: {told}"))),
    }
}

/// A channel, the first being 1.
pub fn channel(object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    from_one(object, "channels are counted from 1")
}

/// How many threads.
pub fn jobs(object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    from_one(object, "jobs is a number of threads, 1 or more")
}

/// How many frames of each matrix count.
pub fn lengths(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<usize>>> {
    if object.is_none() {
        return Ok(None);
    }
    let each = object.try_iter()?.map(|one| whole(&one?, "lengths are numbers of frames"));
    each.collect::<PyResult<_>>().map(Some)
}

/// A column of scores.
pub fn column(object: &Bound<'_, PyAny>) -> PyResult<u32> {
    whole(object, "blank is a column of the scores, counted from 0")
}

/// A number from 1 on, or none.
fn from_one(object: &Bound<'_, PyAny>, told: &str) -> PyResult<Option<usize>> {
    if object.is_none() {
        return Ok(None);
    }
    match whole(object, told)? {
        0 => Err(value(format!("0: {told}"))),
        number => Ok(Some(number)),
    }
}

//! NumPy's arrays as slices: as they lie where they are 32-bit floats in row order, else by one copy.

use numpy::{
    PyArray1, PyArray2, PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict};

use crate::errors::value;

/// Samples of one channel.
///
/// # Errors
/// A `ValueError`: not one dimension, no floats, or a value that is no finite number.
pub fn samples<'py>(object: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray1<'py, f32>> {
    if object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>() {
        return Err(value(
            "samples are an array of floats; got bytes: those of 16-bit samples become one by \
             numpy.frombuffer(data, \"<i2\").astype(numpy.float32) / 32768",
        ));
    }
    let array = floats(object, "samples", |dtype| match dtype {
        "int32" => "divide 32-bit integers by 2147483648",
        "uint8" => "subtract 128 of 8-bit integers and divide by 128",
        "object" => "what else is heard is a path, bytes, or a file opened with open(path, \"rb\")",
        _ => "divide 16-bit integers by 32768",
    })?;
    if array.ndim() != 1 {
        return Err(value(format!(
            "samples are one channel, an array of one dimension; got the shape {:?}: {}",
            array.shape(),
            of_channels(array.shape())
        )));
    }
    let samples = array.cast::<PyArray1<f32>>()?.try_readonly()?;
    let slice = samples.as_slice()?;
    if let Some(at) = slice.iter().position(|sample| !sample.is_finite()) {
        let found = slice[at];
        return Err(value(format!(
            "sample {at} is {found}: samples are finite numbers, nominally from -1 to 1"
        )));
    }
    Ok(samples)
}

/// A matrix of scores, frames × columns.
///
/// # Errors
/// A `ValueError`: not two dimensions, or no floats.
pub fn matrix<'py>(object: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, f32>> {
    let array = floats(object, "scores", |_| "they are natural logarithms")?;
    if array.ndim() != 2 {
        return Err(value(format!(
            "scores are a matrix, one row a frame and one column a class; got the shape {:?}: take one recording of a \
             batch, as in scores[0]",
            array.shape()
        )));
    }
    Ok(array.cast::<PyArray2<f32>>()?.try_readonly()?)
}

/// How to come by one channel: the shorter of two axes is that of the channels.
fn of_channels(shape: &[usize]) -> &'static str {
    match shape {
        [rows, columns] if rows < columns => {
            "choose a channel, as in samples[0], or average them, as in samples.mean(axis=0)"
        }
        [_, _] => {
            "choose a channel, as in samples[:, 0], or average them, as in samples.mean(axis=1)"
        }
        _ => "give the samples of one recording",
    }
}

/// The array as 32-bit floats in row order: itself, where it is that.
fn floats<'py>(
    object: &Bound<'py, PyAny>,
    what: &str,
    hint: impl FnOnce(&str) -> &'static str,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let numpy = object.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (object,))?;
    let array = array.cast::<PyUntypedArray>()?;
    let dtype = array.dtype();
    if dtype.kind() != b'f' {
        let (name, hint) = (dtype.to_string(), hint(&dtype.to_string()));
        let convert = match dtype.kind() {
            b'i' | b'u' => ", and convert with .astype(numpy.float32)",
            _ => "",
        };
        return Err(value(format!("{what} are floats; got {name}: {hint}{convert}")));
    }
    let options = PyDict::new(object.py());
    options.set_item("dtype", numpy::dtype::<f32>(object.py()))?;
    options.set_item("order", "C")?;
    let array = numpy.call_method("asarray", (array,), Some(&options))?;
    Ok(array.cast_into()?)
}

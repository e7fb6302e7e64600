//! Asks for memory before it is read, so that it is near when it is.
//!
//! This is only a hint: a useless one costs a little time, and on processors that take no hints it
//! does nothing.

#![allow(unsafe_code)]

/// Elements of four bytes in a cache line.
const LINE: usize = 16;

/// An element of a slice will be read soon; nothing if it does not exist.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(element) = slice.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the element exists, and prefetching neither reads nor writes it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index);
}

/// All of a slice will be read soon.
pub(crate) fn prefetch_all(slice: &[f32]) {
    for index in (0..slice.len()).step_by(LINE) {
        prefetch(slice, index);
    }
}

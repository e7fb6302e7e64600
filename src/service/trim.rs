//! Memory that the allocator keeps goes back to the system once it is not used any more.
//!
//! glibc's allocator keeps what was freed below something that is still in use, in every thread's arena:
//! after a load a service would hold for good what the load took at its height.
//! Reference: malloc_trim(3).

/// How often memory is given back. What is taken again meanwhile costs page faults, so not at every
/// request.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Gives memory back from time to time, for as long as the process lives, where its allocator is glibc's.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let thread = std::thread::Builder::new().name("trim".into());
        let started = thread.spawn(|| {
            loop {
                std::thread::sleep(EVERY);
                trim();
            }
        });
        if let Err(error) = started {
            tracing::warn!("the memory of a load will be kept: {error}");
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: malloc_trim has no preconditions, and may be called from any thread at any time.
    #[allow(unsafe_code)]
    let given_back = unsafe { libc::malloc_trim(0) };
    tracing::trace!(given_back, "memory trimmed");
}

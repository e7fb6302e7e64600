//! Memory that the allocator keeps goes back to the system once it is not used any more.
//!
//! glibc's allocator keeps what was freed below something that is still in use, in every thread's
//! arena: after a load a service would hold for good what the load took at its height. And it keeps
//! the end of every other arena but the first, more of it the larger the blocks are that were
//! freed, which `malloc_trim` leaves alone; hence a bound on that. References: malloc_trim(3),
//! mallopt(3).

/// How often memory is given back. What is taken again meanwhile costs page faults, so not at every
/// request.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Free bytes at the end of an arena that are kept. Setting it keeps it from growing, too.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 1 << 20;
/// Blocks of so many bytes are the system's at once, as those of a long recording's scores.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: i32 = 4 << 20;

/// Gives memory back from time to time, for as long as the process lives, where its allocator is
/// glibc's.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        bound_what_is_kept();
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
fn bound_what_is_kept() {
    for (what, bytes) in [(libc::M_TRIM_THRESHOLD, KEPT), (libc::M_MMAP_THRESHOLD, LARGE)] {
        // SAFETY: mallopt has no preconditions but that its arguments are numbers; it is called
        // before there are other threads of this program's.
        #[allow(unsafe_code)]
        let set = unsafe { libc::mallopt(what, bytes) };
        tracing::trace!(what, bytes, set, "memory kept");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    // SAFETY: malloc_trim has no preconditions, and may be called from any thread at any time.
    #[allow(unsafe_code)]
    let given_back = unsafe { libc::malloc_trim(0) };
    tracing::trace!(given_back, "memory trimmed");
}

//! A bound on the bytes that requests hold together: of uploads, waveforms and scores, or of
//! streams.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Rejection;

/// The unit in which memory is counted.
const UNIT: usize = 1 << 12;

/// The memory that all requests share.
#[derive(Clone, Debug)]
pub struct Memory {
    free: Arc<Semaphore>,
    units: usize,
}

/// Memory that one request holds; dropping it gives it back.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

impl Held {
    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) * UNIT
    }
}

impl Memory {
    /// So many bytes.
    pub fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT).clamp(1, Semaphore::MAX_PERMITS);
        Memory { free: Arc::new(Semaphore::new(units)), units }
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        (self.units - self.free.available_permits().min(self.units)) * UNIT
    }

    /// Has `held` hold so many bytes, more or fewer than before.
    ///
    /// # Errors
    /// As [`Memory::grow`].
    pub fn resize(&self, held: &mut Held, bytes: usize) -> Result<(), Rejection> {
        let units = bytes.div_ceil(UNIT);
        if let Some(permit) = &mut held.0 {
            let spare = permit.num_permits().saturating_sub(units);
            drop(permit.split(spare));
        }
        self.grow(held, bytes)
    }

    /// Has `held` hold at least so many bytes.
    ///
    /// # Errors
    /// [`Rejection::Busy`] where other requests hold what is missing, [`Rejection::TooLarge`] where
    /// there is not so much.
    pub fn grow(&self, held: &mut Held, bytes: usize) -> Result<(), Rejection> {
        let has = held.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = bytes.div_ceil(UNIT).saturating_sub(has);
        if missing == 0 {
            return Ok(());
        }
        if bytes.div_ceil(UNIT) > self.units {
            return Err(Rejection::TooLarge(format!(
                "this takes {bytes} bytes of memory, more than the service has for all audio"
            )));
        }
        let units = u32::try_from(missing).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.free).try_acquire_many_owned(units);
        let more = more.map_err(|_| Rejection::Busy {
            reason: "others hold all the memory there is for audio".into(),
            retry_after: Duration::from_secs(1),
        })?;
        match &mut held.0 {
            Some(held) => held.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_missing_until_it_is_dropped() {
        let memory = Memory::new(10 * UNIT);
        let (mut first, mut second) = (Held::default(), Held::default());
        memory.grow(&mut first, 1).unwrap();
        memory.grow(&mut first, 6 * UNIT).unwrap();
        memory.grow(&mut first, 10).unwrap();
        assert!(memory.grow(&mut second, 5 * UNIT).is_err());
        memory.grow(&mut second, 4 * UNIT).unwrap();
        drop(first);
        memory.grow(&mut second, 10 * UNIT).unwrap();
        assert!(memory.grow(&mut second, usize::MAX).is_err());
        memory.resize(&mut second, 3 * UNIT).unwrap();
        assert_eq!(memory.held(), 3 * UNIT);
        memory.resize(&mut second, 4 * UNIT).unwrap();
        assert_eq!(memory.held(), 4 * UNIT);
        assert!(memory.resize(&mut second, 11 * UNIT).is_err());
    }
}

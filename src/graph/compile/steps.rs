//! Costs as whole numbers of the graph file's fixed-point steps.
//!
//! Look-ahead moves costs along a path by subtracting and adding them; in integers the sum of a
//! path stays what it was, and two subtrees that should be the same are the same bit for bit, which
//! is what lets them be shared.

use bytemuck::{Pod, Zeroable};

use crate::units::Cost;

/// Steps in one unit of cost: those of a packed arc, so that nothing is rounded twice.
const PER_UNIT: f32 = 32768.0;

/// The largest cost taken over, in units: what an arc can hold.
const LARGEST: f32 = 255.0;

/// A cost in steps of 2⁻¹⁵.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Steps(i32);

impl Steps {
    /// Probability one.
    pub(super) const FREE: Steps = Steps(0);

    /// The nearest number of steps, `None` for probability zero. Costs beyond ±255 are held at
    /// that.
    pub(super) fn of(cost: Cost) -> Option<Steps> {
        let steps = || Steps((cost.0.clamp(-LARGEST, LARGEST) * PER_UNIT).round() as i32);
        (cost.0 < f32::INFINITY).then(steps)
    }

    /// Back to a cost, exactly.
    pub(super) fn cost(self) -> Cost {
        Cost(self.0 as f32 / PER_UNIT)
    }
}

impl std::ops::Add for Steps {
    type Output = Steps;

    fn add(self, other: Steps) -> Steps {
        Steps(self.0 + other.0)
    }
}

impl std::ops::Sub for Steps {
    type Output = Steps;

    fn sub(self, other: Steps) -> Steps {
        Steps(self.0 - other.0)
    }
}

//! Who asks, as far as fairness must know it.

/// Whose requests take turns with those of others: a number of the caller's choice, such as a hash
/// of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client(pub u64);

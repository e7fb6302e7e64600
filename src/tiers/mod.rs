//! Which version answers? Recorded outcomes, and what is decided from them.
//!
//! An [`Outcome`] is the measured result of one version of a service on one request. Policies,
//! rules and experiments read nothing but outcomes. So they need neither audio nor a clock, and
//! they work for any service whose errors can be counted. [`Table`] arranges rows as a matrix,
//! [`Policy`] says which versions answer, [`replay()`](replay::replay) runs a policy over a table,
//! [`generate`] finds the cheapest policy that keeps a tolerance, and [`Rules`] is what it writes.
//! [`drift`] watches whether traffic still is like the rows.

pub mod cascade;
pub mod costing;
mod counter;
pub mod curve;
pub mod drift;
pub mod folds;
pub mod generate;
pub mod learn;
mod natural;
mod outcome;
pub mod policy;
pub mod replay;
pub mod rules;
pub mod simulate;
pub mod statistics;
pub mod table;
mod tolerance;

pub use costing::{Costing, Sharing, Spent};
pub use counter::Counter;
pub use generate::{Candidate, Candidates, Method, Objective, Options, Tier, Tolerances};
pub use outcome::{Outcome, OutcomeError, Outcomes};
pub use policy::{Choice, Pair, Policy};
pub use rules::{Certificate, RULES_FILE, Rule, Rules, RulesError};
pub use table::{Request, Row, Table, TableError, Version};
pub use tolerance::{Tolerance, ToleranceError};

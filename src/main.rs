//! The `paretone` command.

fn main() {}

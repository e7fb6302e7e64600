# The commands of everyday work; each line is plain shell and works without just.

# List the recipes.
default:
    @just --list

# Formatting, lints and documentation.
check:
    cargo fmt --check
    cargo clippy --release --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps

# Every test, the examples in the documentation included.
test:
    cargo test --release

# Each feature alone, the size of the smallest build, and the oldest Rust that is supported.
features:
    .ci/features

# The programs in examples/.
examples:
    .ci/examples

# Count the instructions of a fixed piece of work (needs valgrind).
instructions:
    python3 scripts/bench_instructions.py

# What a release would hold, and how large it is.
package:
    .ci/package

# All that must hold before a change is kept.
ci:
    .ci/run

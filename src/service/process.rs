//! What the system knows of this process, under the names that Prometheus's clients have for it.
//!
//! Reference: <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>. Read
//! from `/proc`, and left out where there is none.

use std::fs;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// The clock of `/proc`: its ticks are a part of Linux's interface (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// Registers all that is known.
pub fn register(registry: &mut Registry) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(stat) = Stat::parse(&stat) {
        let cpu: Counter<f64, AtomicU64> = Counter::default();
        cpu.inc_by(stat.cpu_seconds);
        let help = "Processor time, user and system";
        registry.register_with_unit("cpu", help, Unit::Seconds, cpu);
        if let Some(boot) = boot_time() {
            let help = "When the process started, since 1970";
            gauge(registry, "start_time", help, Unit::Seconds, boot + stat.start_seconds);
        }
        let help = "Virtual memory";
        gauge(registry, "virtual_memory", help, Unit::Bytes, stat.virtual_bytes);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kibibytes) = field(&status, "VmRSS:") {
        let help = "Memory in use";
        gauge(registry, "resident_memory", help, Unit::Bytes, kibibytes * 1024.0);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        plain(registry, "open_fds", "Open files", files.count() as f64);
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(most) = field(&limits, "Max open files") {
        plain(registry, "max_fds", "Most open files", most);
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, unit: Unit, value: f64) {
    let gauge: Gauge<f64, AtomicU64> = Gauge::default();
    gauge.set(value);
    registry.register_with_unit(name, help, unit, gauge);
}

fn plain(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge: Gauge<f64, AtomicU64> = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

/// The first number after a name at the beginning of a line.
fn field(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// When the system started, in seconds since 1970.
fn boot_time() -> Option<f64> {
    field(&fs::read_to_string("/proc/stat").ok()?, "btime")
}

/// What is taken of `/proc/self/stat` (`man 5 proc`).
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    start_seconds: f64,
    virtual_bytes: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The second field, the name in parentheses, may hold anything.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Fields are counted from 1, and the first of these is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Stat {
            cpu_seconds: (field(14)? + field(15)?) / TICKS_A_SECOND,
            start_seconds: field(22)? / TICKS_A_SECOND,
            virtual_bytes: field(23)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_anything() {
        let text = "17 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 3 0 1000 4096 7";
        let expected = Stat { cpu_seconds: 3.0, start_seconds: 10.0, virtual_bytes: 4096.0 };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("17 (a"), None);
        assert_eq!(Stat::parse(""), None);
    }
}

//! The recorded outcomes in `corpora/outcomes`: each request has one row of every version.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use paretone::tiers::{Outcome, Outcomes};

/// The recorded tables.
fn tables() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/outcomes");
    let files = fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect()
}

/// The rows by a field.
fn by(rows: &[Outcome], key: impl Fn(&Outcome) -> &str) -> BTreeMap<&str, Vec<&Outcome>> {
    let mut parts: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for row in rows {
        parts.entry(key(row)).or_default().push(row);
    }
    parts
}

/// Errors per word of some rows.
fn error(rows: &[&Outcome]) -> f64 {
    let sum =
        |count: fn(&Outcome) -> u32| rows.iter().map(|row| f64::from(count(row))).sum::<f64>();
    sum(|row| row.errors) / sum(|row| row.words)
}

/// Mean response time of some rows, milliseconds.
fn milliseconds(rows: &[&Outcome]) -> f64 {
    1e3 * rows.iter().map(|row| row.response.0).sum::<f64>() / rows.len() as f64
}

#[test]
fn every_request_has_every_version_once() {
    let paths = tables();
    assert!(!paths.is_empty());
    for path in paths {
        let table = Outcomes::open(&path).unwrap();
        let versions = by(&table.rows, |row| &row.version);
        println!("{}", path.display());
        for (version, rows) in &versions {
            let (error, time) = (100.0 * error(rows), milliseconds(rows));
            println!("{version}: {} requests, error {error:.2} %, {time:.3} ms", rows.len());
        }
        for (id, rows) in by(&table.rows, |row| &row.id) {
            let mut found: Vec<_> = rows.iter().map(|row| row.version.as_str()).collect();
            found.sort_unstable();
            assert!(found.iter().eq(versions.keys()), "{}: {id}: {found:?}", path.display());
            let request = |row: &Outcome| (row.group.clone(), row.set.clone(), row.words);
            assert!(rows.iter().all(|row| request(row) == request(rows[0])), "{id}");
        }
    }
}

#[test]
fn larger_image_classifiers_err_less() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/outcomes/images.csv");
    let table = Outcomes::open(&path).unwrap();
    let versions = by(&table.rows, |row| &row.version);
    assert_eq!(versions.len(), 7);
    let errors: Vec<_> = versions.values().map(|rows| error(rows)).collect();
    assert!(errors.is_sorted_by(|fast, slow| fast > slow), "{errors:?}");
    assert!(table.rows.iter().all(|row| row.words == 1 && row.errors <= 1));
}

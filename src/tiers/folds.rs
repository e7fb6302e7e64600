//! Splits of requests into a training part and a test part.
//!
//! The paper's "ten-fold cross validation" draws a random 90 % ten times. Its training and test
//! parts share speakers, so it measures how rules perform on further requests of the same speakers.
//! Folds that share no group measure how they perform on new speakers.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::table::Table;

/// How requests are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// A random tenth tests, anew each time, as in the paper.
    Random,
    /// A tenth of the groups tests; each group does once.
    Disjoint,
}

/// Places of requests in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The requests that rules are learnt from.
    pub train: Vec<usize>,
    /// The requests that rules are tested on.
    pub test: Vec<usize>,
}

/// `count` folds, each with about one in `count` requests to test; equal seeds give equal folds. A
/// disjoint split with fewer groups than folds leaves some without tests, which are dropped.
pub fn folds(table: &Table, split: Split, count: usize, seed: u64) -> Vec<Fold> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let tests = match split {
        Split::Random => random_tests(table.requests.len(), count, &mut random),
        Split::Disjoint => disjoint_tests(table, count, &mut random),
    };
    let fold = |test: Vec<usize>| {
        let mut tests = vec![false; table.requests.len()];
        test.iter().for_each(|&place| tests[place] = true);
        let train = (0..table.requests.len()).filter(|&place| !tests[place]).collect();
        Fold { train, test }
    };
    let folds = tests.into_iter().map(fold);
    folds.filter(|fold| !fold.test.is_empty() && !fold.train.is_empty()).collect()
}

fn random_tests(requests: usize, count: usize, random: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = (0..requests).collect();
    let mut test = || {
        places.shuffle(random);
        let mut test = places[..requests / count.max(1)].to_vec();
        test.sort_unstable();
        test
    };
    (0..count).map(|_| test()).collect()
}

/// Groups in random order, each to the fold with the fewest requests so far.
fn disjoint_tests(table: &Table, count: usize, random: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); table.groups.len()];
    for (place, request) in table.requests.iter().enumerate() {
        members[request.group].push(place);
    }
    members.retain(|members| !members.is_empty());
    members.shuffle(random);
    let mut tests = vec![Vec::new(); count];
    for group in members {
        if let Some(test) = tests.iter_mut().min_by_key(|test: &&mut Vec<usize>| test.len()) {
            test.extend(group);
        }
    }
    tests.iter_mut().for_each(|test| test.sort_unstable());
    tests
}

#[cfg(test)]
mod tests {
    use super::super::simulate::{World, draw};
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn random_folds_hold_out_a_tenth() {
        let table = draw(&World::default(), 1);
        let folds = folds(&table, Split::Random, 10, 1);
        assert_eq!(folds.len(), 10);
        for fold in &folds {
            assert_eq!(fold.test.len(), table.requests.len() / 10);
            assert_eq!(fold.test.len() + fold.train.len(), table.requests.len());
        }
        assert_ne!(folds[0], folds[1]);
    }

    #[test]
    fn disjoint_folds_share_no_group_and_test_each_once() {
        let table = draw(&World::default(), 1);
        let folds = folds(&table, Split::Disjoint, 10, 1);
        let groups = |places: &[usize]| -> HashSet<usize> {
            places.iter().map(|&place| table.requests[place].group).collect()
        };
        assert!(folds.iter().all(|fold| groups(&fold.train).is_disjoint(&groups(&fold.test))));
        assert_eq!(folds.iter().map(|fold| fold.test.len()).sum::<usize>(), table.requests.len());
    }
}

//! The order of names as people read them: v2 before v10.

use std::cmp::Ordering;

/// A name whose runs of digits compare as numbers.
#[derive(PartialEq, Eq)]
pub(super) struct Natural<'a>(pub &'a str);

impl Ord for Natural<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0, other.0);
        while !a.is_empty() && !b.is_empty() {
            let (text_a, number_a, rest_a) = split_number(a);
            let (text_b, number_b, rest_b) = split_number(b);
            let order = text_a.cmp(text_b).then(number_a.cmp(&number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        }
        a.cmp(b).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Natural<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Text before the first number, the number (its digits without leading zeros: more are larger),
/// and what follows.
fn split_number(name: &str) -> (&str, (usize, &str), &str) {
    let start = name.find(|c: char| c.is_ascii_digit());
    let (text, rest) = name.split_at(start.unwrap_or(name.len()));
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let digits = digits.trim_start_matches('0');
    (text, (digits.len(), digits), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_compare_as_numbers() {
        let mut names = ["v10", "v2", "v1", "w", "v02", "v2b", "v"];
        names.sort_by(|a, b| Natural(a).cmp(&Natural(b)));
        assert_eq!(names, ["v", "v1", "v02", "v2", "v2b", "v10", "w"]);
    }
}

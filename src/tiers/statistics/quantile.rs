//! Quantiles of the normal and Student's distribution.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The value that a standard normal variable exceeds with probability `tail`, 0 < tail < 1.
pub fn normal_upper(tail: f64) -> f64 {
    -Normal::standard().inverse_cdf(tail)
}

/// The probability that a standard normal variable exceeds `value`.
pub fn normal_tail(value: f64) -> f64 {
    Normal::standard().sf(value)
}

/// The probability that Student's variable with `freedom` > 0 degrees exceeds `value`.
pub fn student_tail(freedom: f64, value: f64) -> f64 {
    let student = StudentsT::new(0.0, 1.0, freedom);
    student.expect("degrees of freedom are above 0").sf(value)
}

/// The value that Student's variable with `freedom` > 0 degrees exceeds with probability `tail`,
/// 0 < tail ≤ 1/2.
///
/// Bisection on the survival function: the library's inverse loses digits in the tails that
/// simultaneous bounds ask for.
pub fn student_upper(freedom: f64, tail: f64) -> f64 {
    let student = StudentsT::new(0.0, 1.0, freedom).expect("degrees of freedom are above 0");
    let (mut low, mut high) = (0.0, 1.0);
    while student.sf(high) > tail && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    while high - low > 1e-10 * high {
        let middle = 0.5 * (low + high);
        match student.sf(middle) > tail {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_quantiles_are_inverse() {
        for freedom in [4.0, 38.5, 1e4] {
            for tail in [0.25, 1e-3, 1e-8] {
                let back = student_tail(freedom, student_upper(freedom, tail));
                assert!((back / tail - 1.0).abs() < 1e-6, "{freedom} {tail} {back}");
            }
        }
    }
}

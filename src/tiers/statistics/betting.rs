//! Evidence that a mean is not above zero, valid for any number of observations.
//!
//! Under the hypothesis "the mean of `x` is zero or more", the wealth `Π(1 − λx)` of a gambler who
//! bets a fixed `λ` on small `x` cannot be expected to grow, as long as no factor can be negative:
//! `λ ≤ 1/highest`. Nothing is asked of the lower end. The average over a grid of bets is such a
//! wealth again, and wealth of `1/δ` or more refutes the hypothesis at level `δ` by Markov's
//! inequality, at any sample size and for any distribution ("diversified Kelly" in Waudby-Smith and
//! Ramdas 2024, "Estimating means of bounded random variables by betting").

/// Bets on the grid: `λ = 2^(−k)/highest`.
const BETS: usize = 16;

/// Natural logarithm of the wealth against "the mean of `values` is zero or more". No value may
/// exceed `highest`, which must be known without looking at the values; larger: weaker evidence.
pub fn log_wealth(values: impl Iterator<Item = f64>, highest: f64) -> f64 {
    // A factor 2^(-k) below 1 keeps every product above zero, so that a logarithm of the running
    // product now and then is enough.
    const EVERY: usize = 32;
    let bets: [f64; BETS] = std::array::from_fn(|k| 0.5f64.powi(k as i32 + 1) / highest);
    let (mut logs, mut products) = ([0.0; BETS], [1.0; BETS]);
    for (at, value) in values.enumerate() {
        for (product, bet) in products.iter_mut().zip(bets) {
            *product *= 1.0 - bet * value;
        }
        if at % EVERY == EVERY - 1 {
            fold(&mut logs, &mut products);
        }
    }
    fold(&mut logs, &mut products);
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + (logs.iter().map(|log| (log - most).exp()).sum::<f64>() / BETS as f64).ln()
}

fn fold(logs: &mut [f64; BETS], products: &mut [f64; BETS]) {
    for (log, product) in logs.iter_mut().zip(products) {
        *log += product.ln();
        *product = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wealth_grows_only_against_what_is_false() {
        let gain = log_wealth(std::iter::repeat_n(-0.5, 200), 1.0);
        assert!(gain > 30.0, "{gain}");
        let fair = log_wealth((0..200).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }), 1.0);
        assert!(fair < 0.0, "{fair}");
        assert_eq!(log_wealth(std::iter::empty(), 1.0), 0.0);
    }
}

//! Numbers in sentences.

use std::fmt::Display;

/// `1 row`, `2 rows`.
pub(crate) fn counted<N: Display + Copy + PartialEq + From<u8>>(n: N, noun: &str) -> String {
    let ending = if n == N::from(1) { "" } else { "s" };
    format!("{n} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_thing_has_no_plural() {
        let cases = [(0, "0 rows"), (1, "1 row"), (2, "2 rows")];
        for (n, expected) in cases {
            assert_eq!(counted::<u64>(n, "row"), expected);
        }
    }
}

//! Text of an error with its causes.

use std::fmt;

/// An error followed by its causes, each after a colon.
pub struct Causes<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_in_order() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot load model a")]
        struct Load(#[from] std::num::ParseIntError);
        let error = Load("x".parse::<u8>().unwrap_err());
        assert_eq!(Causes(&error).to_string(), "cannot load model a: invalid digit found in string");
    }
}

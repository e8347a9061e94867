//! Which vector instructions the kernels use: looked up once, overridable, never assumed at compile time.

use std::fmt;
use std::str::FromStr;

/// A feature level of the CPU. Ordered: a later one includes the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Plain Rust: what the build's target allows, nothing looked up at run time.
    Portable,
    /// x86-64-v3: AVX2 and FMA.
    V3,
    /// x86-64-v4: AVX-512 F, BW, CD, DQ, VL.
    V4,
}

/// The environment variable by which programs let people choose a level; pure code never reads it.
pub const LEVEL_VARIABLE: &str = "MARQUEE_CPU";

/// Why a level cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No such name.
    #[error("CPU level {0:?} is unknown: use portable, v3 or v4")]
    Unknown(String),
    /// The machine is older.
    #[error(
        "CPU level {wanted} is not available, this machine offers {best}: leave MARQUEE_CPU unset or set it to {best}"
    )]
    Unavailable {
        /// What was asked for.
        wanted: Level,
        /// The best that there is.
        best: Level,
    },
}

impl Level {
    /// The best level of this machine.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if pulp::x86::V4::try_new().is_some() {
                return Self::V4;
            }
            if pulp::x86::V3::try_new().is_some() {
                return Self::V3;
            }
        }
        Self::Portable
    }

    /// Every level that this machine can run, the plainest first.
    pub fn available() -> Vec<Self> {
        let best = Self::detect();
        [Self::Portable, Self::V3, Self::V4].into_iter().filter(|level| *level <= best).collect()
    }

    /// The level named (as by [`LEVEL_VARIABLE`]), or the best one for `None` and for an empty name.
    pub fn choose(name: Option<&str>) -> Result<Self, LevelError> {
        let best = Self::detect();
        let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(best) };
        let wanted: Self = name.parse()?;
        if wanted > best {
            return Err(LevelError::Unavailable { wanted, best });
        }
        Ok(wanted)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable",
            Self::V3 => "v3",
            Self::V4 => "v4",
        })
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(name: &str) -> Result<Self, LevelError> {
        match name {
            "portable" => Ok(Self::Portable),
            "v3" => Ok(Self::V3),
            "v4" => Ok(Self::V4),
            _ => Err(LevelError::Unknown(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_chosen_by_name_or_found() {
        let best = Level::detect();
        assert_eq!(Level::choose(None), Ok(best));
        assert_eq!(Level::choose(Some("")), Ok(best));
        assert_eq!(Level::choose(Some("portable")), Ok(Level::Portable));
        assert_eq!(Level::choose(Some(&best.to_string())), Ok(best));
        let error = Level::choose(Some("avx9")).unwrap_err();
        assert_eq!(error.to_string(), "CPU level \"avx9\" is unknown: use portable, v3 or v4");
        assert_eq!(Level::available().last(), Some(&best));
    }

    #[test]
    fn a_level_above_the_machine_is_refused_with_what_it_offers() {
        let error = LevelError::Unavailable { wanted: Level::V4, best: Level::V3 };
        let text =
            "CPU level v4 is not available, this machine offers v3: leave MARQUEE_CPU unset or set it to v3";
        assert_eq!(error.to_string(), text);
    }
}

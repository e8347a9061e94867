//! Checks that this CPU has the features that the binary was compiled for. `main` does this first, because a missing
//! instruction kills the process with a signal that does not say why.

/// Exit code if the CPU is too old: `EX_CONFIG` of `sysexits.h`, because the process is configured for another machine.
pub const EXIT_CODE: u8 = 78;

/// A feature that the binary was compiled for, and whether the CPU has it.
struct Feature {
    name: &'static str,
    compiled_in: bool,
    present: bool,
}

#[cfg(target_arch = "x86_64")]
macro_rules! features {
    ($($name:tt),+) => {
        [$(Feature {
            name: $name,
            compiled_in: cfg!(target_feature = $name),
            present: std::arch::is_x86_feature_detected!($name),
        }),+]
    };
}

#[cfg(target_arch = "x86_64")]
fn features() -> impl IntoIterator<Item = Feature> {
    features!(
        "sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "avx", "avx2", "bmi1", "bmi2", "fma", "f16c", "lzcnt",
        "movbe", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"
    )
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> impl IntoIterator<Item = Feature> {
    Vec::new()
}

/// A sentence that names the missing features and what to do. `None` if no feature is missing.
pub fn missing() -> Option<String> {
    sentence(features())
}

fn sentence(features: impl IntoIterator<Item = Feature>) -> Option<String> {
    let absent: Vec<&str> =
        features.into_iter().filter(|f| f.compiled_in && !f.present).map(|feature| feature.name).collect();
    (!absent.is_empty()).then(|| {
        format!(
            "this binary was compiled for a CPU with {}, which this machine lacks: use the portable build \
             (RUSTFLAGS= cargo build --release), or a machine of level x86-64-v3 (Intel Haswell, AMD Excavator or newer)",
            absent.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_features_are_named() {
        let feature = |name, compiled_in, present| Feature { name, compiled_in, present };
        assert_eq!(sentence([feature("avx2", true, true), feature("avx512f", false, false)]), None);
        let message = sentence([feature("avx2", true, false), feature("fma", true, false)]).unwrap();
        assert!(
            message
                .starts_with("this binary was compiled for a CPU with avx2, fma, which this machine lacks")
        );
    }

    #[test]
    fn this_machine_runs_its_own_binary() {
        assert_eq!(missing(), None);
    }
}

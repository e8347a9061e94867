//! Every flag of the operator, documented at the field.

use clap::Parser;

/// Marquee's control plane: it will turn RankingModels and PageLayouts into pods.
///
/// It does not do so yet: without a flag it says so and exits with 2. Until then one process serves the same manifests:
/// `marquee-runtime serve --manifests DIR`.
#[derive(Parser, Debug)]
#[command(name = "marquee-operator", version, about, long_about)]
pub struct Args {}

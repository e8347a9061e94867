//! The one place that chooses the device on which tensors lie and compute, and says how exact each device is.
//!
//! Factor models, EASE and popularity compute with kernels of our own on the CPU whatever is chosen here. What an
//! architecture reads as a tensor ([`Weights::tensor`](crate::weights::Weights::tensor)) goes to the chosen device.

use candle_core::{Device, DeviceLocation};

/// The device of every tensor of this process: the CPU, since no other is built in.
pub fn chosen() -> Device {
    Device::Cpu
}

/// How far numbers that a device computes may differ, relative to their size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Of a score from the same score in a golden file, which another machine may have written.
    pub golden: f32,
    /// Of a score in a batch from the same score alone. 0 means bit for bit.
    pub batch: f32,
}

impl Tolerance {
    /// What a device promises.
    ///
    /// On the CPU a reduction has one order, so a batch gives the bits of its singles; another CPU may fuse other
    /// operations. The libraries of a GPU choose their kernels, and with them the order of a sum, by the size of the batch.
    pub fn of(device: DeviceLocation) -> Self {
        match device {
            DeviceLocation::Cpu => Self { golden: 1e-4, batch: 0.0 },
            DeviceLocation::Cuda { .. } | DeviceLocation::Metal { .. } => Self { golden: 1e-3, batch: 1e-4 },
        }
    }

    /// How far a score may differ from a golden file that allows `written`. The file may come from a more exact device.
    pub fn golden_of(device: DeviceLocation, written: f32) -> f32 {
        match device {
            DeviceLocation::Cpu => written,
            DeviceLocation::Cuda { .. } | DeviceLocation::Metal { .. } => {
                written.max(Self::of(device).golden)
            }
        }
    }

    /// Whether `found`, computed in a batch, may stand for `alone`.
    pub fn allows(self, found: f32, alone: f32) -> bool {
        found.to_bits() == alone.to_bits()
            || relative_difference(found, alone) <= self.batch && self.batch > 0.0
    }
}

/// `|found - expected| / max(1, |expected|)`. NaN where either is.
pub fn relative_difference(found: f32, expected: f32) -> f32 {
    (found - expected).abs() / expected.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_promises_bits_and_a_gpu_a_tolerance() {
        let (cpu, gpu) =
            (Tolerance::of(DeviceLocation::Cpu), Tolerance::of(DeviceLocation::Cuda { gpu_id: 0 }));
        assert!(cpu.allows(2.0, 2.0) && !cpu.allows(2.0, 2.000_000_2) && !cpu.allows(0.0, -0.0));
        assert_eq!((Tolerance::golden_of(DeviceLocation::Cpu, 1e-6), gpu.golden), (1e-6, 1e-3));
        assert!(gpu.allows(2.0, 2.000_1) && !gpu.allows(2.0, 2.001) && !gpu.allows(f32::NAN, 2.0));
    }
}

//! What a model of motion was trained on: which sensors, in which unit, along which axes, how fast.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a model of motion was trained on; `[model.motion]` in a manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotionSpec {
    /// The values of a sample, in the order of the model's input.
    pub channels: Vec<Channel>,
    /// Samples per second.
    pub rate: f64,
    /// Units and axes.
    #[serde(default)]
    pub convention: Convention,
    /// Samples from the start of one window to that of the next; a window's length where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop: Option<usize>,
    /// How samples at other rates were brought to this one.
    #[serde(default)]
    pub resampling: Resampling,
}

/// How the value at a point of the grid follows from the samples around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// On the line between the samples before and after.
    #[default]
    Linear,
    /// The mean of the samples within half a period, where there are two or more, else as
    /// [`Self::Linear`]: keeps fast sensors from aliasing, and comes half a period later.
    Mean,
}

/// Standard gravity in m/s² (3rd CGPM, 1901).
pub const STANDARD_GRAVITY: f64 = 9.806_65;

macro_rules! channels {
    ($($variant:ident $name:literal $kind:ident, $doc:literal;)*) => {
        /// One number of a sample. Axes are the device's: x to the right of the screen, y up, z out of it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Channel { $(#[doc = $doc] $variant),* }

        impl Channel {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in manifests and in tables of samples.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What is measured.
            pub const fn quantity(self) -> Quantity {
                match self { $(Self::$variant => Quantity::$kind),* }
            }
        }
    };
}
channels! {
    AccelerationX "acceleration_x" Acceleration, "Acceleration along x, gravity included.";
    AccelerationY "acceleration_y" Acceleration, "Acceleration along y, gravity included.";
    AccelerationZ "acceleration_z" Acceleration, "Acceleration along z, gravity included.";
    UserAccelerationX "user_acceleration_x" Acceleration, "Acceleration along x without gravity.";
    UserAccelerationY "user_acceleration_y" Acceleration, "Acceleration along y without gravity.";
    UserAccelerationZ "user_acceleration_z" Acceleration, "Acceleration along z without gravity.";
    GravityX "gravity_x" Acceleration, "Gravity along x.";
    GravityY "gravity_y" Acceleration, "Gravity along y.";
    GravityZ "gravity_z" Acceleration, "Gravity along z.";
    RotationX "rotation_x" Rotation, "Rotation about x, by the right hand.";
    RotationY "rotation_y" Rotation, "Rotation about y, by the right hand.";
    RotationZ "rotation_z" Rotation, "Rotation about z, by the right hand.";
    Roll "roll" Attitude, "Attitude about the device's long axis, in radians.";
    Pitch "pitch" Attitude, "Attitude about the device's short axis, in radians.";
    Yaw "yaw" Attitude, "Attitude about the vertical, in radians.";
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(name: &str) -> Result<Self, UnknownChannel> {
        let found = Self::ALL.iter().find(|c| c.name() == name);
        found.copied().ok_or_else(|| UnknownChannel { name: name.into() })
    }
}

/// A channel by a name that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{name}\" is no channel; there are {}", names())]
pub struct UnknownChannel {
    /// The name.
    pub name: String,
}

fn names() -> String {
    Channel::ALL.iter().map(|c| c.name()).collect::<Vec<_>>().join(", ")
}

/// Kind of a measurement: what its unit and sign depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// See [`AccelerationUnit`] and [`SignConvention`].
    Acceleration,
    /// See [`RotationUnit`]. Android and iOS agree on the sign.
    Rotation,
    /// Angles in radians. Android and iOS disagree on their order and signs.
    Attitude,
}

/// Unit of accelerations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AccelerationUnit {
    /// Multiples of [`STANDARD_GRAVITY`]: Core Motion.
    #[default]
    #[serde(rename = "g")]
    G,
    /// Thousandths of [`STANDARD_GRAVITY`]: bare sensors.
    #[serde(rename = "mg")]
    MilliG,
    /// m/s²: Android, and the web.
    #[serde(rename = "m/s2")]
    MetersPerSecondSquared,
}

/// Unit of rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RotationUnit {
    /// Core Motion and Android.
    #[default]
    #[serde(rename = "rad/s")]
    RadiansPerSecond,
    /// Bare sensors, and the web.
    #[serde(rename = "deg/s")]
    DegreesPerSecond,
}

/// Which way accelerations point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SignConvention {
    /// A device that lies on its back measures z = −1 g.
    #[default]
    #[serde(rename = "ios")]
    Ios,
    /// A device that lies on its back measures z = +9.81 m/s²: all accelerations have the other sign.
    #[serde(rename = "android")]
    Android,
}

/// Units and axes of samples, or of what a model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convention {
    /// Unit of accelerations.
    pub acceleration: AccelerationUnit,
    /// Unit of rotations.
    pub rotation: RotationUnit,
    /// Sign of accelerations.
    pub axes: SignConvention,
}

impl Convention {
    /// Core Motion: g, rad/s, gravity negative.
    pub const IOS: Self = Self {
        acceleration: AccelerationUnit::G,
        rotation: RotationUnit::RadiansPerSecond,
        axes: SignConvention::Ios,
    };
    /// Android's SensorManager: m/s², rad/s, gravity positive.
    pub const ANDROID: Self = Self {
        acceleration: AccelerationUnit::MetersPerSecondSquared,
        rotation: RotationUnit::RadiansPerSecond,
        axes: SignConvention::Android,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for channel in Channel::ALL {
            assert_eq!(channel.name().parse::<Channel>().unwrap(), *channel);
        }
        let error = "accel_x".parse::<Channel>().unwrap_err().to_string();
        assert!(error.contains("accel_x") && error.contains("acceleration_x"), "{error}");
    }
}

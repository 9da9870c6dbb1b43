//! What sensors measure, in which unit, along which axes.

use super::MotionError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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
    type Err = MotionError;

    fn from_str(name: &str) -> Result<Self, MotionError> {
        let found = Self::ALL.iter().find(|c| c.name() == name);
        found.copied().ok_or_else(|| MotionError::UnknownChannel { name: name.into() })
    }
}

/// Kind of a measurement: what its unit and sign depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// See [`AccelerationUnit`] and [`Axes`].
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
pub enum Axes {
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
    pub axes: Axes,
}

impl Convention {
    /// Core Motion: g, rad/s, gravity negative.
    pub const IOS: Self =
        Self { acceleration: AccelerationUnit::G, rotation: RotationUnit::RadiansPerSecond, axes: Axes::Ios };
    /// Android's SensorManager: m/s², rad/s, gravity positive.
    pub const ANDROID: Self = Self {
        acceleration: AccelerationUnit::MetersPerSecondSquared,
        rotation: RotationUnit::RadiansPerSecond,
        axes: Axes::Android,
    };

    /// What a number of this convention is multiplied with to become one of `model`'s.
    ///
    /// # Errors
    /// [`MotionError::Attitude`]: angles of one platform are not those of the other.
    pub fn factor_to(&self, model: &Self, channel: Channel) -> Result<f64, MotionError> {
        let in_g = |unit| match unit {
            AccelerationUnit::G => 1.0,
            AccelerationUnit::MilliG => 1e-3,
            AccelerationUnit::MetersPerSecondSquared => 1.0 / STANDARD_GRAVITY,
        };
        let in_radians = |unit| match unit {
            RotationUnit::RadiansPerSecond => 1.0,
            RotationUnit::DegreesPerSecond => std::f64::consts::PI / 180.0,
        };
        let same_axes = self.axes == model.axes;
        match channel.quantity() {
            // Equal units leave numbers as they are, to the last bit.
            Quantity::Acceleration => {
                let unit = if self.acceleration == model.acceleration {
                    1.0
                } else {
                    in_g(self.acceleration) / in_g(model.acceleration)
                };
                Ok(if same_axes { unit } else { -unit })
            }
            Quantity::Rotation if self.rotation == model.rotation => Ok(1.0),
            Quantity::Rotation => Ok(in_radians(self.rotation) / in_radians(model.rotation)),
            Quantity::Attitude if same_axes => Ok(1.0),
            Quantity::Attitude => Err(MotionError::Attitude { channel }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_on_its_back_is_the_same_on_both_platforms() {
        let z = |from: Convention, to: Convention, v: f64| {
            v * from.factor_to(&to, Channel::AccelerationZ).unwrap()
        };
        assert!((z(Convention::ANDROID, Convention::IOS, 9.80665) + 1.0).abs() < 1e-12);
        assert!((z(Convention::IOS, Convention::ANDROID, -1.0) - 9.80665).abs() < 1e-12);
        let board = Convention { acceleration: AccelerationUnit::MilliG, ..Convention::ANDROID };
        assert!((z(board, Convention::IOS, 1000.0) + 1.0).abs() < 1e-12);
        assert_eq!(z(Convention::IOS, Convention::IOS, 0.1), 0.1);
    }

    #[test]
    fn rotations_keep_their_sign_and_attitudes_do_not_convert() {
        let degrees = Convention { rotation: RotationUnit::DegreesPerSecond, ..Convention::ANDROID };
        let factor = degrees.factor_to(&Convention::IOS, Channel::RotationY).unwrap();
        assert!((180.0 * factor - std::f64::consts::PI).abs() < 1e-12);
        assert_eq!(Convention::IOS.factor_to(&Convention::IOS, Channel::Yaw).unwrap(), 1.0);
        let refused = Convention::ANDROID.factor_to(&Convention::IOS, Channel::Yaw);
        assert!(matches!(refused, Err(MotionError::Attitude { channel: Channel::Yaw })));
    }

    #[test]
    fn names_are_read_back() {
        for channel in Channel::ALL {
            assert_eq!(channel.name().parse::<Channel>().unwrap(), *channel);
        }
        let error = "accel_x".parse::<Channel>().unwrap_err().to_string();
        assert!(error.contains("accel_x") && error.contains("acceleration_x"), "{error}");
    }
}

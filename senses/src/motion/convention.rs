//! From the units and axes of a platform to those of a model.

use super::{AccelerationUnit, Channel, Convention, MotionError, Quantity, RotationUnit, STANDARD_GRAVITY};

/// What a number in the convention `from` is multiplied with to become one of `model`'s.
///
/// # Errors
/// [`MotionError::Attitude`]: angles of one platform are not those of the other.
pub(super) fn factor(from: &Convention, model: &Convention, channel: Channel) -> Result<f64, MotionError> {
    let in_g = |unit| match unit {
        AccelerationUnit::G => 1.0,
        AccelerationUnit::MilliG => 1e-3,
        AccelerationUnit::MetersPerSecondSquared => 1.0 / STANDARD_GRAVITY,
    };
    let in_radians = |unit| match unit {
        RotationUnit::RadiansPerSecond => 1.0,
        RotationUnit::DegreesPerSecond => std::f64::consts::PI / 180.0,
    };
    let same_axes = from.axes == model.axes;
    match channel.quantity() {
        // Equal units leave numbers as they are, to the last bit.
        Quantity::Acceleration => {
            let unit = if from.acceleration == model.acceleration {
                1.0
            } else {
                in_g(from.acceleration) / in_g(model.acceleration)
            };
            Ok(if same_axes { unit } else { -unit })
        }
        Quantity::Rotation if from.rotation == model.rotation => Ok(1.0),
        Quantity::Rotation => Ok(in_radians(from.rotation) / in_radians(model.rotation)),
        Quantity::Attitude if same_axes => Ok(1.0),
        Quantity::Attitude => Err(MotionError::Attitude { channel }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_on_its_back_is_the_same_on_both_platforms() {
        let z = |from: Convention, to: Convention, v: f64| {
            v * factor(&from, &to, Channel::AccelerationZ).unwrap()
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
        let scale = factor(&degrees, &Convention::IOS, Channel::RotationY).unwrap();
        assert!((180.0 * scale - std::f64::consts::PI).abs() < 1e-12);
        assert_eq!(factor(&Convention::IOS, &Convention::IOS, Channel::Yaw).unwrap(), 1.0);
        let refused = factor(&Convention::ANDROID, &Convention::IOS, Channel::Yaw);
        assert!(matches!(refused, Err(MotionError::Attitude { channel: Channel::Yaw })));
    }
}

import Foundation
internal import OspreyBridge

/// How hot the device is, with the values of `ProcessInfo.ThermalState`.
public enum ThermalState: Int, Sendable, CaseIterable, Codable {
    case nominal = 0, fair, serious, critical
}

/// What the pace depends on.
public struct DeviceReading: Sendable {
    /// Seconds on any clock.
    public var time: TimeInterval
    public var thermal: ThermalState
    /// Charge, 0 to 1; nil where it is not known.
    public var batteryLevel: Float?
    public var isCharging: Bool
    public var isLowPowerMode: Bool
    /// What inference takes now: `LiveDetector.recentInference`.
    public var inference: TimeInterval

    public init(
        time: TimeInterval, thermal: ThermalState, batteryLevel: Float? = nil, isCharging: Bool = false,
        isLowPowerMode: Bool = false, inference: TimeInterval
    ) {
        (self.time, self.thermal, self.batteryLevel) = (time, thermal, batteryLevel)
        (self.isCharging, self.isLowPowerMode, self.inference) = (isCharging, isLowPowerMode, inference)
    }
}

/// How often to detect.
public struct Pace: Sendable, Equatable {
    /// Index of the setting: 0 is the best.
    public var level: Int
    /// Every how many camera frames; goes to `LiveDetector.setInterval`.
    public var interval: Int
    /// Shares of time that inference may take, and is expected to.
    public var allowed, expected: Double

    public init(level: Int, interval: Int, allowed: Double, expected: Double) {
        (self.level, self.interval, self.allowed, self.expected) = (level, interval, allowed, expected)
    }
}

/// Keeps the device cool and frames current: worse settings soon, better ones after calm.
public final class PaceController: Sendable {
    private let governor: Governor

    public init(cameraFramesPerSecond: Double) {
        governor = OspreyBridge.governor(cameraFramesPerSecond)
    }

    public func decide(_ reading: DeviceReading) -> Pace {
        let decision = governor.decide(
            PaceReading(
                at: reading.time, thermal: UInt8(clamping: reading.thermal.rawValue),
                battery_level: reading.batteryLevel ?? -1, charging: reading.isCharging,
                saving: reading.isLowPowerMode, latency_ms: reading.inference * 1e3))
        return Pace(
            level: Int(decision.level), interval: Int(decision.interval),
            allowed: decision.allowed, expected: decision.expected)
    }
}

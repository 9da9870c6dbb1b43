import Foundation
import OspreyKit
import UIKit

/// Heat, power and how the device is held.
@MainActor
enum DeviceConditions {
    static func reading(inference: TimeInterval) -> DeviceReading {
        let device = UIDevice.current
        device.isBatteryMonitoringEnabled = true
        return DeviceReading(
            time: ProcessInfo.processInfo.systemUptime, thermal: thermal,
            batteryLevel: device.batteryLevel < 0 ? nil : device.batteryLevel,
            isCharging: device.batteryState == .charging || device.batteryState == .full,
            isLowPowerMode: ProcessInfo.processInfo.isLowPowerModeEnabled, inference: inference)
    }

    nonisolated static var thermal: ThermalState { ThermalState.current }

    /// Such as `iPhone16,1`.
    static var model: String {
        var system = utsname()
        uname(&system)
        return withUnsafeBytes(of: &system.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    static var system: String { "\(UIDevice.current.systemName) \(UIDevice.current.systemVersion)" }
}

extension ThermalState {
    var name: String {
        switch self {
        case .nominal: "cool"
        case .fair: "warm"
        case .serious: "hot"
        case .critical: "too hot"
        }
    }
}

#if canImport(UIKit)
import Foundation
import OspreyKit
import UIKit

/// What a live screen says about itself.
public struct LiveFigures: Sendable, Equatable {
    /// Results per second.
    public var framesPerSecond = 0.0
    /// Seconds from the latest frame to its boxes.
    public var age: TimeInterval = 0
    /// Frames lost in the last interval by camera, queue or age. Frames that the pace leaves out are not lost.
    public var lost = 0
    public var pace = Pace(level: 0, interval: 1, allowed: 0, expected: 0)
    public var thermal = ThermalState.nominal

    public init() {}
}

/// Differences of counts that only rise.
struct LiveMeter {
    private var shown: UInt64
    private var lost: UInt64
    private var time: TimeInterval

    init(_ ledger: Ledger, cameraDrops: Int, at time: TimeInterval) {
        (shown, lost, self.time) = (ledger.shown, Self.lost(ledger, cameraDrops), time)
    }

    mutating func figures(
        _ ledger: Ledger, cameraDrops: Int, at time: TimeInterval, age: TimeInterval, pace: Pace, thermal: ThermalState
    ) -> LiveFigures {
        let allLost = Self.lost(ledger, cameraDrops)
        var figures = LiveFigures()
        figures.framesPerSecond = Double(ledger.shown - min(shown, ledger.shown)) / max(time - self.time, 0.001)
        figures.lost = Int(allLost - min(lost, allLost))
        (figures.age, figures.pace, figures.thermal) = (age, pace, thermal)
        (shown, lost, self.time) = (ledger.shown, allLost, time)
        return figures
    }

    private static func lost(_ ledger: Ledger, _ cameraDrops: Int) -> UInt64 {
        let queue = [DropReason.replaced, .late].reduce(0) { $0 + (ledger.dropped[$1] ?? 0) }
        return queue + ledger.stale + ledger.failed + UInt64(max(cameraDrops, 0))
    }
}

extension DeviceReading {
    /// Heat and power now.
    @MainActor
    public static func current(inference: TimeInterval = 0) -> DeviceReading {
        let device = UIDevice.current
        device.isBatteryMonitoringEnabled = true
        return DeviceReading(
            time: ProcessInfo.processInfo.systemUptime, thermal: .current,
            batteryLevel: device.batteryLevel < 0 ? nil : device.batteryLevel,
            isCharging: device.batteryState == .charging || device.batteryState == .full,
            isLowPowerMode: ProcessInfo.processInfo.isLowPowerModeEnabled, inference: inference)
    }
}
#endif

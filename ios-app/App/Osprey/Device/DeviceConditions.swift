import Foundation
import OspreyKit
import UIKit

/// What device this is.
@MainActor
enum DeviceConditions {
    /// Such as `iPhone16,1`; in the simulator, that of the device it stands for, marked as such.
    static var model: String {
        if let simulated = ProcessInfo.processInfo.environment["SIMULATOR_MODEL_IDENTIFIER"] {
            return "\(simulated) (simulator)"
        }
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
        case .nominal: String(localized: "cool")
        case .fair: String(localized: "warm")
        case .serious: String(localized: "hot")
        case .critical: String(localized: "too hot")
        }
    }
}

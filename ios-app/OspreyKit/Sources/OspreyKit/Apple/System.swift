#if canImport(UIKit)
import Foundation
import UIKit

extension ThermalState {
    /// An unknown state of a later system is taken for the worst.
    public init(_ state: ProcessInfo.ThermalState) {
        self = ThermalState(rawValue: state.rawValue) ?? .critical
    }

    public static var current: ThermalState { ThermalState(ProcessInfo.processInfo.thermalState) }
}
#endif

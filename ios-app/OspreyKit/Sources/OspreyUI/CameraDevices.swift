#if canImport(UIKit)
import AVFoundation
import Foundation
import OspreyKit

/// A lens of a camera that has several, by its zoom factor.
public struct CameraLens: Sendable, Hashable, Identifiable {
    /// What `Camera.zoom` takes: 1 is the wide-angle lens.
    public var zoom: Double
    public var id: Double { zoom }
}

/// Which device a position stands for, and what its zoom factors mean.
enum CameraDevices {
    /// Devices of several lenses come first: they focus near by changing to the ultra-wide lens, where the
    /// wide-angle lens alone is blurred below 15 to 20 cm.
    private static let back: [AVCaptureDevice.DeviceType] = [
        .builtInTripleCamera, .builtInDualWideCamera, .builtInDualCamera, .builtInWideAngleCamera,
    ]

    static func device(at position: CameraPosition) -> AVCaptureDevice? {
        let types = position == .back ? back : [.builtInWideAngleCamera]
        let side: AVCaptureDevice.Position = position == .back ? .back : .front
        for type in types {
            if let device = AVCaptureDevice.default(type, for: .video, position: side) { return device }
        }
        return nil
    }

    /// The device's zoom factor that the wide-angle lens begins at, which people know as 1×.
    static func unit(of device: AVCaptureDevice) -> Double {
        let hasUltraWide = device.constituentDevices.contains { $0.deviceType == .builtInUltraWideCamera }
        guard hasUltraWide, let first = device.virtualDeviceSwitchOverVideoZoomFactors.first else { return 1 }
        return max(first.doubleValue, 1)
    }

    /// The lenses, widest first; empty if there is one alone.
    static func lenses(of device: AVCaptureDevice) -> [CameraLens] {
        let steps = device.virtualDeviceSwitchOverVideoZoomFactors.map(\.doubleValue)
        guard !steps.isEmpty else { return [] }
        let unit = unit(of: device)
        return ([1] + steps).map { CameraLens(zoom: $0 / unit) }
    }

    /// Zoom that `Camera.zoom` may take. Beyond ten times the image is made up.
    static func zoomRange(of device: AVCaptureDevice) -> ClosedRange<Double> {
        let unit = unit(of: device)
        let most = min(Double(device.maxAvailableVideoZoomFactor) / unit, 10)
        let least = Double(device.minAvailableVideoZoomFactor) / unit
        return min(least, most)...most
    }
}
#endif

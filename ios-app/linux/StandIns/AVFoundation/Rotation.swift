// Stands in for AVCaptureDevice.RotationCoordinator. `SyntheticCamera` holds the device.

import Foundation

extension AVCaptureDevice {
    public class RotationCoordinator: NSObject, @unchecked Sendable {
        public weak var device: AVCaptureDevice?
        var observers: [UUID: () -> Void] = [:]
        private let hasPreview: Bool

        public init(device: AVCaptureDevice, previewLayer: SyntheticLayer?) {
            (self.device, hasPreview) = (device, previewLayer != nil)
            super.init()
            SyntheticCamera.coordinators.append { [weak self] in self }
        }

        public var videoRotationAngleForHorizonLevelCapture: CGFloat {
            device.map { $0.model.angle($0.position, SyntheticCamera.held) } ?? 0
        }

        public var videoRotationAngleForHorizonLevelPreview: CGFloat {
            guard hasPreview else { return 0 }
            return device.map { $0.model.angle($0.position, SyntheticCamera.interface) } ?? 0
        }
    }
}

/// What CALayer is on Linux.
open class SyntheticLayer: NSObject {}

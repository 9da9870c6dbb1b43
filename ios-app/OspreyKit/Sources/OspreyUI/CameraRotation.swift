#if canImport(UIKit)
@preconcurrency import AVFoundation
import Foundation
import UIKit

/// Follows how a camera's image must be turned, as the system knows it for each device: by gravity for what
/// is captured, by the interface for what the preview shows. For one device and one preview; another device
/// or preview needs another.
@MainActor
final class CameraRotation {
    private let coordinator: AVCaptureDevice.RotationCoordinator
    private var observations: [NSKeyValueObservation] = []

    /// `turned` is called at once, and at each change.
    init(device: AVCaptureDevice, preview: AVCaptureVideoPreviewLayer?, turned: @escaping @MainActor @Sendable () -> Void) {
        coordinator = AVCaptureDevice.RotationCoordinator(device: device, previewLayer: preview)
        // Both are changed on the main queue.
        observations = [
            coordinator.observe(\.videoRotationAngleForHorizonLevelCapture, options: .new) { _, _ in
                MainActor.assumeIsolated { turned() }
            },
            coordinator.observe(\.videoRotationAngleForHorizonLevelPreview, options: .new) { _, _ in
                MainActor.assumeIsolated { turned() }
            },
        ]
    }

    var captureAngle: Double { Double(coordinator.videoRotationAngleForHorizonLevelCapture) }
    var previewAngle: Double { Double(coordinator.videoRotationAngleForHorizonLevelPreview) }
}
#endif

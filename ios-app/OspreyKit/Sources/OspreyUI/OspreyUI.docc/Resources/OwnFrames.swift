import CoreMedia
import OspreyKit

/// Detects in the frames of a capture session.
final class FrameDetector: Sendable {
    private let detector: LiveDetector

    init() async throws {
        detector = try await LiveDetector.load()
    }

    /// Call it on the capture queue. `angle` is `videoRotationAngleForHorizonLevelCapture` of the device's
    /// rotation coordinator.
    func take(_ sampleBuffer: CMSampleBuffer, angle: Double) throws {
        guard let pixels = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        let time = CMTimeConvertScale(
            CMSampleBufferGetPresentationTimeStamp(sampleBuffer), timescale: 1_000_000_000, method: .default)
        try detector.submit(
            pixels, orientation: FrameOrientation(rotationAngle: angle) ?? .up, timestamp: time.value)
    }

    /// Prints what is seen until the task is cancelled.
    func listen() async throws {
        for await result in detector.results {
            print(try result.get().objects.map(\.detection.label))
        }
    }
}

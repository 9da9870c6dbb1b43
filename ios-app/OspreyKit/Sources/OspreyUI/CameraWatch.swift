#if canImport(UIKit)
@preconcurrency import AVFoundation
import Foundation

/// Tells a camera what the system does to its session.
final class CameraWatch: @unchecked Sendable {
    // Made once; given back at the end, from whichever thread that is.
    private let tokens: [any NSObjectProtocol]

    @MainActor
    init(_ camera: Camera, _ session: AVCaptureSession) {
        let center = NotificationCenter.default
        tokens = [
            center.addObserver(forName: AVCaptureSession.wasInterruptedNotification, object: session, queue: nil) {
                [weak camera] note in
                let reason = (note.userInfo?[AVCaptureSessionInterruptionReasonKey] as? NSNumber)?.intValue
                Task { @MainActor in camera?.interrupted(CameraInterruption(reason)) }
            },
            center.addObserver(forName: AVCaptureSession.interruptionEndedNotification, object: session, queue: nil) {
                [weak camera] _ in
                Task { @MainActor in camera?.interruptionEnded() }
            },
            center.addObserver(forName: AVCaptureSession.runtimeErrorNotification, object: session, queue: nil) {
                [weak camera] note in
                let error = note.userInfo?[AVCaptureSessionErrorKey] as? AVError
                let message = error?.localizedDescription ?? "the session stopped"
                let wasReset = error?.code == .mediaServicesWereReset
                Task { @MainActor in camera?.failed(message, wasReset: wasReset) }
            },
        ]
    }

    deinit {
        tokens.forEach(NotificationCenter.default.removeObserver)
    }
}
#endif

import AVFoundation
import Foundation
import Observation
import OspreyKit
import UIKit

/// The camera as the screens see it: one for all of them.
@MainActor @Observable
final class CameraModel {
    private(set) var isRunning = false
    private(set) var problem: String?
    /// How often the device was turned: the preview looks how the screen stands now.
    private(set) var turns = 0
    var choice = CameraChoice() {
        didSet { if isRunning, choice != oldValue { Task { await start() } } }
    }
    @ObservationIgnored let capture = CameraCapture()

    func start() async {
        do {
            try await capture.start(choice)
            (isRunning, problem) = (true, nil)
        } catch {
            (isRunning, problem) = (false, error.localizedDescription)
        }
    }

    func stop() {
        capture.stop()
        isRunning = false
    }

    /// Follows rotation and interruptions until the task is cancelled.
    func watch() async {
        UIDevice.current.beginGeneratingDeviceOrientationNotifications()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.followTurns() }
            group.addTask { await self.followInterruptions() }
            group.addTask { await self.followTheirEnds() }
            group.addTask { await self.followFaults() }
        }
        UIDevice.current.endGeneratingDeviceOrientationNotifications()
    }

    private func followTurns() async {
        for await _ in postings(of: UIDevice.orientationDidChangeNotification) { turns += 1 }
    }

    private func followInterruptions() async {
        for await _ in postings(of: AVCaptureSession.wasInterruptedNotification) {
            problem = "Another app or a call uses the camera."
        }
    }

    private func followTheirEnds() async {
        for await _ in postings(of: AVCaptureSession.interruptionEndedNotification) { problem = nil }
    }

    /// The system's media services may end; a new start brings them back.
    private func followFaults() async {
        for await _ in postings(of: AVCaptureSession.runtimeErrorNotification) { await start() }
    }
}

/// Postings from now on, without what they carry: that may not leave its thread.
@MainActor
func postings(of name: Notification.Name) -> AsyncStream<Void> {
    AsyncStream { continuation in
        let task = Task {
            for await _ in NotificationCenter.default.notifications(named: name).map({ _ in () }) {
                continuation.yield()
            }
        }
        continuation.onTermination = { _ in task.cancel() }
    }
}

#if canImport(UIKit)
@preconcurrency import AVFoundation
import Foundation
import Observation
import OspreyKit

/// The camera of an app: one for all of its screens.
///
/// A screen takes part for as long as its task runs `run(_:)`. The session runs while anybody takes part; the
/// latest gets the frames. What was asked and what is are brought together by one loop, so the order in which
/// screens come and go decides nothing.
@MainActor @Observable
public final class Camera {
    public enum Status: Sendable, Equatable {
        case off
        /// Until permission is given and the session runs.
        case starting
        case running
        case interrupted(CameraInterruption)
        /// What is wrong, to be shown; `retry()` tries again.
        case failed(CameraError)
    }

    public private(set) var status = Status.off
    /// Images per second that the device gives; 0 before it was asked.
    public private(set) var framesPerSecond = 0
    /// Lenses of the device, widest first; empty if there is one alone.
    public private(set) var lenses: [CameraLens] = []
    public private(set) var zoomRange = 1.0...1.0
    public private(set) var hasTorch = false
    /// Whether the image rate was lowered because the camera is hot.
    public private(set) var isUnderPressure = false
    /// Which camera, and how fast.
    public var choice: CameraChoice { didSet { if choice != oldValue { settle() } } }

    /// 1 for the wide-angle lens; what lies outside `zoomRange` is brought into it.
    public var zoom: Double {
        get { zoomInUse }
        set { set(zoom: newValue) }
    }

    /// Off whenever the camera or its rate changes, as the system turns it off then.
    public var isTorchOn: Bool {
        get { torchInUse }
        set { set(torch: newValue) }
    }

    private var zoomInUse = 1.0
    private var torchInUse = false
    @ObservationIgnored let capture = CameraCapture()
    @ObservationIgnored private var users: [User] = []
    @ObservationIgnored private var attempts = 0
    /// What the session was last brought to: `nil` while it rests.
    @ObservationIgnored private var reached: Goal?
    @ObservationIgnored private var settling: Task<Void, Never>?
    @ObservationIgnored private var device: AVCaptureDevice?
    @ObservationIgnored private weak var preview: PreviewView?
    @ObservationIgnored private var rotation: CameraRotation?
    @ObservationIgnored private var pressure: NSKeyValueObservation?
    @ObservationIgnored private var watch: CameraWatch?

    public init(_ choice: CameraChoice = CameraChoice()) {
        self.choice = choice
    }

    private final class User {
        let sink: any CameraFrameSink
        init(_ sink: any CameraFrameSink) { self.sink = sink }
    }

    private struct Goal: Equatable {
        var choice: CameraChoice
        var attempt: Int
    }

    /// Has the camera run and send its frames to `sink`, until the task is cancelled. Asks for permission if
    /// that was not done. What goes wrong is in `status`.
    public func run(_ sink: any CameraFrameSink) async {
        let user = User(sink)
        users.append(user)
        settle()
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
        users.removeAll { $0 === user }
        settle()
    }

    /// Tries again after `failed`.
    public func retry() {
        attempts += 1
        settle()
    }

    /// Focuses and exposes for a point of the preview's view, in points.
    public func focus(at point: CGPoint) {
        guard let layer = preview?.previewLayer else { return }
        let target = layer.captureDevicePointConverted(fromLayerPoint: point)
        capture.adjust { device in
            if device.isFocusPointOfInterestSupported, device.isFocusModeSupported(.autoFocus) {
                device.focusPointOfInterest = target
                device.focusMode = .autoFocus
            }
            if device.isExposurePointOfInterestSupported, device.isExposureModeSupported(.continuousAutoExposure) {
                device.exposurePointOfInterest = target
                device.exposureMode = .continuousAutoExposure
            }
        }
    }

    /// Frames that the camera itself dropped so far.
    public var droppedFrames: Int { capture.droppedFrames }

    /// Now, in nanoseconds on the clock of the frames' timestamps; `nil` before the session has a clock.
    public var now: Int64? {
        guard let clock = capture.session.synchronizationClock else { return nil }
        return CMTimeConvertScale(CMClockGetTime(clock), timescale: 1_000_000_000, method: .default).value
    }

    // MARK: - The session

    private var goal: Goal? {
        guard !users.isEmpty else { return nil }
        var choice = choice
        // Heat: fewer images cool the camera sooner than fewer detections.
        if isUnderPressure { choice.framesPerSecond = min(choice.framesPerSecond, Self.ratePressed) }
        return Goal(choice: choice, attempt: attempts)
    }

    /// Images per second while the camera is hot.
    private static let ratePressed = 15

    /// Brings the session to what is wanted. A pass that runs already sees what changed meanwhile.
    private func settle() {
        capture.send(to: users.last?.sink)
        guard settling == nil else { return }
        settling = Task {
            while reached != goal {
                let next = goal
                if let next { await start(next) } else { await rest() }
                reached = next
            }
            settling = nil
        }
    }

    private func rest() async {
        await capture.stop()
        (status, torchInUse) = (.off, false)
    }

    private func start(_ goal: Goal) async {
        if watch == nil { watch = CameraWatch(self, capture.session) }
        if status != .running { status = .starting }
        do {
            guard await AVCaptureDevice.requestAccess(for: .video) else { throw CameraError.denied }
            // Whoever asked may have left while the question stood.
            guard self.goal != nil else { return }
            let setup = try await capture.start(goal.choice)
            use(setup)
            status = .running
        } catch {
            status = .failed(error as? CameraError ?? .unusable(error.localizedDescription))
        }
    }

    private func use(_ setup: CameraSetup) {
        framesPerSecond = setup.framesPerSecond
        (zoomInUse, torchInUse) = (1, false)
        guard device?.uniqueID != setup.device.uniqueID else { return followRotation() }
        device = setup.device
        lenses = CameraDevices.lenses(of: setup.device)
        zoomRange = CameraDevices.zoomRange(of: setup.device)
        hasTorch = setup.device.hasTorch
        pressure = setup.device.observe(\.systemPressureState, options: [.initial, .new]) { [weak self] device, _ in
            let level = device.systemPressureState.level
            let isHigh = level == .serious || level == .critical || level == .shutdown
            Task { @MainActor in self?.pressed(isHigh) }
        }
        followRotation()
    }

    private func pressed(_ isHigh: Bool) {
        guard isHigh != isUnderPressure else { return }
        isUnderPressure = isHigh
        settle()
    }

    func interrupted(_ reason: CameraInterruption) {
        if status == .running || status == .starting { status = .interrupted(reason) }
    }

    func interruptionEnded() {
        if case .interrupted = status { status = .running }
    }

    /// The media services may be reset, which a new start mends. What else goes wrong would go wrong again.
    func failed(_ message: String, wasReset: Bool) {
        if wasReset { retry() } else { status = .failed(.unusable(message)) }
    }

    // MARK: - Rotation and preview

    /// Shows the image in this view and in no other: a session feeds one preview layer, and of two one stands still.
    func attach(_ view: PreviewView) {
        guard preview !== view else { return }
        preview?.previewLayer.session = nil
        view.previewLayer.session = capture.session
        preview = view
        followRotation()
    }

    func detach(_ view: PreviewView) {
        view.previewLayer.session = nil
        guard preview === view else { return }
        preview = nil
        followRotation()
    }

    /// A coordinator is for one device and one layer. The layer's connection is made with the session's input.
    private func followRotation() {
        guard let device else { return }
        rotation = CameraRotation(device: device, preview: preview?.previewLayer) { [weak self] in self?.turn() }
        turn()
    }

    private func turn() {
        guard let rotation else { return }
        let connection = preview?.previewLayer.connection
        let angle = rotation.previewAngle
        if let connection, connection.isVideoRotationAngleSupported(CGFloat(angle)) {
            connection.videoRotationAngle = CGFloat(angle)
        }
        capture.turn(
            CaptureAngles(
                capture: rotation.captureAngle, preview: preview == nil ? nil : angle,
                isMirrored: connection?.isVideoMirrored ?? (choice.position == .front)))
    }

    // MARK: - Settings of the device

    private func set(zoom: Double) {
        zoomInUse = min(max(zoom, zoomRange.lowerBound), zoomRange.upperBound)
        let zoom = zoomInUse
        capture.adjust { device in
            let factor = CGFloat(zoom * CameraDevices.unit(of: device))
            device.videoZoomFactor = min(max(factor, device.minAvailableVideoZoomFactor), device.maxAvailableVideoZoomFactor)
        }
    }

    private func set(torch isOn: Bool) {
        guard hasTorch else { return }
        torchInUse = isOn
        capture.adjust { device in
            let mode: AVCaptureDevice.TorchMode = isOn ? .on : .off
            if device.isTorchModeSupported(mode), device.isTorchAvailable || !isOn { device.torchMode = mode }
        }
    }
}
#endif

@preconcurrency import AVFoundation
import CoreMedia
import Foundation
import OspreyKit

/// What a camera is asked for.
struct CameraChoice: Sendable, Equatable {
    var position: CameraPosition = .back
    /// 30 or 60.
    var framesPerSecond = 30
}

enum CameraError: Error, LocalizedError {
    case denied, missing(CameraPosition)

    var errorDescription: String? {
        switch self {
        case .denied: "Osprey may not use the camera. Allow it in Settings, Privacy & Security, Camera."
        case .missing(let position): "This device has no \(position == .back ? "back" : "front") camera."
        }
    }
}

/// The camera, on a queue of its own.
///
/// Everything but the constants is touched on that queue alone, which is what makes it safe to share.
final class CameraCapture: NSObject, @unchecked Sendable {
    let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "camera", qos: .userInitiated)
    private let output = AVCaptureVideoDataOutput()
    private var choice = CameraChoice()
    private var orientation = FrameOrientation.right
    private var dropped = 0
    private weak var sink: (any FrameSink)?

    /// Asks for permission where that was not done, and starts.
    func start(_ choice: CameraChoice) async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else { throw CameraError.denied }
        try await onQueue {
            try self.configure(choice)
            if !self.session.isRunning { self.session.startRunning() }
        }
    }

    func stop() {
        queue.async { if self.session.isRunning { self.session.stopRunning() } }
    }

    func send(to sink: (any FrameSink)?) {
        queue.async { self.sink = sink }
    }

    /// Takes how the screen stands; where that says nothing the last way stays.
    func turn(_ device: DeviceOrientation) {
        queue.async {
            self.orientation = FrameOrientation(camera: self.choice.position, device: device) ?? self.orientation
        }
    }

    /// Frames that the camera itself dropped.
    func droppedFrames() async -> Int {
        (try? await onQueue { self.dropped }) ?? 0
    }

    private func onQueue<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private func configure(_ choice: CameraChoice) throws {
        let position: AVCaptureDevice.Position = choice.position == .back ? .back : .front
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: position) else {
            throw CameraError.missing(choice.position)
        }
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.inputs.forEach(session.removeInput)
        let input = try AVCaptureDeviceInput(device: device)
        if session.canAddInput(input) { session.addInput(input) }
        if session.canSetSessionPreset(.hd1280x720) { session.sessionPreset = .hd1280x720 }
        if session.outputs.isEmpty, session.canAddOutput(output) {
            output.videoSettings = [
                kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
            ]
            output.alwaysDiscardsLateVideoFrames = true
            output.setSampleBufferDelegate(self, queue: queue)
            session.addOutput(output)
        }
        try setRate(choice.framesPerSecond, of: device)
        self.choice = choice
    }

    /// The nearest rate that the camera has.
    private func setRate(_ wanted: Int, of device: AVCaptureDevice) throws {
        let fastest = device.activeFormat.videoSupportedFrameRateRanges.map(\.maxFrameRate).max() ?? 30
        let duration = CMTime(value: 1, timescale: CMTimeScale(min(Double(wanted), fastest)))
        try device.lockForConfiguration()
        device.activeVideoMinFrameDuration = duration
        device.activeVideoMaxFrameDuration = duration
        device.unlockForConfiguration()
    }
}

extension CameraCapture: AVCaptureVideoDataOutputSampleBufferDelegate {
    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let pixels = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        let time = CMSampleBufferGetPresentationTimeStamp(sampleBuffer)
        let nanoseconds = CMTimeConvertScale(time, timescale: 1_000_000_000, method: .default).value
        // The preview of the front camera is mirrored; boxes are to fit what is seen.
        sink?.take(
            pixels,
            FrameFacts(orientation: orientation, isMirrored: choice.position == .front, timestamp: nanoseconds))
    }

    func captureOutput(
        _ output: AVCaptureOutput, didDrop sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        dropped += 1
    }
}

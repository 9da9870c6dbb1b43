import CoreImage
import CoreVideo
import Foundation
import Observation
import OspreyKit
import UIKit

/// What the Live screen shows.
@MainActor @Observable
final class LiveModel {
    enum Phase: Equatable {
        case loading, running, failed(String)
    }

    private(set) var phase = Phase.loading
    private(set) var result: DetectionResult?
    private(set) var framesPerSecond = 0.0
    /// Seconds from the camera's frame to its boxes.
    private(set) var age: TimeInterval = 0
    private(set) var dropped: UInt64 = 0
    private(set) var pace = Pace(level: 0, interval: 1, allowed: 0, expected: 0)
    private(set) var thermal = ThermalState.nominal
    private(set) var labels: [String] = []
    /// The picture that is held, with its boxes.
    private(set) var frozen: FrozenPicture?
    private(set) var problem: String?
    /// The file that is being recorded, and the last one that is whole.
    private(set) var recording: URL?
    private(set) var recorded: URL?

    var scoreThreshold = 0.4 { didSet { tune() } }
    /// Empty for all.
    var allowedLabels: Set<String> = [] { didSet { tune() } }

    @ObservationIgnored let sink = DetectionSink()
    @ObservationIgnored private var detector: LiveDetector?
    @ObservationIgnored private var governor = PaceController(cameraFramesPerSecond: 30)

    private var options: DetectorOptions {
        var options = DetectorOptions()
        options.scoreThreshold = Float(scoreThreshold)
        options.classes = allowedLabels.isEmpty ? .all : .only(allowedLabels.sorted())
        options.threads = 2
        options.maxAge = .milliseconds(500)
        return options
    }

    /// Loads the model where that was not done, and shows results until the task is cancelled.
    func run(framesPerSecond: Int) async {
        governor = PaceController(cameraFramesPerSecond: Double(framesPerSecond))
        guard let detector = await loaded() else { return }
        sink.use(detector)
        detector.resume()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.show(detector.results) }
            group.addTask { await self.govern(detector) }
        }
        // In the background the camera stops; whatever still comes is not detected.
        detector.pause()
        stopRecording()
    }

    private func loaded() async -> LiveDetector? {
        // A stream has one consumer, who left with the last task: a new detector has a new stream.
        detector?.shutdown()
        phase = .loading
        do {
            let detector = try await LiveDetector.load(options: options)
            (self.detector, labels, phase) = (detector, detector.labels, .running)
            return detector
        } catch {
            phase = .failed(error.localizedDescription)
            return nil
        }
    }

    private func show(_ results: AsyncStream<Result<DetectionResult, OspreyError>>) async {
        for await result in results {
            switch result {
            case .success(let result):
                self.result = result
                age = result.timings.age ?? 0
            case .failure(let error):
                problem = error.message
            }
        }
    }

    /// Once a second: heat and power decide the pace, and the figures are brought up to date.
    private func govern(_ detector: LiveDetector) async {
        var before: (shown: UInt64, at: TimeInterval) = (detector.ledger.shown, ProcessInfo.processInfo.systemUptime)
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            let reading = DeviceConditions.reading(inference: detector.recentInference)
            pace = governor.decide(reading)
            detector.setInterval(pace.interval)
            thermal = reading.thermal
            let ledger = detector.ledger
            framesPerSecond = Double(ledger.shown - before.shown) / max(reading.time - before.at, 0.001)
            before = (ledger.shown, reading.time)
            dropped = ledger.totalDropped + ledger.stale
            if let failure = sink.takeFailure() { problem = failure.message }
        }
    }

    private func tune() {
        do {
            try detector?.tune(options)
            problem = nil
        } catch {
            problem = error.message
        }
    }

    /// Objects where they are now, for frames between two detections.
    var objects: [TrackedObject] { result?.objects ?? [] }

    /// Holds the next frame's picture with the boxes that are shown.
    func freeze() {
        sink.onNextFrame { [weak self] pixelBuffer, facts in
            let image = FrozenPicture.image(of: pixelBuffer, facts)
            Task { @MainActor in
                guard let self, let image else { return }
                self.frozen = FrozenPicture(image: image, objects: self.objects)
            }
        }
    }

    func thaw() { frozen = nil }

    /// Records what the model sees, for `osprey replay` on a desktop.
    func startRecording() {
        let name = "osprey-\(Int(Date().timeIntervalSince1970)).recording"
        let file = URL.temporaryDirectory.appending(path: name)
        do {
            try detector?.startRecording(to: file)
            (recording, recorded) = (file, nil)
        } catch {
            problem = error.message
        }
    }

    func stopRecording() {
        guard let file = recording else { return }
        recording = nil
        do {
            try detector?.stopRecording()
            recorded = file
        } catch {
            problem = error.message
        }
    }

    /// After a memory warning: nothing that can be made again is kept.
    func releaseMemory() {
        frozen = nil
        result = nil
    }
}

/// A picture that was held, and what was found.
struct FrozenPicture: Sendable {
    var image: UIImage
    var objects: [TrackedObject]

    /// An upright copy: the camera's buffer is free afterwards.
    nonisolated static func image(of pixelBuffer: CVPixelBuffer, _ facts: FrameFacts) -> UIImage? {
        let orientation = facts.isMirrored ? facts.orientation.mirrored : facts.orientation
        let upright = CIImage(cvPixelBuffer: pixelBuffer).oriented(forExifOrientation: Int32(orientation.rawValue))
        guard let image = CIContext().createCGImage(upright, from: upright.extent) else { return nil }
        return UIImage(cgImage: image)
    }
}

#if canImport(UIKit)
import CoreVideo
import Foundation
import Observation
import OspreyKit

/// Detection in a camera's frames, as a screen shows it: loads the model, keeps the device cool, follows
/// objects. `DetectorView` is made of it; an app with a screen of its own may be, too.
@MainActor @Observable
public final class LiveDetection {
    public enum Phase: Sendable, Equatable {
        case loading, running
        /// What is wrong, to be shown; `retry()` tries again.
        case failed(String)
    }

    public private(set) var phase = Phase.loading
    /// The latest result, in coordinates of the image that stands upright by gravity.
    public private(set) var result: DetectionResult?
    /// From the result's boxes to the preview.
    public private(set) var turn = QuarterTurn.none
    /// Twice a second.
    public private(set) var figures = LiveFigures()
    public private(set) var labels: [String] = []
    /// What went wrong with the last frame or option; `nil` once a frame succeeds.
    public private(set) var problem: String?
    /// How often `retry()` was called: part of the identity of the task that calls `run(on:)`.
    public private(set) var attempts = 0
    /// Thresholds and classes may change at any time; threads and age, with the next model.
    public var options: DetectorOptions { didSet { if options != oldValue { tune() } } }
    /// The part of the preview's image that is looked at; `nil` for all of it.
    public var region: NormalizedBox? { didSet { sink.look(at: region) } }

    @ObservationIgnored let sink = DetectionSink()
    @ObservationIgnored private var model: Model?
    @ObservationIgnored private var detector: LiveDetector?
    @ObservationIgnored private var loading: Task<LiveDetector, any Error>?
    @ObservationIgnored private var camera: Camera?
    @ObservationIgnored private var runs = 0
    @ObservationIgnored private var governor: (pace: PaceController, rate: Int)?

    /// `model`: `nil` for the built-in detector.
    public init(model: Model? = nil, options: DetectorOptions = LiveDetection.defaultOptions) {
        (self.model, self.options) = (model, options)
    }

    /// A thread for each performance core, and no box that is older than half a second.
    public nonisolated static var defaultOptions: DetectorOptions {
        var options = DetectorOptions()
        options.maxAge = .milliseconds(500)
        return options
    }

    /// Detects in the camera's frames until the task is cancelled. The detector is kept for the next time.
    public func run(on camera: Camera) async {
        self.camera = camera
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await camera.run(self.sink) }
            group.addTask { await self.detect(on: camera) }
        }
    }

    /// Tries again after `failed`.
    public func retry() { attempts += 1 }

    /// Changes the model; frames go on meanwhile. After an error the former model does.
    public func use(_ model: Model) async {
        let options = options
        guard let detector else {
            self.model = model
            return
        }
        do {
            try await Task.detached(priority: .userInitiated) { try detector.replace(model: model, options: options) }.value
            (self.model, labels, problem) = (model, detector.labels, nil)
        } catch {
            problem = error.localizedDescription
        }
    }

    /// The objects where they are on the screen now, in fractions of the preview's image: between two results
    /// they are where they are going. Empty before the first result.
    public func objectsNow() -> [TrackedObject] {
        guard let detector, let result, let now = camera?.now else { return [] }
        guard options.isTracking else { return result.objects.map { $0.turned(by: turn) } }
        // A clock that stands still or is another one must not move boxes.
        let shown = min(max(now - Self.displayLatency, result.timestamp), result.timestamp + Self.longestPrediction)
        return detector.objects(at: shown).map { $0.turned(by: turn) }
    }

    /// Size of the preview's image in pixels; `nil` before the first result.
    public var imageSize: CGSize? {
        result.map { turn.size(of: CGSize(width: $0.pictureWidth, height: $0.pictureHeight)) }
    }

    /// Nanoseconds from a frame's exposure to its preview: about two frames at 60 Hz.
    private static let displayLatency: Int64 = 33_000_000
    /// Nanoseconds after a result for which its objects are moved on.
    private static let longestPrediction: Int64 = 500_000_000

    /// After a memory warning: what can be made again is let go.
    public func releaseMemory() { result = nil }

    /// `tap` sees every frame on the sample queue until it is replaced; it must not keep the buffer.
    public func tap(_ tap: (@Sendable (CVPixelBuffer, CameraFrameInfo) -> Void)?) { sink.tap(tap) }

    /// `tap` sees the next frame on the sample queue.
    public func onNextFrame(_ tap: @escaping @Sendable (CVPixelBuffer, CameraFrameInfo) -> Void) {
        sink.onNextFrame(tap)
    }

    /// The detector, once it is loaded.
    public var loadedDetector: LiveDetector? { detector }

    // MARK: - A run

    private func detect(on camera: Camera) async {
        runs += 1
        let run = runs
        guard let detector = await loaded(), !Task.isCancelled else { return }
        sink.use(detector)
        detector.resume()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.show(detector.results) }
            group.addTask { await self.govern(detector, camera) }
        }
        // The camera may run for others; what it sends is not detected. A later run keeps its detector.
        if run == runs { detector.pause() }
    }

    /// The detector; runs that overlap load it once.
    private func loaded() async -> LiveDetector? {
        if let detector { return detector }
        phase = .loading
        let task = loading ?? Task { [model, options] in try await LiveDetector.load(model: model, options: options) }
        loading = task
        defer { loading = nil }
        do {
            let detector = try await task.value
            (self.detector, labels, phase) = (detector, detector.labels, .running)
            tune()
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
                (self.result, turn) = (result, sink.turn(at: result.timestamp))
                if problem != nil { problem = nil }
            case .failure(let error): problem = error.message
            }
        }
    }

    /// Heat and power decide the pace, and the figures are brought up to date.
    private func govern(_ detector: LiveDetector, _ camera: Camera) async {
        var meter = LiveMeter(detector.ledger, cameraDrops: camera.droppedFrames, at: ProcessInfo.processInfo.systemUptime)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(500))
            let reading = DeviceReading.current(inference: detector.recentInference)
            let pace = decide(reading, rate: camera.framesPerSecond)
            detector.setInterval(pace.interval)
            figures = meter.figures(
                detector.ledger, cameraDrops: camera.droppedFrames, at: reading.time, age: result?.timings.age ?? 0,
                pace: pace, thermal: reading.thermal)
            if let failure = sink.takeFailure() { problem = failure.message }
        }
    }

    /// The governor counts camera frames: another rate needs another.
    private func decide(_ reading: DeviceReading, rate: Int) -> Pace {
        let rate = max(rate, 1)
        if governor?.rate != rate { governor = (PaceController(cameraFramesPerSecond: Double(rate)), rate) }
        return governor?.pace.decide(reading) ?? Pace(level: 0, interval: 1, allowed: 1, expected: 0)
    }

    private func tune() {
        do {
            try detector?.tune(options)
            problem = nil
        } catch {
            problem = error.message
        }
    }
}
#endif

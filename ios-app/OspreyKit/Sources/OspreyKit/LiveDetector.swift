import Foundation
internal import OspreyBridge

/// Frames in, tracked boxes out: newest wins, nothing waits, every frame is accounted for.
///
/// Any thread may call anything. `submit` belongs on the capture queue: it prepares the picture there,
/// and the buffer is free when it returns.
public final class LiveDetector: Sendable {
    private let session: Session
    private let labelCache: LabelCache

    private let channel: ResultChannel

    /// Results in the order of frames, for each consumer that asks. A consumer that lags finds the newest. What
    /// came while nobody listened goes to the first who does. Ends when the detector is shut down or let go.
    public var results: AsyncStream<Result<DetectionResult, OspreyError>> { channel.stream() }

    /// Loads the model on this thread; see `load` for another.
    public init(model: Model, options: DetectorOptions = DetectorOptions()) throws(OspreyError) {
        let labels = LabelCache()
        let channel = ResultChannel()
        let listener = ResultListener { findings in
            pooled { channel.send(findings.result(labels: labels)) }
        }
        let values = try options.values()
        session = try crossing { try session_listen(model.source, values, listener) }
        labels.all = lines(session.labels())
        (labelCache, self.channel) = (labels, channel)
    }

    /// Loads a model away from the caller's thread.
    public static func load(
        model: Model? = nil, options: DetectorOptions = DetectorOptions()
    ) async throws -> LiveDetector {
        try await Task.detached(priority: .userInitiated) {
            let model = try model ?? Model(for: .detection)
            return try LiveDetector(model: model, options: options)
        }.value
    }

    deinit {
        channel.finish()
    }

    /// Prepares a frame and hands it over; inference is not waited for.
    @discardableResult
    public func submit(_ frame: PixelFrame) throws(OspreyError) -> Submission {
        let buffer = frame.buffer
        // The session must live until the call returns, however early the optimizer would let it go.
        return try withExtendedLifetime(session) { () throws(OspreyError) in
            Submission(code: try crossing { try session.submit(buffer) })
        }
    }

    /// Where the tracked objects are at a time on the frames' clock: for frames between detections.
    public func objects(at timestamp: Int64) -> [TrackedObject] {
        let findings = session.tracks_at(timestamp)
        return findings.objects(tracks: true, count: Int(findings.facts().tracks), labelCache)
    }

    /// Takes thresholds, classes, suppression and limits, from the next frame on.
    public func tune(_ options: DetectorOptions) throws(OspreyError) {
        let values = try options.values()
        try crossing { try session.tune(values) }
    }

    /// Loads another model on this thread and has it take over; frames and ledger go on. After an
    /// error the old model does.
    public func replace(model: Model, options: DetectorOptions) throws(OspreyError) {
        let values = try options.values()
        try crossing { try session.replace_model(model.source, values) }
        labelCache.all = lines(session.labels())
    }

    /// Records what the model sees and finds from now on, for `osprey replay` on a desktop. The file
    /// appears when the recording is stopped.
    public func startRecording(to file: URL) throws(OspreyError) {
        let path = file.path
        try crossing { try session.start_recording(path) }
    }

    /// Ends the recording; nothing where none runs.
    public func stopRecording() throws(OspreyError) {
        try crossing { try session.stop_recording() }
    }

    /// Names of the classes.
    public var labels: [String] { labelCache.all }

    /// Detects in every `interval`-th frame only; `objects(at:)` has boxes for the others.
    public func setInterval(_ interval: Int) {
        session.set_interval(UInt32(clamping: max(interval, 1)))
    }

    /// Drops frames until `resume`.
    public func pause() { session.pause() }
    public func resume() { session.resume() }

    public enum State: UInt8, Sendable {
        case running = 0, paused, faulted, ended
    }

    public var state: State { State(rawValue: session.state()) ?? .ended }
    public var ledger: Ledger { Ledger(session.ledger()) }
    public func latency(of stage: Stage) -> Percentiles { Percentiles(session.stage(stage.rawValue)) }
    /// Results per second between the first and the last.
    public var framesPerSecond: Double { session.fps() }
    /// Seconds that inference took in nine of ten runs of the last second; 0 where none ran.
    public var recentInference: TimeInterval { session.recent_inference_ms() / 1e3 }
    /// Ledger, percentiles and pace as JSON, as `osprey live` prints them.
    public var summary: String { session.summary().toString() }

    /// Ends within a tenth of a second, and `results` with it. Whether the worker has ended by then.
    @discardableResult
    public func shutdown() -> Bool {
        defer { channel.finish() }
        return session.shutdown()
    }
}

/// What became of a submitted frame.
public enum Submission: Sendable, Equatable {
    /// It waits for the worker, under this number.
    case queued(UInt64)
    case dropped(DropReason)

    init(code: Int) {
        self = code >= 0 ? .queued(UInt64(code)) : .dropped(DropReason(rawValue: -1 - code) ?? .shutdown)
    }
}

/// Why a frame never reached the model.
public enum DropReason: Int, Sendable, CaseIterable {
    case replaced = 0, late, paused, paced, modelChanged, shutdown
}

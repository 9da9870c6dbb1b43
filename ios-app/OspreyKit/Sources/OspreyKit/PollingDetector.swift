import Foundation
internal import OspreyBridge

/// As `LiveDetector`, for programs that ask for results rather than hear of them.
public final class PollingDetector: Sendable {
    private let session: Session
    private let labelCache = LabelCache()

    public init(model: Model, options: DetectorOptions = DetectorOptions()) throws(OspreyError) {
        let values = try options.values()
        session = try crossing { try session_poll(model.source, values) }
        labelCache.all = lines(session.labels())
    }

    @discardableResult
    public func submit(_ frame: PixelFrame) throws(OspreyError) -> Submission {
        let buffer = frame.buffer
        return Submission(code: try crossing { try session.submit(buffer) })
    }

    /// The next result; waits at most `timeout` (a minute in any case). Nil where there is none in time.
    public func next(timeout: Duration) throws(OspreyError) -> DetectionResult? {
        try session.next(UInt32(clamping: timeout.milliseconds))?.result(labels: labelCache).get()
    }

    public var labels: [String] { labelCache.all }
    public var ledger: Ledger { Ledger(session.ledger()) }
}

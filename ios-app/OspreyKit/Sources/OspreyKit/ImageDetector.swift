import Foundation
internal import OspreyBridge

/// Detects in single images, as photos are: each is waited for, none is dropped, nothing is followed.
public final class ImageDetector: Sendable {
    private let detector: PollingDetector
    private let clock = ImageClock()

    /// Loads the model on this thread. Tracking, age and pace of `options` do not count.
    public init(model: Model, options: DetectorOptions = DetectorOptions()) throws(OspreyError) {
        var options = options
        (options.isTracking, options.maxAge, options.warmsUp) = (false, nil, false)
        // Photos are much larger than the model's input: without care, small objects would fall between pixels.
        options.isAntialiased = true
        detector = try PollingDetector(model: model, options: options)
    }

    /// What the image holds, best first. Takes tens of milliseconds: not for the main thread. Threads that call
    /// at once wait for each other. The frame's timestamp does not count.
    public func detect(_ frame: PixelFrame) throws(OspreyError) -> [Detection] {
        clock.lock.lock()
        defer { clock.lock.unlock() }
        clock.time += 1
        var frame = frame
        frame.timestamp = clock.time
        try detector.submit(frame)
        guard let result = try detector.next(timeout: .seconds(60)) else {
            throw .model("the image was not analyzed within a minute")
        }
        return result.detections
    }

    /// Names of the classes.
    public var labels: [String] { detector.labels }
}

/// Time for images, which have none of their own.
private final class ImageClock: @unchecked Sendable {
    let lock = NSLock()
    // Guarded by the lock.
    var time: Int64 = 0
}

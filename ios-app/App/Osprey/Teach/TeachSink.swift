import CoreVideo
import Foundation
import OspreyKit
import OspreyUI

/// Learns and classifies frames on the sample queue: the camera drops what comes meanwhile.
///
/// It looks at the square in the middle, which is what the screen shows: what surrounds it must not be learned.
final class TeachSink: CameraFrameSink, @unchecked Sendable {
    /// Nanoseconds between two answers: they are read by people.
    static let answerInterval: Int64 = 150_000_000
    /// The same while the device is hot or saves power.
    static let slowAnswerInterval: Int64 = 1_000_000_000

    private struct Lesson {
        var classID: Int
        var interval: Int64
        var done: @Sendable (OspreyError?) -> Void
        var last: Int64?
    }

    // Guarded by the lock.
    private let lock = NSLock()
    private var trainer: Trainer?
    private var isTrained = false
    private var lesson: Lesson?
    private var lastAnswer: Int64?
    private var continuation: AsyncStream<PictureClass?>.Continuation?

    func use(_ trainer: Trainer?) { lock.withLock { self.trainer = trainer } }
    func answer(trained: Bool) { lock.withLock { isTrained = trained } }

    /// Learns a frame, and further ones at `interval` nanoseconds until `endLesson`. The first is learned even
    /// if the lesson ends before it comes.
    func learn(_ classID: Int, every interval: Int64, _ done: @escaping @Sendable (OspreyError?) -> Void) {
        lock.withLock { lesson = Lesson(classID: classID, interval: interval, done: done) }
    }

    func endLesson() {
        lock.withLock {
            if lesson?.last == nil { lesson?.interval = .max } else { lesson = nil }
        }
    }

    func answers() -> AsyncStream<PictureClass?> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: PictureClass?.self, bufferingPolicy: .bufferingNewest(1))
        lock.withLock { self.continuation = continuation }
        return stream
    }

    func take(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo) {
        let work = lock.withLock { next(at: info.timestamp) }
        guard let trainer = work.trainer else { return }
        let region = Self.square(pixelBuffer, info.orientation)
        if let lesson = work.lesson {
            do {
                try trainer.add(
                    pixelBuffer, orientation: info.orientation, isMirrored: info.isMirrored, region: region,
                    to: lesson.classID)
                lesson.done(nil)
            } catch {
                lesson.done(error)
            }
        }
        guard work.answers else { return }
        // Before the first picture there is no answer, which is no error.
        let answer = try? trainer.classify(
            pixelBuffer, orientation: info.orientation, isMirrored: info.isMirrored, region: region,
            by: work.isTrained ? .trained : .nearestNeighbors)
        work.continuation?.yield(answer)
    }

    private struct Work {
        var trainer: Trainer?
        var lesson: Lesson?
        var answers: Bool
        var isTrained: Bool
        var continuation: AsyncStream<PictureClass?>.Continuation?
    }

    private func next(at time: Int64) -> Work {
        var due: Lesson?
        if var now = lesson, now.last.map({ time - $0 >= now.interval }) ?? true {
            due = now
            now.last = time
            lesson = now.interval == .max ? nil : now
        }
        let isSlow = ThermalState.current.rawValue >= ThermalState.serious.rawValue
            || ProcessInfo.processInfo.isLowPowerModeEnabled
        let interval = isSlow ? Self.slowAnswerInterval : Self.answerInterval
        let answers = lastAnswer.map { abs(time - $0) >= interval } ?? true
        if answers { lastAnswer = time }
        return Work(trainer: trainer, lesson: due, answers: answers, isTrained: isTrained, continuation: continuation)
    }

    /// The largest square in the middle of the upright image, in fractions of it.
    static func square(_ pixelBuffer: CVPixelBuffer, _ orientation: FrameOrientation) -> NormalizedBox {
        let stored = CGSize(width: CVPixelBufferGetWidth(pixelBuffer), height: CVPixelBufferGetHeight(pixelBuffer))
        let upright = orientation.swapsAxes ? CGSize(width: stored.height, height: stored.width) : stored
        return OverlayGeometry(picture: upright, view: CGSize(width: 1, height: 1)).visibleRegion
    }
}

@preconcurrency import AVFoundation
import CoreImage
import CoreVideo
import Foundation
import OspreyKit
import OspreyUI
import UIKit

/// Writes camera frames with their boxes as a video, on a queue of its own.
///
/// The video stands as the device was held when it began; a device that is turned meanwhile turns the image in
/// it, as in the system's camera app.
final class FilmRecorder: @unchecked Sendable {
    enum Failure: Error, LocalizedError {
        case empty, notWritten(String)

        var errorDescription: String? {
            switch self {
            case .empty: String(localized: "No frame came while the video was recorded.")
            case .notWritten(let why): String(localized: "The video could not be written: \(why)")
            }
        }
    }

    /// Copies of frames that may wait; further ones are left out, as memory is short on a phone.
    private static let mostWaiting = 3

    let file: URL
    private let coloring: BoxColoring
    private let queue = DispatchQueue(label: "osprey.film", qos: .userInitiated, autoreleaseFrequency: .workItem)
    private let lock = NSLock()
    /// Guarded by the lock.
    private var waiting = 0
    // What follows is touched on the queue alone.
    private let context = CIContext()
    private var film: Film?
    private var failure: (any Error)?

    private struct Film {
        var writer: AVAssetWriter
        var input: AVAssetWriterInput
        var adaptor: AVAssetWriterInputPixelBufferAdaptor
        var orientation: FrameOrientation
        var size: CGSize
        var lastTime: CMTime
    }

    init(to file: URL, coloring: BoxColoring) {
        (self.file, self.coloring) = (file, coloring)
    }

    /// Adds a frame, copied here; `objects` is called on the queue and gives what is in it, in fractions of the
    /// image that is upright by gravity.
    func add(_ pixelBuffer: CVPixelBuffer, _ info: CameraFrameInfo, objects: @escaping @Sendable () -> [TrackedObject]) {
        let hasRoom = lock.withLock {
            guard waiting < Self.mostWaiting else { return false }
            waiting += 1
            return true
        }
        guard hasRoom else { return }
        let copy = UncheckedBuffer(pixels: pixelBuffer.copied())
        queue.async { [self] in
            defer { lock.withLock { waiting -= 1 } }
            guard failure == nil, let pixels = copy.pixels else { return }
            do {
                try write(pixels, info, objects())
            } catch {
                failure = error
            }
        }
    }

    /// Frames that are not written yet.
    var waitingFrames: Int { lock.withLock { waiting } }

    /// Ends the video once all frames are written.
    func finish() async throws {
        let ended = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<UncheckedWriter, any Error>) in
            queue.async { [self] in
                defer { self.film = nil }
                if let failure { return continuation.resume(throwing: failure) }
                guard let film = self.film else { return continuation.resume(throwing: Failure.empty) }
                film.input.markAsFinished()
                continuation.resume(returning: UncheckedWriter(writer: film.writer))
            }
        }
        await ended.writer.finishWriting()
        if ended.writer.status != .completed {
            throw Failure.notWritten(ended.writer.error?.localizedDescription ?? "")
        }
    }

    private func write(_ pixels: CVPixelBuffer, _ info: CameraFrameInfo, _ objects: [TrackedObject]) throws {
        let time = CMTime(value: info.timestamp, timescale: 1_000_000_000)
        var film = try self.film ?? begin(pixels, info, time)
        let isFirst = self.film == nil
        defer { self.film = film }
        // Times that do not rise end a writer.
        guard isFirst || CMTimeCompare(time, film.lastTime) > 0, film.input.isReadyForMoreMediaData else { return }
        guard let pool = film.adaptor.pixelBufferPool else { throw Failure.notWritten("no memory") }
        var made: CVPixelBuffer?
        CVPixelBufferPoolCreatePixelBuffer(nil, pool, &made)
        guard let made else { throw Failure.notWritten("no memory") }
        let shown = info.isMirrored ? film.orientation.mirrored : film.orientation
        let image = CIImage(cvPixelBuffer: pixels).oriented(forExifOrientation: Int32(shown.rawValue))
        // Boxes follow gravity; the video stands as it began.
        let turn = QuarterTurn(degrees: film.orientation.rotationAngle - info.orientation.rotationAngle)
        let turned = objects.map { $0.turned(by: info.isMirrored ? turn.inverse : turn) }
        let boxes = BoxPainter.overlay(turned, size: film.size, coloring: coloring)
        let painted = boxes.cgImage.map { CIImage(cgImage: $0).composited(over: image) } ?? image
        context.render(painted, to: made)
        guard film.adaptor.append(made, withPresentationTime: time) else {
            throw Failure.notWritten(film.writer.error?.localizedDescription ?? "")
        }
        film.lastTime = time
    }

    private func begin(_ pixels: CVPixelBuffer, _ info: CameraFrameInfo, _ time: CMTime) throws -> Film {
        let stored = CGSize(width: CVPixelBufferGetWidth(pixels), height: CVPixelBufferGetHeight(pixels))
        let size = info.orientation.swapsAxes ? CGSize(width: stored.height, height: stored.width) : stored
        try? FileManager.default.removeItem(at: file)
        let writer = try AVAssetWriter(outputURL: file, fileType: .mp4)
        let input = AVAssetWriterInput(
            mediaType: .video,
            outputSettings: [
                AVVideoCodecKey: AVVideoCodecType.h264, AVVideoWidthKey: Int(size.width), AVVideoHeightKey: Int(size.height),
            ])
        input.expectsMediaDataInRealTime = true
        let adaptor = AVAssetWriterInputPixelBufferAdaptor(
            assetWriterInput: input,
            sourcePixelBufferAttributes: [
                kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA,
                kCVPixelBufferWidthKey as String: Int(size.width), kCVPixelBufferHeightKey as String: Int(size.height),
            ])
        guard writer.canAdd(input) else { throw Failure.notWritten("the format is not supported") }
        writer.add(input)
        guard writer.startWriting() else { throw Failure.notWritten(writer.error?.localizedDescription ?? "") }
        writer.startSession(atSourceTime: time)
        return Film(
            writer: writer, input: input, adaptor: adaptor, orientation: info.orientation, size: size, lastTime: time)
    }
}

/// On its way from one queue to another, which is its only user then.
private struct UncheckedBuffer: @unchecked Sendable {
    let pixels: CVPixelBuffer?
}

private struct UncheckedWriter: @unchecked Sendable {
    let writer: AVAssetWriter
}

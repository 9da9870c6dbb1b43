// Stands in for AVAssetWriter on Linux: writes the times of its frames, and fails as the writer does.

import Foundation

@MainActor public class AVPlayer: NSObject {
    public init(url: URL) {}
}

public struct AVFileType: Sendable { public static let mp4 = AVFileType() }
public struct AVVideoCodecType: Sendable { public static let h264 = AVVideoCodecType() }
public let AVVideoCodecKey = "AVVideoCodecKey"
public let AVVideoWidthKey = "AVVideoWidthKey"
public let AVVideoHeightKey = "AVVideoHeightKey"

public class AVAssetWriterInput: NSObject {
    let size: (width: Int, height: Int)
    var isFinished = false
    public var expectsMediaDataInRealTime = false
    public var isReadyForMoreMediaData: Bool { !isFinished }

    public init(mediaType: AVMediaType, outputSettings: [String: Any]?) {
        size = (outputSettings?[AVVideoWidthKey] as? Int ?? 0, outputSettings?[AVVideoHeightKey] as? Int ?? 0)
    }

    public func markAsFinished() { isFinished = true }
}

public class AVAssetWriterInputPixelBufferAdaptor: NSObject {
    let input: AVAssetWriterInput
    weak var writer: AVAssetWriter?

    public init(assetWriterInput: AVAssetWriterInput, sourcePixelBufferAttributes: [String: Any]?) {
        input = assetWriterInput
        super.init()
        SyntheticFilm.adaptors.append { [weak self] in self }
    }

    /// None before the writer writes.
    public var pixelBufferPool: CVPixelBufferPool? {
        writer?.status == .writing ? CVPixelBufferPool(width: input.size.width, height: input.size.height) : nil
    }

    public func append(_ pixelBuffer: CVPixelBuffer, withPresentationTime time: CMTime) -> Bool {
        guard let writer, writer.status == .writing, let start = writer.start else {
            SyntheticCamera.raise("a frame is appended to a writer that does not write")
            return false
        }
        if input.isFinished { SyntheticCamera.raise("a frame is appended to an input that is finished") }
        let order = CMTimeCompare(time, writer.times.last ?? start)
        let isLater = writer.times.isEmpty ? order >= 0 : order > 0
        let fits = CVPixelBufferGetWidth(pixelBuffer) == input.size.width && CVPixelBufferGetHeight(pixelBuffer) == input.size.height
        guard isLater, fits else {
            writer.status = .failed
            return false
        }
        writer.times.append(time)
        return true
    }
}

public class AVAssetWriter: NSObject {
    public enum Status: Int, Sendable { case unknown = 0, writing, completed, failed, cancelled }

    public fileprivate(set) var status = Status.unknown
    public var error: (any Error)? { status == .failed ? AVError(.unknown) : nil }
    private let url: URL
    private var inputs: [AVAssetWriterInput] = []
    fileprivate var start: CMTime?
    fileprivate var times: [CMTime] = []

    public init(outputURL: URL, fileType: AVFileType) throws { url = outputURL }

    public func canAdd(_ input: AVAssetWriterInput) -> Bool {
        // H.264 has two by two pixels to one of colour.
        input.size.width > 0 && input.size.height > 0 && input.size.width % 2 == 0 && input.size.height % 2 == 0
    }

    public func add(_ input: AVAssetWriterInput) {
        if status != .unknown { SyntheticCamera.raise("an input is added to a writer that writes") }
        inputs.append(input)
        SyntheticFilm.adaptors.compactMap { $0() }.filter { $0.input === input }.forEach { $0.writer = self }
    }

    public func startWriting() -> Bool {
        // It overwrites nothing.
        status = FileManager.default.fileExists(atPath: url.path) ? .failed : .writing
        return status == .writing
    }

    public func startSession(atSourceTime time: CMTime) { start = time }

    public func finishWriting() async {
        guard status == .writing, start != nil else { return SyntheticCamera.raise("a writer ends that did not begin") }
        let lines = times.map { "\($0.seconds)" }.joined(separator: "\n")
        status = FileManager.default.createFile(atPath: url.path, contents: Data(lines.utf8)) ? .completed : .failed
    }
}

/// Not of Apple's interface.
public enum SyntheticFilm {
    nonisolated(unsafe) static var adaptors: [() -> AVAssetWriterInputPixelBufferAdaptor?] = []

    /// Seconds of the frames of a file that a writer wrote.
    public static func times(of file: URL) throws -> [Double] {
        try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { Double($0) }
    }
}

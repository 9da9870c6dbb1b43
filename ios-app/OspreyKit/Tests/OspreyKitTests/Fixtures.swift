import Foundation
import XCTest

@testable import OspreyKit

/// Pixels that a test owns.
struct Picture {
    var pixels: [UInt8]
    var width, height: Int

    /// BGRA of one level.
    static func gray(_ level: UInt8 = 90, width: Int = 64, height: Int = 48) -> Picture {
        Picture(pixels: [UInt8](repeating: level, count: width * height * 4), width: width, height: height)
    }

    /// BGRA stripes of six pixels, across or along.
    static func stripes(along: Bool, number: Int) -> Picture {
        var picture = Picture.gray(width: 80, height: 60)
        for i in 0..<(80 * 60) {
            let at = along ? i % 80 : i / 80
            let level = UInt8((at + number) / 6 % 2 == 0 ? 230 - number : 20 + 3 * number)
            for channel in 0..<3 { picture.pixels[4 * i + channel] = level }
        }
        return picture
    }

    /// Lends the frame to `body`.
    func lend<T>(
        orientation: FrameOrientation = .up, isMirrored: Bool = false, timestamp: Int64 = 0,
        _ body: (PixelFrame) throws -> T
    ) rethrows -> T {
        try pixels.withUnsafeBytes { bytes in
            try body(
                PixelFrame(
                    .bgra(PixelPlane(bytes: bytes, bytesPerRow: width * 4)), width: width, height: height,
                    orientation: orientation, isMirrored: isMirrored, timestamp: timestamp))
        }
    }
}

/// A photo as raw BGRA, with what `osprey detect` found in it; made by `cargo run --example frames`.
struct Photo: Decodable {
    struct Found: Decodable {
        var label: String
        var class_id: Int
        var score: Double
        var box: [Double]
    }

    var image: String
    var width, height: Int
    var detections: [Found]

    static func all() throws -> [(Photo, Picture)] {
        guard let folder = ProcessInfo.processInfo.environment["OSPREY_FRAMES"] else {
            throw XCTSkip("skipped: OSPREY_FRAMES names no folder of frames; .ci/swift makes one")
        }
        let url = URL(fileURLWithPath: folder)
        let text = try String(contentsOf: url.appendingPathComponent("detections.jsonl"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let photo = try JSONDecoder().decode(Photo.self, from: Data(line.utf8))
            let name = URL(fileURLWithPath: photo.image).deletingPathExtension().lastPathComponent + ".bgra"
            let pixels = [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
            return (photo, Picture(pixels: pixels, width: photo.width, height: photo.height))
        }
    }
}

func detector(_ change: (inout DetectorOptions) -> Void = { _ in }) throws -> LiveDetector {
    var options = DetectorOptions()
    change(&options)
    return try LiveDetector(model: Model(for: .detection), options: options)
}

/// The next result; fails the test where none comes in a minute.
func next(of detector: LiveDetector) async throws -> DetectionResult {
    let first = Task { () -> Result<DetectionResult, OspreyError>? in
        for await result in detector.results { return result }
        return nil
    }
    let alarm = Task {
        try await Task.sleep(for: .seconds(60))
        first.cancel()
    }
    defer { alarm.cancel() }
    let result = await first.value
    return try XCTUnwrap(result, "no result in a minute").get()
}

/// Resident memory in bytes, where the system tells it in /proc.
func residentBytes() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? Int(fields[1]).map { $0 * 4096 } : nil
}

func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}

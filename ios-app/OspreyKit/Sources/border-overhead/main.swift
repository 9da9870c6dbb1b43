// What the border costs: `submit` as Swift sees it, less what Rust says it took inside, frame by frame; and
// the way back, by asking for the tracked objects. Exits with 1 above 50 µs.

import Foundation
import OspreyKit

let limit = 50.0
let (width, height) = (1280, 720)
let photo = [UInt8](unsafeUninitializedCapacity: width * height * 4) { bytes, count in
    for i in 0..<(width * height * 4) { bytes[i] = UInt8(truncatingIfNeeded: (i % 977) ^ (i / 1280)) }
    count = width * height * 4
}

func nanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

do {
    var options = DetectorOptions()
    options.scoreThreshold = 0.05
    let detector = try PollingDetector(model: Model(for: .detection), options: options)
    let live = try LiveDetector(model: Model(for: .detection), options: options)
    var whole = [Double](), outside = [Double](), back = [Double]()
    for frame in 0..<200 {
        try photo.withUnsafeBytes { bytes in
            let lent = PixelFrame(
                .bgra(PixelPlane(bytes: bytes, bytesPerRow: width * 4)), width: width, height: height,
                timestamp: Int64(frame) * 33_000_000)
            let start = nanoseconds()
            try detector.submit(lent)
            whole.append(Double(nanoseconds() - start) / 1e3)
            if frame == 0 { try live.submit(lent) }
        }
        guard let result = try detector.next(timeout: .seconds(60)), let inside = result.timings.submit else {
            fatalError("no result in a minute")
        }
        outside.append(whole[frame] - inside * 1e6)
        let start = nanoseconds()
        _ = live.objects(at: Int64(frame) * 33_000_000)
        back.append(Double(nanoseconds() - start) / 1e3)
    }
    let (there, return_) = (median(outside), median(back))
    print("submit of \(width)x\(height) BGRA: median \(Int(median(whole))) µs, of which the border \(there) µs")
    print("objects back into Swift: median \(return_) µs")
    print(there + return_ < limit ? "ok: under \(limit) µs a frame" : "over \(limit) µs a frame")
    exit(there + return_ < limit ? 0 : 1)
} catch {
    print("\(error)")
    exit(2)
}

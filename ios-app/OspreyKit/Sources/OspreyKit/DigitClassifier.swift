import Foundation
internal import OspreyBridge

/// A digit that was read.
public struct DigitReading: Sendable, Equatable {
    /// The likeliest, 0 to 9.
    public var digit: Int
    /// Probability of each digit.
    public var probabilities: [Float]
}

/// Reads handwritten digits. Any thread may call.
public final class DigitClassifier: Sendable {
    private let reader: DigitReader

    public init(model: Model) throws(OspreyError) {
        reader = try crossing { try digit_reader(model.source) }
    }

    /// Reads strokes: points with x to the right and y down, of any size and anywhere.
    /// Throws `.blank` where nothing is drawn.
    public func read(strokes: [[CGPoint]]) throws(OspreyError) -> DigitReading {
        let xy = strokes.joined().flatMap { [Float($0.x), Float($0.y)] }
        let lengths = strokes.map { UInt32(clamping: $0.count) }
        return try reading { probabilities in
            try xy.withUnsafeBufferPointer { xy in
                try lengths.withUnsafeBufferPointer { lengths in
                    try reader.read_strokes(
                        UInt(bitPattern: xy.baseAddress), UInt(xy.count / 2),
                        UInt(bitPattern: lengths.baseAddress), UInt(lengths.count), probabilities)
                }
            }
        }
    }

    /// Finds the digit in a gray picture, dark on light or light on dark.
    public func read(gray: [UInt8], width: Int, height: Int) throws(OspreyError) -> DigitReading {
        guard width > 0, height > 0, width.multipliedReportingOverflow(by: height) == (gray.count, false) else {
            throw .frame("\(gray.count) bytes are no gray picture of \(width)x\(height)")
        }
        return try reading { probabilities in
            try gray.withUnsafeBufferPointer {
                try reader.read_gray(
                    UInt(bitPattern: $0.baseAddress), UInt32(clamping: width), UInt32(clamping: height),
                    probabilities)
            }
        }
    }

    private func reading(_ read: (UInt) throws -> UInt8) throws(OspreyError) -> DigitReading {
        var probabilities = [Float](repeating: 0, count: 10)
        let digit = try crossing {
            try probabilities.withUnsafeMutableBufferPointer { try read(UInt(bitPattern: $0.baseAddress)) }
        }
        return DigitReading(digit: Int(digit), probabilities: probabilities)
    }
}

// Draws boxes onto a photo as the Live screen does, by the same geometry: `overlay-mock PHOTO.bgra WIDTH
// HEIGHT OUT.bmp`. The boxes lie around the person, the helmet and the model of samples/astronaut.jpg; they
// are written down here so that other weights do not change the picture.

import Foundation
import OspreyKit

let found: [(id: UInt64, box: NormalizedBox)] = [
    (1, NormalizedBox(minX: 0.033, minY: 0.039, maxX: 0.680, maxY: 0.986)),
    (2, NormalizedBox(minX: 0.554, minY: 0.629, maxX: 0.968, maxY: 0.995)),
    (3, NormalizedBox(minX: 0.62, minY: 0, maxX: 0.93, maxY: 0.33)),
]

/// Pixels of a screen, three bytes each.
struct Canvas {
    let width, height: Int
    var pixels: [UInt8]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: 0, count: width * height * 3)
    }

    mutating func fill(_ rect: CGRect, _ color: TrackColor) {
        let (left, right) = (max(0, Int(rect.minX.rounded())), min(width, Int(rect.maxX.rounded())))
        let (top, bottom) = (max(0, Int(rect.minY.rounded())), min(height, Int(rect.maxY.rounded())))
        guard left < right, top < bottom else { return }
        for y in top..<bottom {
            for x in left..<right { set(x, y, [color.red, color.green, color.blue].map { UInt8($0 * 255) }) }
        }
    }

    mutating func outline(_ rect: CGRect, _ color: TrackColor, line: Double = 2) {
        fill(CGRect(x: rect.minX, y: rect.minY, width: rect.width, height: line), color)
        fill(CGRect(x: rect.minX, y: rect.maxY - line, width: rect.width, height: line), color)
        fill(CGRect(x: rect.minX, y: rect.minY, width: line, height: rect.height), color)
        fill(CGRect(x: rect.maxX - line, y: rect.minY, width: line, height: rect.height), color)
    }

    mutating func set(_ x: Int, _ y: Int, _ color: [UInt8]) {
        for channel in 0..<3 { pixels[(y * width + x) * 3 + channel] = color[channel] }
    }
}

func screen(_ photo: [UInt8], _ width: Int, _ height: Int, _ view: (Int, Int), _ fitting: OverlayGeometry.Fitting)
    -> Canvas
{
    var canvas = Canvas(width: view.0, height: view.1)
    let geometry = OverlayGeometry(
        picture: CGSize(width: width, height: height), view: CGSize(width: view.0, height: view.1), fitting: fitting)
    for y in 0..<canvas.height {
        for x in 0..<canvas.width {
            guard let at = geometry.fraction(at: CGPoint(x: Double(x) + 0.5, y: Double(y) + 0.5)) else { continue }
            let (column, row) = (min(Int(at.x * Double(width)), width - 1), min(Int(at.y * Double(height)), height - 1))
            let pixel = (row * width + column) * 4
            canvas.set(x, y, [photo[pixel + 2], photo[pixel + 1], photo[pixel]])
        }
    }
    let label = CGSize(width: 48, height: 10)
    for (id, box) in found {
        let color = TrackColor(id: id)
        guard let rect = geometry.visibleRect(of: box) else { continue }
        canvas.outline(rect, color)
        if let origin = geometry.labelOrigin(for: box, label: label) {
            canvas.fill(CGRect(origin: origin, size: label), color)
        }
    }
    return canvas
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let width = Int(arguments[2]), let height = Int(arguments[3]),
    let photo = FileManager.default.contents(atPath: arguments[1]), photo.count == width * height * 4
else {
    print("overlay-mock PHOTO.bgra WIDTH HEIGHT OUT.bmp")
    exit(2)
}
// A phone upright, then the same on its side with the picture fitted in: side by side on one sheet.
let pixels = [UInt8](photo)
let portrait = screen(pixels, width, height, (196, 424), .fill)
let landscape = screen(pixels, width, height, (424, 196), .fit)
var sheet = Canvas(width: 196 + 8 + 424, height: 424)
for (part, left) in [(portrait, 0), (landscape, 204)] {
    for y in 0..<part.height {
        for x in 0..<part.width {
            let at = (y * part.width + x) * 3
            sheet.set(left + x, y, Array(part.pixels[at..<(at + 3)]))
        }
    }
}
try sheet.bitmap().write(to: URL(fileURLWithPath: arguments[4]))

extension Canvas {
    /// A Windows bitmap of 24 bits: rows from the bottom up, blue first, padded to four bytes.
    func bitmap() -> Data {
        let stride = (width * 3 + 3) / 4 * 4
        let word = { (value: Int) in withUnsafeBytes(of: UInt32(value).littleEndian, Array.init) }
        let head = [word(54 + stride * height), word(0), word(54), word(40), word(width), word(height)].joined()
        var file = Data("BM".utf8) + head + [1, 0, 24, 0] + [UInt8](repeating: 0, count: 24)
        for y in (0..<height).reversed() {
            for x in 0..<width {
                let at = (y * width + x) * 3
                file += [pixels[at + 2], pixels[at + 1], pixels[at]]
            }
            file += [UInt8](repeating: 0, count: stride - width * 3)
        }
        return file
    }
}

#if canImport(UIKit)
import AVFoundation
import OspreyKit

/// Which of a camera's formats to use. Pure functions: what AVFoundation refuses it raises as an Objective-C
/// exception, which Swift cannot catch, so nothing may be asked that a format does not list.
struct CameraFormat: Sendable, Equatable {
    /// Index into the device's formats.
    var index: Int
    /// Index into the format's ranges of rates.
    var range: Int
    /// The rate that comes out: what was asked, or the nearest that the camera has.
    var framesPerSecond: Double

    /// What counts of a format.
    struct Facts: Sendable, Equatable {
        var width, height: Int
        /// Eight-bit 4:2:0 over the full range, which the detector reads without conversion.
        var isFullRange420: Bool
        var isBinned: Bool
        /// Images per second, lowest and highest of each range.
        var rates: [ClosedRange<Double>]
    }

    /// The camera image has at least this many rows where there is a choice. The model's input has 300, so
    /// more rows cost time and give nothing.
    static let rows = 720

    /// The best of the formats: the rate counts first, then 4:2:0, then size, then whether it is binned.
    /// `nil` if no format lists a rate.
    static func best(of formats: [Facts], rate: Int) -> CameraFormat? {
        let wanted = Double(rate)
        let choices = formats.enumerated().flatMap { index, format in
            format.rates.enumerated().map { range, rates in
                let reached = min(max(wanted, rates.lowerBound), rates.upperBound)
                return (
                    choice: CameraFormat(index: index, range: range, framesPerSecond: reached),
                    cost: cost(format, missed: abs(reached - wanted))
                )
            }
        }
        return choices.min { $0.cost.lexicographicallyPrecedes($1.cost) }?.choice
    }

    private static func cost(_ format: Facts, missed: Double) -> [Double] {
        let isWide = abs(Double(format.width) / Double(max(format.height, 1)) - 16.0 / 9) < 0.01
        return [
            missed.rounded(), format.isFullRange420 ? 0 : 1, Double(max(rows - format.height, 0)), isWide ? 0 : 1,
            Double(format.height), format.isBinned ? 1 : 0,
        ]
    }

    /// Has the device use this format. The longest frame lasts twice as long as the shortest, so that the
    /// camera may expose longer in the dark instead of raising its noise. The device must be locked.
    func apply(to device: AVCaptureDevice) {
        let format = device.formats[index]
        let limits = format.videoSupportedFrameRateRanges[range]
        device.activeFormat = format
        let scale = CMTimeScale((framesPerSecond * 1000).rounded())
        let (shortest, longest) = (CMTime(value: 1000, timescale: scale), CMTime(value: 2000, timescale: scale))
        device.activeVideoMinFrameDuration = CMTimeMaximum(shortest, limits.minFrameDuration)
        device.activeVideoMaxFrameDuration = CMTimeMinimum(longest, limits.maxFrameDuration)
    }
}

extension CameraFormat.Facts {
    init(_ format: AVCaptureDevice.Format) {
        let size = CMVideoFormatDescriptionGetDimensions(format.formatDescription)
        self.init(
            width: Int(size.width), height: Int(size.height),
            isFullRange420: CMFormatDescriptionGetMediaSubType(format.formatDescription)
                == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
            isBinned: format.isVideoBinned,
            rates: format.videoSupportedFrameRateRanges.map {
                min($0.minFrameRate, $0.maxFrameRate)...max($0.minFrameRate, $0.maxFrameRate)
            })
    }
}
#endif

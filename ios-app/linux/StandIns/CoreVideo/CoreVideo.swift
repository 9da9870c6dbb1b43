// Stands in for Apple's CoreVideo on Linux: the signatures that the project uses, from Apple's
// documentation, with buffers of real memory behind them.

import Foundation

public typealias CVReturn = Int32
public let kCVReturnSuccess: CVReturn = 0
public typealias OSType = UInt32

public let kCVPixelFormatType_32BGRA: OSType = 0x4247_5241
public let kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: OSType = 0x3432_3066
public let kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange: OSType = 0x3432_3076
public let kCVPixelBufferPixelFormatTypeKey = "PixelFormatType"
public let kCVPixelBufferIOSurfacePropertiesKey = "IOSurfaceProperties"
public let kCVPixelBufferWidthKey = "Width"
public let kCVPixelBufferHeightKey = "Height"
public let kCVImageBufferYCbCrMatrixKey = "CVImageBufferYCbCrMatrix"
public let kCVImageBufferYCbCrMatrix_ITU_R_601_4 = "ITU_R_601_4"

public struct CVPixelBufferLockFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let readOnly = CVPixelBufferLockFlags(rawValue: 1)
}

/// Planes of bytes. Apple's is a reference type without Sendable; so is this.
public class CVBuffer {
    struct Plane {
        var width, height, bytesPerRow: Int
        var memory: UnsafeMutableRawPointer
    }

    let format: OSType
    let planes: [Plane]
    public internal(set) var locks = 0
    public var attachments: [String: String] = [:]

    init(format: OSType, planes: [Plane]) {
        (self.format, self.planes) = (format, planes)
    }

    deinit {
        planes.forEach { $0.memory.deallocate() }
    }
}

public typealias CVImageBuffer = CVBuffer
public typealias CVPixelBuffer = CVImageBuffer

/// Synthetic frames: not of Apple's interface. Rows have 32 bytes of padding, as cameras' may.
public func makePixelBuffer(_ width: Int, _ height: Int, _ format: OSType, level: (Int, Int, Int) -> UInt8)
    -> CVPixelBuffer
{
    let isPlanar = format != kCVPixelFormatType_32BGRA
    let sizes = isPlanar ? [(width, height, width), ((width + 1) / 2, (height + 1) / 2, (width + 1) / 2 * 2)]
        : [(width, height, width * 4)]
    let planes = sizes.enumerated().map { index, size in
        let stride = size.2 + 32
        let memory = UnsafeMutableRawPointer.allocate(byteCount: stride * size.1, alignment: 64)
        for y in 0..<size.1 {
            for x in 0..<stride {
                memory.storeBytes(of: x < size.2 ? level(index, x, y) : 0, toByteOffset: y * stride + x, as: UInt8.self)
            }
        }
        return CVBuffer.Plane(width: size.0, height: size.1, bytesPerRow: stride, memory: memory)
    }
    return CVBuffer(format: format, planes: planes)
}

/// What Foundation on Linux has no bridge to.
public typealias CFDictionary = [String: Any]
public typealias CFAllocator = Never

@discardableResult
public func CVPixelBufferCreate(
    _ allocator: CFAllocator?, _ width: Int, _ height: Int, _ format: OSType, _ attributes: CFDictionary?,
    _ made: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
    made.pointee = makePixelBuffer(width, height, format) { _, _, _ in 0 }
    return kCVReturnSuccess
}

public final class CVPixelBufferPool {
    let width, height: Int
    /// Not of Apple's interface.
    public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}

@discardableResult
public func CVPixelBufferPoolCreatePixelBuffer(
    _ allocator: CFAllocator?, _ pool: CVPixelBufferPool, _ made: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
    CVPixelBufferCreate(allocator, pool.width, pool.height, kCVPixelFormatType_32BGRA, nil, made)
}

public func CVPixelBufferGetPlaneCount(_ buffer: CVPixelBuffer) -> Int {
    buffer.format == kCVPixelFormatType_32BGRA ? 0 : buffer.planes.count
}

public func CVBufferPropagateAttachments(_ from: CVBuffer, _ to: CVBuffer) {
    to.attachments.merge(from.attachments) { $1 }
}

@discardableResult
public func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.locks += 1
    return kCVReturnSuccess
}

@discardableResult
public func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.locks -= 1
    return kCVReturnSuccess
}

public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { buffer.planes[0].width }
public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { buffer.planes[0].height }
public func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType { buffer.format }
public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int { buffer.planes[0].bytesPerRow }

/// As Apple's: no address of a buffer that is not locked.
public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
    buffer.locks > 0 ? buffer.planes[0].memory : nil
}

public func CVPixelBufferGetBaseAddressOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> UnsafeMutableRawPointer? {
    buffer.locks > 0 && buffer.planes.indices.contains(plane) ? buffer.planes[plane].memory : nil
}

public func CVPixelBufferGetBytesPerRowOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
    buffer.planes[plane].bytesPerRow
}

public func CVPixelBufferGetHeightOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
    buffer.planes[plane].height
}

public func CVBufferCopyAttachment(
    _ buffer: CVBuffer, _ key: String, _ mode: UnsafeMutablePointer<UInt32>?
) -> AnyObject? {
    buffer.attachments[key].map { NSString(string: $0) }
}

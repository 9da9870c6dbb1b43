import CoreVideo
import Foundation

extension CVPixelBuffer {
    /// A copy of the pixels and of what is attached to them: the camera's own buffer is free afterwards. `nil`
    /// if there is no memory.
    func copied() -> CVPixelBuffer? {
        var made: CVPixelBuffer?
        let attributes: [String: Any] = [kCVPixelBufferIOSurfacePropertiesKey as String: [String: Any]()]
        CVPixelBufferCreate(
            nil, CVPixelBufferGetWidth(self), CVPixelBufferGetHeight(self), CVPixelBufferGetPixelFormatType(self),
            attributes as CFDictionary, &made)
        guard let made, CVPixelBufferLockBaseAddress(self, .readOnly) == kCVReturnSuccess else { return nil }
        defer { CVPixelBufferUnlockBaseAddress(self, .readOnly) }
        guard CVPixelBufferLockBaseAddress(made, []) == kCVReturnSuccess else { return nil }
        defer { CVPixelBufferUnlockBaseAddress(made, []) }
        if CVPixelBufferGetPlaneCount(self) == 0 {
            guard let from = CVPixelBufferGetBaseAddress(self), let to = CVPixelBufferGetBaseAddress(made) else { return nil }
            Self.copyRows(
                from, CVPixelBufferGetBytesPerRow(self), to, CVPixelBufferGetBytesPerRow(made),
                rows: CVPixelBufferGetHeight(self))
        }
        for plane in 0..<CVPixelBufferGetPlaneCount(self) {
            guard let from = CVPixelBufferGetBaseAddressOfPlane(self, plane),
                let to = CVPixelBufferGetBaseAddressOfPlane(made, plane)
            else { return nil }
            Self.copyRows(
                from, CVPixelBufferGetBytesPerRowOfPlane(self, plane), to, CVPixelBufferGetBytesPerRowOfPlane(made, plane),
                rows: CVPixelBufferGetHeightOfPlane(self, plane))
        }
        CVBufferPropagateAttachments(self, made)
        return made
    }

    private static func copyRows(
        _ from: UnsafeMutableRawPointer, _ fromStride: Int, _ to: UnsafeMutableRawPointer, _ toStride: Int, rows: Int
    ) {
        for row in 0..<rows {
            memcpy(to + row * toStride, from + row * fromStride, min(fromStride, toStride))
        }
    }
}

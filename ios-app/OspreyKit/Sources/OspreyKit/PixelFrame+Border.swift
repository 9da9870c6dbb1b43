internal import OspreyBridge

extension PixelFrame {
    /// The description that crosses the border. Addresses are checked on the other side.
    var buffer: PixelBuffer {
        let (format, first, second, color): (UInt8, PixelPlane, PixelPlane?, YUVColor) =
            switch layout {
            case .bgra(let plane): (0, plane, nil, .bt601Full)
            case .rgba(let plane): (1, plane, nil, .bt601Full)
            case .rgb(let plane): (2, plane, nil, .bt601Full)
            case .gray(let plane): (3, plane, nil, .bt601Full)
            case .biplanar(let luma, let chroma, let color): (4, luma, chroma, color)
            }
        return PixelBuffer(
            base: first.address, length: UInt(first.bytes.count), bytes_per_row: first.stride,
            chroma: second?.address ?? 0, chroma_length: UInt(second?.bytes.count ?? 0),
            chroma_bytes_per_row: second?.stride ?? 0,
            width: side(width), height: side(height), format: format, color: color.rawValue,
            orientation: orientation.rawValue, mirrored: isMirrored, time_ns: timestamp,
            has_region: region != nil, x_min: region?.minX ?? 0, y_min: region?.minY ?? 0,
            x_max: region?.maxX ?? 0, y_max: region?.maxY ?? 0)
    }

    /// Impossible sizes become 0, which is refused with a message.
    private func side(_ pixels: Int) -> UInt32 { UInt32(exactly: pixels) ?? 0 }
}

extension PixelPlane {
    fileprivate var address: UInt { UInt(bitPattern: bytes.baseAddress) }
    fileprivate var stride: UInt { UInt(exactly: bytesPerRow) ?? 0 }
}

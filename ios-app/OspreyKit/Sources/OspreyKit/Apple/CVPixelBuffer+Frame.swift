#if canImport(CoreVideo)
import CoreVideo

extension LiveDetector {
    /// Submits a camera's buffer, which is locked during this call only.
    @discardableResult
    public func submit(
        _ pixelBuffer: CVPixelBuffer, orientation: FrameOrientation, isMirrored: Bool = false, timestamp: Int64,
        region: NormalizedBox? = nil
    ) throws(OspreyError) -> Submission {
        try pixelBuffer.withFrame(orientation, isMirrored, timestamp, region) { frame throws(OspreyError) in
            try submit(frame)
        }
    }
}

extension ImageDetector {
    /// What an upright image holds, best first.
    public func detect(_ pixelBuffer: CVPixelBuffer) throws(OspreyError) -> [Detection] {
        try pixelBuffer.withFrame(.up, false, 0, nil) { frame throws(OspreyError) in try detect(frame) }
    }
}

extension Trainer {
    /// Learns a camera's picture, or the part of it that the user sees.
    public func add(
        _ pixelBuffer: CVPixelBuffer, orientation: FrameOrientation, isMirrored: Bool = false,
        region: NormalizedBox? = nil, to classID: Int
    ) throws(OspreyError) {
        try pixelBuffer.withFrame(orientation, isMirrored, 0, region) { frame throws(OspreyError) in
            try add(frame, to: classID)
        }
    }

    /// Says which class a camera's picture belongs to.
    public func classify(
        _ pixelBuffer: CVPixelBuffer, orientation: FrameOrientation, isMirrored: Bool = false,
        region: NormalizedBox? = nil, by head: Head
    ) throws(OspreyError) -> PictureClass {
        try pixelBuffer.withFrame(orientation, isMirrored, 0, region) { frame throws(OspreyError) in
            try classify(frame, by: head)
        }
    }
}

extension CVPixelBuffer {
    /// Lends the pixels to `body` while the buffer is locked for reading.
    func withFrame<T>(
        _ orientation: FrameOrientation, _ isMirrored: Bool, _ timestamp: Int64, _ region: NormalizedBox?,
        _ body: (PixelFrame) throws(OspreyError) -> T
    ) throws(OspreyError) -> T {
        guard CVPixelBufferLockBaseAddress(self, .readOnly) == kCVReturnSuccess else {
            throw .pointer("the pixel buffer cannot be locked")
        }
        defer { CVPixelBufferUnlockBaseAddress(self, .readOnly) }
        return try body(
            PixelFrame(
                try layout(), width: CVPixelBufferGetWidth(self), height: CVPixelBufferGetHeight(self),
                orientation: orientation, isMirrored: isMirrored, timestamp: timestamp, region: region))
    }

    /// Cameras of phones give BT.709; buffers of standard-definition size say BT.601 themselves.
    private func layout() throws(OspreyError) -> PixelLayout {
        let format = CVPixelBufferGetPixelFormatType(self)
        switch format {
        case kCVPixelFormatType_32BGRA:
            let stride = CVPixelBufferGetBytesPerRow(self)
            let bytes = UnsafeRawBufferPointer(
                start: CVPixelBufferGetBaseAddress(self), count: stride * CVPixelBufferGetHeight(self))
            return .bgra(PixelPlane(bytes: bytes, bytesPerRow: stride))
        case kCVPixelFormatType_420YpCbCr8BiPlanarFullRange, kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange:
            let isFull = format == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
            let isBT601 = isITU601
            let color: YUVColor = isBT601 ? (isFull ? .bt601Full : .bt601Video) : (isFull ? .bt709Full : .bt709Video)
            return .biplanar(luma: plane(0), chroma: plane(1), color: color)
        default:
            throw .frame("pixel format \(format) is neither BGRA nor 420f nor 420v; set the output's videoSettings")
        }
    }

    private func plane(_ index: Int) -> PixelPlane {
        let (stride, rows) = (CVPixelBufferGetBytesPerRowOfPlane(self, index), CVPixelBufferGetHeightOfPlane(self, index))
        let bytes = UnsafeRawBufferPointer(
            start: CVPixelBufferGetBaseAddressOfPlane(self, index), count: stride * rows)
        return PixelPlane(bytes: bytes, bytesPerRow: stride)
    }

    private var isITU601: Bool {
        guard let matrix = CVBufferCopyAttachment(self, kCVImageBufferYCbCrMatrixKey, nil) else { return false }
        return (matrix as? String) == (kCVImageBufferYCbCrMatrix_ITU_R_601_4 as String)
    }
}
#endif

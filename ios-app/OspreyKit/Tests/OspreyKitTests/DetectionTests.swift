import XCTest

@testable import OspreyKit

final class DetectionTests: XCTestCase {
    /// The same pictures, the same boxes as `osprey detect` prints: scores to four digits, boxes to a
    /// hundredth of a pixel.
    func testPhotosGiveWhatTheProgramGives() async throws {
        let detector = try detector {
            $0.isAntialiased = true
            $0.isTracking = false
        }
        var time: Int64 = 0
        for (photo, picture) in try Photo.all() {
            time += 33_000_000
            _ = try picture.lend(timestamp: time) { try detector.submit($0) }
            let result = try await next(of: detector)
            XCTAssertEqual(result.detections.map(\.label), photo.detections.map(\.label), photo.image)
            XCTAssertFalse(result.detections.isEmpty, photo.image)
            for (found, told) in zip(result.detections, photo.detections) {
                XCTAssertEqual(found.classID, told.class_id)
                XCTAssertEqual(Double(found.score), told.score, accuracy: 6e-5, photo.image)
                let sides = [
                    found.box.minX * Float(photo.width), found.box.minY * Float(photo.height),
                    found.box.maxX * Float(photo.width), found.box.maxY * Float(photo.height),
                ]
                for (side, expected) in zip(sides, told.box) {
                    XCTAssertEqual(Double(side), expected, accuracy: 0.006, photo.image)
                }
            }
        }
    }

    /// Stored pixels turned or mirrored in each of the eight ways, told so, give the same boxes.
    func testOrientedPhotosGiveTheSameBoxes() async throws {
        guard let (_, upright) = try Photo.all().first else { return XCTFail("no photo") }
        let detector = try detector { $0.isTracking = false }
        var time: Int64 = 0
        var expected: DetectionResult?
        for orientation in FrameOrientation.allCases {
            time += 33_000_000
            let stored = upright.stored(as: orientation)
            _ = try stored.lend(orientation: orientation, timestamp: time) { try detector.submit($0) }
            let result = try await next(of: detector)
            let first = expected ?? result
            expected = first
            XCTAssertEqual(result.pictureWidth, upright.width, "\(orientation)")
            XCTAssertEqual(result.detections.first?.label, first.detections.first?.label, "\(orientation)")
            let (box, wanted) = try (XCTUnwrap(result.detections.first).box, XCTUnwrap(first.detections.first).box)
            XCTAssertEqual(box.minX, wanted.minX, accuracy: 0.01, "\(orientation)")
            XCTAssertEqual(box.minY, wanted.minY, accuracy: 0.01, "\(orientation)")
            XCTAssertEqual(box.maxX, wanted.maxX, accuracy: 0.01, "\(orientation)")
        }
    }

    func testBiplanarFramesAreRead() async throws {
        guard let (photo, picture) = try Photo.all().first else { return XCTFail("no photo") }
        let (luma, chroma) = picture.biplanar()
        let detector = try detector { $0.isAntialiased = true }
        _ = try luma.withUnsafeBytes { luma in
            try chroma.withUnsafeBytes { chroma in
                let width = picture.width
                let layout = PixelLayout.biplanar(
                    luma: PixelPlane(bytes: luma, bytesPerRow: width),
                    chroma: PixelPlane(bytes: chroma, bytesPerRow: (width + 1) / 2 * 2), color: .bt601Full)
                return try detector.submit(
                    PixelFrame(layout, width: width, height: picture.height, timestamp: 0))
            }
        }
        let result = try await next(of: detector)
        XCTAssertEqual(result.detections.first?.label, photo.detections.first?.label)
    }

    func testTracksKeepTheirIdentity() async throws {
        guard let (_, picture) = try Photo.all().first else { return XCTFail("no photo") }
        let detector = try detector()
        var identities = Set<UInt64>()
        for frame in 1...4 {
            _ = try picture.lend(timestamp: Int64(frame) * 33_000_000) { try detector.submit($0) }
            let result = try await next(of: detector)
            if let first = result.objects.first { identities.insert(first.id) }
        }
        XCTAssertEqual(identities.count, 1)
        let between = detector.objects(at: 4 * 33_000_000 + 10_000_000)
        XCTAssertEqual(between.first.map { [$0.id] }, identities.map { $0 })
        XCTAssertGreaterThan(try XCTUnwrap(between.first).unseen, 0)
    }

    func testOptionsChangeFromTheNextFrameOn() async throws {
        let detector = try detector()
        var options = DetectorOptions()
        options.scoreThreshold = 0
        options.classes = .only(["person"])
        options.maxDetections = 5
        try detector.tune(options)
        _ = try Picture.gray().lend { try detector.submit($0) }
        let result = try await next(of: detector)
        XCTAssertEqual(result.detections.map(\.label), Array(repeating: "person", count: 5))
    }

    func testPollingGivesTheSame() throws {
        let detector = try PollingDetector(model: Model(for: .detection))
        XCTAssertNil(try detector.next(timeout: .milliseconds(1)))
        _ = try Picture.gray().lend(timestamp: 7) { try detector.submit($0) }
        let result = try XCTUnwrap(try detector.next(timeout: .seconds(60)))
        XCTAssertEqual(result.timestamp, 7)
        XCTAssertEqual(detector.labels.count, 80)
        XCTAssertTrue(detector.ledger.balances)
        XCTAssertEqual(detector.ledger.shown, 1)
    }

    func testRecordingsAppearWhenTheyAreWhole() async throws {
        // Beside the frames, where there are any: .ci/swift replays it with the program.
        let frames = ProcessInfo.processInfo.environment["OSPREY_FRAMES"].map { URL(fileURLWithPath: $0) }
        let file = try (frames ?? temporaryFolder()).appendingPathComponent("a.recording")
        try? FileManager.default.removeItem(at: file)
        let picture = try frames.flatMap { _ in try Photo.all().first?.1 } ?? Picture.gray()
        let detector = try detector()
        try detector.startRecording(to: file)
        _ = try picture.lend { try detector.submit($0) }
        _ = try await next(of: detector)
        XCTAssertFalse(FileManager.default.fileExists(atPath: file.path))
        try detector.stopRecording()
        XCTAssertTrue(try Data(contentsOf: file).starts(with: Data("osprey recording 1\n".utf8)))
        XCTAssertThrowsError(try detector.startRecording(to: URL(fileURLWithPath: "/no/such/folder/a")))
    }

    func testModelsTellAboutThemselves() throws {
        let model = try Model(for: .detection)
        XCTAssertEqual(model.inputSize?.width, 300)
        XCTAssertEqual(model.labels.first, "person")
        XCTAssertGreaterThan(model.fileBytes, 4_000_000)
        XCTAssertGreaterThan(model.arenaBytes, 100_000)
        XCTAssertFalse(model.description.isEmpty)
        XCTAssertTrue(Model.builtInNames.contains(model.name))
        XCTAssertEqual(try Model(named: model.name).name, model.name)
        XCTAssertNil(try Model(for: .motion).inputSize)
        XCTAssertFalse(Library.version.isEmpty || Library.instructionSet.isEmpty)
    }
}

extension Picture {
    /// Pixel by pixel, what memory holds where `orientation` turns it into this picture.
    func stored(as orientation: FrameOrientation) -> Picture {
        let (w, h) = (width, height)
        var stored = Picture.gray(width: orientation.swapsAxes ? h : w, height: orientation.swapsAxes ? w : h)
        for y in 0..<stored.height {
            for x in 0..<stored.width {
                let (ux, uy): (Int, Int) =
                    switch orientation {
                    case .up: (x, y)
                    case .upMirrored: (w - 1 - x, y)
                    case .down: (w - 1 - x, h - 1 - y)
                    case .downMirrored: (x, h - 1 - y)
                    case .leftMirrored: (y, x)
                    case .right: (w - 1 - y, x)
                    case .rightMirrored: (w - 1 - y, h - 1 - x)
                    case .left: (y, h - 1 - x)
                    }
                for channel in 0..<4 {
                    stored.pixels[(y * stored.width + x) * 4 + channel] = pixels[(uy * w + ux) * 4 + channel]
                }
            }
        }
        return stored
    }

    /// Luma, and chroma in pairs at half size, by the full-range equations of BT.601.
    func biplanar() -> (luma: [UInt8], chroma: [UInt8]) {
        let level = { (value: Double) in UInt8(max(0, min(255, value.rounded()))) }
        var luma = [UInt8](), chroma = [UInt8]()
        for y in 0..<height {
            for x in 0..<width {
                let at = (y * width + x) * 4
                let (b, g, r) = (Double(pixels[at]), Double(pixels[at + 1]), Double(pixels[at + 2]))
                let light = 0.299 * r + 0.587 * g + 0.114 * b
                luma.append(level(light))
                if x % 2 == 0, y % 2 == 0 {
                    chroma += [level(128 + (b - light) / 1.772), level(128 + (r - light) / 1.402)]
                }
            }
        }
        return (luma, chroma)
    }

    /// A screen that comes back, and two that look at once.
    func testResultsGoToEveryConsumer() async throws {
        let detector = try detector()
        let submit = { (time: Int64) in _ = try Picture.gray().lend(timestamp: time) { try detector.submit($0) } }
        try submit(1)
        // What came while nobody listened is kept for the first who does.
        let unheard = try await next(of: detector)
        XCTAssertEqual(unheard.timestamp, 1)
        var (a, b) = (detector.results.makeAsyncIterator(), detector.results.makeAsyncIterator())
        try submit(2)
        let (heardByA, heardByB) = (try await a.next()?.get(), try await b.next()?.get())
        XCTAssertEqual(heardByA?.timestamp, 2)
        XCTAssertEqual(heardByB?.timestamp, 2)
        detector.shutdown()
        let (endA, endC) = (await a.next() == nil, await detector.results.first { _ in true } == nil)
        XCTAssertTrue(endA && endC)
    }
}

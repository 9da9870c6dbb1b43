import XCTest

@testable import OspreyKit

final class GeometryTests: XCTestCase {
    func testOrientationTable() {
        let table: [(CameraPosition, DeviceOrientation, FrameOrientation?)] = [
            (.back, .portrait, .right), (.back, .portraitUpsideDown, .left),
            (.back, .landscapeLeft, .up), (.back, .landscapeRight, .down),
            (.front, .portrait, .right), (.front, .portraitUpsideDown, .left),
            (.front, .landscapeLeft, .down), (.front, .landscapeRight, .up),
            (.back, .faceUp, nil), (.front, .faceDown, nil), (.back, .unknown, nil),
        ]
        for (camera, device, expected) in table {
            XCTAssertEqual(FrameOrientation(camera: camera, device: device), expected, "\(camera) \(device)")
        }
        // Mirrored, the front camera's cases are those of Apple's samples for Vision.
        let mirrored: [DeviceOrientation: FrameOrientation] = [
            .portrait: .leftMirrored, .portraitUpsideDown: .rightMirrored,
            .landscapeLeft: .downMirrored, .landscapeRight: .upMirrored,
        ]
        for (device, expected) in mirrored {
            XCTAssertEqual(FrameOrientation(camera: .front, device: device)?.mirrored, expected, "\(device)")
        }
        for angle in [0, 90, 180, 270, 360, -90, 450.0] {
            let expected: [FrameOrientation] = [.up, .right, .down, .left]
            let index = (Int(angle / 90) % 4 + 4) % 4
            XCTAssertEqual(FrameOrientation(rotationAngle: angle), expected[index], "\(angle)")
        }
        for orientation in [FrameOrientation.up, .right, .down, .left] {
            XCTAssertEqual(FrameOrientation(rotationAngle: orientation.rotationAngle), orientation)
            XCTAssertEqual(orientation.mirrored.rotationAngle, orientation.rotationAngle)
        }
        XCTAssertNil(FrameOrientation(rotationAngle: 45))
        XCTAssertNil(FrameOrientation(rotationAngle: .nan))
        XCTAssertTrue(FrameOrientation.allCases.allSatisfy { $0.mirrored.mirrored == $0 })
    }

    private let box = NormalizedBox(minX: 0.25, minY: 0.5, maxX: 0.5, maxY: 0.75)

    func testFillCutsSidesOff() {
        // A picture of 4:3 in a tall view: its height fits, its sides jut out.
        let geometry = OverlayGeometry(
            picture: CGSize(width: 1600, height: 1200), view: CGSize(width: 300, height: 600))
        XCTAssertEqual(geometry.pictureRect, CGRect(x: -250, y: 0, width: 800, height: 600))
        XCTAssertEqual(geometry.rect(of: box), CGRect(x: -50, y: 300, width: 200, height: 150))
        XCTAssertEqual(geometry.visibleRect(of: box), CGRect(x: 0, y: 300, width: 150, height: 150))
        let outside = NormalizedBox(minX: 0, minY: 0, maxX: 0.2, maxY: 1)
        XCTAssertNil(geometry.visibleRect(of: outside))
        XCTAssertNil(geometry.labelOrigin(for: outside, label: CGSize(width: 10, height: 10)))
    }

    func testFitLeavesBars() {
        let geometry = OverlayGeometry(
            picture: CGSize(width: 1600, height: 1200), view: CGSize(width: 300, height: 600), fitting: .fit)
        XCTAssertEqual(geometry.pictureRect, CGRect(x: 0, y: 187.5, width: 300, height: 225))
        XCTAssertNil(geometry.fraction(at: CGPoint(x: 150, y: 100)))
        XCTAssertEqual(geometry.fraction(at: CGPoint(x: 75, y: 300)), CGPoint(x: 0.25, y: 0.5))
    }

    func testThereAndBack() throws {
        for fitting in [OverlayGeometry.Fitting.fill, .fit] {
            for (width, height) in [(393.0, 852.0), (852, 393), (1024, 1366), (77, 77)] {
                let geometry = OverlayGeometry(
                    picture: CGSize(width: 1080, height: 1920), view: CGSize(width: width, height: height),
                    fitting: fitting)
                let rect = geometry.rect(of: box)
                let corner = try XCTUnwrap(geometry.fraction(at: CGPoint(x: rect.minX, y: rect.maxY)))
                XCTAssertEqual(corner.x, 0.25, accuracy: 1e-9)
                XCTAssertEqual(corner.y, 0.75, accuracy: 1e-9)
            }
        }
    }

    func testLabelsStayInTheView() {
        let geometry = OverlayGeometry(
            picture: CGSize(width: 100, height: 200), view: CGSize(width: 100, height: 200))
        let label = CGSize(width: 40, height: 12)
        let above = geometry.labelOrigin(
            for: NormalizedBox(minX: 0.1, minY: 0.5, maxX: 0.2, maxY: 0.6), label: label)
        XCTAssertEqual(above, CGPoint(x: 10.000000149011612, y: 88))
        let atTheTop = geometry.labelOrigin(
            for: NormalizedBox(minX: 0.9, minY: 0, maxX: 1, maxY: 0.5), label: label)
        XCTAssertEqual(atTheTop, CGPoint(x: 60, y: 0))
    }

    func testLabelsStayClearOfBars() {
        let geometry = OverlayGeometry(
            picture: CGSize(width: 100, height: 200), view: CGSize(width: 100, height: 200))
        let (safe, label) = (CGRect(x: 5, y: 50, width: 90, height: 120), CGSize(width: 40, height: 12))
        for (box, expected) in [
            (NormalizedBox(minX: 0.5, minY: 0.5, maxX: 1, maxY: 0.75), CGPoint(x: 50, y: 88)),
            (NormalizedBox(minX: 0, minY: 0, maxX: 1, maxY: 1), CGPoint(x: 5, y: 50)),
            (NormalizedBox(minX: 0.75, minY: 0.96, maxX: 1, maxY: 1), CGPoint(x: 55, y: 158)),
        ] {
            let origin = geometry.labelOrigin(for: box, label: label, within: safe)
            XCTAssertEqual(origin?.x ?? -1, expected.x, accuracy: 1e-4)
            XCTAssertEqual(origin?.y ?? -1, expected.y, accuracy: 1e-4)
        }
    }

    func testTheVisibleRegionIsWhatTheViewShows() {
        let tall = OverlayGeometry(picture: CGSize(width: 90, height: 160), view: CGSize(width: 10, height: 10))
        XCTAssertEqual(tall.visibleRegion.minX, 0)
        XCTAssertEqual(tall.visibleRegion.minY, 0.21875)
        XCTAssertEqual(tall.visibleRegion.maxY, 0.78125)
        var fitted = tall
        fitted.fitting = .fit
        XCTAssertEqual(fitted.visibleRegion, NormalizedBox(minX: 0, minY: 0, maxX: 1, maxY: 1))
    }

    func testTurnsOfBoxesGoWithTurnsOfPictures() {
        // A point in a picture of 4×2, turned by hand.
        let corner = NormalizedBox(minX: 0, minY: 0, maxX: 0.25, maxY: 0.5)
        XCTAssertEqual(corner.turned(by: .clockwise), NormalizedBox(minX: 0.5, minY: 0, maxX: 1, maxY: 0.25))
        XCTAssertEqual(corner.turned(by: .counterclockwise), NormalizedBox(minX: 0, minY: 0.75, maxX: 0.5, maxY: 1))
        XCTAssertEqual(corner.turned(by: .half), NormalizedBox(minX: 0.75, minY: 0.5, maxX: 1, maxY: 1))
        for turn in QuarterTurn.allCases {
            XCTAssertEqual(corner.turned(by: turn).turned(by: turn.inverse), corner)
            XCTAssertEqual(QuarterTurn(degrees: turn.degrees - 720), turn)
            XCTAssertEqual(turn.size(of: CGSize(width: 4, height: 2)).width, turn.swapsAxes ? 2 : 4)
        }
        XCTAssertEqual(QuarterTurn(degrees: .nan), .none)
    }

    func testLabelsAreLegibleOnEveryColour() {
        for id in 0..<2_000 as Range<UInt64> {
            let color = TrackColor(id: id)
            let text = color.wantsDarkText ? 0.0 : 1.0
            let (light, dark) = (max(color.luminance, text), min(color.luminance, text))
            XCTAssertGreaterThanOrEqual((light + 0.05) / (dark + 0.05), 4.5, "\(id)")
        }
    }

    func testAFingerHitsTheSmallest() {
        let geometry = OverlayGeometry(
            picture: CGSize(width: 100, height: 100), view: CGSize(width: 100, height: 100))
        let boxes = [NormalizedBox(minX: 0, minY: 0, maxX: 1, maxY: 1), box]
        XCTAssertEqual(geometry.hit(CGPoint(x: 30, y: 60), among: boxes), 1)
        XCTAssertEqual(geometry.hit(CGPoint(x: 90, y: 10), among: boxes), 0)
        XCTAssertNil(geometry.hit(CGPoint(x: 101, y: 10), among: boxes))
    }

    func testNothingDividesByZero() {
        let geometry = OverlayGeometry(picture: .zero, view: CGSize(width: 10, height: 10))
        XCTAssertEqual(geometry.pictureRect, .zero)
        XCTAssertNil(geometry.visibleRect(of: box))
        XCTAssertNil(geometry.fraction(at: .zero))
    }

    func testNeighbouringIdentitiesDifferInColour() {
        let colors = (1...20).map { TrackColor(id: $0) }
        for (a, b) in zip(colors, colors.dropFirst()) {
            let distance = abs(a.red - b.red) + abs(a.green - b.green) + abs(a.blue - b.blue)
            XCTAssertGreaterThan(distance, 0.5)
        }
        XCTAssertEqual(TrackColor(id: 7), TrackColor(id: 7))
        _ = TrackColor(id: .max)
    }
}

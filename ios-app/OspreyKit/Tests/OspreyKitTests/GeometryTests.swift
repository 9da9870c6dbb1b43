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

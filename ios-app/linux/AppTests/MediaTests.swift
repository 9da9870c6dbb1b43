import AVFoundation
import OspreyKit
import Photos
import UIKit
import XCTest

@testable import Osprey
@testable import OspreyUI

/// Videos, photos of the library, models of the user.
final class MediaTests: DeviceTestCase {
    private func info(_ milliseconds: Int64, _ orientation: FrameOrientation = .right) -> CameraFrameInfo {
        CameraFrameInfo(orientation: orientation, isMirrored: false, previewTurn: .none, timestamp: milliseconds * 1_000_000)
    }

    private func temporary(_ name: String) -> URL {
        FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)")
    }

    /// Ten seconds at 30 frames per second, with a frame that comes twice and a device that is turned.
    func testTenSecondsOfVideoHaveSaneTimes() async throws {
        let recorder = FilmRecorder(to: temporary("film.mp4"), coloring: .byIdentity)
        let object = TrackedObject(
            id: 1, detection: Detection(
                box: NormalizedBox(minX: 0.1, minY: 0.1, maxX: 0.5, maxY: 0.5), classID: 0, label: "dog", score: 0.9),
            age: 0, unseen: 0)
        for number in 0..<300 {
            let time = Int64(1000 * number / 30)
            let orientation: FrameOrientation = number < 150 ? .right : .up
            for _ in 0..<(number == 100 ? 2 : 1) {
                recorder.add(cameraFrame(number), info(time, orientation)) { [object] }
                // A camera gives it time.
                while !recorder.isIdle { try await Task.sleep(for: .milliseconds(1)) }
            }
        }
        try await recorder.finish()
        let times = try SyntheticFilm.times(of: recorder.file)
        XCTAssertEqual(times.count, 300)
        XCTAssertEqual(try XCTUnwrap(times.first), 0, accuracy: 1e-6)
        XCTAssertEqual(try XCTUnwrap(times.last), 9.966, accuracy: 1e-3)
        for (a, b) in zip(times, times.dropFirst()) { XCTAssertEqual(b - a, 1.0 / 30, accuracy: 1.1e-3) }
    }

    func testAVideoWithoutFramesIsNoFile() async throws {
        let recorder = FilmRecorder(to: temporary("film.mp4"), coloring: .byIdentity)
        do {
            try await recorder.finish()
            XCTFail("it is empty")
        } catch { XCTAssertTrue(error is FilmRecorder.Failure) }
        XCTAssertFalse(FileManager.default.fileExists(atPath: recorder.file.path))
    }

    @MainActor
    func testTheLiveScreenFilmsAndSaves() async throws {
        let (camera, model) = (Camera(), LiveModel(defaults: UserDefaults(suiteName: "film-\(UUID())") ?? .standard))
        let run = Task { await model.run(on: camera) }
        try await waitUntil("it runs") { camera.status == .running && model.detection.phase == .running }
        model.startFilm()
        for number in 1...20 {
            SyntheticCamera.deliver(1, to: camera.capture.session, every: Int64(33 * number)) { _ in cameraFrame(number) }
            try await Task.sleep(for: .milliseconds(10))
        }
        await model.stopFilm()
        guard case .finished(let file) = model.film else { return XCTFail("\(model.film) \(model.problem ?? "")") }
        let times = try SyntheticFilm.times(of: file)
        XCTAssertGreaterThan(times.count, 2)
        XCTAssertEqual(times, times.sorted())
        let isSaved = await model.save { try await PhotoLibrary.add(video: file) }
        XCTAssertTrue(isSaved)
        XCTAssertEqual(SyntheticLibrary.videos.last, file)
        SyntheticLibrary.isAllowed = false
        defer { SyntheticLibrary.isAllowed = true }
        let isSavedTwice = await model.save { try await PhotoLibrary.add(video: file) }
        XCTAssertFalse(isSavedTwice)
        XCTAssertTrue(model.problem?.contains("Settings") ?? false)
        model.closeFilm()
        XCTAssertEqual(model.film, .none)
        // A video that runs when the screen is left is ended, not lost.
        model.startFilm()
        SyntheticCamera.deliver(3, to: camera.capture.session) { cameraFrame($0) }
        run.cancel()
        await run.value
        guard case .finished = model.film else { return XCTFail("\(model.film)") }
    }

    @MainActor
    func testAPhotoOfTheLibraryIsOpened() async throws {
        let model = LiveModel(defaults: UserDefaults(suiteName: "photo-\(UUID())") ?? .standard)
        await model.open(Data("P5 8192 4096 255\n".utf8))
        XCTAssertEqual(model.photo?.image.size, CGSize(width: 4096, height: 2048), model.problem ?? "")
        XCTAssertFalse(model.isAnalyzing)
        model.closePhoto()
        await model.open(Data("no image".utf8))
        XCTAssertNil(model.photo)
        XCTAssertNotNil(model.problem)
    }

    @MainActor
    func testModelsAreChosenKeptAndRefused() async throws {
        let defaults = UserDefaults(suiteName: "model-\(UUID())") ?? .standard
        XCTAssertGreaterThan(ModelChoice.names.count, 1, "default and quick")
        let model = LiveModel(defaults: defaults)
        XCTAssertEqual(model.modelChoice, .standard)
        let quick = ModelChoice.builtIn(ModelChoice.names[1])
        model.modelChoice = quick
        XCTAssertEqual(LiveModel(defaults: defaults).modelChoice, quick)
        let file = temporary("broken.tflite")
        try Data("no model".utf8).write(to: file)
        await model.adopt(.success(file))
        XCTAssertEqual(model.modelChoice, quick, "the former model goes on")
        XCTAssertNotNil(model.problem)
        XCTAssertEqual(ModelChoice(stored: "no such model"), .standard)
    }
}

extension FilmRecorder {
    var isIdle: Bool { waitingFrames == 0 }
}

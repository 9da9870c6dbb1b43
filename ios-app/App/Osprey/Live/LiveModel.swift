import CoreVideo
import Foundation
import Observation
import OspreyKit
import OspreyUI
import UIKit

/// What the Live screen shows and keeps, beyond detection itself.
@MainActor @Observable
final class LiveModel {
    let detection: LiveDetection
    /// The photo that is looked at, with its boxes.
    private(set) var photo: Photo?
    private(set) var problem: String?
    /// The recording for `osprey replay` that is being made, and the last one that is whole.
    private(set) var recording: URL?
    private(set) var recorded: URL?
    private(set) var film = FilmState.none
    private(set) var isAnalyzing = false
    /// What VoiceOver is to say.
    private(set) var announcement: String?

    /// Least confidence of a box, 0 to 1.
    var scoreThreshold: Double { didSet { keep() } }
    /// Empty for all.
    var allowedLabels: Set<String> { didSet { keep() } }
    var coloring: BoxColoring { didSet { keep() } }
    var framesPerSecond: Int { didSet { keep() } }

    var modelChoice: ModelChoice { didSet { if modelChoice != oldValue { changeModel(from: oldValue) } } }

    enum FilmState: Equatable {
        case none, recording(since: Date), finishing
        case finished(URL)
    }

    @ObservationIgnored private var recorder: FilmRecorder?
    @ObservationIgnored private var photos: (choice: ModelChoice, detector: ImageDetector)?
    @ObservationIgnored private let defaults: UserDefaults
    @ObservationIgnored private var announcer = Announcer()
    @ObservationIgnored private let studio = PhotoStudio()

    private enum Key {
        static let threshold = "scoreThreshold", labels = "allowedLabels", coloring = "coloring", rate = "framesPerSecond"
        static let model = "model"
    }

    init(defaults: UserDefaults = .standard) {
        self.defaults = defaults
        let threshold = defaults.object(forKey: Key.threshold) as? Double ?? 0.4
        let labels = Set(defaults.stringArray(forKey: Key.labels) ?? [])
        (scoreThreshold, allowedLabels) = (threshold, labels)
        coloring = defaults.string(forKey: Key.coloring).flatMap(BoxColoring.init) ?? .byIdentity
        framesPerSecond = defaults.object(forKey: Key.rate) as? Int ?? 30
        let choice = ModelChoice(stored: defaults.string(forKey: Key.model))
        modelChoice = choice
        detection = LiveDetection(model: try? choice.model(), options: Self.options(threshold, labels))
    }

    private static func options(_ threshold: Double, _ labels: Set<String>) -> DetectorOptions {
        var options = LiveDetection.defaultOptions
        options.scoreThreshold = Float(threshold)
        options.classes = labels.isEmpty ? .all : .only(labels.sorted())
        return options
    }

    private func keep() {
        defaults.set(scoreThreshold, forKey: Key.threshold)
        defaults.set(allowedLabels.sorted(), forKey: Key.labels)
        defaults.set(coloring.rawValue, forKey: Key.coloring)
        defaults.set(framesPerSecond, forKey: Key.rate)
        detection.options = Self.options(scoreThreshold, allowedLabels)
    }

    /// Detects in the camera's frames until the task is cancelled. A recording ends with it.
    func run(on camera: Camera) async {
        if camera.choice.framesPerSecond != framesPerSecond { camera.choice.framesPerSecond = framesPerSecond }
        await ScreenLock.held { await detection.run(on: camera) }
        stopRecording()
        await stopFilm()
    }

    /// New objects are announced; called with each result.
    func announce(_ objects: [TrackedObject], at time: TimeInterval) {
        if let text = announcer.text(for: objects, at: time) { announcement = text }
    }

    /// How many objects of each class are seen, such as "3 person, 1 dog".
    var counts: [(label: String, count: Int)] {
        let objects = detection.result?.objects ?? []
        return Dictionary(grouping: objects, by: \.detection.label).map { ($0.key, $0.value.count) }
            .sorted { ($1.count, $0.label) < ($0.count, $1.label) }
    }

    // MARK: - Models

    private func changeModel(from former: ModelChoice) {
        do {
            let model = try modelChoice.model()
            defaults.set(modelChoice.stored, forKey: Key.model)
            // Classes of another model may not be among this one's.
            let known = Set(model.labels)
            if !known.isEmpty, !allowedLabels.isSubset(of: known) { allowedLabels.formIntersection(known) }
            Task { await detection.use(model) }
        } catch {
            (problem, modelChoice) = (error.localizedDescription, former)
        }
    }

    /// Uses a model file of the user.
    func adopt(_ file: Result<URL, any Error>) async {
        do {
            let file = try file.get()
            try await Task.detached { try ModelChoice.adopt(file) }.value
            if modelChoice == .own { await detection.use(try ModelChoice.own.model()) } else { modelChoice = .own }
            (photos, problem) = (nil, nil)
        } catch {
            problem = error.localizedDescription
        }
    }

    // MARK: - Videos

    /// Records what the camera sees with its boxes.
    func startFilm() {
        guard let detector = detection.loadedDetector, recorder == nil else { return }
        let file = URL.temporaryDirectory.appending(path: "Osprey.mp4")
        let recorder = FilmRecorder(to: file, coloring: coloring)
        detection.tap { pixelBuffer, info in
            recorder.add(pixelBuffer, info) { detector.objects(at: info.timestamp) }
        }
        (self.recorder, film) = (recorder, .recording(since: Date()))
    }

    func stopFilm() async {
        guard let recorder, case .recording = film else { return }
        detection.tap(nil)
        film = .finishing
        do {
            try await recorder.finish()
            film = .finished(recorder.file)
        } catch {
            (problem, film) = (error.localizedDescription, .none)
        }
        self.recorder = nil
    }

    func closeFilm() { if case .finished = film { film = .none } }

    /// Adds to the photo library; says why if it cannot.
    func save(_ add: @Sendable () async throws -> Void) async -> Bool {
        do {
            try await add()
            return true
        } catch {
            problem = error.localizedDescription
            return false
        }
    }

    // MARK: - Photos

    /// Opens an image of the library, or of a file.
    func open(_ data: Data) async {
        isAnalyzing = true
        defer { isAnalyzing = false }
        do {
            let (choice, options, loaded) = (modelChoice, detection.options, photos)
            let opened = try await Task.detached(priority: .userInitiated) {
                let detector = loaded?.choice == choice ? loaded?.detector : nil
                let current = try detector ?? ImageDetector(model: choice.model(), options: options)
                return (current, try PhotoImport(detector: current).photo(from: data))
            }.value
            (photos, photo) = ((choice, opened.0), opened.1)
        } catch {
            problem = error.localizedDescription
        }
    }

    /// Takes the next frame, with the objects as they are in it.
    func takePhoto() {
        let (studio, detector) = (studio, detection.loadedDetector)
        detection.onNextFrame { [weak self] pixelBuffer, info in
            guard let copy = pixelBuffer.copied() else { return }
            let frame = Frame(pixels: copy, info: info)
            Task.detached(priority: .userInitiated) {
                let objects = detector?.objects(at: info.timestamp) ?? []
                let image = studio.upright(frame.pixels, info)
                await self?.show(image.map { Photo(image: $0, objects: objects) })
            }
        }
    }

    private func show(_ photo: Photo?) { self.photo = photo }

    func closePhoto() { photo = nil }

    // MARK: - Recordings for replay

    /// Records what the model sees, for `osprey replay` on a desktop. Files of former recordings go.
    func startRecording() {
        Self.removeRecordings()
        let name = "osprey-\(Int(Date().timeIntervalSince1970)).\(Self.recordingExtension)"
        let file = URL.temporaryDirectory.appending(path: name)
        guard let detector = detection.loadedDetector else { return }
        recorded = nil
        recording = file
        Task {
            do {
                try await Task.detached { try detector.startRecording(to: file) }.value
            } catch {
                (problem, recording) = (error.localizedDescription, nil)
            }
        }
    }

    func stopRecording() {
        guard let file = recording, let detector = detection.loadedDetector else { return }
        recording = nil
        do {
            try detector.stopRecording()
            recorded = file
        } catch {
            problem = error.message
        }
    }

    static let recordingExtension = "recording"

    private static func removeRecordings() {
        let folder = URL.temporaryDirectory
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        files.filter { $0.pathExtension == recordingExtension }.forEach { try? FileManager.default.removeItem(at: $0) }
    }

    /// After a memory warning: what can be made again is let go.
    func releaseMemory() {
        (photo, photos) = (nil, nil)
        detection.releaseMemory()
    }
}

/// A copy of a frame on its way to another thread.
private struct Frame: @unchecked Sendable {
    // The copy belongs to its one receiver.
    let pixels: CVPixelBuffer
    let info: CameraFrameInfo
}

/// Says what has come into view, and not more often than one can listen to.
struct Announcer {
    /// Seconds between two announcements.
    static let pause: TimeInterval = 3
    private var known: Set<UInt64> = []
    private var last = -TimeInterval.infinity

    /// The labels of objects that were not announced yet; `nil` if there are none, or the last text is too near.
    mutating func text(for objects: [TrackedObject], at time: TimeInterval) -> String? {
        let ids = Set(objects.map(\.id))
        known.formIntersection(ids)
        let new = objects.filter { !known.contains($0.id) }
        guard !new.isEmpty, time - last >= Self.pause else { return nil }
        (known, last) = (known.union(ids), time)
        var labels: [String] = []
        for label in new.map(\.detection.label) where !labels.contains(label) { labels.append(label) }
        return labels.joined(separator: ", ")
    }
}

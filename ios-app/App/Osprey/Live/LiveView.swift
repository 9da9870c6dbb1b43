import OspreyKit
import OspreyUI
import PhotosUI
import SwiftUI
import UIKit

struct LiveView: View {
    let camera: Camera
    @Bindable var model: LiveModel
    @State private var sheet: Sheet?
    @State private var pinchStart: Double?
    @State private var picked: PhotosPickerItem?
    @Environment(\.scenePhase) private var scenePhase

    enum Sheet: String, Identifiable {
        case classes, settings
        var id: String { rawValue }
    }

    var body: some View {
        ZStack {
            Color.black.ignoresSafeArea()
            CameraPreview(camera)
                .ignoresSafeArea()
                .gesture(
                    SpatialTapGesture().onEnded { camera.focus(at: $0.location) }
                )
                .gesture(
                    MagnifyGesture()
                        .onChanged { pinch($0.magnification) }
                        .onEnded { _ in pinchStart = nil }
                )
                .accessibilityLabel(Text("What the camera sees"))
            LiveOverlay(model.detection, coloring: model.coloring)
            VStack {
                LiveStatus(camera: camera, model: model)
                Spacer()
                LensPicker(camera: camera)
                LiveControls(camera: camera, model: model, sheet: $sheet, picked: $picked)
            }
            .padding()
        }
        // A notification or the control centre makes the scene inactive, and must not stop the camera.
        .task(id: RunKey(isActive: scenePhase != .background, attempts: model.detection.attempts)) {
            if scenePhase != .background { await model.run(on: camera) }
        }
        .task {
            for await _ in NotificationCenter.default.notifications(
                named: UIApplication.didReceiveMemoryWarningNotification
            ).map({ _ in () }) {
                model.releaseMemory()
            }
        }
        .onChange(of: model.detection.result?.sequence) {
            model.announce(model.detection.result?.objects ?? [], at: ProcessInfo.processInfo.systemUptime)
        }
        .onChange(of: model.announcement) {
            if let text = model.announcement { AccessibilityNotification.Announcement(text).post() }
        }
        .sensoryFeedback(.impact, trigger: model.photo?.image)
        .sheet(item: $sheet) { sheet in
            switch sheet {
            case .classes: ClassPicker(labels: model.detection.labels, allowed: $model.allowedLabels)
            case .settings: SettingsView(camera: camera, model: model)
            }
        }
        .fullScreenCover(isPresented: Binding(get: { model.photo != nil }, set: { if !$0 { model.closePhoto() } })) {
            if let photo = model.photo {
                PhotoView(photo: photo, coloring: model.coloring) { image in
                    await model.save { try await PhotoLibrary.add(image) }
                } done: {
                    model.closePhoto()
                }
            }
        }
        .fullScreenCover(isPresented: Binding(get: { finished != nil }, set: { if !$0 { model.closeFilm() } })) {
            if let finished {
                FilmView(file: finished) {
                    await model.save { try await PhotoLibrary.add(video: finished) }
                } done: {
                    model.closeFilm()
                }
            }
        }
        .onChange(of: picked) { open(picked) }
    }

    private var finished: URL? {
        if case .finished(let file) = model.film { file } else { nil }
    }

    private func open(_ item: PhotosPickerItem?) {
        guard let item else { return }
        picked = nil
        Task {
            if let data = try? await item.loadTransferable(type: Data.self) { await model.open(data) }
        }
    }

    private func pinch(_ magnification: Double) {
        let start = pinchStart ?? camera.zoom
        pinchStart = start
        camera.zoom = start * magnification
    }

    private struct RunKey: Equatable {
        var isActive: Bool
        var attempts: Int
    }
}

/// Figures; or what is wrong, with the way out.
private struct LiveStatus: View {
    let camera: Camera
    let model: LiveModel
    @Environment(\.openURL) private var openURL

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            switch (camera.status, model.detection.phase) {
            case (.failed(.denied), _):
                warning("Camera access is off. Turn it on in Settings to detect objects.")
                Button("Open Settings") {
                    if let url = URL(string: UIApplication.openSettingsURLString) { openURL(url) }
                }
            case (.failed(let error), _):
                warning(error.localizedDescription)
                Button("Try Again") { camera.retry() }
            case (.interrupted(let reason), _): warning(reason.message)
            case (_, .failed(let text)):
                warning(text)
                Button("Try Again") { model.detection.retry() }
            case (_, .loading): ProgressView("Loading the detector")
            case (_, .running): figures
            }
            if let text = model.problem ?? model.detection.problem { warning(text).font(.caption) }
        }
        .padding(8)
        .background(.regularMaterial)
        .accessibilityElement(children: .combine)
    }

    private func warning(_ text: String) -> some View {
        Label(text, systemImage: "exclamationmark.triangle")
    }

    @ViewBuilder private var figures: some View {
        let figures = model.detection.figures
        Text("\(figures.framesPerSecond, specifier: "%.0f") FPS · delay \(Int(figures.age * 1000)) ms")
            .monospacedDigit()
        if figures.lost > 0 { Text("\(figures.lost) frames lost").font(.caption) }
        if figures.thermal != .nominal { Text("The device is \(figures.thermal.name).").font(.caption) }
        if figures.pace.interval > 1 { Text("1 of \(figures.pace.interval) frames is analyzed").font(.caption) }
        if camera.isUnderPressure { Text("The camera is hot and runs slower.").font(.caption) }
    }
}

/// Chips such as 0.5, 1, 2.
private struct LensPicker: View {
    let camera: Camera

    var body: some View {
        HStack {
            ForEach(camera.lenses) { lens in
                Button("\(lens.zoom, specifier: "%.1g")×") { camera.zoom = lens.zoom }
                    .buttonStyle(.bordered)
                    .accessibilityLabel(Text("Zoom \(lens.zoom, specifier: "%.1g")"))
            }
        }
    }
}

private struct LiveControls: View {
    @Bindable var camera: Camera
    let model: LiveModel
    @Binding var sheet: LiveView.Sheet?
    @Binding var picked: PhotosPickerItem?

    var body: some View {
        VStack(spacing: 12) {
            if case .recording(let since) = model.film {
                Text(since, style: .timer).monospacedDigit().foregroundStyle(.red)
            }
            buttons
        }
        .labelStyle(.iconOnly)
        .font(.title2)
        .padding(8)
        .background(.regularMaterial)
    }

    private var buttons: some View {
        HStack(spacing: 16) {
            PhotosPicker(selection: $picked, matching: .images) {
                Label("Open a photo", systemImage: "photo.on.rectangle")
            }
            .disabled(model.isAnalyzing)
            Button { sheet = .classes } label: {
                Label("Choose classes", systemImage: "line.3.horizontal.decrease.circle")
            }
            if camera.hasTorch {
                Button { camera.isTorchOn.toggle() } label: {
                    Label("Torch", systemImage: camera.isTorchOn ? "flashlight.on.fill" : "flashlight.off.fill")
                }
            }
            Button { model.takePhoto() } label: {
                Label("Take a photo", systemImage: "camera.shutter.button").font(.largeTitle)
            }
            FilmButton(model: model)
            Button {
                camera.choice.position = camera.choice.position == .back ? .front : .back
            } label: {
                Label("Switch camera", systemImage: "arrow.triangle.2.circlepath.camera")
            }
            Button { sheet = .settings } label: {
                Label("Settings", systemImage: "slider.horizontal.3")
            }
        }
    }
}

/// Begins and ends a video.
private struct FilmButton: View {
    let model: LiveModel

    var body: some View {
        if case .recording = model.film {
            Button { Task { await model.stopFilm() } } label: { Label("Stop the video", systemImage: "stop.circle.fill") }
        } else {
            Button { model.startFilm() } label: { Label("Record a video", systemImage: "record.circle") }
                .disabled(model.film == .finishing)
        }
    }
}

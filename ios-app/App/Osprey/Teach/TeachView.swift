import Charts
import OspreyKit
import OspreyUI
import SwiftUI

struct TeachView: View {
    let camera: Camera
    @State private var model = TeachModel()
    @State private var name = ""
    @State private var removed: TeachModel.Class?
    @State private var isForgetting = false
    @State private var evaluation: Task<Void, Never>?
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        NavigationStack {
            VStack(spacing: 0) {
                // Outside the form, which would take it away when it is scrolled. What is taught is what is seen.
                CameraPreview(camera)
                    .aspectRatio(1, contentMode: .fit)
                    .frame(maxHeight: 280)
                    .accessibilityLabel(Text("What the camera sees"))
                Form {
                    Section {
                        ProbabilityBars(
                            names: model.classes.map(\.name), values: model.answer?.probabilities ?? [])
                        if let problem { Label(problem, systemImage: "exclamationmark.triangle") }
                    }
                    classes
                    training
                    if !model.epochs.isEmpty { plots }
                    results
                }
            }
            .navigationTitle("Teach")
        }
        .sensoryFeedback(.success, trigger: model.classes.map(\.pictures))
        .sensoryFeedback(.success, trigger: model.isTrained)
        .task(id: scenePhase != .background) {
            if scenePhase != .background { await model.run(on: camera) }
        }
    }

    private var problem: String? {
        if let problem = model.problem { return problem }
        switch camera.status {
        case .failed(let error): return error.localizedDescription
        case .interrupted(let reason): return reason.message
        default: return nil
        }
    }

    private var classes: some View {
        Section("Classes") {
            ForEach(model.classes) { one in
                HStack {
                    Text(one.name)
                    Spacer()
                    Text("\(one.pictures) images").font(.caption)
                    HoldButton(isHeld: model.burst == one.id) {
                        model.holdToLearn(one.id)
                    } release: {
                        model.release()
                    } label: {
                        Label("Hold to learn \(one.name)", systemImage: "plus.viewfinder")
                    }
                    Button(role: .destructive) { removed = one } label: {
                        Label("Remove \(one.name)", systemImage: "trash")
                    }
                }
                .labelStyle(.iconOnly)
                .buttonStyle(.borderless)
            }
            HStack {
                TextField("New class", text: $name).onSubmit(add)
                Button("Add", action: add).disabled(trimmed.isEmpty)
            }
            if model.classes.count == 1 {
                Text("Add a second class, for example “none” for everything else.").font(.caption)
            }
        }
        .confirmationDialog(
            Text("Remove this class and its images?"),
            isPresented: Binding(get: { removed != nil }, set: { if !$0 { removed = nil } }), titleVisibility: .visible,
            presenting: removed
        ) { one in
            Button("Remove \(one.name)", role: .destructive) { model.removeClass(one.id) }
        }
    }

    private var trimmed: String { name.trimmingCharacters(in: .whitespacesAndNewlines) }

    private func add() {
        guard !trimmed.isEmpty else { return }
        model.addClass(trimmed)
        name = ""
    }

    private var training: some View {
        Section("Training") {
            Slider(value: $model.learningRateExponent, in: -5...(-1)) { Text("Learning rate") }
            Text("Learning rate \(Double(model.learningRate), specifier: "%.5f")").font(.caption).monospacedDigit()
            Slider(value: $model.epochCount, in: 5...200, step: 5) { Text("Epochs") }
            Text("\(Int(model.epochCount)) epochs").font(.caption).monospacedDigit()
            if model.isTraining {
                if let loss = model.loss { Text("Loss \(loss, specifier: "%.4f")").monospacedDigit() }
                Button("Cancel") { model.cancel() }
            } else {
                Button("Train the last layer") { Task { await model.train() } }
                    .disabled(model.classes.count < 2)
            }
        }
    }

    private var plots: some View {
        Section("Progress") {
            Chart(model.epochs) { epoch in
                LineMark(x: .value("epoch", epoch.epoch), y: .value("loss", epoch.trainingLoss))
                    .foregroundStyle(by: .value("of", "training"))
                if let loss = epoch.validationLoss {
                    LineMark(x: .value("epoch", epoch.epoch), y: .value("loss", loss))
                        .foregroundStyle(by: .value("of", "validation"))
                }
            }
            .frame(height: 160)
            .accessibilityLabel(Text("Loss by epoch"))
            Chart(model.epochs) { epoch in
                LineMark(x: .value("epoch", epoch.epoch), y: .value("accuracy", epoch.trainingAccuracy))
                    .foregroundStyle(by: .value("of", "training"))
                if let accuracy = epoch.validationAccuracy {
                    LineMark(x: .value("epoch", epoch.epoch), y: .value("accuracy", accuracy))
                        .foregroundStyle(by: .value("of", "validation"))
                }
            }
            .frame(height: 160)
            .accessibilityLabel(Text("Accuracy by epoch"))
        }
    }

    private var results: some View {
        Section("Results") {
            if model.isEvaluating {
                ProgressView("Evaluating")
                Button("Cancel") { evaluation?.cancel() }
            } else {
                Button("Evaluate on images it has not seen") { evaluation = Task { await model.evaluate() } }
                    .disabled(model.classes.count < 2)
            }
            if let evaluation = model.evaluation {
                Text("\(evaluation.accuracy * 100, specifier: "%.0f") % of \(evaluation.pictures) images are right")
            }
            Button("Export") { Task { await model.export() } }.disabled(!model.isTrained || model.isExporting)
            if let exported = model.exported {
                ShareLink(item: exported) { Label("Share the model", systemImage: "square.and.arrow.up") }
            }
            Button("Forget everything", role: .destructive) { isForgetting = true }
                .disabled(model.classes.isEmpty)
        }
        .confirmationDialog(
            Text("Forget all classes, images and trainings?"), isPresented: $isForgetting, titleVisibility: .visible
        ) {
            Button("Forget everything", role: .destructive) { model.reset() }
        }
    }
}

/// A button that acts as long as it is held. VoiceOver activates it once for one image.
private struct HoldButton<Content: View>: View {
    let isHeld: Bool
    let press: @MainActor () -> Void
    let release: @MainActor () -> Void
    @ViewBuilder let label: () -> Content

    var body: some View {
        label()
            .foregroundStyle(isHeld ? Color.red : Color.accentColor)
            .contentShape(Rectangle())
            .gesture(
                DragGesture(minimumDistance: 0)
                    .onChanged { _ in if !isHeld { press() } }
                    .onEnded { _ in release() }
            )
            .accessibilityAddTraits(.isButton)
            .accessibilityAction {
                press()
                release()
            }
    }
}

import Charts
import OspreyKit
import SwiftUI

struct TeachView: View {
    let camera: CameraModel
    @State private var model = TeachModel()
    @State private var name = ""
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        NavigationStack {
            Form {
                Section("Camera") {
                    CameraPreview(camera: camera)
                        .frame(height: 240)
                        .accessibilityLabel(Text("What the camera sees"))
                    ProbabilityBars(
                        names: model.classes.map(\.name), values: model.answer?.probabilities ?? [])
                    if let problem = model.problem ?? camera.problem {
                        Label(problem, systemImage: "exclamationmark.triangle")
                    }
                }
                classes
                training
                if !model.epochs.isEmpty { plots }
                results
            }
            .navigationTitle("Teach")
        }
        .task(id: scenePhase) {
            guard scenePhase == .active else { return }
            camera.capture.send(to: model.sink)
            await camera.start()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await camera.watch() }
                group.addTask { await model.run() }
            }
            camera.stop()
        }
    }

    private var classes: some View {
        Section("Classes") {
            ForEach(model.classes) { one in
                HStack {
                    Text(one.name)
                    Spacer()
                    Text("\(one.pictures) pictures").font(.caption)
                    Button { model.addPicture(to: one.id) } label: {
                        Label("Add a picture of \(one.name)", systemImage: "camera.badge.plus")
                    }
                    Button(role: .destructive) { model.removeClass(one.id) } label: {
                        Label("Remove \(one.name)", systemImage: "trash")
                    }
                }
                .labelStyle(.iconOnly)
                .buttonStyle(.borderless)
            }
            HStack {
                TextField("New class", text: $name)
                Button("Add") {
                    model.addClass(name)
                    name = ""
                }
                .disabled(name.isEmpty)
            }
        }
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
            Button("Evaluate on pictures it has not seen") { Task { await model.evaluate() } }
            if let evaluation = model.evaluation {
                Text("\(evaluation.accuracy * 100, specifier: "%.0f") % of \(evaluation.pictures) pictures")
            }
            Button("Export") { model.export() }.disabled(!model.isTrained)
            if let exported = model.exported {
                ShareLink(item: exported) { Label("Share the model", systemImage: "square.and.arrow.up") }
            }
            Button("Forget everything", role: .destructive) { model.reset() }
        }
    }
}

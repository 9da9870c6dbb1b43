import Charts
import OspreyKit
import SwiftUI

struct MotionView: View {
    @State private var model = MotionModel()
    @State private var chosen = MotionModel.names.first ?? ""
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        ScrollView {
            VStack(spacing: 16) {
                Picker("Model", selection: $chosen) {
                    ForEach(MotionModel.names, id: \.self) { Text($0).tag($0) }
                }
                .pickerStyle(.segmented)
                Text("Hold the phone upright in your hand.").font(.caption)
                Text(model.answer).font(.largeTitle)
                ProbabilityBars(names: model.labels, values: model.prediction?.smoothed ?? [])
                Chart(model.recent) { span in
                    BarMark(
                        xStart: .value("from", span.start), xEnd: .value("to", span.end),
                        y: .value("motion", span.label))
                }
                .chartXScale(domain: -MotionModel.shownSeconds...0)
                .chartYScale(domain: model.rows)
                .chartXAxisLabel("Seconds")
                .frame(height: 160)
                .accessibilityLabel(Text("What you did in the last minute"))
                if let problem = model.problem { Label(problem, systemImage: "exclamationmark.triangle") }
            }
            .padding()
        }
        .task(id: TaskKey(name: chosen, isActive: scenePhase != .background)) {
            if scenePhase != .background { await model.run(chosen) }
        }
    }

    private struct TaskKey: Equatable {
        var name: String
        var isActive: Bool
    }
}

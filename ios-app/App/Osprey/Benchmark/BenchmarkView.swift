import Charts
import OspreyKit
import OspreyUI
import SwiftUI

struct BenchmarkView: View {
    @State private var model = BenchmarkModel()
    @State private var task: Task<Void, Never>?
    @State private var isAsking = false

    var body: some View {
        NavigationStack {
            List {
                if let report = model.report {
                    Section("Frames per second") {
                        ForEach(report.configurations.indices, id: \.self) { index in
                            BenchmarkRow(report: report, index: index)
                        }
                    }
                    Section("Over time") { BenchmarkChart(rounds: report.rounds) }
                }
                if let problem = model.problem { Label(problem, systemImage: "exclamationmark.triangle") }
                progress
                if let file = model.file {
                    ShareLink(item: file) { Label("Share as JSON", systemImage: "square.and.arrow.up") }
                }
            }
            .navigationTitle("Benchmark")
        }
        // It would slow the other screens down, and they it.
        .onDisappear { task?.cancel() }
        .confirmationDialog(Text(model.warning ?? ""), isPresented: $isAsking, titleVisibility: .visible) {
            Button("Measure anyway", role: .destructive) { start() }
        }
    }

    @ViewBuilder private var progress: some View {
        switch model.phase {
        case .idle:
            Button("Run") { if model.isFit() { start() } else { isAsking = true } }
            Text("About eleven minutes: the last ten show what heat leaves. Leave the device on a table.").font(.caption)
        case .running(let index, let share):
            Text(BenchmarkModel.configurations[index].name)
            ProgressView(value: share)
            Button("Stop") { task?.cancel() }
        case .cooling(let seconds):
            Text("Cooling down for up to \(Int(seconds)) seconds")
            Button("Stop") { task?.cancel() }
        }
    }

    private func start() {
        task = Task { await ScreenLock.held { await model.run() } }
    }
}

private struct BenchmarkRow: View {
    let report: BenchmarkReport
    let index: Int

    var body: some View {
        VStack(alignment: .leading) {
            Text("\(report.configurations[index].name), \(Int(report.configurations[index].seconds)) s").font(.caption)
            if let speed = report.framesPerSecond(of: index) {
                Text("\(speed, specifier: "%.1f") FPS").monospacedDigit()
            }
            if let held = report.held(of: index) {
                Text("\(held * 100, specifier: "%.0f") % of it in the last minute").font(.caption).monospacedDigit()
            }
        }
    }
}

private struct BenchmarkChart: View {
    let rounds: [BenchmarkRound]

    var body: some View {
        Chart(rounds.indices, id: \.self) { index in
            let round = rounds[index]
            LineMark(
                x: .value("seconds", round.at), y: .value("FPS", round.framesPerSecond),
                series: .value("configuration", round.configuration))
            PointMark(x: .value("seconds", round.at), y: .value("FPS", round.framesPerSecond))
                .foregroundStyle(by: .value("heat", round.thermal.name))
        }
        .frame(height: 200)
        .accessibilityLabel(Text("Frames per second over time, colored by heat"))
    }
}

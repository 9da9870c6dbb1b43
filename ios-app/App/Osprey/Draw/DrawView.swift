import Foundation
import Observation
import OspreyKit
import SwiftUI

@MainActor @Observable
final class DrawModel {
    private(set) var strokes: [[CGPoint]] = []
    private(set) var reading: DigitReading?
    private(set) var problem: String?
    @ObservationIgnored private var digits: DigitClassifier?
    @ObservationIgnored private var isDrawing = false

    func draw(to point: CGPoint) {
        if isDrawing { strokes[strokes.count - 1].append(point) } else { strokes.append([point]) }
        isDrawing = true
    }

    func lift() {
        isDrawing = false
        read()
    }

    func undo() {
        guard !strokes.isEmpty else { return }
        strokes.removeLast()
        if strokes.isEmpty { clear() } else { read() }
    }

    func clear() {
        (strokes, reading, problem, isDrawing) = ([], nil, nil, false)
    }

    /// A millisecond's work: done at once.
    private func read() {
        do {
            let digits = try digits ?? DigitClassifier(model: Model(for: .digits))
            self.digits = digits
            (reading, problem) = (try digits.read(strokes: strokes), nil)
        } catch OspreyError.blank {
            reading = nil
        } catch {
            problem = error.localizedDescription
        }
    }
}

struct DrawView: View {
    @State private var model = DrawModel()

    var body: some View {
        ScrollView {
            VStack(spacing: 16) {
                Text(model.reading.map { "\($0.digit)" } ?? String(localized: "Draw a digit"))
                    .font(.largeTitle)
                    .accessibilityLabel(Text(model.reading.map { String(localized: "It reads \($0.digit)") } ?? String(localized: "Nothing is drawn")))
                StrokesView(strokes: model.strokes)
                    .aspectRatio(1, contentMode: .fit)
                    .frame(maxWidth: 360)
                    .background(.thinMaterial)
                    // An empty path has no shape to touch.
                    .contentShape(Rectangle())
                    .gesture(
                        DragGesture(minimumDistance: 0)
                            .onChanged { model.draw(to: $0.location) }
                            .onEnded { _ in model.lift() }
                    )
                    .accessibilityLabel(Text("Drawing area"))
                    .accessibilityDirectTouch()
                HStack {
                    Button("Undo") { model.undo() }.disabled(model.strokes.isEmpty)
                    Button("Clear") { model.clear() }.disabled(model.strokes.isEmpty)
                }
                ProbabilityBars(names: (0...9).map(String.init), values: model.reading?.probabilities ?? [])
                if let problem = model.problem { Label(problem, systemImage: "exclamationmark.triangle") }
            }
            .padding()
        }
        // A finger that draws must not scroll.
        .scrollBounceBehavior(.basedOnSize)
    }
}

private struct StrokesView: View {
    let strokes: [[CGPoint]]

    var body: some View {
        Path { path in
            for stroke in strokes {
                guard let first = stroke.first else { continue }
                path.move(to: first)
                stroke.dropFirst().forEach { path.addLine(to: $0) }
                if stroke.count == 1 { path.addLine(to: first) }
            }
        }
        .stroke(.primary, style: StrokeStyle(lineWidth: 14, lineCap: .round, lineJoin: .round))
    }
}

/// A bar for each name, for eyes and for VoiceOver.
struct ProbabilityBars: View {
    let names: [String]
    let values: [Float]

    var body: some View {
        VStack(spacing: 4) {
            ForEach(names.indices, id: \.self) { index in
                let value = values.indices.contains(index) ? Double(values[index]) : 0
                HStack {
                    Text(names[index]).font(.caption).frame(minWidth: 24, alignment: .leading)
                    ProgressView(value: min(max(value, 0), 1))
                    Text("\(Int((value * 100).rounded())) %").font(.caption).monospacedDigit()
                        .frame(minWidth: 48, alignment: .trailing)
                }
                .accessibilityElement(children: .ignore)
                .accessibilityLabel(Text("\(names[index]), \(Int((value * 100).rounded())) percent"))
            }
        }
    }
}

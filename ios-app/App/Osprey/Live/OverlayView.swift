import OspreyKit
import SwiftUI

/// Boxes with labels over a picture that fills the view.
struct OverlayView: View {
    let objects: [TrackedObject]
    /// Size of the upright picture, in pixels.
    let picture: CGSize
    var fitting = OverlayGeometry.Fitting.fill

    private static let labelSize = CGSize(width: 140, height: 20)

    var body: some View {
        GeometryReader { proxy in
            let geometry = OverlayGeometry(picture: picture, view: proxy.size, fitting: fitting)
            ZStack(alignment: .topLeading) {
                ForEach(objects) { object in
                    box(object, geometry)
                }
            }
        }
        .accessibilityElement(children: .contain)
    }

    @ViewBuilder
    private func box(_ object: TrackedObject, _ geometry: OverlayGeometry) -> some View {
        let box = object.detection.box
        if let rect = geometry.visibleRect(of: box) {
            let color = TrackColor(id: object.id)
            let tint = Color(red: color.red, green: color.green, blue: color.blue)
            Rectangle()
                .stroke(tint, lineWidth: 3)
                .frame(width: rect.width, height: rect.height)
                .offset(x: rect.minX, y: rect.minY)
                .opacity(object.unseen > 0 ? 0.6 : 1)
                .accessibilityLabel(Text(spoken(object)))
            if let origin = geometry.labelOrigin(for: box, label: Self.labelSize) {
                Text("\(object.detection.label) \(Int((object.detection.score * 100).rounded())) %")
                    .font(.caption)
                    .foregroundStyle(.black)
                    .lineLimit(1)
                    .frame(width: Self.labelSize.width, height: Self.labelSize.height)
                    .background(tint)
                    .offset(x: origin.x, y: origin.y)
                    .accessibilityHidden(true)
            }
        }
    }

    private func spoken(_ object: TrackedObject) -> String {
        let box = object.detection.box
        let side = (box.minX + box.maxX) / 2
        let place = side < 0.33 ? "on the left" : side > 0.67 ? "on the right" : "in the middle"
        return "\(object.detection.label), \(place)"
    }
}

#if canImport(UIKit)
import OspreyKit
import SwiftUI

/// Boxes with labels over an image that fills the view.
public struct DetectionOverlay: View {
    private let objects: [TrackedObject]
    private let image: CGSize
    private let fitting: OverlayGeometry.Fitting
    private let coloring: BoxColoring

    /// `image`: size in pixels of the image under the boxes, as it is shown.
    public init(
        objects: [TrackedObject], image: CGSize, fitting: OverlayGeometry.Fitting = .fill,
        coloring: BoxColoring = .byIdentity
    ) {
        (self.objects, self.image, self.fitting, self.coloring) = (objects, image, fitting, coloring)
    }

    public var body: some View {
        GeometryReader { proxy in
            let insets = proxy.safeAreaInsets
            Canvas { context, size in
                draw(&context, size, insets)
            }
            .accessibilityChildren {
                ForEach(objects) { object in
                    Rectangle().accessibilityLabel(Text(spoken(object)))
                }
            }
            .ignoresSafeArea()
        }
    }

    private func draw(_ context: inout GraphicsContext, _ size: CGSize, _ insets: EdgeInsets) {
        let geometry = OverlayGeometry(picture: image, view: size, fitting: fitting)
        // Labels stay clear of notch and bars, boxes need not.
        let safe = CGRect(
            x: insets.leading, y: insets.top, width: size.width - insets.leading - insets.trailing,
            height: size.height - insets.top - insets.bottom)
        for object in objects {
            guard let rect = geometry.visibleRect(of: object.detection.box) else { continue }
            let tint = TrackColor(object, coloring)
            let color = Color(red: tint.red, green: tint.green, blue: tint.blue)
            context.opacity = object.unseen > 0 ? 0.6 : 1
            context.stroke(Path(roundedRect: rect, cornerRadius: 4), with: .color(color), lineWidth: 3)
            let text = context.resolve(
                Text(BoxLabel.text(object.detection)).font(.caption).bold()
                    .foregroundStyle(tint.wantsDarkText ? Color.black : Color.white))
            let measured = text.measure(in: safe.size)
            let label = CGSize(width: measured.width + 8, height: measured.height + 4)
            guard let origin = geometry.labelOrigin(for: object.detection.box, label: label, within: safe) else { continue }
            let plate = CGRect(origin: origin, size: label)
            context.fill(Path(roundedRect: plate, cornerRadius: 4), with: .color(color))
            context.draw(text, in: plate.insetBy(dx: 4, dy: 2))
        }
    }

    /// Name and place: what a look at the screen tells.
    private func spoken(_ object: TrackedObject) -> String {
        "\(object.detection.label), \(BoxLabel.place(of: object.detection.box))"
    }
}

/// What a label says.
public enum BoxLabel {
    /// Such as `dog 97 %`.
    public static func text(_ detection: Detection) -> String {
        "\(detection.label) \(Int((detection.score * 100).rounded())) %"
    }

    /// Which third of the image a box lies in.
    static func place(of box: NormalizedBox) -> String {
        switch (box.minX + box.maxX) / 2 {
        case ..<0.33: "left"
        case ..<0.67: "center"
        default: "right"
        }
    }
}
#endif

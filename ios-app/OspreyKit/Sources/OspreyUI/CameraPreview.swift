#if canImport(UIKit)
import AVFoundation
import SwiftUI
import UIKit

/// The camera's image, filling the view.
public struct CameraPreview: UIViewRepresentable {
    private let camera: Camera

    public init(_ camera: Camera) {
        self.camera = camera
    }

    public func makeUIView(context: Context) -> PreviewView {
        let view = PreviewView()
        view.camera = camera
        view.previewLayer.videoGravity = .resizeAspectFill
        return view
    }

    public func updateUIView(_ view: PreviewView, context: Context) {}

    public static func dismantleUIView(_ view: PreviewView, coordinator: ()) {
        view.camera?.detach(view)
    }
}

/// Has the session while it is in a window: tabs that are not shown leave it to the one that is.
public final class PreviewView: UIView {
    weak var camera: Camera?

    override public class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

    var previewLayer: AVCaptureVideoPreviewLayer {
        guard let layer = layer as? AVCaptureVideoPreviewLayer else {
            preconditionFailure("layerClass makes the layer")
        }
        return layer
    }

    override public func didMoveToWindow() {
        super.didMoveToWindow()
        if window == nil { camera?.detach(self) } else { camera?.attach(self) }
    }
}
#endif

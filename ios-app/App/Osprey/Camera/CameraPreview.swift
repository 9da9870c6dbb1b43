import AVFoundation
import OspreyKit
import SwiftUI
import UIKit

/// The camera's picture, filling the view. It tells the camera how the screen stands: where rotation is
/// locked that is not how the device is held, and boxes belong to what is shown.
struct CameraPreview: UIViewRepresentable {
    let camera: CameraModel

    func makeUIView(context: Context) -> PreviewView {
        let view = PreviewView()
        view.previewLayer.session = camera.capture.session
        view.previewLayer.videoGravity = .resizeAspectFill
        view.capture = camera.capture
        return view
    }

    func updateUIView(_ view: PreviewView, context: Context) {
        view.position = camera.choice.position
        // A half turn changes no size, and would lay nothing out.
        _ = camera.turns
        view.setNeedsLayout()
    }
}

final class PreviewView: UIView {
    var capture: CameraCapture?
    var position = CameraPosition.back

    override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

    var previewLayer: AVCaptureVideoPreviewLayer {
        guard let layer = layer as? AVCaptureVideoPreviewLayer else {
            preconditionFailure("layerClass makes the layer")
        }
        return layer
    }

    override func layoutSubviews() {
        super.layoutSubviews()
        let device = window?.windowScene?.interfaceOrientation.device ?? .portrait
        capture?.turn(device)
        let angle = FrameOrientation(camera: position, device: device)?.rotationAngle ?? 90
        guard let connection = previewLayer.connection else { return }
        if connection.isVideoRotationAngleSupported(angle) { connection.videoRotationAngle = angle }
    }
}

extension UIInterfaceOrientation {
    /// How a device is held whose screen stands so: landscape has its names swapped.
    var device: DeviceOrientation {
        switch self {
        case .portrait, .unknown: .portrait
        case .portraitUpsideDown: .portraitUpsideDown
        case .landscapeRight: .landscapeLeft
        case .landscapeLeft: .landscapeRight
        @unknown default: .portrait
        }
    }
}

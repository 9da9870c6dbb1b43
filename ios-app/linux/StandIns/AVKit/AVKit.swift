// Stands in for Apple's AVKit on Linux.

import AVFoundation
import SwiftUI

public struct VideoPlayer: PrimitiveView {
    public init(player: AVPlayer?) {}
}

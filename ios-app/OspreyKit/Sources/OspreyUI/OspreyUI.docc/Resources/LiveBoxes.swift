import OspreyKit
import OspreyUI
import SwiftUI

struct LiveBoxes: View {
    @State private var count = 0

    var body: some View {
        VStack {
            DetectorView { result in count = result.objects.count }
            Text("\(count) objects")
        }
    }
}

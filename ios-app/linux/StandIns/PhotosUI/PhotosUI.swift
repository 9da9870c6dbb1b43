// Stands in for the part of Apple's PhotosUI that is made of SwiftUI, on Linux.

import SwiftUI

public struct PHPickerFilter: Sendable { public static let images = PHPickerFilter() }

public struct PhotosPickerItem: Sendable, Equatable {
    public func loadTransferable<T: Transferable>(type: T.Type) async throws -> T? { nil }
}

extension Data: Transferable {}

public struct PhotosPicker<Content: View>: PrimitiveView {
    public init(
        selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil, @ViewBuilder label: () -> Content
    ) { _ = label() }
}

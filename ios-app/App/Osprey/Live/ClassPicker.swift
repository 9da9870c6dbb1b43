import SwiftUI

/// Which classes are shown, with a search: there are ninety.
struct ClassPicker: View {
    let labels: [String]
    @Binding var allowed: Set<String>
    @State private var search = ""
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        NavigationStack {
            List {
                if search.isEmpty { row(String(localized: "All classes"), isChosen: allowed.isEmpty) { allowed = [] } }
                ForEach(Self.found(search, in: labels), id: \.self) { label in
                    row(label, isChosen: allowed.contains(label)) {
                        if allowed.remove(label) == nil { allowed.insert(label) }
                    }
                }
            }
            .searchable(text: $search)
            .navigationTitle("Classes")
            .toolbar { Button("Done") { dismiss() } }
        }
    }

    private func row(_ title: String, isChosen: Bool, choose: @escaping @MainActor () -> Void) -> some View {
        Button(action: choose) {
            HStack {
                Text(title)
                Spacer()
                if isChosen { Image(systemName: "checkmark").accessibilityHidden(true) }
            }
        }
        .accessibilityAddTraits(isChosen ? .isSelected : [])
    }

    /// The labels that hold the text, in any case.
    nonisolated static func found(_ text: String, in labels: [String]) -> [String] {
        text.isEmpty ? labels : labels.filter { $0.lowercased().contains(text.lowercased()) }
    }
}

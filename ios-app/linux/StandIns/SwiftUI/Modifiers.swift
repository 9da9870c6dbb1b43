import Foundation
import UIKit
import UniformTypeIdentifiers

public struct Modified<Content: View>: PrimitiveView {
    init(_ content: Content) {}
}

public struct Edge: Sendable { public static let all = Edge() }
public enum ContentMode: Sendable { case fit, fill }

public struct Color: PrimitiveView, ShapeStyle, Sendable {
    public nonisolated static let black = Color(red: 0, green: 0, blue: 0)
    public nonisolated static let white = Color(red: 1, green: 1, blue: 1)
    public nonisolated static let red = Color(red: 1, green: 0, blue: 0)
    public nonisolated static let accentColor = Color(red: 0, green: 0, blue: 1)
    public nonisolated init(red: Double, green: Double, blue: Double) {}
}

public protocol ShapeStyle: Sendable {}
public struct Material: ShapeStyle {
    public static let ultraThinMaterial = Material()
    public static let thinMaterial = Material()
    public static let regularMaterial = Material()
}
public struct HierarchicalStyle: ShapeStyle {
    public static let primary = HierarchicalStyle()
    public static let secondary = HierarchicalStyle()
}
extension ShapeStyle where Self == Material {
    public static var ultraThinMaterial: Material { .ultraThinMaterial }
    public static var thinMaterial: Material { .thinMaterial }
    public static var regularMaterial: Material { .regularMaterial }
}
extension ShapeStyle where Self == HierarchicalStyle {
    public static var primary: HierarchicalStyle { .primary }
    public static var secondary: HierarchicalStyle { .secondary }
}
extension ShapeStyle where Self == Color {
    public static var black: Color { Color.black }
    public static var red: Color { Color.red }
    public static var white: Color { Color.white }
}

public enum Font: Sendable { case largeTitle, title2, caption }
public struct StrokeStyle: Sendable {
    public enum Cap: Sendable { case round }
    public enum Join: Sendable { case round }
    public init(lineWidth: CGFloat, lineCap: Cap, lineJoin: Join) {}
}

@MainActor public protocol Shape: View {}
extension Shape {
    public func stroke<S: ShapeStyle>(_ style: S, lineWidth: CGFloat) -> some View { Modified(self) }
    public func stroke<S: ShapeStyle>(_ content: S, style: StrokeStyle) -> some View { Modified(self) }
}

public struct Rectangle: PrimitiveView, Shape { public init() {} }

public struct Path: PrimitiveView, Shape {
    public nonisolated init() {}
    public nonisolated init(roundedRect rect: CGRect, cornerRadius: CGFloat) {}
    public init(_ draw: (inout Path) -> Void) {
        var path = Path()
        draw(&path)
    }
    public nonisolated mutating func move(to point: CGPoint) {}
    public nonisolated mutating func addLine(to point: CGPoint) {}
}

public struct AccessibilityChildBehavior: Sendable {
    public static let contain = AccessibilityChildBehavior()
    public static let combine = AccessibilityChildBehavior()
    public static let ignore = AccessibilityChildBehavior()
}

public struct AccessibilityTraits: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let isSelected = AccessibilityTraits(rawValue: 1)
    public static let isButton = AccessibilityTraits(rawValue: 2)
}

public struct IconOnlyLabelStyle: Sendable { public static let iconOnly = IconOnlyLabelStyle() }
public protocol PrimitiveButtonStyle: Sendable {}
public struct BorderlessButtonStyle: PrimitiveButtonStyle {}
public struct BorderedButtonStyle: PrimitiveButtonStyle {}
public struct BorderedProminentButtonStyle: PrimitiveButtonStyle {}
extension PrimitiveButtonStyle where Self == BorderlessButtonStyle {
    public static var borderless: BorderlessButtonStyle { BorderlessButtonStyle() }
}
extension PrimitiveButtonStyle where Self == BorderedButtonStyle {
    public static var bordered: BorderedButtonStyle { BorderedButtonStyle() }
}
extension PrimitiveButtonStyle where Self == BorderedProminentButtonStyle {
    public static var borderedProminent: BorderedProminentButtonStyle { BorderedProminentButtonStyle() }
}
public struct SegmentedPickerStyle: Sendable { public static let segmented = SegmentedPickerStyle() }

@MainActor public protocol Gesture {}
public struct DragGesture: Gesture {
    public struct Value: Sendable { public var location: CGPoint }
    public init(minimumDistance: CGFloat) {}
    public func onChanged(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
    public func onEnded(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
}

public struct SpatialTapGesture: Gesture {
    public struct Value: Sendable { public var location: CGPoint }
    public init() {}
    public func onEnded(_ action: @escaping @MainActor (Value) -> Void) -> SpatialTapGesture { self }
}

public struct MagnifyGesture: Gesture {
    public struct Value: Sendable { public var magnification: CGFloat }
    public init() {}
    public func onChanged(_ action: @escaping @MainActor (Value) -> Void) -> MagnifyGesture { self }
    public func onEnded(_ action: @escaping @MainActor (Value) -> Void) -> MagnifyGesture { self }
}

public enum Visibility: Sendable { case automatic, visible, hidden }
public enum TextAlignment: Sendable { case leading, center, trailing }
public struct ScrollBounceBehavior: Sendable { public static let basedOnSize = ScrollBounceBehavior() }
public struct SensoryFeedback: Sendable, Equatable {
    public static let impact = SensoryFeedback()
    public static let success = SensoryFeedback()
}

public enum AccessibilityNotification {
    public struct Announcement {
        public init(_ text: String) {}
        public func post() {}
    }
}

public struct GraphicsContext {
    public struct Shading { public static func color(_ color: Color) -> Shading { Shading() } }
    public struct ResolvedText {
        public func measure(in size: CGSize) -> CGSize { CGSize(width: 80, height: 16) }
    }
    public var opacity: Double = 1
    public func stroke(_ path: Path, with shading: Shading, lineWidth: CGFloat = 1) {}
    public func fill(_ path: Path, with shading: Shading) {}
    public func resolve(_ text: Text) -> ResolvedText { ResolvedText() }
    public func draw(_ text: ResolvedText, in rect: CGRect) {}
}

/// Draws once, onto nothing: what the closure reads is there.
public struct Canvas: PrimitiveView {
    public init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) {
        var context = GraphicsContext()
        renderer(&context, CGSize(width: 390, height: 844))
    }
}

extension View {
    public func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType], onCompletion: @escaping @MainActor (Result<URL, any Error>) -> Void
    ) -> some View { Modified(self) }
    public func frame(maxWidth: CGFloat?) -> some View { Modified(self) }
    public func frame(maxHeight: CGFloat?) -> some View { Modified(self) }
    public func contentShape<S: Shape>(_ shape: S) -> some View { Modified(self) }
    public func background(_ color: Color) -> some View { Modified(self) }
    public func multilineTextAlignment(_ alignment: TextAlignment) -> some View { Modified(self) }
    public func scrollBounceBehavior(_ behavior: ScrollBounceBehavior) -> some View { Modified(self) }
    public func sensoryFeedback<T: Equatable>(_ feedback: SensoryFeedback, trigger: T) -> some View { Modified(self) }
    public func accessibilityChildren<V: View>(@ViewBuilder children: () -> V) -> some View {
        _ = children()
        return Modified(self)
    }
    public func accessibilityDirectTouch(_ isDirect: Bool = true) -> some View { Modified(self) }
    public func accessibilityAction(_ action: @escaping @MainActor () -> Void) -> some View { Modified(self) }
    public func searchable(text: Binding<String>) -> some View { Modified(self) }
    public func onSubmit(_ action: @escaping @MainActor () -> Void) -> some View { Modified(self) }
    public func onAppear(perform action: @escaping @MainActor () -> Void) -> some View { Modified(self) }
    public func onDisappear(perform action: @escaping @MainActor () -> Void) -> some View { Modified(self) }
    public func onChange<V: Equatable>(of value: V, _ action: @escaping @MainActor () -> Void) -> some View {
        Modified(self)
    }
    public func sheet<Item: Identifiable, V: View>(
        item: Binding<Item?>, @ViewBuilder content: @escaping (Item) -> V
    ) -> some View { Modified(self) }
    public func fullScreenCover<V: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> V) -> some View {
        _ = content()
        return Modified(self)
    }
    public func confirmationDialog<V: View>(
        _ title: Text, isPresented: Binding<Bool>, titleVisibility: Visibility = .automatic, @ViewBuilder actions: () -> V
    ) -> some View {
        _ = actions()
        return Modified(self)
    }
    public func confirmationDialog<V: View, T>(
        _ title: Text, isPresented: Binding<Bool>, titleVisibility: Visibility = .automatic, presenting: T?, @ViewBuilder actions: (T) -> V
    ) -> some View {
        presenting.map { _ = actions($0) }
        return Modified(self)
    }
}

extension View {
    public func padding() -> some View { Modified(self) }
    public func padding(_ length: CGFloat) -> some View { Modified(self) }
    public func ignoresSafeArea() -> some View { Modified(self) }
    public func frame(width: CGFloat? = nil, height: CGFloat? = nil, alignment: Alignment = .center) -> some View {
        Modified(self)
    }
    public func frame(minWidth: CGFloat?, alignment: Alignment = .center) -> some View { Modified(self) }
    public func offset(x: CGFloat, y: CGFloat) -> some View { Modified(self) }
    public func opacity(_ value: Double) -> some View { Modified(self) }
    public func background<S: ShapeStyle>(_ style: S) -> some View { Modified(self) }
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> some View { Modified(self) }
    public func overlay<V: View>(@ViewBuilder content: () -> V) -> some View {
        _ = content()
        return Modified(self)
    }
    public func font(_ font: Font) -> some View { Modified(self) }
    public func lineLimit(_ lines: Int?) -> some View { Modified(self) }
    public func monospacedDigit() -> some View { Modified(self) }
    public func aspectRatio(_ ratio: CGFloat?, contentMode: ContentMode) -> some View { Modified(self) }
    public func scaledToFit() -> some View { Modified(self) }
    public func disabled(_ disabled: Bool) -> some View { Modified(self) }
    public func tag<T: Hashable>(_ tag: T) -> some View { Modified(self) }
    public func tabItem<V: View>(@ViewBuilder _ label: () -> V) -> some View {
        _ = label()
        return Modified(self)
    }
    public func labelStyle(_ style: IconOnlyLabelStyle) -> some View { Modified(self) }
    public func buttonStyle(_ style: some PrimitiveButtonStyle) -> some View { Modified(self) }
    public func pickerStyle(_ style: SegmentedPickerStyle) -> some View { Modified(self) }
    public func gesture<G: Gesture>(_ gesture: G) -> some View { Modified(self) }
    public func accessibilityElement(children: AccessibilityChildBehavior) -> some View { Modified(self) }
    public func accessibilityLabel(_ text: Text) -> some View { Modified(self) }
    public func accessibilityHidden(_ hidden: Bool) -> some View { Modified(self) }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { Modified(self) }
    public func navigationTitle(_ title: LocalizedStringKey) -> some View { Modified(self) }
    public func toolbar<V: View>(@ViewBuilder content: () -> V) -> some View {
        _ = content()
        return Modified(self)
    }
    public func sheet<V: View>(isPresented: Binding<Bool>, @ViewBuilder content: @escaping () -> V) -> some View {
        _ = content()
        return Modified(self)
    }
    public func task(@_inheritActorContext _ action: @escaping @Sendable () async -> Void) -> some View {
        Modified(self)
    }
    public func task<ID: Equatable>(
        id: ID, @_inheritActorContext _ action: @escaping @Sendable () async -> Void
    ) -> some View { Modified(self) }
}

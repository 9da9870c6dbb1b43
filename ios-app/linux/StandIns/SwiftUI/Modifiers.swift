import Foundation
import UIKit

public struct Modified<Content: View>: PrimitiveView {
    init(_ content: Content) {}
}

public struct Edge: Sendable { public static let all = Edge() }
public enum ContentMode: Sendable { case fit, fill }

public struct Color: PrimitiveView, ShapeStyle, Sendable {
    public nonisolated static let black = Color(red: 0, green: 0, blue: 0)
    public nonisolated init(red: Double, green: Double, blue: Double) {}
}

public protocol ShapeStyle: Sendable {}
public struct Material: ShapeStyle {
    public static let ultraThinMaterial = Material()
    public static let thinMaterial = Material()
}
public struct HierarchicalStyle: ShapeStyle { public static let primary = HierarchicalStyle() }
extension ShapeStyle where Self == Material {
    public static var ultraThinMaterial: Material { .ultraThinMaterial }
    public static var thinMaterial: Material { .thinMaterial }
}
extension ShapeStyle where Self == HierarchicalStyle {
    public static var primary: HierarchicalStyle { .primary }
}
extension ShapeStyle where Self == Color {
    public static var black: Color { Color.black }
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
}

public struct IconOnlyLabelStyle: Sendable { public static let iconOnly = IconOnlyLabelStyle() }
public struct BorderlessButtonStyle: Sendable { public static let borderless = BorderlessButtonStyle() }
public struct SegmentedPickerStyle: Sendable { public static let segmented = SegmentedPickerStyle() }

@MainActor public protocol Gesture {}
public struct DragGesture: Gesture {
    public struct Value: Sendable { public var location: CGPoint }
    public init(minimumDistance: CGFloat) {}
    public func onChanged(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
    public func onEnded(_ action: @escaping @MainActor (Value) -> Void) -> DragGesture { self }
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
    public func buttonStyle(_ style: BorderlessButtonStyle) -> some View { Modified(self) }
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

// Stands in for Apple's SwiftUI on Linux: enough to type-check the app's screens and to evaluate their
// bodies, which draws nothing.

@_exported import Foundation
import Observation
import UIKit

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}

extension Never: View {
    public var body: Never { fatalError("a stand-in is not drawn") }
}

/// A view of the system: it has no body of its own.
@MainActor public protocol PrimitiveView: View where Body == Never {}
extension PrimitiveView {
    public var body: Never { fatalError("a stand-in is not drawn") }
}

public struct EmptyView: PrimitiveView { public init() {} }

public struct Group<Content>: PrimitiveView {
    init(_ content: Content) {}
}

@resultBuilder @MainActor public enum ViewBuilder {
    public static func buildExpression<V: View>(_ view: V) -> V { view }
    public static func buildBlock<each V: View>(_ views: repeat each V) -> Group<(repeat each V)> {
        Group((repeat each views))
    }
    public static func buildBlock<V: View>(_ view: V) -> V { view }
    public static func buildOptional<V: View>(_ view: V?) -> Group<V?> { Group(view) }
    public static func buildEither<A: View, B: View>(first: A) -> Either<A, B> { Either() }
    public static func buildEither<A: View, B: View>(second: B) -> Either<A, B> { Either() }
}

public struct Either<A: View, B: View>: PrimitiveView {}

@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder var body: Body { get }
    init()
}

extension App {
    public static func main() { _ = Self().body }
}

@MainActor @preconcurrency public protocol Scene {}

@resultBuilder @MainActor public enum SceneBuilder {
    public static func buildBlock<S: Scene>(_ scene: S) -> S { scene }
}

public struct WindowGroup<Content: View>: Scene {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct VStack<Content: View>: PrimitiveView {
    public init(
        alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content
    ) { _ = content() }
}

public struct HStack<Content: View>: PrimitiveView {
    public init(alignment: VerticalAlignment = .center, spacing: CGFloat? = nil, @ViewBuilder content: () -> Content) {
        _ = content()
    }
}

public struct ZStack<Content: View>: PrimitiveView {
    public init(alignment: Alignment = .center, @ViewBuilder content: () -> Content) { _ = content() }
}

public enum HorizontalAlignment: Sendable { case leading, center, trailing }
public enum VerticalAlignment: Sendable { case top, center, bottom }
public enum Alignment: Sendable { case center, leading, trailing, topLeading }

public struct EdgeInsets: Sendable { public var top, leading, bottom, trailing: CGFloat }

public struct GeometryProxy: Sendable {
    public let size: CGSize
    public var safeAreaInsets: EdgeInsets { EdgeInsets(top: 59, leading: 0, bottom: 83, trailing: 0) }
}

public struct GeometryReader<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: @escaping (GeometryProxy) -> Content) {
        _ = content(GeometryProxy(size: CGSize(width: 390, height: 844)))
    }
}

public struct ForEach<Content: View>: PrimitiveView {
    public init<Data: RandomAccessCollection>(_ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content)
    where Data.Element: Identifiable { data.forEach { _ = content($0) } }

    public init<Data: RandomAccessCollection, ID: Hashable>(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) { data.forEach { _ = content($0) } }
}

public struct TabView<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct NavigationStack<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct List<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct Form<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct ScrollView<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
}

public struct LabeledContent<Content: View>: PrimitiveView {
    public init(_ title: LocalizedStringKey, @ViewBuilder content: () -> Content) { _ = content() }
}

public struct NavigationLink<Destination: View>: PrimitiveView {
    public init(_ title: LocalizedStringKey, @ViewBuilder destination: () -> Destination) { _ = destination() }
}

public struct Section<Content: View>: PrimitiveView {
    public init(@ViewBuilder content: () -> Content) { _ = content() }
    public init(_ title: LocalizedStringKey, @ViewBuilder content: () -> Content) { _ = content() }
}

public struct LocalizedStringKey: ExpressibleByStringInterpolation, Sendable {
    public init(stringLiteral value: String) {}
    public init(stringInterpolation: StringInterpolation) {}

    public struct StringInterpolation: StringInterpolationProtocol {
        public init(literalCapacity: Int, interpolationCount: Int) {}
        public mutating func appendLiteral(_ literal: String) {}
        public mutating func appendInterpolation<T>(_ value: T) {}
        public mutating func appendInterpolation<T: BinaryFloatingPoint>(_ value: T, specifier: String) {}
    }
}

public struct Text: PrimitiveView {
    public struct DateStyle: Sendable { public static let timer = DateStyle() }
    public init(_ date: Date, style: DateStyle) {}
    public init(_ key: LocalizedStringKey) {}
    @_disfavoredOverload public init<S: StringProtocol>(_ text: S) {}
    public static func + (a: Text, b: Text) -> Text { a }
    public func font(_ font: Font?) -> Text { self }
    public func bold() -> Text { self }
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> Text { self }
}

public struct Label: PrimitiveView {
    public init(_ key: LocalizedStringKey, systemImage: String) {}
    @_disfavoredOverload public init<S: StringProtocol>(_ title: S, systemImage: String) {}
}

public struct Image: PrimitiveView, Sendable {
    public init(systemName: String) {}
    public init(uiImage: UIImage) {}
    public func resizable() -> Image { self }
}

public struct Spacer: PrimitiveView { public init() {} }

public struct ProgressView: PrimitiveView {
    public init() {}
    public init(_ title: LocalizedStringKey) {}
    public init(value: Double) {}
}

public struct ButtonRole: Sendable { public static let destructive = ButtonRole() }

public struct Button<Content: View>: PrimitiveView {
    public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content) { _ = label() }
    public init(role: ButtonRole?, action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> Content) {
        _ = label()
    }
}

extension Button where Content == Text {
    @_disfavoredOverload public init<S: StringProtocol>(_ title: S, action: @escaping @MainActor () -> Void) {}
    public init(_ title: LocalizedStringKey, action: @escaping @MainActor () -> Void) {}
    public init(_ title: LocalizedStringKey, role: ButtonRole?, action: @escaping @MainActor () -> Void) {}
}

public struct Slider<Content: View>: PrimitiveView {
    public init<V: BinaryFloatingPoint>(value: Binding<V>, in range: ClosedRange<V>, @ViewBuilder label: () -> Content)
    where V.Stride: BinaryFloatingPoint { _ = label() }
    public init<V: BinaryFloatingPoint>(
        value: Binding<V>, in range: ClosedRange<V>, step: V.Stride, @ViewBuilder label: () -> Content
    ) where V.Stride: BinaryFloatingPoint { _ = label() }
}

public struct TextField: PrimitiveView {
    public init(_ title: LocalizedStringKey, text: Binding<String>) {}
}

public protocol TimelineSchedule {}
public struct AnimationTimelineSchedule: TimelineSchedule {}
extension TimelineSchedule where Self == AnimationTimelineSchedule {
    public static var animation: AnimationTimelineSchedule { AnimationTimelineSchedule() }
}

public struct TimelineViewContext: Sendable { public let date: Date }

public struct TimelineView<Schedule: TimelineSchedule, Content: View>: PrimitiveView {
    public typealias Context = TimelineViewContext
    public init(_ schedule: Schedule, @ViewBuilder content: @escaping (TimelineViewContext) -> Content) {
        _ = content(TimelineViewContext(date: Date()))
    }
}

public struct Picker<Content: View>: PrimitiveView {
    public init<Value: Hashable>(
        _ title: LocalizedStringKey, selection: Binding<Value>, @ViewBuilder content: () -> Content
    ) { _ = content() }
}

public struct SharePreview: Sendable {
    public init(_ title: LocalizedStringKey, image: Image) {}
}

public protocol Transferable {}
extension URL: Transferable {}
extension Image: Transferable {}

public struct ShareLink<Content: View>: PrimitiveView {
    public init(item: URL, @ViewBuilder label: () -> Content) { _ = label() }
    public init<I: Transferable>(item: I, preview: SharePreview, @ViewBuilder label: () -> Content) { _ = label() }
}

@MainActor public final class ImageRenderer<Content: View> {
    public init(content: Content) {}
    public var uiImage: UIImage? { nil }
}

@MainActor @preconcurrency public protocol UIViewRepresentable: View where Body == Never {
    associatedtype UIViewType: UIView
    typealias Context = UIViewRepresentableContext
    func makeUIView(context: Context) -> UIViewType
    func updateUIView(_ view: UIViewType, context: Context)
    static func dismantleUIView(_ view: UIViewType, coordinator: ())
}

extension UIViewRepresentable {
    public static func dismantleUIView(_ view: UIViewType, coordinator: ()) {}
    public var body: Never { fatalError("a stand-in is not drawn") }
}

public struct UIViewRepresentableContext {
    /// Not of Apple's interface.
    public init() {}
}

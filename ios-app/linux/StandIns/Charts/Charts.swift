// Stands in for Apple's Charts on Linux.

import SwiftUI

public protocol Plottable {}
extension Int: Plottable {}
extension Double: Plottable {}
extension String: Plottable {}

public struct PlottableValue<Value: Plottable> {
    public static func value(_ label: String, _ value: Value) -> PlottableValue<Value> { PlottableValue() }
}

@MainActor @preconcurrency public protocol ChartContent {}

public struct MadeContent: ChartContent {}

extension ChartContent {
    public func foregroundStyle<D: Plottable>(by value: PlottableValue<D>) -> some ChartContent { MadeContent() }
}

public struct LineMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(x: PlottableValue<X>, y: PlottableValue<Y>) {}
    public init<X: Plottable, Y: Plottable, S: Plottable>(
        x: PlottableValue<X>, y: PlottableValue<Y>, series: PlottableValue<S>
    ) {}
}

public struct PointMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(x: PlottableValue<X>, y: PlottableValue<Y>) {}
}

public struct BarMark: ChartContent {
    public init<X: Plottable, Y: Plottable>(
        xStart: PlottableValue<X>, xEnd: PlottableValue<X>, y: PlottableValue<Y>
    ) {}
}

@resultBuilder @MainActor public enum ChartContentBuilder {
    public static func buildExpression<C: ChartContent>(_ content: C) -> MadeContent { MadeContent() }
    public static func buildPartialBlock(first: MadeContent) -> MadeContent { first }
    public static func buildPartialBlock(accumulated: MadeContent, next: MadeContent) -> MadeContent { next }
    public static func buildOptional(_ content: MadeContent?) -> MadeContent { MadeContent() }
}

public struct Chart: View {
    public init<Data: RandomAccessCollection, C: ChartContent>(
        _ data: Data, @ChartContentBuilder content: (Data.Element) -> C
    ) where Data.Element: Identifiable {
        data.forEach { _ = content($0) }
    }

    public init<Data: RandomAccessCollection, ID: Hashable, C: ChartContent>(
        _ data: Data, id: KeyPath<Data.Element, ID>, @ChartContentBuilder content: (Data.Element) -> C
    ) {
        data.forEach { _ = content($0) }
    }

    public var body: Never { fatalError("a stand-in is not drawn") }
}

extension View {
    public func chartXScale(domain: ClosedRange<Double>) -> some View { self }
    public func chartYScale(domain: [String]) -> some View { self }
    public func chartXAxisLabel(_ title: LocalizedStringKey) -> some View { self }
}

// swift-tools-version: 6.0
import Foundation
import PackageDescription

// Swift packages begin at a repository's root, so this does; the sources are in ios-app/OspreyKit.

let kit = "ios-app/OspreyKit"
let archive = "\(kit)/OspreyFFI.xcframework"

/// Where the released library lies; ios-app/package-release writes it for the commit of a release.
struct Release: Decodable {
    var url, checksum: String
}

/// The Rust library: on Linux from the folder given by `swift build -Xlinker -L...`; elsewhere what
/// ios-app/build-xcframework.sh made here, else what was released.
func library() -> Target {
    #if os(Linux)
    if Context.environment["OSPREY_MANIFEST_FOR"] != "apple" {
        return .systemLibrary(name: "OspreyFFI", path: "\(kit)/Sources/OspreyFFI")
    }
    #endif
    let root = Context.packageDirectory
    if FileManager.default.fileExists(atPath: "\(root)/\(archive)") {
        return .binaryTarget(name: "OspreyFFI", path: archive)
    }
    if let data = FileManager.default.contents(atPath: "\(root)/\(kit)/release.json"),
        let release = try? JSONDecoder().decode(Release.self, from: data)
    {
        return .binaryTarget(name: "OspreyFFI", url: release.url, checksum: release.checksum)
    }
    fatalError("the Rust library is missing: run ios-app/build-xcframework.sh, then File > Packages > Reset Package Caches")
}

let ffi = library()
var targets: [Target] = [
    ffi,
    .target(name: "OspreyBridge", dependencies: ["OspreyFFI"], path: "\(kit)/Sources/OspreyBridge"),
    .target(name: "OspreyKit", dependencies: ["OspreyBridge"], path: "\(kit)/Sources/OspreyKit"),
    .target(name: "OspreyUI", dependencies: ["OspreyKit"], path: "\(kit)/Sources/OspreyUI"),
    .testTarget(name: "OspreyKitTests", dependencies: ["OspreyKit"], path: "\(kit)/Tests/OspreyKitTests"),
]

// Tools of the checks on Linux. An iPhone has no product of this kind: declared there, the package would not
// build for it.
if ffi.type == .system {
    targets += [
        .executableTarget(
            name: "border-overhead", dependencies: ["OspreyKit", "OspreyBridge"], path: "\(kit)/Sources/border-overhead"),
        .executableTarget(name: "border-exercise", dependencies: ["OspreyKit"], path: "\(kit)/Sources/border-exercise"),
        .executableTarget(name: "overlay-mock", dependencies: ["OspreyKit"], path: "\(kit)/Sources/overlay-mock"),
    ]
}

let package = Package(
    name: "Osprey",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "OspreyKit", targets: ["OspreyKit"]),
        .library(name: "OspreyUI", targets: ["OspreyUI"]),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.0
import PackageDescription

// On Apple's systems the library comes as an XCFramework (../build-xcframework.sh); on Linux it is linked
// from the folder given by `swift build -Xlinker -L...`.
#if os(Linux)
let library: Target = .systemLibrary(name: "OspreyFFI")
#else
let library: Target = .binaryTarget(name: "OspreyFFI", path: "OspreyFFI.xcframework")
#endif

let package = Package(
    name: "OspreyKit",
    platforms: [.iOS(.v17)],
    products: [.library(name: "OspreyKit", targets: ["OspreyKit"])],
    targets: [
        library,
        .target(name: "OspreyBridge", dependencies: ["OspreyFFI"]),
        .target(name: "OspreyKit", dependencies: ["OspreyBridge"]),
        .executableTarget(name: "border-overhead", dependencies: ["OspreyKit", "OspreyBridge"]),
        .executableTarget(name: "border-exercise", dependencies: ["OspreyKit"]),
        .executableTarget(name: "overlay-mock", dependencies: ["OspreyKit"]),
        .testTarget(name: "OspreyKitTests", dependencies: ["OspreyKit"]),
    ],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.3
import PackageDescription

/// Every target is held to the same rules: warnings are errors, unsafe code is spelled `unsafe`.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// Debug and test builds check exclusive access at run time; release builds have been through those tests and skip
/// the check, which costs about a tenth of the gateway's own time per request.
let hot: [SwiftSetting] = strict + [
    .unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release))
]

let package = Package(
    name: "portcullis",
    products: [.executable(name: "portcullis", targets: ["portcullis"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(name: "CLinux"),

        .target(name: "Core", swiftSettings: hot),
        .target(name: "HTTP1", dependencies: ["Core"], swiftSettings: hot),
        .target(name: "HTTP2", dependencies: ["Core", "CNghttp2"], swiftSettings: hot),
        .target(name: "Crypto", dependencies: ["Core", "COpenSSL"], swiftSettings: hot),
        .target(name: "Policy", dependencies: ["Core"], swiftSettings: hot),
        .target(name: "IO", dependencies: ["Core", "CLinux"], swiftSettings: hot),
        .target(name: "Store", dependencies: ["Core", "Crypto", "CSQLite"], swiftSettings: strict),
        .target(
            name: "TokenService", dependencies: ["Core", "Crypto", "Policy", "Store"], swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Core", "HTTP1", "HTTP2", "Crypto", "Policy", "IO", "CLinux", "Store", "TokenService",
                .product(name: "Logging", package: "swift-log"),
            ], resources: [.embedInCode("Admin/Page/live.html")], swiftSettings: hot),
        .executableTarget(
            name: "portcullis",
            dependencies: [
                "Gateway", "Policy", "Crypto", "Core", "CLinux", "Store", "TokenService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),

        .testTarget(name: "CoreTests", dependencies: ["Core"], swiftSettings: strict),
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1", "Core"], swiftSettings: strict),
        .testTarget(name: "HTTP2Tests", dependencies: ["HTTP2", "HTTP1", "Core"], swiftSettings: strict),
        .testTarget(name: "CryptoTests", dependencies: ["Crypto", "Core", "COpenSSL"], swiftSettings: strict),
        .testTarget(
            name: "PolicyTests", dependencies: ["Policy", "HTTP1", "Crypto", "Core"], swiftSettings: strict),
        .testTarget(name: "StoreTests", dependencies: ["Store", "Crypto", "Core"], swiftSettings: strict),
        .testTarget(
            name: "TokenServiceTests", dependencies: ["TokenService", "Store", "Policy", "Crypto", "Core"],
            swiftSettings: strict),
        .testTarget(name: "IOTests", dependencies: ["IO", "Core"], swiftSettings: strict),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Policy", "Crypto", "HTTP1", "IO", "CLinux", "Core", .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
    ]
)

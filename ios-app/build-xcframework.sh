#!/bin/bash
# Builds the Rust library for iPhones, the simulator and Macs, and packs it as OspreyKit/OspreyFFI.xcframework:
# a static framework for each. On a Mac with Xcode and rustup. `--zip` also makes the archive of a release.
#
# A framework has a folder of its own for its module map. Libraries with loose headers do not: two of them in
# one app fight over include/module.modulemap.
set -euo pipefail
cd "$(dirname "$0")/.."

kit=ios-app/OspreyKit
out=${CARGO_TARGET_DIR:-target}
# What rust-toolchain.toml or RUSTUP_TOOLCHAIN chooses must have the targets, not only the default.
rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Within an Xcode build the variables of the app's target would have build scripts made for the phone. Those
# that choose a toolchain stay.
build() {
    local target=$1 deployment=$2
    env -u SDKROOT -u LIBRARY_PATH -u CPATH -u LD -u LDFLAGS -u CFLAGS "$deployment" \
        cargo build --locked --profile phone --package osprey-bridge --target "$target"
}

# framework NAME ios|macos MINIMUM TARGET...: a static framework of the targets' libraries.
framework() {
    local folder=$work/$1/OspreyFFI.framework system=$2 minimum=$3 target
    shift 3
    local libraries=()
    for target in "$@"; do libraries+=("$out/$target/phone/libosprey_bridge.a"); done
    lipo -create "${libraries[@]}" -output "$(ios-app/framework-layout "$folder" "$system" "$minimum")"
}

build aarch64-apple-ios IPHONEOS_DEPLOYMENT_TARGET=17.0
build aarch64-apple-ios-sim IPHONEOS_DEPLOYMENT_TARGET=17.0
build x86_64-apple-ios IPHONEOS_DEPLOYMENT_TARGET=17.0
build aarch64-apple-darwin MACOSX_DEPLOYMENT_TARGET=14.0
build x86_64-apple-darwin MACOSX_DEPLOYMENT_TARGET=14.0
framework device ios 17.0 aarch64-apple-ios
framework simulator ios 17.0 aarch64-apple-ios-sim x86_64-apple-ios
framework mac macos 14.0 aarch64-apple-darwin x86_64-apple-darwin
xcodebuild -create-xcframework \
    -framework "$work/device/OspreyFFI.framework" \
    -framework "$work/simulator/OspreyFFI.framework" \
    -framework "$work/mac/OspreyFFI.framework" \
    -output "$work/OspreyFFI.xcframework"
# Whole or not at all.
rm -rf $kit/OspreyFFI.xcframework
mv "$work/OspreyFFI.xcframework" $kit/
du -sh $kit/OspreyFFI.xcframework/*/OspreyFFI.framework/OspreyFFI
echo "An app takes a part of it: the linker strips what is not called. ios-app/README.md has the figure."
if [ "${1-}" = --zip ]; then
    (cd $kit && zip -qry "$work/OspreyFFI.xcframework.zip" OspreyFFI.xcframework)
    mv "$work/OspreyFFI.xcframework.zip" "$out/"
    echo "$out/OspreyFFI.xcframework.zip"
fi

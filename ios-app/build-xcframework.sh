#!/bin/bash
# Builds the Rust library for iPhones and for the simulator, and packs both as OspreyKit/OspreyFFI.xcframework.
# On a Mac with Xcode 16 and rustup.
set -euo pipefail
cd "$(dirname "$0")/.."

kit=ios-app/OspreyKit
device=aarch64-apple-ios
simulators=(aarch64-apple-ios-sim x86_64-apple-ios)

rustup target add "$device" "${simulators[@]}"

# Xcode's own variables, where it runs this, would have build scripts made for the phone.
build() {
    env -i HOME="$HOME" PATH="$PATH" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" \
        IPHONEOS_DEPLOYMENT_TARGET=17.0 \
        cargo build --locked --profile phone --package osprey-bridge --target "$1"
}
for target in "$device" "${simulators[@]}"; do build "$target"; done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/headers" "$work/simulator"
cp $kit/Sources/OspreyFFI/*.h "$work/headers/"
cat >"$work/headers/module.modulemap" <<MAP
module OspreyFFI {
    header "Border.h"
    export *
}
MAP
archives=()
for target in "${simulators[@]}"; do archives+=("target/$target/phone/libosprey_bridge.a"); done
lipo -create "${archives[@]}" -output "$work/simulator/libosprey_bridge.a"
xcodebuild -create-xcframework \
    -library "target/$device/phone/libosprey_bridge.a" -headers "$work/headers" \
    -library "$work/simulator/libosprey_bridge.a" -headers "$work/headers" \
    -output "$work/OspreyFFI.xcframework"
# Whole or not at all.
rm -rf $kit/OspreyFFI.xcframework
mv "$work/OspreyFFI.xcframework" $kit/
du -sh $kit/OspreyFFI.xcframework/*/libosprey_bridge.a
echo "An app takes a part of it: the linker strips what is not called. ios-app/README.md has the figure."

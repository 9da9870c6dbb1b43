"""Checks of the Xcode project and of what the app declares; run by check-project."""

import json
import plistlib
import re
import xml.etree.ElementTree
from pathlib import Path

from pbxproj import XcodeProject

HERE = Path(__file__).parent
APP = HERE.parent / "App"
SOURCES = {p: p.read_text() for folder in (APP / "Osprey", HERE.parent / "OspreyKit/Sources/OspreyUI") for p in sorted(folder.rglob("*.swift"))}
ALL = "\n".join(SOURCES.values())

# Statement in the sources: key that Info.plist must have. Sharing an image offers "Save Image", which ends the
# app where the last is missing.
PERMISSIONS = {
    "NSCameraUsageDescription": r"import AVFoundation",
    "NSMotionUsageDescription": r"import CoreMotion",
    "NSPhotoLibraryAddUsageDescription": r"SharePreview\(|PHPhotoLibrary",
    "NSMicrophoneUsageDescription": r"for: \.audio|AVAudioSession",
}
# Statement in the sources: category of the privacy manifest. What the Rust library calls is checked by
# ios-library, which has its symbols.
PRIVACY = {
    "NSPrivacyAccessedAPICategorySystemBootTime": r"systemUptime|mach_absolute_time",
    "NSPrivacyAccessedAPICategoryUserDefaults": r"UserDefaults|@AppStorage",
}


def check_project():
    project = XcodeProject.load(str(APP / "Osprey.xcodeproj/project.pbxproj"))
    objects = project.objects
    ids = set(objects.get_keys())

    def references(value):
        if isinstance(value, str) and len(value) == 24 and value.startswith("05BE"):
            yield value
        elif isinstance(value, list):
            for item in value:
                yield from references(str(item) if not isinstance(item, (list, str)) else item)

    for name in ids:
        item = objects[name]
        for key in item.get_keys():
            for reference in references(item[key]):
                assert reference in ids, f"{name}.{key} names {reference}, which is not there"
    assert {t.name for t in objects.get_targets()} == {"Osprey", "OspreyUITests"}
    for group in objects.get_objects_in_section("PBXFileSystemSynchronizedRootGroup"):
        assert (APP / group.path).is_dir(), group.path
    [package] = objects.get_objects_in_section("XCLocalSwiftPackageReference")
    manifest = (APP / package.relativePath / "Package.swift").read_text()
    for product in objects.get_objects_in_section("XCSwiftPackageProductDependency"):
        assert f'.library(name: "{product.productName}"' in manifest, f"the package has no product {product.productName}"
    settings = [c.buildSettings for c in objects.get_objects_in_section("XCBuildConfiguration")]
    plists = {s["INFOPLIST_FILE"] for s in settings if "INFOPLIST_FILE" in s}
    assert plists == {"Osprey/Info.plist"}, plists
    assert all(s["SWIFT_VERSION"] == "6.0" for s in settings if "SWIFT_VERSION" in s)
    for configuration in objects.get_objects_in_section("XCBuildConfiguration"):
        if "baseConfigurationReference" in configuration.get_keys():
            assert (APP / objects[configuration.baseConfigurationReference].path).is_file()
    scheme = xml.etree.ElementTree.parse(APP / "Osprey.xcodeproj/xcshareddata/xcschemes/Osprey.xcscheme")
    for reference in scheme.iter("BuildableReference"):
        assert reference.get("BlueprintIdentifier") in ids, reference.attrib
    return len(ids)


def check_permissions():
    info = plistlib.loads((APP / "Osprey/Info.plist").read_bytes())
    for key, statement in PERMISSIONS.items():
        assert bool(re.search(statement, ALL)) == bool(info.get(key)), f"{key} and the sources disagree"
    privacy = plistlib.loads((APP / "Osprey/PrivacyInfo.xcprivacy").read_bytes())
    declared = {t["NSPrivacyAccessedAPIType"] for t in privacy["NSPrivacyAccessedAPITypes"]}
    for category, statement in PRIVACY.items():
        assert bool(re.search(statement, ALL)) == (category in declared), f"{category} and the sources disagree"
    return sorted(k for k in PERMISSIONS if info.get(k))


def check_symbols():
    """Every SF Symbol that is named exists in iOS 17: sf-symbols.txt has those that were looked up."""
    known = set((HERE / "sf-symbols.txt").read_text().split("\n"))
    # A name stands alone or is one of the two of a condition.
    used = set()
    for call in re.finditer(r"system(?:Image|Name): ([^\n]*)", ALL):
        used.update(re.findall(r'"([a-z0-9.]+)"', call.group(1).split(").")[0]))
    unknown = used - known
    assert not unknown, f"not known to be SF Symbols of iOS 17: {sorted(unknown)}; look them up for sf-symbols.txt"
    return len(used)


def check_assets():
    for catalogue in (APP / "Osprey/Assets.xcassets").rglob("Contents.json"):
        for image in json.loads(catalogue.read_text()).get("images", []):
            assert (catalogue.parent / image["filename"]).is_file(), image


def main():
    objects = check_project()
    permissions = check_permissions()
    symbols = check_symbols()
    check_assets()
    print(f"{objects} objects of the project refer to each other; property lists and assets are whole")
    print(f"{len(permissions)} permissions are asked for, and used; {symbols} symbols exist")


main()

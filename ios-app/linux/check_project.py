"""Checks of the Xcode project and of what the app declares; run by check-project."""

import json
import plistlib
import re
import tomllib
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
# Categories of the privacy manifest: what of them the sources name, and the symbols of the Rust library, which
# are those of allowed-symbols.txt (ios-library checks that there are no others). The lists are those of Apple's
# "Describing use of required reason API".
PRIVACY = {
    "NSPrivacyAccessedAPICategorySystemBootTime": (r"systemUptime|mach_absolute_time", ["mach_absolute_time"]),
    "NSPrivacyAccessedAPICategoryUserDefaults": (r"UserDefaults|@AppStorage", []),
    "NSPrivacyAccessedAPICategoryFileTimestamp": (
        r"creationDate|modificationDate|contentModificationDateKey",
        ["stat", "fstat", "fstatat", "lstat", "getattrlist", "getattrlistbulk", "fgetattrlist", "getattrlistat"],
    ),
    "NSPrivacyAccessedAPICategoryDiskSpace": (
        r"volumeAvailableCapacity|systemFreeSize|systemSize",
        ["statfs", "statvfs", "fstatfs", "fstatvfs"],
    ),
    "NSPrivacyAccessedAPICategoryActiveKeyboards": (r"activeInputModes", []),
}
# In the library but not in an app: dead code that the linker strips. ios-library says so when that changes.
STRIPPED = {"fstatfs", "fstatvfs", "statfs", "statvfs"}


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
    symbols = {line.strip().lstrip("_").split("$")[0] for line in (HERE / "allowed-symbols.txt").read_text().splitlines()}
    for category, (statement, functions) in PRIVACY.items():
        called = set(functions) & symbols - STRIPPED
        assert bool(re.search(statement, ALL) or called) == (category in declared), f"{category} and the code disagree: {called}"
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


def keys_in(text):
    """Keys of localized texts in a source. An interpolation stands for any placeholder."""
    calls = r'(?:Text|Label|Button|Section|Picker|Slider|TextField|ProgressView|LabeledContent|NavigationLink|SharePreview|navigationTitle|warning|String\(localized:|chartXAxisLabel)'
    for match in re.finditer(calls + r'\(?\s*"', text):
        key, at, depth = "", match.end(), 0
        while text[at] != '"' or depth:
            if text.startswith("\\(", at):
                if not depth:
                    key += "\0"
                depth, at = depth + 1, at + 2
                continue
            if depth:
                depth += {"(": 1, ")": -1}.get(text[at], 0)
            else:
                key += text[at]
            at += 1
        if re.search(r"[A-Za-z]{2}", key.replace("\0", "")):
            yield key
    for match in re.finditer(calls + r'\([^"\n]*\? "([^"]+)" : "([^"]+)"', text):
        yield from match.groups()


def check_texts():
    """Each text of the app is in the catalogue, in English and German; the catalogue holds nothing else."""
    catalogue = json.loads((APP / "Osprey/Localizable.xcstrings").read_text())["strings"]
    placeholder = re.compile(r"%(?:\d+\$)?(lld|@|(?:\.\d+)?[fg])")
    # A percent sign of the text is doubled in a key.
    known = {placeholder.sub("\0", key).replace("%%", "%"): key for key in catalogue}
    used = set()
    for path, source in SOURCES.items():
        if APP in path.parents:
            used.update(keys_in(source))
    missing = sorted(k.replace("\0", "%…") for k in used - set(known))
    assert not missing, f"not in Localizable.xcstrings: {missing}"
    unused = sorted(known[k] for k in set(known) - used)
    assert not unused, f"in Localizable.xcstrings, but in no source: {unused}"
    for key, entry in catalogue.items():
        german = entry.get("localizations", {}).get("de")
        assert german, f"no German for {key!r}"
        forms = german.get("variations", {}).get("plural")
        units = [f["stringUnit"] for f in forms.values()] if forms else [german["stringUnit"]]
        for unit in units:
            assert unit["state"] == "translated" and unit["value"], key
            assert sorted(placeholder.findall(unit["value"])) == sorted(placeholder.findall(key)), f"placeholders of {key!r}"
    return len(catalogue)


def check_classes():
    """The benchmark's classes are those of cargo bench, with its threads and sizes."""
    classes = {c["name"]: c for c in tomllib.loads((HERE.parents[1] / "benches/device_classes.toml").read_text())["class"]}
    found = re.findall(r'BenchmarkConfiguration\(name: "([^"]+)", threads: (\d+), seconds: \d+\)', ALL)
    assert found, "the app measures nothing"
    for name, threads in found:
        one = classes.get(name)
        assert one, f"benches/device_classes.toml has no class {name}"
        assert one["threads"] == int(threads) and one["format"] == "nv12" and one["size"] == [1920, 1080], name
    return len(set(found))


def check_assets():
    for catalogue in (APP / "Osprey/Assets.xcassets").rglob("Contents.json"):
        for image in json.loads(catalogue.read_text()).get("images", []):
            assert (catalogue.parent / image["filename"]).is_file(), image


def main():
    objects = check_project()
    permissions = check_permissions()
    symbols = check_symbols()
    check_assets()
    texts = check_texts()
    print(f"{check_classes()} classes of the benchmark are those of cargo bench; {texts} texts are in English and German")
    print(f"{objects} objects of the project refer to each other; property lists and assets are whole")
    print(f"{len(permissions)} permissions are asked for, and used; {symbols} symbols exist")


main()

import XCTest

/// The first launch as a person, or App Review, does it: welcome, permission, every tab.
final class LaunchTests: XCTestCase {
    @MainActor
    func testEveryScreenOpens() {
        continueAfterFailure = false
        let app = XCUIApplication()
        app.launchArguments = ["-AppleLanguages", "(en)"]
        app.launch()
        // Only on a simulator that has not run it yet.
        let welcome = app.buttons["Continue"]
        if welcome.waitForExistence(timeout: 5) { welcome.tap() }
        let springboard = XCUIApplication(bundleIdentifier: "com.apple.springboard")
        let allow = springboard.buttons["Allow"]
        if allow.waitForExistence(timeout: 5) { allow.tap() }
        let tabs = app.tabBars.buttons
        for name in ["Draw", "Motion", "Teach", "Benchmark", "Live"] {
            tabs[name].tap()
            XCTAssertTrue(tabs[name].isSelected, name)
            XCTAssertEqual(app.state, .runningForeground, name)
        }
        // The simulator has no camera: the app says so, and goes on.
        app.buttons["Settings"].tap()
        XCTAssertTrue(app.navigationBars["Settings"].waitForExistence(timeout: 5))
    }
}

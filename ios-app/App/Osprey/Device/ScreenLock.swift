import UIKit

/// Keeps the screen on while somebody looks at it without touching it.
@MainActor
enum ScreenLock {
    private static var holders = 0

    /// The screen stays on until `body` returns.
    static func held(during body: @MainActor () async -> Void) async {
        holders += 1
        UIApplication.shared.isIdleTimerDisabled = true
        await body()
        holders -= 1
        UIApplication.shared.isIdleTimerDisabled = holders > 0
    }
}

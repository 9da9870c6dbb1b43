// What the phone's motion says of its owner.
import { MotionClassifier } from "./js/index.js";

const $ = (id) => document.getElementById(id);

/** @param {(error: unknown) => void} explain */
export function setUp(explain) {
  let classifier;
  let end;

  function stop() {
    end?.();
    end = undefined;
    $("move").setAttribute("aria-pressed", "false");
    $("moving").textContent = "";
  }

  $("move").onclick = async () => {
    if (end) return stop();
    try {
      // Safari asks within the tap or not at all, so that nothing is awaited before.
      await MotionClassifier.ask();
      classifier ??= MotionClassifier.load();
      const loaded = await classifier;
      const failed = (error) => {
        stop();
        explain(error);
      };
      end = loaded.listen(({ label, smoothed }) => {
        const text = label ? `${label}, ${Math.round(smoothed[label] * 100)} %` : "not sure";
        $("moving").ariaLive = $("moving").textContent.split(",")[0] === text.split(",")[0] ? "off" : "polite";
        $("moving").textContent = text;
      }, failed);
      $("move").setAttribute("aria-pressed", "true");
      $("moving").textContent = "Listening: an answer every second, the first after three.";
    } catch (error) {
      classifier = undefined;
      stop();
      explain(error);
    }
  };
}

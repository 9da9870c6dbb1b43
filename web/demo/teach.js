// Classes that a user teaches with what the page shows.
import { Teacher } from "./js/index.js";

const NAME = "page";
/** Milliseconds between two answers: what a reader can follow, and the detector keeps most of the time. */
const PACE = 400;

const $ = (id) => document.getElementById(id);

/**
 * @param {() => {source: any, view: object} | undefined} shown what the page shows
 * @param {(error: unknown) => void} explain
 */
export function setUp(shown, explain) {
  let teacher;
  let timer = 0;

  async function load() {
    teacher ??= Teacher.load({ keep: NAME }).catch(async (error) => {
      teacher = undefined;
      // Classes of another version's model fit nothing any more.
      if (error.code !== "kept") throw error;
      await Teacher.forget(NAME);
      return Teacher.load({ keep: NAME });
    });
    return teacher;
  }

  function list({ classes, trained }) {
    $("taught").replaceChildren(...classes.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
    $("classes").replaceChildren(
      ...classes.map(({ name, pictures }) => {
        const [row, text, remove] = ["li", "span", "button"].map((tag) => document.createElement(tag));
        text.textContent = `${name}: ${pictures} ${pictures === 1 ? "picture" : "pictures"}`;
        Object.assign(remove, { textContent: "Remove", ariaLabel: `Remove ${name}` });
        remove.onclick = () => change((loaded) => loaded.remove(name));
        row.append(text, remove);
        return row;
      }),
    );
    $("train").disabled = trained || classes.filter(({ pictures }) => pictures > 0).length < 2;
    $("learn").disabled = false;
  }

  async function change(work) {
    for (const id of ["learn", "train"]) $(id).disabled = true;
    try {
      await work(await load());
    } catch (error) {
      explain(error);
    } finally {
      if (teacher) await load().then(list, explain);
    }
  }

  async function answer() {
    const { source, view } = shown() ?? {};
    try {
      const loaded = await load();
      if (source && loaded.classes.some(({ pictures }) => pictures > 0)) {
        const { label, probabilities } = await loaded.classify(source, view);
        const text = label ? `This is: ${label}, ${Math.round(probabilities[label] * 100)} %` : "None of these";
        // A screen reader speaks when the class changes, not with each percent.
        $("answer").ariaLive = $("answer").textContent.startsWith(`This is: ${label},`) ? "off" : "polite";
        $("answer").textContent = text;
      } else $("answer").textContent = "";
    } catch {
      // A video between two pictures; the next one is looked at.
    }
    if ($("teach").open) timer = setTimeout(answer, PACE);
  }

  $("teach").ontoggle = () => {
    clearTimeout(timer);
    if (!$("teach").open) return;
    change(() => {});
    answer();
  };
  $("learn").onclick = () =>
    change((loaded) => {
      const { source, view } = shown() ?? {};
      if (!source) throw new Error("Start the camera or choose a photo first: classes are learned from what is shown.");
      if (!$("class").value.trim()) {
        $("class").focus();
        throw new Error("Name the class first.");
      }
      return loaded.learn($("class").value, source, view);
    });
  $("train").onclick = () => change((loaded) => loaded.train());
}

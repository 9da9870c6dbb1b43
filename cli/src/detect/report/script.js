'use strict';
const $ = id => document.getElementById(id);
const figures = [...document.querySelectorAll('figure')].map(element => ({
  element,
  name: element.dataset.name.toLowerCase(),
  count: element.querySelector('.count'),
  boxes: [...element.querySelectorAll('i')].map(box => ({ box, score: +box.dataset.score, kind: box.dataset.class })),
}));
const buttons = [...document.querySelectorAll('.classes button')];

function refresh() {
  const least = $('score').value / 100, text = $('search').value.toLowerCase(), onlyFound = $('found').checked;
  const off = new Set(buttons.filter(b => b.ariaPressed === 'false').map(b => b.dataset.class));
  let pictures = 0, objects = 0;
  for (const { element, name, count, boxes } of figures) {
    let shown = 0;
    for (const { box, score, kind } of boxes) {
      box.hidden = score < least || off.has(kind);
      box.style.display = box.hidden ? 'none' : '';
      shown += !box.hidden;
    }
    count.textContent = shown === 1 ? '1 object' : shown + ' objects';
    element.hidden = !name.includes(text) || (onlyFound && shown === 0);
    if (!element.hidden) { pictures += 1; objects += shown; }
  }
  $('score-value').textContent = $('score').value + ' %';
  $('visible').textContent = `${objects} objects in ${pictures} pictures shown`;
  document.body.classList.toggle('no-names', !$('names').checked);
}

for (const id of ['score', 'search', 'found', 'names']) $(id).addEventListener('input', refresh);
for (const button of buttons) {
  button.addEventListener('click', event => {
    const alone = event.detail === 2;  // a double click leaves only this class
    if (alone) for (const b of buttons) b.ariaPressed = String(b === button);
    else button.ariaPressed = String(button.ariaPressed === 'false');
    refresh();
  });
}
const dialog = document.querySelector('dialog');
document.querySelector('main').addEventListener('click', event => {
  const picture = event.target.closest('.picture');
  if (!picture) return;
  const copy = picture.cloneNode(true);
  const [w, h] = picture.style.aspectRatio.split('/').map(Number);
  copy.style.setProperty('--ratio', w / (h || 1));
  dialog.replaceChildren(copy);
  dialog.showModal();
});
dialog.addEventListener('click', () => dialog.close());
refresh();

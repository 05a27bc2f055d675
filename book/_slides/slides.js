// A deck of slides: keys, notes, a second window that follows, and text that fits its slide.
window.MathJax = {
  options: { ignoreHtmlClass: 'tex2jax_ignore', processHtmlClass: 'math', enableMenu: false },
  svg: { fontCache: 'local' },
  startup: {
    pageReady: () => MathJax.startup.defaultPageReady().then(() => {
      slides.forEach(fit);
      show(now);
      document.body.dataset.ready = 'true';
    }),
  },
};

const SMALLEST = 0.44; // of the usual size
const slides = [...document.querySelectorAll('main > section')];
const notes = document.getElementById('notes');
let now = Math.min(Math.max(parseInt(location.hash.slice(1)) || 1, 1), slides.length) - 1;
let other = window.opener; // the window that opened this one, or that this one opened

function show(number, told) {
  now = Math.min(Math.max(number, 0), slides.length - 1);
  slides.forEach((slide, i) => slide.classList.toggle('now', i === now));
  notes.innerHTML = slides[now].querySelector('.notes').innerHTML || '<p>No notes.</p>';
  notes.scrollTop = 0;
  history.replaceState(null, '', '#' + (now + 1));
  if (other && !told) other.postMessage({ slide: now }, '*');
}

// Text is as large as it can be, up to a limit, without a thing of the slide being cut off;
// what a cell shows stands beside its code or beneath it, whichever leaves the text larger.
function fit(slide) {
  const body = slide.querySelector('.body');
  const beside = largest(body);
  body.classList.add('stacked');
  const beneath = body.querySelector('.cell_input + .cell_output') ? largest(body) : 0;
  body.classList.toggle('stacked', beneath > beside);
  body.style.setProperty('--fit', Math.max(beside, beneath, SMALLEST).toFixed(2));
  if (!beside && !beneath) slide.dataset.cut = 'true';
}

function largest(body) {
  const formulas = [...body.querySelectorAll('div.math:has(> mjx-container)')];
  const room = (e) => e.clientWidth - 2 * parseFloat(getComputedStyle(e).paddingLeft);
  const boxes = [body, ...body.querySelectorAll('pre, .cell, figure')];
  const cut = () => formulas.some((e) => e.querySelector('svg').getBoundingClientRect().width > room(e))
    || boxes.some((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1);
  for (let size = body.querySelector('img, li') ? 1 : 1.35; size >= SMALLEST; size -= 0.04) {
    body.style.setProperty('--fit', size.toFixed(2));
    if (!cut()) return size;
  }
  return 0;
}

function speak() {
  notes.hidden = !document.body.classList.toggle('speaking');
}

const keys = {
  ArrowRight: () => show(now + 1), ArrowDown: () => show(now + 1), PageDown: () => show(now + 1),
  ' ': () => show(now + 1), Enter: () => show(now + 1),
  ArrowLeft: () => show(now - 1), ArrowUp: () => show(now - 1), PageUp: () => show(now - 1),
  Backspace: () => show(now - 1), Home: () => show(0), End: () => show(slides.length - 1),
  n: speak,
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  s: () => { other = window.open(location.href, 'second', 'width=960,height=600'); },
};

addEventListener('keydown', (event) => {
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
});
addEventListener('message', (event) => {
  if (event.source === other && Number.isInteger(event.data.slide)) show(event.data.slide, true);
});
addEventListener('click', (event) => {
  if (event.target.closest('a, #notes') || String(getSelection())) return;
  show(now + (event.clientX > innerWidth / 3 ? 1 : -1));
});
show(now);

// Run in the page: a bar under each code cell, and one Python behind them all.
//
// Everything here is added by this script, so a page without JavaScript is simply a page. The
// address of Python and of the wheel of minitx stand in <meta name="minitx-run">.

(() => {
  "use strict";

  const meta = document.querySelector('meta[name="minitx-run"]');
  const root = document.documentElement.dataset.content_root || "./";
  const cells = [];
  let python = null; // {worker, ready} while there is one
  let current = null; // the cell that runs, with what ends its promise

  const absolute = (address) => new URL(address, new URL(root, location.href)).href;

  // ---- Python --------------------------------------------------------------------------------

  function startPython() {
    const worker = new Worker(absolute("_static/run-worker.js"), { type: "module" });
    const ready = new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message || "The worker could not be started."));
      worker.onmessage = ({ data }) => {
        if (data.ready) resolve();
        else if (data.failed) reject(new Error(data.failed));
        else receive(data);
      };
    });
    worker.postMessage({ start: { pyodide: absolute(meta.dataset.pyodide), wheel: absolute(meta.dataset.wheel) } });
    python = { worker, ready };
  }

  function endPython() {
    if (python) python.worker.terminate();
    python = null;
    for (const cell of cells) cell.ran = false;
  }

  function receive(data) {
    if (!current) return;
    if (data.loading) current.cell.say(data.loading);
    else if (data.done) current.finish(data.ok);
    else if (data.image) current.cell.showImage(data.image);
    else current.cell.showText(data.text, data.error);
  }

  async function runOne(cell) {
    cell.clear();
    cell.setRunning(true);
    if (!python) {
      cell.say("starting Python …");
      startPython();
    }
    const started = performance.now();
    const finished = new Promise((finish) => { current = { cell, finish }; });
    try {
      await Promise.race([python.ready, finished]);
      const plots = cells.some((other) => /\b(matplotlib|plot)\b/.test(other.code()));
      if (python) python.worker.postMessage({ run: { id: cell.number, code: cell.code(), name: `<cell ${cell.number}>`, plots } });
      cell.ran = await finished;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      if (python) cell.say(cell.ran ? `done in ${seconds} s` : "this cell did not finish");
    } catch (error) {
      endPython();
      cell.showText(error.message + "\n", true);
      cell.say("Python did not start");
    } finally {
      current = null;
      cell.setRunning(false);
    }
    return cell.ran;
  }

  // Cells share their names down the page: those above that have not run are run first.
  async function runUpTo(cell) {
    if (current) return;
    for (const earlier of cells) {
      if (earlier === cell) break;
      if (!earlier.ran && !earlier.local && !(await runOne(earlier))) {
        cell.say(`cell ${earlier.number}, above, has to run first`);
        return;
      }
    }
    await runOne(cell);
  }

  function stop() {
    const stopped = current;
    endPython();
    if (!stopped) return;
    stopped.cell.say("stopped; the next Run begins again from the top of the page");
    stopped.finish(false);
  }

  // ---- one cell ------------------------------------------------------------------------------

  class Cell {
    constructor(element, number) {
      this.element = element;
      this.number = number;
      this.local = element.classList.contains("tag_local");
      this.pre = element.querySelector(".cell_input pre");
      this.original = this.pre.innerHTML;
      this.ran = false;
      this.addBar();
      if (!this.local) this.makeEditable();
    }

    code() {
      return this.pre.innerText; // not textContent: a browser may put a typed line break in as <br>
    }

    makeEditable() {
      this.pre.contentEditable = "plaintext-only";
      if (this.pre.contentEditable !== "plaintext-only") this.pre.contentEditable = "true";
      this.pre.spellcheck = false;
      for (const [name, value] of Object.entries({
        role: "textbox", "aria-multiline": "true", "aria-label": `Code of cell ${this.number}`,
      })) this.pre.setAttribute(name, value);
      this.pre.addEventListener("input", () => this.edited());
      this.pre.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) {
          event.preventDefault();
          runUpTo(this);
        }
      });
    }

    // What was defined here is no longer what stands here, so this cell and those below are to run again.
    edited() {
      this.resetButton.hidden = false;
      for (const cell of cells) if (cell.number >= this.number) cell.ran = false;
    }

    addBar() {
      this.bar = make("div", "run-bar");
      if (this.local) {
        this.bar.append(make("span", "run-state", "This cell needs more than a browser has: run it on your own machine."));
      } else {
        this.runButton = this.button("Run", "Run this cell (Shift+Enter)", () => runUpTo(this));
        this.stopButton = this.button("Stop", "Stop at once", stop);
        this.resetButton = this.button("Reset", "Bring back the first text and the stored output", () => this.reset());
        this.stopButton.hidden = this.resetButton.hidden = true;
        this.state = make("span", "run-state");
        this.state.setAttribute("role", "status");
        this.bar.append(this.runButton, this.stopButton, this.resetButton);
        this.restartButton = this.button("Restart Python", "Forget what was run", restart);
        this.restartButton.hidden = true;
        this.bar.append(this.restartButton, this.state);
      }
      this.element.querySelector(".cell_input").append(this.bar);
    }

    button(text, title, action) {
      const button = make("button", "", text);
      Object.assign(button, { type: "button", title });
      button.addEventListener("click", action);
      return button;
    }

    setRunning(running) {
      for (const cell of cells) if (!cell.local) cell.runButton.disabled = running;
      this.stopButton.hidden = !running;
      this.resetButton.hidden = running;
      this.restartButton.hidden = running || !python;
    }

    say(text) {
      this.state.textContent = text;
    }

    clear() {
      if (!this.output) {
        this.output = make("div", "run-output");
        this.output.setAttribute("aria-live", "polite");
        this.element.append(this.output);
      }
      this.output.replaceChildren();
      this.element.classList.add("run-live");
    }

    showText(text, error = false) {
      let last = this.output.lastElementChild;
      if (!last || last.tagName !== "PRE" || last.classList.contains("run-error") !== error) {
        last = make("pre", error ? "run-error" : "");
        this.output.append(last);
      }
      last.append(text);
    }

    showImage(data) {
      const image = make("img");
      image.src = "data:image/png;base64," + data;
      image.alt = `Figure drawn by cell ${this.number}`;
      this.output.append(image);
    }

    reset() {
      this.pre.innerHTML = this.original;
      this.output?.remove();
      this.output = null;
      this.element.classList.remove("run-live");
      this.edited();
      this.resetButton.hidden = true;
      this.say("");
    }
  }

  function restart() {
    stop();
    for (const cell of cells) {
      if (cell.local) continue;
      cell.restartButton.hidden = true;
      cell.say("Python will start anew with the next Run");
    }
  }

  function make(tag, name = "", text = "") {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  }

  // ---- the page ------------------------------------------------------------------------------

  if (!meta || location.protocol === "file:") return; // a page opened as a file may start no worker
  const found = [...document.querySelectorAll("div.cell")].filter((cell) => cell.querySelector(".cell_input pre"));
  found.forEach((element, i) => cells.push(new Cell(element, i + 1)));
})();

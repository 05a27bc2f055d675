// Python for one page, in a thread of its own, so that the page stays usable and Stop can end it.
//
// In:  {start: {pyodide, wheel}}, then {run: {id, code, name, plots}} for each cell.
// Out: {ready}, {failed: text}, {loading: text}; for a cell {id, text, error?},
//      {id, image, alt}, and at last {id, done: true, ok}.

const HELPER = `
import ast, base64, io, sys, traceback

def run_cell(code, name, scope):
    """Run a cell; return the text of its last expression, or None."""
    import linecache
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    tree = ast.parse(code, name)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), scope)
    value = eval(compile(last, name, "eval"), scope) if last else None
    return None if value is None or type(value).__module__.startswith("matplotlib") else repr(value)

def explain(error, name):
    """The traceback from the cell on, without the frames of this file."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != name:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))

def run(code, name, scope):
    try:
        return [True, run_cell(code, name, scope)]
    except BaseException as error:
        return [False, explain(error, name)]

def figures():
    """All open figures as PNG in base64; they are closed."""
    if "matplotlib.pyplot" not in sys.modules:
        return []
    import matplotlib.pyplot as plt
    pictures = []
    for number in plt.get_fignums():
        data = io.BytesIO()
        plt.figure(number).savefig(data, format="png", dpi=110, bbox_inches="tight")
        pictures.append(base64.b64encode(data.getvalue()).decode())
    plt.close("all")
    return pictures
`;

let python, helper, scope, settings;

async function start(given) {
  settings = given;
  let loader;
  try {
    loader = await import(settings.pyodide + "pyodide.mjs");
    python = await loader.loadPyodide({ indexURL: settings.pyodide, env: { MPLBACKEND: "AGG", HOME: "/home/pyodide" } });
  } catch (error) {
    throw new Error(`Python could not be loaded from ${settings.pyodide} (${error.message}).`);
  }
  helper = python.toPy({});
  python.runPython(HELPER, { globals: helper });
  scope = python.toPy({ __name__: "__main__" });
}

// Libraries are fetched when a cell first imports them; minitx brings NumPy with it.
async function provide(code, plots) {
  const wanted = new Set(python.pyimport("pyodide.code").find_imports(code).toJs());
  if (wanted.has("minitx")) {
    wanted.add("numpy");
    if (plots) wanted.add("matplotlib");
  }
  for (const name of ["numpy", "matplotlib"]) {
    if (wanted.has(name) && !python.loadedPackages[name]) await fetchPackage(name);
  }
  if (wanted.has("minitx") && !python.loadedPackages.minitx) await fetchWheel();
}

async function fetchPackage(name) {
  postMessage({ loading: `fetching ${name} …` });
  try {
    await python.loadPackage(name, { messageCallback() {}, errorCallback() {} });
  } catch { /* looked at below: a package that is out of reach does not always throw */ }
  const title = { numpy: "NumPy", matplotlib: "Matplotlib" }[name];
  if (!reallyThere(name)) {
    throw new Error(`${title} could not be loaded from ${settings.pyodide}, so this cell cannot run here. `
      + "Plain Python cells still can. Check the network, or take the page as a notebook.");
  }
}

function reallyThere(name) {
  return python.runPython(`import importlib.util; importlib.util.find_spec("${name}") is not None`);
}

async function fetchWheel() {
  postMessage({ loading: "fetching minitx …" });
  const answer = await fetch(settings.wheel);
  if (!answer.ok) throw new Error(`minitx could not be loaded from ${settings.wheel} (${answer.status}).`);
  python.unpackArchive(await answer.arrayBuffer(), "whl");
  python.loadedPackages.minitx = settings.wheel;
}

async function run({ id, code, name, plots }) {
  const write = (error) => {
    const decoder = new TextDecoder();
    return { write(bytes) { postMessage({ id, text: decoder.decode(bytes, { stream: true }), error }); return bytes.length; } };
  };
  try {
    await provide(code, plots);
  } catch (error) {
    postMessage({ id, text: error.message, error: true });
    return postMessage({ id, done: true, ok: false });
  }
  postMessage({ loading: "running …" });
  python.setStdout(write(false));
  python.setStderr(write(true));
  const [ok, text] = helper.get("run")(code, name, scope).toJs();
  const pictures = helper.get("figures")().toJs();
  if (text !== undefined && text !== null) postMessage({ id, text: text + "\n", error: !ok });
  for (const image of pictures) postMessage({ id, image });
  postMessage({ id, done: true, ok });
}

onmessage = async ({ data }) => {
  if (data.run) return run(data.run);
  try {
    await start(data.start);
    postMessage({ ready: true });
  } catch (error) {
    postMessage({ failed: error.message });
  }
};

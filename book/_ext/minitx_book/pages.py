"""What every page gets: a button that reports an error, and what the Run button must know.

And what it does not get: Thebe, which Jupyter Book brings along and which this book does not use.
"""

from urllib.parse import urlencode

from .assets import project_root, wheel_name


def report_button(app, pagename, templatename, context, doctree) -> None:
    """Turn the theme's issue button into "Report an error", with the page's name filled in."""
    repository = app.config.html_theme_options.get("repository_url")
    body = (
        f"Page: {app.config.book_url}/{pagename}.html\n\nWhat is wrong, and what it should say:\n"
    )
    address = f"{repository}/issues/new?" + urlencode(
        {"title": f"Error on page {pagename}", "body": body}
    )
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", [group]):
            if button.get("label") == "source-issues-button":
                button.update(url=address, text="Report an error", tooltip="Report an error")


def run_settings(app, pagename, templatename, context, doctree) -> None:
    """Tell `run.js` where Python and the wheel of minitx are."""
    wheel = "_static/wheels/" + wheel_name(project_root(app))
    address = app.config.pyodide_url
    tag = f'<meta name="minitx-run" data-pyodide="{address}" data-wheel="{wheel}">'
    context["metatags"] = context.get("metatags", "") + tag


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not _is_thebe(file)]


def _is_thebe(file) -> bool:
    body = getattr(file, "attributes", {}).get("body") or ""
    return "thebe" in f"{getattr(file, 'filename', file)} {body}".lower()


def setup(app) -> None:
    app.add_js_file("run.js", loading_method="defer")
    app.add_css_file("run.css")
    app.connect("html-page-context", report_button, priority=900)
    app.connect("html-page-context", run_settings)
    app.connect("html-page-context", drop_thebe, priority=950)

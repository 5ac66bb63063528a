"""What a box of widgets needs of the page around it, and what is left of it where it cannot live.

ipywidgets gives no names to sliders, no state to toggles and no live region, and it takes HTML but
no attributes. So each box has one invisible picture that cannot load: what then runs in the page
sets them. That works in JupyterLab, Notebook 7 and nbclassic alike, with no extension to install.
"""

from __future__ import annotations

from markupsafe import Markup

from labkit.show.style import badge, page, tag

# Names and states of widgets, set anew when a box changes. Attributes that are already right are
# left alone, or a screen reader would read them once more.
_SCRIPT = """
(function start(image, tries) {
  const panel = image.closest('.lab-panel');
  if (!panel) { if (tries) setTimeout(start, 100, image, tries - 1); return; }
  const set = (node, name, value) => {
    if (node && node.getAttribute(name) !== value) node.setAttribute(name, value);
  };
  const words = (widget) => (widget.querySelector('.widget-label') || {}).textContent || '';
  const mend = () => {
    set(panel, 'data-lm-suppress-shortcuts', 'true');
    panel.querySelectorAll('.widget-slider').forEach((slider) => {
      set(slider.querySelector('[role=slider]'), 'aria-label', words(slider));
      const number = slider.querySelector('.widget-readout[contenteditable]');
      set(number, 'role', 'textbox');
      set(number, 'aria-label', words(slider) + ', as a number');
    });
    panel.querySelectorAll('.widget-toggle-buttons').forEach((toggle) => {
      set(toggle, 'role', 'group');
      set(toggle, 'aria-label', words(toggle));
      toggle.querySelectorAll('button').forEach((button) =>
        set(button, 'aria-pressed', String(button.classList.contains('mod-active'))));
    });
    panel.querySelectorAll('img.widget-image').forEach((picture) =>
      set(picture, 'alt', picture.title));
    panel.querySelectorAll('[data-testid=state], [data-testid=dead]').forEach((line) =>
      set(line.closest('.widget-html'), 'role', 'status'));
  };
  mend();
  const watched = { childList: true, subtree: true, attributes: true };
  new MutationObserver(mend).observe(
    panel, { ...watched, attributeFilter: ['class', 'title', 'contenteditable'] });
})(this, 50);
"""

_DEAD = "The Python that this panel belonged to is gone. Run the cell again for a new one."
_COPY = "Not live: this is what the panel showed when its cell was run. To use it, run the cell."
_CSS = """
.lab-panel > .lab-in-page { display: none; }
.lab-panel.jupyter-widgets-disconnected > .lab-in-page { display: flex; }
"""


def in_page_html() -> str:
    """Return the invisible part of a box: what gives names in the page, and the words at its end.

    The words show once the front end has lost the kernel, and has marked the box so.
    """
    picture = Markup('<img src="data:," alt="" hidden onerror="{}">').format(_SCRIPT)
    dead = tag("p", badge("bad", _DEAD), data_testid="dead")
    return f"<style>{_CSS}</style>" + page(picture, dead)


def static_html(html: str, box: str) -> str:
    """Return what a box showed, for a page in which no living box of that class is.

    Such are a saved notebook, one whose kernel has ended, and what nbconvert writes.
    """
    hidden = f"<style>:root:has(.{box}) .{box}-copy {{ display: none; }}</style>"
    html = html.replace(' data-testid="', ' data-copy="')  # a mark is the living panel's
    note = tag("p", tag("small", _COPY), data_testid="not-live")
    return hidden + str(tag("div", Markup(html), Markup(page(note)), class_=f"{box}-copy"))

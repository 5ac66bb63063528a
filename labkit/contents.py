"""Notebooks as JupyterLab opens them: with nothing to add by itself, and so nothing to save.

JupyterLab writes the kernel's name and Python's version into a notebook, and then calls it changed
before anybody has changed it. Without outputs it calls it "not trusted" too, though there is
nothing in it to distrust. .jupyter/jupyter_lab_config.py names the class.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

KERNEL = "python3"


class Contents(AsyncLargeFileManager):
    """The server's own file manager; what it reads is completed in memory, not on the disk."""

    async def get(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a file's model, as jupyter_server does; a notebook's is completed."""
        model: dict[str, Any] = await super().get(*args, **kwargs)  # type: ignore[no-untyped-call]
        if model["type"] == "notebook" and model.get("content"):
            complete(model["content"])
        return model


def complete(notebook: Any) -> None:
    """Add to a notebook what JupyterLab would add when this Python's kernel answers.

    One for another kernel stays as it is. Cells are marked trusted where no cell has any output.
    """
    if notebook["metadata"].get("kernelspec", {}).get("name") == KERNEL:
        notebook["metadata"].update(_kernel_facts())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if not any(cell["outputs"] for cell in code):
        for cell in code:
            cell["metadata"]["trusted"] = True


def _kernel_facts() -> dict[str, Any]:
    from ipykernel.ipkernel import IPythonKernel
    from ipykernel.kernelspec import get_kernel_dict

    spec = get_kernel_dict()
    said = {"name": KERNEL, "display_name": spec["display_name"], "language": spec["language"]}
    return {"kernelspec": said, "language_info": dict(IPythonKernel.language_info)}

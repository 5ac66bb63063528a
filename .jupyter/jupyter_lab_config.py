"""How the lab's JupyterLab runs; `./lab` names this folder in JUPYTER_CONFIG_PATH."""

from pathlib import Path

c = get_config()

# BPF needs root, so the server runs as root: reachable from this machine alone, and by a token
# (`./lab` makes a new one each time), never by a password or openly.
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.allow_root = True
c.ServerApp.port_retries = 0  # `./lab` has chosen a free port and has printed it
c.ServerApp.open_browser = False  # `./lab` opens it, as the user and not as root
c.ServerApp.answer_yes = True  # one Ctrl-C stops it, without asking
c.Application.log_level = "WARN"
c.ServerApp.root_dir = str(Path(__file__).resolve().parent.parent)

# Kernels are reached through sockets in a folder of root's: no port that others could connect to.
c.KernelManager.transport = "ipc"

# The browser tests run the notebooks through window.jupyterapp.
c.LabApp.expose_app_in_browser = True

# Nothing is asked of the network while the lab runs.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"

# A notebook that was only opened has nothing to save, and one without outputs nothing to distrust.
c.ServerApp.contents_manager_class = "labkit.contents.Contents"

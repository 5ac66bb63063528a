"""Which kernels Debian has, by series; each taken out of its packages, never installed."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from labkit.errors import MachineError
from tools.kernels.archive import Archive, Package

# A series that the archive has is added by itself; these are asked for, so that a lack shows.
WANTED = ("5.10", "6.1", "6.12", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3")
EXPERIMENTAL = "experimental"
# linux-image-6.1.0-56-amd64; not -cloud-, -rt- or -unsigned; nor linux-image-amd64, of no version.
_IMAGE = re.compile(r"linux-image-\d[\w.+~]*(?:-\d[\w.+~]*)?-amd64")
_PART = re.compile(r"linux-(?:image|binary)-\d.*-amd64")  # one of these has the kernel
_VMLINUZ = re.compile(r"\./(?:boot/vmlinuz-[^/]+|usr/lib/modules/[^/]+/vmlinuz)")
_RELEASED = re.compile(r"(\d+\.\d+)[.\-+~](?!~?rc)")


@dataclass(frozen=True)
class Kernel:
    """A kernel that the archive has: its series ("6.1"), and the package of its image."""

    series: str
    image: Package


@dataclass(frozen=True)
class Bootable:
    """A kernel to boot, and the packages that it came out of. It needs no module."""

    packages: list[str]
    vmlinuz: Path


def _older(one: Package, other: Package) -> int:
    """Compare two versions by Debian's rules."""
    words = ["dpkg", "--compare-versions", one.version]
    return next(
        (
            sign
            for sign, relation in ((-1, "lt"), (1, "gt"))
            if not subprocess.run([*words, relation, other.version], check=False).returncode
        ),
        0,
    )


def series_of(version: str) -> str | None:
    """Return "6.1" of 6.1.192-2; None of a release candidate, which has no series yet."""
    match = _RELEASED.match(version)
    return match[1] if match else None


def find(archive: Archive) -> dict[str, Kernel]:
    """Return the newest kernel of each series that the archive has, oldest series first.

    The newest of experimental is one more, if no other suite has it.
    """
    names = [name for name in archive.names("linux-image-") if _IMAGE.fullmatch(name)]
    newest: dict[str, Package] = {}
    for image in sorted(archive.versions(names), key=functools.cmp_to_key(_older)):
        series = EXPERIMENTAL if image.suite == EXPERIMENTAL else series_of(image.version)
        if series:
            newest[series] = image
    order = sorted(newest, key=_sorting_key)
    return {series: Kernel(series, newest[series]) for series in order}


def _sorting_key(series: str) -> list[float]:
    return [float("inf")] if series == EXPERIMENTAL else [float(n) for n in series.split(".")]


def wanted(found: dict[str, Kernel]) -> list[str]:
    """Return the series to try: those asked for, whatever is newer, and experimental's."""
    newer = [one for one in found if _sorting_key(one) > _sorting_key(WANTED[-1])]
    return sorted({*WANTED, *newer}, key=_sorting_key)


def parts(archive: Archive, image: Package) -> list[Package]:
    """Return the packages that the kernel may lie in: its image's, and what that one needs."""
    found, names = [image], {image.name}
    for package in found:
        for name in archive.needs(package):
            if _PART.fullmatch(name) and name not in names:
                names.add(name)
                found += [one for one in archive.versions([name]) if one.suite == image.suite][-1:]
    return found


def _folder(kernel: Kernel, cache: Path) -> Path:
    return cache / f"{kernel.image.name}_{kernel.image.version}"


def cached(kernel: Kernel, cache: Path) -> bool:
    """Whether the kernel is unpacked already."""
    return _folder(kernel, cache).exists()


def get(archive: Archive, kernel: Kernel, cache: Path) -> Bootable:
    """Return the kernel, unpacked in the cache. Raises MachineError if it cannot be had."""
    folder = _folder(kernel, cache)
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as name:
            half = Path(name, "half")
            half.mkdir()
            _unpack(archive, kernel, half)
            half.rename(folder)
    return Bootable(json.loads((folder / "packages.json").read_text()), folder / "vmlinuz")


def _unpack(archive: Archive, kernel: Kernel, folder: Path) -> None:
    """Take the kernel, and nothing else, out of its packages."""
    packages = parts(archive, kernel.image)
    for package in packages:
        file = archive.download(package, folder)
        kernel_itself = _kernel_in(file)
        if kernel_itself:
            (folder / "vmlinuz").write_bytes(kernel_itself)
        file.unlink()
    if not (folder / "vmlinuz").exists():
        listed = ", ".join(map(str, packages))
        raise MachineError(f"there is no kernel in {listed}", "try again with newer lists")
    (folder / "packages.json").write_text(json.dumps(list(map(str, packages))))


def _kernel_in(package: Path) -> bytes | None:
    """Return the kernel that a package has in it, if it has one."""
    words = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as tar,
    ):
        for member in tar:
            if _VMLINUZ.fullmatch(member.name) and (file := tar.extractfile(member)):
                found = file.read()
                unpacking.kill()
                return found
    return None

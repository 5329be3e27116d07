"""Which files are images: endings, first bytes, Pillow formats to try, and why other files are not taken."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import re

from PIL import Image

FORMATS_BY_SUFFIX = {
    **dict.fromkeys((".png", ".apng"), "PNG"),
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".jps", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".avif", ".avifs"), "AVIF"),
    **dict.fromkeys((".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"), "JPEG2000"),
    **dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm", ".pfm"), "PPM"),
    **dict.fromkeys((".tga", ".icb", ".vda", ".vst"), "TGA"),
    **dict.fromkeys((".sgi", ".bw", ".rgb", ".rgba"), "SGI"),
    **dict.fromkeys((".ftc", ".ftu"), "FTEX"),
    **dict.fromkeys((".fli", ".flc"), "FLI"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    **{".gif": "GIF", ".bmp": "BMP", ".dib": "DIB", ".webp": "WEBP", ".ico": "ICO", ".cur": "CUR", ".icns": "ICNS"},
    **{".pcx": "PCX", ".dcx": "DCX", ".dds": "DDS", ".blp": "BLP", ".gbr": "GBR", ".im": "IM", ".msp": "MSP"},
    **{".pcd": "PCD", ".pxr": "PIXAR", ".psd": "PSD", ".qoi": "QOI", ".ras": "SUN", ".xbm": "XBM", ".xpm": "XPM"},
    ".jxl": "JXL",
}
"""The format of each ending of image files, in lower case. Pillow's formats that run other programs (EPS, WMF), decode
nothing (BUFR, GRIB, HDF5, MPEG, IPTC), or ignore the scale of values that the file defines (FITS) are left out."""
CONTENT_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "AVIF", "JPEG2000")
"""Formats that are recognised by their first bytes whatever the ending is. Other formats have no unambiguous
first bytes: their decoders run only on files with their endings."""
PLUGINS = {"HEIF": ("pillow_heif", "pillow-heif"), "JXL": ("pillow_jxl", "pillow-jxl-plugin")}
"""Formats that need a plugin: its module, and the package that contains it."""
PREFIX_BYTES = 512
"""Bytes that identify the content of a file."""
OTHER_FILES = {
    "is a camera raw file; convert it to TIFF or PNG first": (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mos", ".mrw", ".nef"),
        *(".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
    ),
    "is a medical image; convert it to PNG or npy first": (".dcm", ".dicom", ".ima", ".mha", ".mhd", ".nii", ".nrrd"),
    "is a microscope file; convert it to TIFF first": (".czi", ".ims", ".lif", ".nd2", ".oib", ".oif", ".vsi"),
    "is a drawing; convert it to PNG first": (".ai", ".emf", ".eps", ".ps", ".svg", ".svgz", ".wmf"),
    "is a document; convert its pages to PNG first": (".djvu", ".docx", ".odt", ".pdf", ".pptx"),
    "is a video; save its frames as images first": (
        *(".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"),
    ),
    "is a file of an image editor; export it as PNG first": (".clip", ".kra", ".ora", ".psb", ".xcf"),
    "is in a format that is not supported; convert it to TIFF or npy first": (
        *(".bufr", ".exr", ".fit", ".fits", ".grib", ".grb", ".h5", ".hdf", ".hdf5", ".hdr", ".iim", ".mat"),
    ),
    "is an archive; unpack it first": (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip"),
    "is an array file; import it separately": (".npy", ".npz"),
}
"""Endings of files that are no images for Pillow, by the reason to show."""
REASONS_BY_SUFFIX = {suffix: reason for reason, suffixes in OTHER_FILES.items() for suffix in suffixes}
"""The same, by ending."""
COMPANION_SUFFIXES = frozenset(
    (
        *(".aae", ".bak", ".cfg", ".conf", ".csv", ".db", ".doc", ".html", ".ini", ".ipynb", ".js", ".json", ".jsonl"),
        *(".lnk", ".log", ".md", ".mp3", ".parquet", ".part", ".pickle", ".pkl", ".pt", ".pth", ".py", ".pyc", ".sh"),
        *(".tmp", ".toml", ".tsv", ".txt", ".url", ".wav", ".xls", ".xlsx", ".xml", ".xmp", ".yaml", ".yml"),
    )
)
"""Endings of other files that often lie beside images: they are not opened to look for an image."""
OTHER_CONTENTS = (
    (re.compile(rb"%PDF"), REASONS_BY_SUFFIX[".pdf"]),
    (re.compile(rb"%!PS|\xc5\xd0\xd3\xc6"), REASONS_BY_SUFFIX[".eps"]),
    (re.compile(rb"II[*]\0....CR|IIU\0|IIRO|IIRS|FUJIFILMCCD-RAW|FOVb", re.DOTALL), REASONS_BY_SUFFIX[".raw"]),
    (re.compile(rb".{128}DICM", re.DOTALL), REASONS_BY_SUFFIX[".dcm"]),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf|BZh|\xfd7zXZ"), REASONS_BY_SUFFIX[".zip"]),
    (re.compile(rb"\x93NUMPY"), REASONS_BY_SUFFIX[".npy"]),
    (re.compile(rb"RIFF....AVI |\x1a\x45\xdf\xa3|\0\0\x01[\xb3\xba]", re.DOTALL), REASONS_BY_SUFFIX[".avi"]),
    (re.compile(rb"\x89HDF|v/1\x01|SIMPLE  ="), REASONS_BY_SUFFIX[".hdf"]),
    (re.compile(rb"8BPS\0\x02|gimp xcf"), REASONS_BY_SUFFIX[".psb"]),
    (re.compile(rb"version https://git-lfs"), "is a pointer of Git LFS; run git lfs pull first"),
    (re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg", re.DOTALL | re.IGNORECASE),
     REASONS_BY_SUFFIX[".svg"]),
    (re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE), "is a web page; download the image again"),
)  # fmt: skip
"""First bytes of files that are no images for Pillow, and the reasons to show."""


def get_suffix(path: str | os.PathLike[str]) -> str:
    """Return the ending of a path in lower case, such as ".png"; empty if there is none."""
    name = os.fspath(path).rpartition("/")[2]
    start = name.rfind(".")
    return name[start:].lower() if start > 0 else ""


def read_prefix(path: str | os.PathLike[str]) -> bytes:
    """Return the first PREFIX_BYTES of a file; raises OSError if it cannot be read."""
    with open(path, "rb", buffering=0) as file:
        return file.read(PREFIX_BYTES)


@functools.lru_cache(maxsize=256)
def list_formats(suffix: str) -> tuple[str, ...]:
    """Return the Pillow formats to try for a file with an ending in lower case, the likeliest first."""
    own_format = FORMATS_BY_SUFFIX.get(suffix)
    names = [own_format, *CONTENT_FORMATS] if own_format and own_format not in PLUGINS else CONTENT_FORMATS
    return tuple(name for name in dict.fromkeys(names) if _is_available(name))


def identify_content(prefix: bytes) -> str | None:
    """Return the format of a file by its first bytes: one of CONTENT_FORMATS or PLUGINS; None for any other file."""
    if prefix[4:8] == b"ftyp":
        brands = _list_brands(prefix)
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        return "HEIF" if brands & {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"} else None
    for start, name in (
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff", "JPEG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
        (b"\xff\x4f\xff\x51", "JPEG2000"),
        (b"\xff\x0a", "JXL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    ):
        if prefix.startswith(start):
            return name
    if prefix[:4] == b"RIFF" and prefix[8:12] == b"WEBP":
        return "WEBP"
    # The size of the header is at byte 14: "BM" alone may start a text.
    is_bmp = prefix[:2] == b"BM" and prefix[14:18] in (b"\x0c\0\0\0", b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0")
    return "BMP" if is_bmp else None


def explain_content(prefix: bytes) -> str:
    """Return why a file with these first bytes, which Pillow does not read, is not an image."""
    name = identify_content(prefix)
    if name in PLUGINS:
        return explain_missing_plugin(name)
    reason = next((reason for pattern, reason in OTHER_CONTENTS if pattern.match(prefix)), None)
    if reason is not None:
        return reason
    if name == "TIFF":
        return "is a TIFF image of a kind that is not supported; convert it to PNG or to a usual TIFF"
    if name is not None:
        return f"cannot be read (damaged {name} header)"
    if prefix[4:8] == b"ftyp":
        return REASONS_BY_SUFFIX[".cr3" if b"crx " in _list_brands(prefix) else ".mp4"]
    return "is not an image in a supported format"


def explain_suffix(suffix: str) -> str | None:
    """Return why a file with this ending, in lower case, cannot be an image that is supported; None if it can."""
    name = FORMATS_BY_SUFFIX.get(suffix)
    if name in PLUGINS and not has_plugin(name):
        return explain_missing_plugin(name)
    return REASONS_BY_SUFFIX.get(suffix)


def explain_missing_plugin(name: str) -> str:
    """Return the reason for skipping a file that needs a plugin."""
    package = PLUGINS[name][1]
    kind = "HEIC" if name == "HEIF" else "JPEG XL"
    return f"is a {kind} image, which needs {package}: pip install {package}"


@functools.cache
def has_plugin(name: str) -> bool:
    """Return whether the plugin of a format is installed."""
    return importlib.util.find_spec(PLUGINS[name][0]) is not None


@functools.cache
def load_plugin(name: str) -> bool:
    """Register the plugin of a format with Pillow; returns whether that succeeded."""
    try:
        module = importlib.import_module(PLUGINS[name][0])
        if name == "HEIF":
            module.register_heif_opener()
    except Exception:  # a plugin that does not fit the installed Pillow raises arbitrary exceptions
        return False
    return True


def _list_brands(prefix: bytes) -> set[bytes]:
    """Return the brands of an ISO media file: AVIF, HEIC, CR3 and MP4 differ in them."""
    length = min(int.from_bytes(prefix[:4], "big"), len(prefix))
    return {prefix[8:12], *(prefix[start : start + 4] for start in range(16, length, 4))}


@functools.cache
def _is_available(name: str) -> bool:
    """Return whether the installed Pillow has a format."""
    if name == "AVIF":
        return importlib.util.find_spec("PIL.AvifImagePlugin") is not None  # missing before Pillow 11.2
    if name in CONTENT_FORMATS:
        return True
    Image.init()  # takes 0.1 s, so it is done only for rare formats
    return name in Image.OPEN

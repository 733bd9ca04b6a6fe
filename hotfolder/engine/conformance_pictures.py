"""Checks of work: load, pictures and what is said about them, references, upscaling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from hotfolder.engine.conformance_findings import Check, Differs, NotPossible, require_failure
from hotfolder.engine.conformance_lines import wrong_type
from hotfolder.engine.conformance_talk import Answer, Bench, Talk, describe
from hotfolder.engine.messages import (
    Failure,
    GenerateParams,
    LoadParams,
    Ok,
    Result,
    UpscaleParams,
    encode_command,
    parse_load,
    parse_outcome,
    parse_step_progress,
    parse_upscale,
)

SIZE_PX = 64
STEPS = 2
SEED = 7
_STAGES = ("conditioning", "encoding", "sampling", "saving", "upscaling")
_NO_UPSCALING = ("UNKNOWN_CMD", "NO_UPSCALER")
_MUCH_LONGER = 10


class Studio:
    """The program with its model loaded, and the first picture that it made, which all others start from."""

    def __init__(self, bench: Bench, model: LoadParams, folder: Path) -> None:
        self._bench = bench
        self._model = model
        self._refused = ""
        self._first: tuple[GenerateParams, Answer] | None = None
        self._enlarges = False
        self.folder = folder
        self.limit_s = bench.limits.generate_s

    def checks(self) -> list[Check]:
        """The checks of work, in an order in which each may build on those before."""
        return [
            Check("load", self._load, needed=True),
            Check("upscale", self._upscale),
            Check("picture", self._picture, needed=True),
            Check("progress", self._progress),
            Check("size", self._size),
            Check("seed", self._seed),
            Check("references", self._references),
            Check("unload", self._unload),
            Check("wrong type: width is text", self._wrong_width),
        ]

    def loaded(self) -> Talk:
        """A process with the model loaded; NotPossible when it could not be loaded before."""
        if self._refused:
            raise NotPossible(self._refused)
        talk = self._bench.talk()
        if not talk.loaded and isinstance(end := self._ask_to_load(talk).end, Failure):
            raise NotPossible(describe(end))
        return talk

    def params(self, output: Path, **changes: Any) -> dict[str, Any]:
        """What a generate command of a sidecar holds."""
        return self._generate_params(output, **changes).as_params()

    def _generate_params(self, output: Path, **changes: Any) -> GenerateParams:
        size = {"width": SIZE_PX, "height": SIZE_PX, "steps": STEPS, "seed": SEED}
        refs = self._first[0].ref_images if self._first else ()
        given = {"sampling_method": "euler", "ref_images": refs, "output": str(output), **size, **changes}
        return GenerateParams(prompt="a lighthouse by the sea", **given)

    def _ask_to_load(self, talk: Talk) -> Answer:
        self._refused = "the model is not loaded"
        answer = talk.ask("load", self._model.as_params(), limit_s=self._bench.limits.load_s)
        if not isinstance(answer.end, Failure):
            self._refused = ""
            talk.loaded = True
        return answer

    def _load(self) -> str:
        answer = self._ask_to_load(self._bench.talk())
        if not isinstance(answer.end, Failure):
            name = parse_load(answer.end.data).model_info or "a model without a name"
            return f"{name} in {answer.took_s:.2f} s"
        if self._model.files():
            raise Differs(describe(answer.end))
        advice = "" if answer.end.code == "UNKNOWN_CMD" else "; name a model set with --set"
        raise NotPossible(describe(answer.end) + advice)

    def _picture(self) -> str:
        output, how = self.folder / "first.png", ""
        params = self._generate_params(output)
        answer = self._ask(params)
        if isinstance(answer.end, Failure):
            params = self._generate_params(output, ref_images=(self._reference("red"),))
            answer, how = self._ask(params), ", from a reference only"
        if isinstance(answer.end, Failure) and self._enlarges and not self._model.files():
            raise NotPossible(f"it only enlarges; {describe(answer.end)}")
        self._verify(params, answer)
        self._first = params, answer
        self.limit_s = min(self.limit_s, self._bench.limits.reply_s + _MUCH_LONGER * answer.took_s)
        width, height = _read(Path(params.output)).size
        return f"{width} x {height} in {answer.took_s:.2f} s{how}"

    def _ask(self, params: GenerateParams) -> Answer:
        return self.loaded().ask("generate", params.as_params(), limit_s=self.limit_s)

    def _verify(self, params: GenerateParams, answer: Answer) -> Image.Image:
        """The picture that was asked for, whole and told of as it should be."""
        if not isinstance(answer.end, Result):
            raise Differs(describe(answer.end))
        outcome = parse_outcome(answer.end.data)
        if outcome.seed != params.seed:
            raise Differs(f"it tells the seed {outcome.seed} where {params.seed} was given")
        return _read(Path(params.output))

    def _again(self, name: str, **changes: Any) -> Image.Image:
        """A picture as the first but for the changes."""
        self._made()
        params = self._generate_params(self.folder / name, **changes)
        return self._verify(params, self._ask(params))

    def _made(self) -> tuple[GenerateParams, Answer]:
        if self._first is None:
            raise NotPossible("there is no picture")
        return self._first

    def _progress(self) -> str:
        _, answer = self._made()
        steps = [step for each in answer.progress if (step := parse_step_progress(each))]
        stages = list(dict.fromkeys(step.stage for step in steps))
        if not stages:
            raise Differs("none at all: a picture that takes long looks like one that hangs")
        sampled = [step.step for step in steps if step.stage == "sampling" and step.step is not None]
        if stages != [each for each in _STAGES if each in stages] or sampled != sorted(sampled):
            raise Differs(f"out of order: {' > '.join(stages)}, steps {sampled}")
        totals = {step.total_steps for step in steps if step.stage == "sampling"}
        if totals != {STEPS}:
            raise Differs(f"{sorted(map(str, totals))} steps where {STEPS} were asked for")
        return " > ".join(stages)

    def _size(self) -> str:
        width, height = self._again("size.png", width=60, height=50).size
        if not (60 <= width < 60 + SIZE_PX and 50 <= height < 50 + SIZE_PX):
            raise Differs(f"{width} x {height} where 60 x 50 was asked for")
        return f"60 x 50 comes as {width} x {height}"

    def _seed(self) -> str:
        first, _ = self._made()
        same, other = self._again("same.png"), self._again("other.png", seed=SEED + 1)
        made = _read(Path(first.output))
        if same.tobytes() != made.tobytes():
            raise Differs("the same seed gives another picture")
        if other.tobytes() == made.tobytes():
            raise Differs("another seed gives the same picture")
        is_same_file = Path(first.output).read_bytes() == (self.folder / "same.png").read_bytes()
        return f"same seed, same {'bytes' if is_same_file else 'pixels'}"

    def _references(self) -> str:
        without, _ = self._made()
        pictures = self._again("refs.png", ref_images=(self._reference("red"), self._reference("blue")))
        if pictures.tobytes() == _read(Path(without.output)).tobytes():
            raise Differs("two references change nothing")
        return "two references change the picture"

    def _reference(self, colour: str) -> str:
        path = self.folder / f"{colour}.png"
        picture = Image.new("RGB", (SIZE_PX, SIZE_PX), colour)
        picture.paste("white", (SIZE_PX // 4, SIZE_PX // 4, SIZE_PX // 2, SIZE_PX // 2))
        picture.save(path)
        return str(path)

    def _upscale(self) -> str:
        output = self.folder / "large.png"
        params = UpscaleParams(input=self._reference("red"), output=str(output), factor=4)
        answer = self._bench.talk().ask("upscale", params.as_params(), limit_s=self._bench.limits.generate_s)
        if isinstance(answer.end, Failure) and answer.end.code in _NO_UPSCALING:
            raise NotPossible(describe(answer.end))
        if not isinstance(answer.end, Result):
            raise Differs(describe(answer.end))
        told = parse_upscale(answer.end.data)
        size = _read(Path(told.output)).size
        if size != (4 * SIZE_PX, 4 * SIZE_PX) or (told.width, told.height) != size:
            raise Differs(f"told {told.width} x {told.height}, made {size[0]} x {size[1]}")
        self._enlarges = True
        return f"{SIZE_PX} x {SIZE_PX} comes as {size[0]} x {size[1]} in {answer.took_s:.2f} s"

    def _unload(self) -> str:
        talk = self.loaded()
        answer = talk.ask("unload")
        if not isinstance(answer.end, Ok):
            raise Differs(describe(answer.end))
        talk.loaded = False
        return require_failure(talk.ask("generate", self.params(self.folder / "none.png")).end, "NO_MODEL")

    def _wrong_width(self) -> str:
        first, _ = self._made()
        self.loaded()
        return wrong_type(
            self._bench, encode_command("wrong-1", "generate", {**first.as_params(), "width": "64"})
        )


def _read(path: Path) -> Image.Image:
    """The pixels of a whole picture."""
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Differs(f"success, but {path.name} is no whole picture: {error}") from error

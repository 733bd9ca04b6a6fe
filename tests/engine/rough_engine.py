"""A test engine that behaves like cn-engine at its worst; standard library only, run as a program.

It prints progress bars on stdout, aborts on each wrong JSON type, on references without an encoder and on
zero sizes or steps, and writes a small PNG. Environment:

    ROUGH_ENGINE_LOG    a file that gets every line received, as {"at", "pid", "line"}
    ROUGH_ENGINE_PICTURE_S  how long each picture takes
    ROUGH_ENGINE_FAULT  names of faults with commas between; a prompt `fault:NAME ...` has one just once
        starting     mute (answers no ping)  deaf (reads nothing after a ping)
        loading      glue (fails, its error glued to a bar; as does any model file named *broken*; one that
                     says "deadly" kills the engine)
        generating   hang  crash  abort  late (result only after SIGTERM)  stubborn (hang, ignores SIGTERM)
                     fail  codeless  unread (PARSE_ERROR without id)  stray (foreign results first)  garbage
"""

import json
import os
import resource
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

BAR = "\r  |{done:<20}| {step}/{steps} - 1.20it/s\x1b[K"
BAR_STEPS = 12
PICTURE_S = float(os.environ.get("ROUGH_ENGINE_PICTURE_S", "0"))
LOAD_TYPES = {
    **dict.fromkeys(("model", "diffusion_model", "vae", "llm", "tensor_type_rules", "upscale_model"), "text"),
    **dict.fromkeys(("n_threads", "upscale_n_threads", "upscale_tile_size"), "number"),
    **dict.fromkeys(("flash_attn", "diffusion_flash_attn", "vae_conv_direct", "offload_to_cpu"), "switch"),
    **dict.fromkeys(("llm_on_cpu", "vae_on_cpu"), "switch"),
    **dict.fromkeys(("vae_decode_only", "free_params_immediately"), "switch"),
    **dict.fromkeys(("upscale_offload_to_cpu", "upscale_direct"), "switch"),
}
GENERATE_TYPES = {
    **dict.fromkeys(("prompt", "output", "sampling_method"), "text"),
    **dict.fromkeys(("width", "height", "seed", "steps", "upscale_repeats", "upscale_factor"), "number"),
    **dict.fromkeys(("use_prompt_cache", "use_ref_latent_cache", "increase_ref_index"), "switch"),
}


REFUSALS = {
    "fail": {"message": "Generation failed", "code": "GENERATION_FAILED"},
    "codeless": {"message": "'upscale_repeats' must be >= 0"},
    "unread": {"message": "Invalid JSON", "code": "PARSE_ERROR"},
}


class Engine:
    def __init__(self, faults):
        self.faults = faults
        self.model = None
        self.encoder = False
        self.prompts = set()
        self.refs = set()

    def serve(self, lines):
        for line in lines:
            record(line)
            if not line.strip():
                continue
            try:
                command = json.loads(line)
            except ValueError:
                reply("", "error", {"message": "Invalid JSON", "code": "PARSE_ERROR"})
                continue
            if not self.obey(command):
                return

    def obey(self, command):
        if not isinstance(command, dict):
            die("the command is no object")
        name, command_id = text(command, "cmd", ""), text(command, "id", "")
        if not name:
            reply(command_id, "error", {"message": "Missing 'cmd' field"})
            return True
        if name in ("load", "generate") and not isinstance(command.get("params"), dict):
            reply(command_id, "error", {"message": f"{name} command requires a 'params' object"})
            return True
        handler = getattr(self, f"do_{name}", None)
        if handler is None:
            reply(command_id, "error", {"message": f"Unknown command: {name}", "code": "UNKNOWN_CMD"})
            return True
        return handler(command_id, command) is not False

    def do_unload(self, command_id, command):
        self.model = None
        reply(command_id, "ok", {"status": "model_unloaded"})

    def do_ping(self, command_id, command):
        if "mute" not in self.faults:
            reply(command_id, "ok", {"status": "pong"})
        if "deaf" in self.faults:
            wait_forever()

    def do_quit(self, command_id, command):
        reply(command_id, "ok", {"status": "quitting"})
        return False

    def do_load(self, command_id, command):
        params = command["params"]
        check_types(params, LOAD_TYPES)
        self.model = None
        self.prompts.clear()
        self.refs.clear()
        name = params.get("diffusion_model") or params.get("model") or "(unknown)"
        if Path(name).is_file() and Path(name).read_bytes() == b"deadly":
            die("no device")
        bars(BAR_STEPS // 2)
        if "glue" in self.faults or "broken" in Path(name).name:
            log("ERROR", f"model.cpp:77 - unknown tensor in {name}")
            error = {"message": "Failed to create sd_ctx", "code": "CTX_CREATION_FAILED"}
            reply(command_id, "error", error)
            return
        bars(BAR_STEPS)
        say("\n")
        self.model = Path(name).name
        self.encoder = params.get("vae_decode_only", True) is False
        data = {"status": "model_loaded", "model_info": self.model, "load_time_ms": 7}
        upscaler = params.get("upscale_model", "")
        reply(command_id, "ok", {**data, "upscaler_loaded": bool(upscaler), "upscaler_model": upscaler})

    def do_generate(self, command_id, command):
        if self.model is None:
            reply(command_id, "error", {"message": "No model loaded", "code": "NO_MODEL"})
            return
        params = command["params"]
        check_types(params, GENERATE_TYPES)
        refs = checked_refs(params.get("ref_images"))
        if refs and not self.encoder:
            die("the VAE was loaded without its encoder")
        missing = [ref for ref in refs if not Path(ref).is_file()]
        if missing:
            message = f"Failed to load reference image: {missing[0]}"
            reply(command_id, "error", {"message": message, "code": "REF_IMAGE_LOAD_FAILED"})
            return
        self.work(command_id, params, refs)

    def work(self, command_id, params, refs):
        prompt, steps, seed = (
            params.get("prompt", ""),
            int(params.get("steps", 20)),
            int(params.get("seed", 42)),
        )
        width, height = int(params.get("width", 512)), int(params.get("height", 512))
        if steps <= 0 or width <= 0 or height <= 0:
            die("nothing to sample")
        if seed < 0:
            die("the seed would be lost")
        faults = self.faults | faults_of(prompt)
        known, refs_known = prompt in self.prompts, bool(refs) and self.refs.issuperset(refs)
        self.prompts.add(prompt)
        self.refs.update(refs)
        log("INFO ", f'Prompt cached: "{prompt[:60]}"')
        progress(command_id, phase="conditioning", message="Running text encoder...", cache_hit=known)
        if refs:
            progress(command_id, phase="encoding", step=1, total_steps=len(refs), step_time_s=0.01)
        output = params.get("output", "output.png")
        result = {"success": True, "output": output, "seed": seed, "total_time_ms": 3, "images_saved": 1}
        result |= {"prompt_cache_hit": known, "ref_latent_cache_hit": refs_known}
        result |= {"upscaled": False, "upscale_repeats": 0}
        if misbehave(command_id, faults, result):
            return
        for step in range(steps + 1):
            time.sleep(PICTURE_S / (steps + 1))
            progress(command_id, phase="sampling", step=step, total_steps=steps, step_time_s=0.25)
        progress(command_id, phase="saving", message="Saving output...")
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_bytes(picture(-(-width // 16) * 16, -(-height // 16) * 16, seed))
        reply(command_id, "result", result)


def misbehave(command_id, faults, result):
    """True when the command has been answered already."""
    if "late" in faults:
        signal.signal(signal.SIGTERM, lambda *_: (reply(command_id, "result", result), os._exit(0)))
    if "stubborn" in faults:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if faults & {"hang", "late", "stubborn"}:
        wait_forever()
    if "crash" in faults:
        log("ERROR", "ggml.c:12 - out of memory")
        os._exit(3)
    if "abort" in faults:
        die("GGML_ASSERT(false) failed")
    babble(faults, result)
    refusals = [REFUSALS[fault] for fault in faults if fault in REFUSALS]
    if refusals:
        reply("" if "unread" in faults else command_id, "error", refusals[0])
    return bool(refusals)


def babble(faults, result):
    if "stray" in faults:
        for stray_id in ("generate-0", "load-1", "", "generate-999"):
            reply(stray_id, "result", {**result, "output": "/somebody/elses.png", "seed": 1})
    if "garbage" in faults:
        sys.stdout.buffer.write(b"\xff\xfe{\n[[[[\n{}\nnull\n\r  |=>  | 1/2\x1b[K")


def checked_refs(refs):
    """A bare text is ignored in silence, like the original does."""
    if not isinstance(refs, list):
        return []
    if any(not isinstance(each, str) for each in refs):
        die("a reference is no text")
    if len(refs) > 8 or len(set(refs)) < len(refs):
        die("corrupted memory")
    return refs


def faults_of(prompt):
    return {prompt.split()[0].removeprefix("fault:")} if prompt.startswith("fault:") else set()


def check_types(params, types):
    for name, value in params.items():
        kind = types.get(name)
        switch, number = isinstance(value, bool), isinstance(value, int | float)
        if kind == "text" and not isinstance(value, str):
            die(f"type must be string: {name}")
        if kind == "switch" and not switch:
            die(f"type must be boolean: {name}")
        if kind == "number" and (switch or not number):
            die(f"type must be number: {name}")
    for name in ("sigmas", "vae_tiling"):
        if name in params and not isinstance(params[name], list | dict):
            die(f"type must be structured: {name}")


def text(command, name, default):
    value = command.get(name, default)
    if not isinstance(value, str):
        die(f"type must be string: {name}")
    return value


def bars(upto):
    for step in range(1, upto + 1):
        say(BAR.format(done="=" * step + ">", step=step, steps=BAR_STEPS))


def progress(command_id, **data):
    reply(command_id, "progress", data)


def reply(command_id, kind, data):
    say(json.dumps({"data": data, "id": command_id, "type": kind}) + "\n")


def say(text_):
    sys.stdout.buffer.write(text_.encode())
    sys.stdout.buffer.flush()


def log(level, message):
    sys.stderr.write(f"[{level}] {message}\n")
    sys.stderr.flush()


def die(reason):
    log("ERROR", f"terminate called: {reason}")
    os.abort()


def wait_forever():
    while True:
        time.sleep(3600)


def record(line):
    path = os.environ.get("ROUGH_ENGINE_LOG")
    if path:
        entry = {
            "at": time.monotonic(),
            "pid": os.getpid(),
            "line": line.decode("utf-8", "replace").rstrip("\n"),
        }
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def picture(width, height, seed):
    row = b"\0" + bytes((seed % 256, seed // 256 % 256, 128)) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(row * height, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main():
    if sys.argv[1:] == ["--version"]:
        say("cn-engine rough\n")
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it aborts for a living
    log("INFO ", "cn-engine rough started")
    faults = set(filter(None, os.environ.get("ROUGH_ENGINE_FAULT", "").split(",")))
    Engine(faults).serve(iter(sys.stdin.buffer.readline, b""))
    log("INFO ", "cn-engine exiting.")


if __name__ == "__main__":
    main()

"""A test engine that is odd rather than ill; standard library only, run as a program.

What it does is said by words in the prompt, or in the name of a model file:

    oom        tells its log of a lack of memory, and refuses
    refuse     refuses for a reason of its own
    quote      writes the prompt to its log, line by line, and crashes
    half       refuses in words that end in half a character
    stray      ends well, then speaks of a line that nobody sent
    flood      tells of its progress again and again, of one stage and then the other, before it ends well
    figures    tells figures that cannot be true, before it ends well

ODD_ENGINE_PONG_S delays its first answer, ODD_ENGINE_FLOOD_S is how long a flood takes.
"""

import json
import os
import struct
import sys
import time
import zlib
from pathlib import Path

PADDING = "x" * 2000
IMPOSSIBLE = ((-5, 4, -1.0), (9e18, -3, 9e18), (5, 4, 1e6), (float("nan"), float("inf"), float("nan")))


def main():
    time.sleep(float(os.environ.get("ODD_ENGINE_PONG_S", "0")))
    for raw in iter(sys.stdin.buffer.readline, b""):
        command = json.loads(raw)
        params = command.get("params", {})
        if command["cmd"] == "generate":
            generate(command["id"], params)
        elif command["cmd"] == "load":
            load(command["id"], Path(params["diffusion_model"]).stem)
        else:
            reply(command["id"], "ok", {})
        if command["cmd"] == "quit":
            return


def load(command_id, name):
    if name not in ("oom", "refuse"):
        reply(command_id, "ok", {"model_info": name})
        return
    if name == "oom":
        log("[ERROR] failed to allocate buffer of size 9999")
    refuse(command_id, "Failed to create sd_ctx", "CTX_CREATION_FAILED")


def generate(command_id, params):
    prompt = params["prompt"]
    if "oom" in prompt:
        log("[ERROR] CUDA error: out of memory")
        refuse(command_id, "Generation failed", "GENERATION_FAILED")
    elif "refuse" in prompt:
        refuse(command_id, "Failed to load reference image", "REF_IMAGE_LOAD_FAILED")
    elif "quote" in prompt:
        log(f'[INFO ] Prompt cached: "{prompt}"\n[ERROR] no kernel image')
        os._exit(3)
    elif "half" in prompt:
        refuse(command_id, "bad \ud83d thing", "GENERATION_FAILED")
    else:
        make(command_id, params)


def make(command_id, params):
    if "flood" in params["prompt"]:
        flood(command_id)
    if "figures" in params["prompt"]:
        for step, total, step_s in IMPOSSIBLE:
            data = {"phase": "sampling", "step": step, "total_steps": total, "step_time_s": step_s}
            reply(command_id, "progress", data)
    reply(command_id, "progress", {"phase": "saving"})
    Path(params["output"]).write_bytes(picture(params["width"], params["height"]))
    total_ms = -9e15 if "figures" in params["prompt"] else 5
    result = {"success": True, "output": params["output"], "seed": params["seed"], "total_time_ms": total_ms}
    stray = line("", "error", {"message": "Invalid JSON", "code": "PARSE_ERROR"})
    say(line(command_id, "result", result) + (stray if "stray" in params["prompt"] else ""))


def flood(command_id):
    deadline = time.monotonic() + float(os.environ.get("ODD_ENGINE_FLOOD_S", "1"))
    step = 0
    while time.monotonic() < deadline:
        step += 1
        for phase in ("sampling", "encoding"):
            reply(command_id, "progress", {"phase": phase, "step": step, "padding": PADDING})


def refuse(command_id, message, code):
    reply(command_id, "error", {"message": message, "code": code})


def reply(command_id, kind, data):
    say(line(command_id, kind, data))


def line(command_id, kind, data):
    return json.dumps({"id": command_id, "type": kind, "data": data}) + "\n"


def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def log(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def picture(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + b"\x80" * 3 * width) * height, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    main()

// What bench_import.py measures beside the library: the same ingest with sharp, on two threads.
// Usage: node ingest_sharp.cjs SOURCE TARGET SYNC, in a folder where sharp is installed.
"use strict";
const { createHash } = require("node:crypto");
const { constants } = require("node:fs");
const fs = require("node:fs/promises");
const path = require("node:path");
const sharp = require(require.resolve("sharp", { paths: [process.cwd()] }));

const IN_HAND = 3; // two decode while the third is read and hashed: more do not make it faster
const [source, target, sync] = process.argv.slice(2);

sharp.concurrency(1); // threads a picture
sharp.cache(false); // no picture comes twice

async function flush(handle) {
  if (sync === "sync") await handle.sync();
  await handle.close();
}

async function moveIn(file, place) {
  await flush(await fs.open(file, constants.O_RDONLY));
  await fs.rename(file, place);
}

async function writeWhole(place, data) {
  const handle = await fs.open(`${place}.tmp`, "w");
  await handle.writeFile(data);
  await flush(handle);
  await fs.rename(`${place}.tmp`, place);
}

async function ingest(name) {
  const file = path.join(source, name);
  const data = await fs.readFile(file);
  const hash = createHash("sha256").update(data).digest("hex");
  const place = path.join(target, `${hash}${path.extname(name)}`);
  const { width, height, exif } = await sharp(data).metadata();
  const thumbnail = await sharp(data, { failOn: "truncated", sequentialRead: true })
    .autoOrient()
    .resize(400, 400, { fit: "cover", position: "centre" })
    .flatten({ background: { r: 96, g: 96, b: 96 } })
    .jpeg({ quality: 80, optimiseCoding: false })
    .toBuffer();
  await moveIn(file, place);
  await writeWhole(`${place}.thumbnail.jpg`, thumbnail);
  return [width, height, exif];
}

async function main() {
  const names = (await fs.readdir(source)).sort();
  const pictures = names.length;
  const started = performance.now();
  const before = process.cpuUsage();
  const worker = async () => {
    for (let name = names.shift(); name; name = names.shift()) await ingest(name);
  };
  await Promise.all(Array.from({ length: IN_HAND }, worker));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const status = await fs.readFile("/proc/self/status", "utf8");
  const peakMb = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024;
  console.log(JSON.stringify({ pictures, seconds, cpuSeconds, peakMb }));
}

main();

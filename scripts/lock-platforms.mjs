// Completes package-lock.json with the platform packages of other systems; run it after `npm install`.
//
// npm records an optional dependency only if the registry answered for it. A lockfile made behind a mirror
// that serves one system only would leave the others without libllama, and `npm ci` refuses such a file.
// Each missing package is written here by name, version and platform, read from its name; npm fetches it
// on the systems that it fits, and nowhere else.
import { readFileSync, writeFileSync } from "node:fs";

const systems = {
  mac: "darwin",
  darwin: "darwin",
  linux: "linux",
  linuxmusl: "linux",
  win: "win32",
  win32: "win32",
  windows: "win32",
  android: "android",
  freebsd: "freebsd",
  openbsd: "openbsd",
  netbsd: "netbsd",
  openharmony: "openharmony",
  sunos: "sunos",
  aix: "aix",
};
const processors = {
  x64: "x64",
  arm64: "arm64",
  aarch64: "arm64",
  arm: "arm",
  armv7l: "arm",
  ia32: "ia32",
  riscv64: "riscv64",
  ppc64: "ppc64",
  s390x: "s390x",
  loong64: "loong64",
  wasm32: "wasm32",
};

function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = words.map((word) => systems[word]).find(Boolean);
  const cpu = words.map((word) => processors[word]).find(Boolean);
  const libc = /musl/.test(name) ? "musl" : /glibc|gnu/.test(name) ? "glibc" : undefined;
  return {
    ...(os && { os: [os] }),
    ...(cpu && { cpu: [cpu] }),
    ...(os === "linux" && libc && { libc: [libc] }),
  };
}

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key]) continue;
    lock.packages[key] = { version, ...platformOf(name), ...(entry.dev && { dev: true }), optional: true };
    added++;
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages added`);

import type { IdShape } from "./format.ts";
import type { IdMaker } from "./open-call.ts";

const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const usual: IdShape = { random: "letters-and-digits", length: 24, prefix: "call_" };

/** @param random Numbers in [0, 1), as of `Math.random`. */
export function idMaker(shape: IdShape = usual, random: () => number = Math.random): IdMaker {
  if ("template" in shape) {
    return ({ name, index, written }) =>
      shape.template.replace("{name}", name).replace("{index}", written === "" ? String(index) : written);
  }
  const { length, prefix = "" } = shape;
  return ({ written }) => {
    if (written !== "") return written;
    const drawn = Array.from({ length }, () => characters[Math.floor(random() * characters.length)]);
    return prefix + drawn.join("");
  };
}

import { applications } from "./applications.ts";
import { arrays } from "./arrays.ts";
import { combinations } from "./combinations.ts";
import type { Entry } from "./entry.ts";
import { formats } from "./formats.ts";
import { numbers } from "./numbers.ts";
import { objects } from "./objects.ts";
import { references } from "./references.ts";
import { strings } from "./strings.ts";
import { types } from "./types.ts";

export type { Entry } from "./entry.ts";

/** The corpus by feature. */
export const corpus: Readonly<Record<string, readonly Entry[]>> = {
  types,
  strings,
  formats,
  numbers,
  objects,
  arrays,
  combinations,
  references,
  applications,
};

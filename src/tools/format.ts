/**
 * One part of a call, in the order of writing. A plain string is literal text as the model writes it; readers take it with any
 * white space around it, or none.
 */
export type Step = string | NameStep | IdStep | JsonStep | ObjectStep | ParametersStep | NotationStep;

/** The function's name; it ends where its characters (letters, digits, `_`, `-`) do. */
export interface NameStep {
  readonly step: "name";
}

/** An id between two literals, `open` (which may be empty) id `close`; a call without one has `close` alone. */
export interface IdStep {
  readonly step: "id";
  readonly open: string;
  readonly close: string;
}

/** The arguments as JSON text of their own. */
export interface JsonStep {
  readonly step: "json";
}

/** Name and arguments under keys of one JSON object. The first key of each list is the one that the model is made to write. */
export interface ObjectStep {
  readonly step: "object";
  readonly name: readonly string[];
  readonly arguments: readonly string[];
  /** The key of an id behind the arguments, or elsewhere; it counts where it stands before the name. */
  readonly id?: string;
  /** The key of a running number that the model writes first; it means nothing. */
  readonly counter?: string;
  /** A key under which some models wrap the two, `{"type": "function", "function": {…}}`. */
  readonly wrapper?: string;
  /** Further keys that a call may have. Any other key before name and arguments tells that this is no call. */
  readonly others?: readonly string[];
}

/**
 * Parameters each between tags: `open` key `middle` value `close`, and `end` behind the last. Values whose schema says string
 * stand as they are, all others as JSON. White space at the value's ends of `middle` and `close` is not part of the value.
 */
export interface ParametersStep {
  readonly step: "parameters";
  readonly open: string;
  /** The first literal ends the key. */
  readonly middle: readonly string[];
  /** What follows `middle` where the tag tells the value's type: for strings, and for values in JSON. */
  readonly typed?: { readonly string: string; readonly other: string };
  readonly close: string;
  readonly end: string;
}

/** A notation that is nearly JSON: `open` key `assign` value, … `close`. */
export interface NotationStep {
  readonly step: "notation";
  readonly open: "(" | "{";
  readonly assign: "=" | ":";
  /** What a string stands between: quotes with the escapes of Python and JSON, or a marker without any. */
  readonly strings: "quotes" | { readonly marker: string };
}

/** One way of writing calls. */
export interface CallForm {
  /** Begins like much that is no call: only a known name together with arguments makes one. */
  readonly plain?: true;
  /** Literals in front of the first of several calls. */
  readonly open?: readonly string[];
  readonly call: readonly Step[];
  /** What stands between two calls; without it there is one call only. */
  readonly between?: string;
  /** Literals behind the last of several calls. */
  readonly close?: readonly string[];
}

/** How a family marks what it thinks before it answers. */
export interface ThoughtMarkers {
  readonly open: string;
  readonly close: string;
  /** What the model writes behind the close, before the answer; default: line ends or nothing. */
  readonly next?: string;
}

/** An answer made of messages with headers, each of which names a channel or a recipient. */
export interface ChannelLayout {
  /** Literals that begin a header inside the text. */
  readonly starts: readonly string[];
  /** Ends a header. */
  readonly headerEnd: string;
  /** Ends a message's text; dropped. */
  readonly ends: readonly string[];
  /** Stands in front of a recipient's name in a header; empty where the header is nothing but the name. */
  readonly recipient: string;
  /** What the text of a channel is, by a word that stands in the header. */
  readonly channels: Readonly<Record<string, "reasoning" | "content">>;
  /** Header of a call, around the function's name, as the model is made to write it. */
  readonly callHeader: readonly [before: string, after: string];
  /** Header of content, as the model is made to write it. */
  readonly contentHeader: string;
  /** What the prompt has already written of the first header. */
  readonly prompted: string;
  /** Literals with which the rest of that header may begin; without them it begins with whatever comes. */
  readonly beginnings?: readonly string[];
}

/** How ids of calls look. */
export type IdShape =
  | { readonly random: "letters-and-digits"; readonly length: number; readonly prefix?: string }
  /** `{name}` and `{index}` are filled in. */
  | { readonly template: string };

/** A family's way of writing thoughts and tool calls: data that the parser and the grammar are made from. */
export interface ToolFormat {
  readonly name: string;
  /** Literal texts that a chat template of this family has, all of one of the lists, and none of `without`. */
  readonly templates: readonly (readonly string[])[];
  readonly without?: readonly string[];
  readonly thought?: ThoughtMarkers;
  /** Markers around the answer proper; dropped. */
  readonly wrapper?: { readonly open: string; readonly close: string };
  /** Ways of writing calls, all of them understood; the first is the one that the model is made to write. */
  readonly calls: readonly CallForm[];
  readonly channels?: ChannelLayout;
  /** Default: `call_` and 24 letters and digits. */
  readonly ids?: IdShape;
}

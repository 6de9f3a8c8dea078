import { RequestError } from "../../lib/errors.ts";

/** A schema is wrong, or asks for what no grammar can guarantee. */
export class JsonSchemaError extends RequestError {
  /** JSON pointer (RFC 6901) to the keyword, or to the schema where no keyword is at fault; "" is the whole. */
  readonly pointer: string;
  /** The keyword; undefined where none is at fault. */
  readonly keyword: string | undefined;

  constructor(pointer: string, keyword: string | undefined, message: string, options?: ErrorOptions) {
    const place = pointer.length > 200 ? `${pointer.slice(0, 80)}…${pointer.slice(-80)}` : pointer;
    super(`schema at ${JSON.stringify(`#${place}`)}: ${message}`, "schema", options);
    this.pointer = pointer;
    this.keyword = keyword;
  }
}

/** A schema needs more work than it may take. */
export class SchemaWorkError extends JsonSchemaError {
  constructor() {
    super("", undefined, "the schema needs more work than is allowed for one schema; make it simpler");
  }
}

/** What a grammar does not guarantee, and where the schema asks for it. */
export interface SchemaReport {
  /** JSON pointer (RFC 6901) to the keyword. */
  readonly pointer: string;
  readonly keyword: string;
  readonly message: string;
}

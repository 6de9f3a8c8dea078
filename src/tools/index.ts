export { type AnswerPart, type AnswerParts, answerGrammar, type Thinking } from "./answer-grammar.ts";
export {
  type AnswerDelta,
  type AnswerMessage,
  AnswerParser,
  type AnswerParserOptions,
  type AnswerToolCall,
  type ReasoningFormat,
} from "./answer-parser.ts";
export { checkToolHistory } from "./check-history.ts";
export {
  type CheckedToolChoice,
  type CheckedTools,
  checkToolParams,
  type ToolParams,
} from "./check-tools.ts";
export type { ToolFormat } from "./format.ts";
export { chooseFormat, toolFormats } from "./formats/index.ts";
export { type GenericPromptOptions, genericToolPrompt, withGenericTools } from "./generic-prompt.ts";
export { opensThought, thoughtEnd } from "./thinking.ts";
export { type JsonRules, type ToolGrammar, type ToolGrammarOptions, toolGrammar } from "./tool-grammar.ts";
export { withWrittenCalls } from "./written-calls.ts";

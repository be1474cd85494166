/** The door of `cli`: the grammar of the command line and how things are shown. What commands do is in `main/commands`. */
export {
  type Arguments,
  type Command,
  helpFor,
  type Option,
  optionsOf,
  parseArguments,
  suggestion,
  usage,
} from './arguments.ts';
export { formatBytes, formatDuration, formatNumber, textTable } from './text.ts';

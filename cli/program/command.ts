// SPDX-License-Identifier: Apache-2.0
import type { Common, Screen } from '../terminal/screen.ts'

/** What a command is called with. */
export interface Call<Options extends Common = Common> {
  /** The arguments in order; one that may be left out is undefined. */
  readonly args: readonly (string | undefined)[]
  readonly options: Options
  readonly screen: Screen
}

/** Options of commands that may be about a home in a cloud. */
export interface CloudOption extends Common {
  /** The provider and the stage, such as `aws-prod`. */
  readonly cloud?: string
}

/** Carries a command out. @returns the exit code */
export type Action = (call: never) => Promise<number>

export interface ArgumentSpec {
  readonly name: string
  readonly about: string
  readonly optional?: boolean
}

export interface FlagSpec {
  /** As in help: `--port <port>`. */
  readonly flags: string
  readonly about: string
  readonly choices?: readonly string[]
  readonly default?: unknown
  /** Turns the text into the value; throws a CommanderError for what it cannot be. */
  readonly parse?: (text: string, before: unknown) => unknown
}

export interface Example {
  readonly run: string
  readonly does: string
}

/** All that is said of a command, in help and in completions, and where its code is. */
export interface CommandSpec {
  /** `verify`, or a noun and a verb: `chain show`. */
  readonly name: string
  readonly summary: string
  readonly about?: string
  readonly args?: readonly ArgumentSpec[]
  readonly flags?: readonly FlagSpec[]
  /** True where one of this machine's institutions acts: adds `--as`. */
  readonly acts?: boolean
  readonly examples: readonly Example[]
  /** The members of the object that --json prints. */
  readonly json: Readonly<Record<string, string>>
  /** What codes other than the usual ones mean here. */
  readonly exits?: Readonly<Partial<Record<1 | 2 | 3, string>>>
  /** Loads the code: only the command that runs is read from disk. */
  readonly load: () => Promise<Action>
}

/** Commands that belong together in the list of commands. */
export interface CommandGroup {
  readonly title: string
  readonly commands: readonly CommandSpec[]
}

/** Flags that every command has. */
export const COMMON_FLAGS: readonly FlagSpec[] = [
  { flags: '--data <folder>', about: 'data folder (default: AMPERE_DATA, else ./.ampere)' },
  { flags: '--json', about: 'one JSON object on standard output' },
  {
    flags: '--passphrase-file <file>',
    about: 'file with the passphrase of the key files; - reads it from standard input',
  },
  { flags: '--no-input', about: 'never ask; what is missing is an error' },
  { flags: '--no-color', about: 'no colour (also NO_COLOR, TERM=dumb)' },
  { flags: '--debug', about: 'with an error, show where it arose' },
]

/** The flag of commands with `acts`. */
export const AS_FLAG: FlagSpec = {
  flags: '--as <institution>',
  about: 'which institution of this machine acts (default: the first)',
}

/** Every flag that a command takes. */
export function flagsOf(spec: CommandSpec): readonly FlagSpec[] {
  return [...(spec.flags ?? []), ...(spec.acts === true ? [AS_FLAG] : []), ...COMMON_FLAGS]
}

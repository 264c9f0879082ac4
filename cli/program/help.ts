// SPDX-License-Identifier: Apache-2.0
import { columns, wrapped } from '../terminal/words.ts'
import { AS_FLAG, COMMON_FLAGS, type CommandGroup, type CommandSpec, type FlagSpec } from './command.ts'

const WIDTH = 80
/** Left columns wider than this give their text a line of its own. */
const MAX_LEFT = 28
const EXITS = { 0: 'ok', 1: 'failed', 2: 'not used as it must be', 3: 'verification failed' } as const

/** Help of one command: usage, examples, flags, exit codes, where there is more. */
export function commandHelp(spec: CommandSpec): string {
  const args = (spec.args ?? []).map(({ name, optional }) => (optional === true ? `[${name}]` : `<${name}>`))
  const own = [...(spec.flags ?? []), ...(spec.acts === true ? [AS_FLAG] : [])]
  return joined([
    [`Usage: ampere ${[spec.name, ...args].join(' ')} [flags]`],
    wrapped(`${spec.summary}. ${spec.about ?? ''}`.trim(), WIDTH),
    [
      'Examples',
      ...spec.examples.flatMap(({ run, does }) => [
        `  ${does.endsWith('?') ? does : `${does}:`}`,
        `    ${run}`,
      ]),
    ],
    section(
      'Arguments',
      (spec.args ?? []).map(({ name, about }) => [name, about]),
    ),
    section('Flags', own.map(flagRow)),
    section('Flags of every command', [...COMMON_FLAGS.map(flagRow), ['-h, --help', 'this text']]),
    section('With --json', Object.entries(spec.json)),
    section(
      'Exit codes',
      Object.entries({ ...EXITS, ...spec.exits }).map(([code, meaning]) => [code, meaning]),
    ),
    ['More: README.md, docs/OPERATIONS.md'],
  ])
}

/** The list of all commands. */
export function programHelp(purpose: string, groups: readonly CommandGroup[]): string {
  const names = groups.flatMap((group) => group.commands.map((spec) => spec.name.length))
  const left = Math.max(...names)
  return joined([
    wrapped(`Ampere. ${purpose}.`, WIDTH),
    [
      'Examples',
      '  npx ampere start --demo            see it on sample data',
      '  npx ampere verify --all            is everything as it was signed?',
      '  npx ampere import ward.ndjson      file data',
      '  npx ampere grant 7Qk2 clinic-c     let a clinic read a record',
    ],
    ...groups.map(({ title, commands }) => [
      title,
      ...commands.map((spec) => `  ${spec.name.padEnd(left)}  ${spec.summary}`),
    ]),
    [
      'npx ampere COMMAND --help says more of each.',
      'Exit codes: 0 ok, 1 failed, 2 not used as it must be, 3 verification failed',
      'More: README.md, docs/OPERATIONS.md',
    ],
  ])
}

/** Help of a noun without its verb: `ampere chain`. */
export function nounHelp(noun: string, specs: readonly CommandSpec[]): string {
  return joined([
    [`Usage: ampere ${noun} COMMAND`],
    columns(specs.map((spec) => [spec.name, spec.summary])),
    [`npx ampere ${noun} COMMAND --help says more of each.`],
  ])
}

function flagRow({ flags, about, choices }: FlagSpec): readonly [string, string] {
  return [flags, choices ? `${about}: ${choices.join(', ')}` : about]
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const left = Math.min(MAX_LEFT, Math.max(...rows.map(([name = '']) => name.length)))
  return [
    title,
    ...rows.flatMap(([name = '', about = '']) => {
      const lines = wrapped(about, WIDTH - left - 4)
      const indent = ' '.repeat(left + 4)
      const own = name.length > left
      const rest = (own ? lines : lines.slice(1)).map((line) => indent + line)
      return [own ? `  ${name}` : `  ${name.padEnd(left)}  ${lines[0] ?? ''}`, ...rest]
    }),
  ]
}

function joined(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

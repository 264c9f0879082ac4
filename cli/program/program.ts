// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from 'commander'
import { createScreen, EXIT, type Common } from '../terminal/screen.ts'
import { listenForStop } from '../terminal/stopping.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { flagsOf, type Call, type CommandGroup, type CommandSpec, type FlagSpec } from './command.ts'
import { guardDashedIds, plainId } from './dash-ids.ts'
import { usage } from './refuse.ts'
import { fail } from './failure.ts'
import { commandHelp, nounHelp, programHelp } from './help.ts'

const PURPOSE =
  'A medical record per patient that nobody, not even the operator, can quietly change, read or lose'

/** Runs one command line. @returns the exit code */
export async function runCommand(
  argv: readonly string[],
  groups: readonly CommandGroup[],
  version: string,
  terminal: Terminal,
): Promise<number> {
  if (argv.length === 0) {
    terminal.out.write(programHelp(PURPOSE, groups))
    return EXIT.ok
  }
  let code: number = EXIT.ok
  const program = buildProgram(groups, version, terminal, async (spec, call) => {
    code = await carryOut(spec, call, terminal)
  })
  try {
    await program.parseAsync(guardDashedIds(program, ['node', 'ampere', ...argv]))
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    // A noun without its verb: its help was shown already.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage
    const options = {
      json: argv.includes('--json'),
      debug: argv.includes('--debug'),
      color: !argv.includes('--no-color'),
    }
    return fail(terminal, options, pointedToHelp(error, meant(argv, groups)))
  }
}

/** The command that a command line means, as far as it is one: `chain show`, `chain`, or nothing. */
function meant([first = '', second = '']: readonly string[], groups: readonly CommandGroup[]): string {
  const names = groups.flatMap((group) => group.commands.map((spec) => spec.name))
  if (names.includes(`${first} ${second}`)) return `${first} ${second}`
  return names.some((name) => name.split(' ')[0] === first) ? first : ''
}

type Given = Pick<Call, 'args' | 'options'>

function buildProgram(
  groups: readonly CommandGroup[],
  version: string,
  terminal: Terminal,
  run: (spec: CommandSpec, given: Given) => Promise<void>,
): Command {
  const specs = groups.flatMap((group) => group.commands)
  const program = new Command('ampere')
    .version(version)
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      // Said once, by whoever catches the error.
      outputError: () => {},
    })
    .configureHelp({ formatHelp: () => programHelp(PURPOSE, groups) })
    .helpCommand(false)
    .showSuggestionAfterError()
  program.exitOverride()
  for (const spec of specs) {
    const [noun = '', verb] = spec.name.split(' ')
    const parent = verb === undefined ? program : nounCommand(program, noun, specs)
    addCommand(parent, verb ?? noun, spec, run)
  }
  return program
}

function nounCommand(program: Command, noun: string, specs: readonly CommandSpec[]): Command {
  const known = program.commands.find((command) => command.name() === noun)
  if (known) return known
  const own = specs.filter((spec) => spec.name.startsWith(`${noun} `))
  const command = program
    .command(noun)
    .helpCommand(false)
    .configureHelp({ formatHelp: () => nounHelp(noun, own) })
  return command
}

function addCommand(
  parent: Command,
  name: string,
  spec: CommandSpec,
  run: (spec: CommandSpec, given: Given) => Promise<void>,
): void {
  const command = parent.command(name).configureHelp({ formatHelp: () => commandHelp(spec) })
  for (const { name: argument, about, optional } of spec.args ?? []) {
    command.argument(optional === true ? `[${argument}]` : `<${argument}>`, about)
  }
  for (const { flags, about, choices, parse, default: value } of flagsOf(spec)) {
    const option = new Option(flags, about)
    if (choices) option.choices(choices)
    if (!choices && flags.includes('<'))
      option.argParser((text, before) => valueOf(flags, text, before, parse))
    if (value !== undefined) option.default(value)
    command.addOption(option)
  }
  const count = spec.args?.length ?? 0
  command.action(async (...given: unknown[]) => {
    const args = given.slice(0, count).map((arg) => (typeof arg === 'string' ? plainId(arg) : undefined))
    await run(spec, { args, options: plainOptions(given[count] as Record<string, unknown>) })
  })
}

/** A flag that stands where a value is expected means that the value was left out. */
function valueOf(flags: string, text: string, before: unknown, parse: FlagSpec['parse']): unknown {
  const plain = plainId(text)
  if (plain.startsWith('--')) throw usage(`${flags} is given without its value`)
  return parse ? parse(plain, before) : plain
}

function plainOptions(options: Record<string, unknown>): Common {
  const plain = Object.entries(options).map(([name, value]) => [
    name,
    typeof value === 'string' ? plainId(value) : value,
  ])
  return Object.fromEntries(plain) as Common
}

async function carryOut(spec: CommandSpec, { args, options }: Given, terminal: Terminal): Promise<number> {
  const { stopping, end } = listenForStop(terminal)
  const screen = createScreen(terminal, options, stopping)
  try {
    if (spec.acts === true) screen.busy('Opening')
    const action = (await spec.load()) as (call: Call) => Promise<number>
    return await action({ args, options, screen })
  } catch (error) {
    screen.clear()
    return fail(terminal, options, pointedToHelp(error, spec.name))
  } finally {
    end()
  }
}

/** An error of use, with the way to the help of the command that was meant. */
function pointedToHelp(error: unknown, name: string): unknown {
  if (!(error instanceof CommanderError) || 'next' in error) return error
  const next = `npx ampere ${name === '' ? '' : `${name} `}--help`
  return Object.assign(isForHere(error, name) ? usage(`${name} ${FOR_HERE}`) : error, { next })
}

const FOR_HERE =
  'is for the home of this computer: it works with stores and keys of the home itself, so it has no --cloud'

function isForHere({ code, message }: CommanderError, name: string): boolean {
  return code === 'commander.unknownOption' && message.includes("'--cloud'") && name !== ''
}

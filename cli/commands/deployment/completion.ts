// SPDX-License-Identifier: Apache-2.0
import { flagsOf, type Call, type CommandGroup, type CommandSpec } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** The action of `completion`: prints a script for the shell, made from the same words as the help. */
export function completionOf(groups: readonly CommandGroup[]) {
  return async (call: Call): Promise<number> => {
    const shell = SHELLS.find((known) => known === call.args[0])
    if (!shell) throw usage(`the shell is one of ${SHELLS.join(', ')}`)
    const script = completionScript(
      shell,
      groups.flatMap((group) => group.commands),
    )
    call.screen.print({ ok: true, shell, script }, [script])
    return EXIT.ok
  }
}

/** A completion script for one shell. */
export function completionScript(shell: Shell, specs: readonly CommandSpec[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(specs)
    case 'zsh':
      // zsh runs bash's completions through its own compatibility layer.
      return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(specs)}`
    case 'fish':
      return fishScript(specs)
  }
}

function longFlags(spec: CommandSpec): string[] {
  return [...flagsOf(spec).map(({ flags }) => flags.split(' ')[0] ?? ''), '--help']
}

function bashScript(specs: readonly CommandSpec[]): string {
  const cases = [...childrenByNoun(specs)].map(
    ([noun, verbs]) => `    ${noun}) words="${verbs.join(' ')}" ;;`,
  )
  const flags = specs.map((spec) => `    '${spec.name}') flags="${longFlags(spec).join(' ')}" ;;`)
  return [
    '_ampere() {',
    '  local word="${COMP_WORDS[COMP_CWORD]}" words="" flags="" command="${COMP_WORDS[1]}"',
    `  [ "$COMP_CWORD" -eq 1 ] && words="${[...topLevel(specs)].join(' ')}"`,
    '  if [ "$COMP_CWORD" -eq 2 ]; then case "$command" in',
    ...cases,
    '  esac; fi',
    '  case "$command" in',
    `    ${[...childrenByNoun(specs).keys()].join('|')}) command="$command \${COMP_WORDS[2]}" ;;`,
    '  esac',
    '  case "$command" in',
    ...flags,
    '  esac',
    '  if [ -z "$words" ] && [ "${word#-}" = "$word" ]; then COMPREPLY=($(compgen -f -- "$word")); return; fi',
    '  COMPREPLY=($(compgen -W "$words $flags" -- "$word"))',
    '}',
    'complete -F _ampere ampere',
  ].join('\n')
}

function fishScript(specs: readonly CommandSpec[]): string {
  return [
    ...specs.map((spec) => {
      const [noun = '', verb] = spec.name.split(' ')
      return verb === undefined
        ? line('__fish_use_subcommand', `-f -a ${noun} -d ${quoted(spec.summary)}`)
        : line(`__fish_seen_subcommand_from ${noun}`, `-f -a ${verb} -d ${quoted(spec.summary)}`)
    }),
    ...[...childrenByNoun(specs).keys()].map((noun) => line('__fish_use_subcommand', `-f -a ${noun}`)),
    ...specs.flatMap((spec) =>
      flagsOf(spec).map(({ flags, about }) => {
        const name = (flags.split(' ')[0] ?? '').replace(/^--/, '')
        const seen = spec.name.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
        return line(seen.join('; and '), `-l ${name} -d ${quoted(about)}`)
      }),
    ),
  ].join('\n')
}

function line(condition: string, rest: string): string {
  return `complete -c ampere -n '${condition}' ${rest}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`
}

function topLevel(specs: readonly CommandSpec[]): ReadonlySet<string> {
  return new Set(specs.map((spec) => spec.name.split(' ')[0] ?? ''))
}

function childrenByNoun(specs: readonly CommandSpec[]): ReadonlyMap<string, readonly string[]> {
  const nouns = new Map<string, string[]>()
  for (const { name } of specs) {
    const [noun = '', verb] = name.split(' ')
    if (verb !== undefined) nouns.set(noun, [...(nouns.get(noun) ?? []), verb])
  }
  return nouns
}

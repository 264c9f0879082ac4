// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander'

const DASHED = /^-[A-Za-z0-9_-]{3,42}$/

/**
 * Guards ids that begin with a dash, which one base64url id in 64 does, from being read as options: they
 * get the prefix `id:`, which {@link plainId} takes off again. What a command knows as an option stays one.
 */
export function guardDashedIds(program: Command, argv: readonly string[]): string[] {
  const known = new Set(['-h', '--help', '-V', '--version', '--', ...flags(program)])
  return argv.map((argument, at) =>
    at > 1 && DASHED.test(argument) && !argument.startsWith('--') && !known.has(argument)
      ? `id:${argument}`
      : argument,
  )
}

/** The id as it was typed. */
export function plainId(text: string): string {
  return text.startsWith('id:') ? text.slice(3) : text
}

function flags(command: Command): string[] {
  return [
    ...command.options.flatMap((option) => [option.short ?? '', option.long ?? '']),
    ...command.commands.flatMap(flags),
  ]
}

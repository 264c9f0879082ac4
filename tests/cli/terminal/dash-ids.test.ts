// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { Command } from 'commander'
import { guardDashedIds, plainId } from '#cli/program/dash-ids.ts'

function parse(...args: string[]): { record: string; options: { json?: boolean; confirm?: string } } {
  const program = new Command('ampere').exitOverride().configureOutput({ writeErr: () => {} })
  let seen: ReturnType<typeof parse> | undefined
  program
    .command('show <record>')
    .option('--json')
    .option('--confirm <start>')
    .action((record: string, options) => {
      seen = { record: plainId(record), options }
    })
  program.parse(guardDashedIds(program, ['node', 'ampere', ...args]))
  if (!seen) throw new Error('the action was not reached')
  return seen
}

describe('ids that begin with a dash', () => {
  it('are arguments, whatever character follows', () => {
    for (const id of ['-abcDEF1', '-_bcDEF1', '-9bc', `-${'x'.repeat(42)}`]) {
      expect(parse('show', id)).toMatchObject({ record: id })
    }
  })

  it('leave options and ordinary ids alone', () => {
    expect(parse('show', 'abcdef12', '--json')).toMatchObject({ record: 'abcdef12', options: { json: true } })
    expect(plainId(String(parse('show', '-abcdef1', '--confirm', '-abcdef1').options.confirm))).toBe(
      '-abcdef1',
    )
  })

  it('do not hide a mistyped option', () => {
    expect(() => parse('show', 'abcdef12', '--jsn')).toThrow(/unknown option/)
    expect(() => parse('show', 'abcdef12', '-x')).toThrow(/unknown option/)
  })
})

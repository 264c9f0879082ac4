// SPDX-License-Identifier: Apache-2.0
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { askPerson, type Question } from '#cli/terminal/prompt.ts'
import { testTerminal } from '../harness.ts'

describe('questions', () => {
  const asking = (types: readonly string[], question: Partial<Question> = {}) => {
    const terminal = testTerminal({ isTTY: true, types })
    const answer = askPerson(terminal, true, { message: 'Name', flag: '--name', ...question })
    return { terminal, answer }
  }

  it('are asked on standard error, in ASCII, and the answer stays to be seen', async () => {
    const { terminal, answer } = asking([' ward 7 '])
    expect(await answer).toBe('ward 7')
    const { out, err } = terminal.said
    expect(out).toBe('')
    expect(stripVTControlCharacters(err)).toMatch(/\? Name: {2}ward 7\n$/)
    expect(err).not.toMatch(/\P{ASCII}/u)
  })

  it('are asked again until the answer will do', async () => {
    const check = (text: string) => (text === 'demo' ? undefined : 'That is not demo')
    const { terminal, answer } = asking(['dem', 'demo'], { check })
    expect(await answer).toBe('demo')
    expect(terminal.said.err).toContain('\n\u001b[G\u001b[?25h  That is not demo\n? Name:')
  })

  it('take what is suggested when nothing is typed, and what is typed else', async () => {
    const { terminal, answer } = asking([''], { suggestion: 'x' })
    expect(await answer).toBe('x')
    expect(terminal.said.err).toMatch(/^\? Name: \[x\]/)
    expect(await asking(['y'], { suggestion: 'x' }).answer).toBe('y')
  })

  it('do not show secrets, nor how long they are, nor when Ctrl+T is pressed', async () => {
    const check = (text: string) => (text === 'zq jkv' ? undefined : 'no')
    const { terminal, answer } = asking(['\u0014zzz', ' zq jkv', 'zq jkv'], { secret: true, check })
    expect(await answer).toBe('zq jkv')
    expect(terminal.said.err).not.toMatch(/[zqjkv*]/)
  })

  it.each([
    ['Ctrl+C is pressed', ['\u0003']],
    ['Ctrl+D is pressed', ['\u0004']],
    ['the terminal is closed', []],
  ])('are null when %s', async (_, keys) => {
    expect(await asking(keys).answer).toBeNull()
    const secret = asking(keys, { secret: true })
    expect(await secret.answer).toBeNull()
    // On a line of its own, with the cursor shown again.
    expect(secret.terminal.said.err.endsWith('\n\u001b[G\u001b[?25h')).toBe(true)
  })

  it.each([
    [{ isTTY: false }, true, 'there is no terminal'],
    [{ isTTY: true }, false, '--no-input'],
    [{ isTTY: true, env: { TERM: 'dumb' } }, true, 'there is no terminal'],
  ])('name their flag where nobody can be asked: %j', async (options, mayAsk, why) => {
    const asked = askPerson(testTerminal(options), mayAsk, { message: 'Name', flag: '--name' })
    await expect(asked).rejects.toThrow(`--name is missing, and ${why}`)
  })
})

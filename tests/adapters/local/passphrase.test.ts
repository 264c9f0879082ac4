// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { passphraseFrom } from '#adapters/local/keys/passphrase.ts'
import { makeFolder, run } from './processes.ts'

const unavailable = (message: string) => ({ code: 'KEY_UNAVAILABLE', message })
const file = { from: 'file' } as const

describe('a passphrase from a file', () => {
  it('is made once, for its owner alone, and is the same from then on', async () => {
    const folder = join(makeFolder(), 'new')
    const made = await passphraseFrom({ folder, source: file, create: true })
    expect(made).toMatch(/^[A-Za-z0-9_-]{32}$/)
    expect(await passphraseFrom({ folder, source: file, create: true })).toBe(made)
    expect(await passphraseFrom({ folder, source: file })).toBe(made)
    expect(readdirSync(folder)).toEqual(['passphrase'])
    if (process.platform !== 'win32') expect(statSync(join(folder, 'passphrase')).mode & 0o777).toBe(0o600)
  })

  it('is one, however many processes make it at once', async () => {
    const folder = makeFolder()
    const program = `
      import { passphraseFrom } from '#adapters/local/keys/passphrase.ts'
      const folder = ${JSON.stringify(folder)}
      console.log(await passphraseFrom({ folder, source: { from: 'file' }, create: true }))`
    const made = await Promise.all([1, 2, 3].map(() => run(program).ended))
    const kept = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
    expect(made.flat()).toEqual([kept, kept, kept])
  })

  it('is not made anew where one is missing, which would hide that', async () => {
    const folder = makeFolder()
    await expect(passphraseFrom({ folder, source: file })).rejects.toMatchObject(
      unavailable('the passphrase file is not there: restore it, or name another one'),
    )
    expect(existsSync(join(folder, 'passphrase'))).toBe(false)
  })

  it('can lie elsewhere, and is taken without the spaces around it', async () => {
    const [folder, elsewhere] = [makeFolder(), join(makeFolder(), 'secret')]
    writeFileSync(elsewhere, '  from another disk \r\n')
    const source = { from: 'file', file: elsewhere } as const
    expect(await passphraseFrom({ folder, source })).toBe('from another disk')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is never empty', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'passphrase'), '\n')
    for (const create of [false, true])
      await expect(passphraseFrom({ folder, source: file, create })).rejects.toMatchObject(
        unavailable('the passphrase is empty'),
      )
    expect(readFileSync(join(folder, 'passphrase'), 'utf8')).toBe('\n')
  })
})

describe('a passphrase from a person', () => {
  it('is what was typed, and is kept nowhere', async () => {
    const folder = makeFolder()
    const source = { from: 'prompt', ask: async () => ' as typed ' } as const
    expect(await passphraseFrom({ folder, source, create: true })).toBe(' as typed ')
    expect(readdirSync(folder)).toEqual([])
  })

  it('is never empty', async () => {
    const source = { from: 'prompt', ask: async () => '' } as const
    await expect(passphraseFrom({ folder: makeFolder(), source })).rejects.toMatchObject(
      unavailable('the passphrase is empty'),
    )
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { openKeyring, renewKeys } from '#adapters/local/keys/keyring.ts'
import { isAmpereError } from '#core/errors.ts'
import type { Random } from '#core/ports/keys.ts'
import { makeCheapKeyFile, makeFolder, run } from './processes.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const newFile = () => join(makeFolder(), 'keys.json')
/** scrypt at its full price is for the tests that are about it. */
const cheapFile = () => makeCheapKeyFile(newFile(), 'right')
const open = (file: string, passphrase = 'right') => openKeyring(file, passphrase, random)
const refusal = (act: () => unknown) => {
  try {
    act()
    return 'opened'
  } catch (error) {
    return isAmpereError(error) ? `${error.code}: ${error.message}` : `not an AmpereError: ${String(error)}`
  }
}

/** Makes keys named PREFIX-0, PREFIX-1, ... and prints each with its kid after its first use. */
const keyMaker = (file: string, prefix: string, count: number) => `
  import { openKeyring } from '#adapters/local/keys/keyring.ts'
  const random = (length) => crypto.getRandomValues(new Uint8Array(length))
  const keyring = openKeyring(${JSON.stringify(file)}, 'right', random)
  for (let i = 0; i < ${count}; i++) {
    const name = '${prefix}-' + i
    console.log(name + ' ' + (await keyring.signer(name, 'Ed25519')).kid)
  }`

describe('a key file', () => {
  it('holds after a kill at any instant every key that was used', async () => {
    const file = cheapFile()
    const used: string[] = []
    for (let kill = 0; kill < 4; kill++) {
      const maker = run(keyMaker(file, `run-${kill}`, 10_000))
      await maker.printed(3 + kill * 7)
      maker.kill()
      used.push(...(await maker.ended))
    }
    const keyring = open(file)
    expect(used.length).toBeGreaterThan(30)
    for (const line of used) {
      const [name = '', kid] = line.split(' ')
      expect((await keyring.signer(name, 'Ed25519')).kid).toBe(kid)
    }
  })

  it('loses no key when several processes make it and add to it at once', async () => {
    const file = newFile()
    const makers = ['a', 'b', 'c'].map((prefix) => run(keyMaker(file, prefix, 12)))
    const used = (await Promise.all(makers.map((maker) => maker.ended))).flat()
    expect(used).toHaveLength(36)
    const keyring = open(file)
    expect(new Set(keyring.names())).toEqual(new Set(used.map((line) => line.split(' ')[0])))
    for (const line of used) {
      const [name = '', kid] = line.split(' ')
      expect((await keyring.signer(name, 'Ed25519')).kid).toBe(kid)
    }
  })

  it('shows a key that another process added, and does not make it again', async () => {
    const file = cheapFile()
    const [first, second] = [open(file), open(file)]
    expect((await first.signer('k', 'ES256')).kid).toBe((await second.signer('k', 'ES256')).kid)
    expect(first.seed('s')).toEqual(second.seed('s'))
  })

  it('makes keys anew in all its copies, the same ones, and leaves the others', async () => {
    const [file, copy] = [cheapFile(), newFile()]
    const kids = async (of: string) =>
      Promise.all(['old', 'kept'].map(async (name) => (await open(of).signer(name, 'Ed25519')).kid))
    const [old, kept] = await kids(file)
    cpSync(file, copy)
    renewKeys([file, copy], 'right', [{ name: 'old', alg: 'Ed25519' }], random)
    const [made, same] = await kids(file)
    expect(made).not.toBe(old)
    expect(same).toBe(kept)
    expect(await kids(copy)).toEqual([made, kept])
    expect(refusal(() => renewKeys([newFile()], 'right', [], random))).toMatch(/^KEY_UNAVAILABLE: /)
    expect(refusal(() => renewKeys([file], 'wrong', [], random))).toMatch(/^PASSPHRASE_WRONG: /)
  })

  it('is not mistaken for what a killed process had prepared', () => {
    const file = cheapFile()
    const seed = open(file).seed('s')
    writeFileSync(`${file}.new`, readFileSync(file).subarray(0, 100))
    expect(open(file).seed('s')).toEqual(seed)
    expect(existsSync(`${file}.new`)).toBe(false)
    const fresh = newFile()
    writeFileSync(`${fresh}.new`, '{"v":2,')
    open(fresh).seed('s')
    expect(existsSync(`${fresh}.new`)).toBe(false)
  })

  it('tells of a passphrase only that it is right or wrong, at the price of one scrypt each', () => {
    const file = newFile()
    open(file).seed('s')
    const before = readFileSync(file)
    const content = JSON.parse(before.toString()) as { N: number; r: number; check: string }
    expect(content.N * content.r).toBeGreaterThanOrEqual(2 ** 18)
    const answers = ['', 'wrong', 'righ', 'right ', 'RIGHT', 'x'.repeat(10_000)].map((passphrase) => {
      const started = performance.now()
      const answer = refusal(() => open(file, passphrase))
      // Far below what scrypt takes with these costs on any machine, far above what answers without it.
      expect(performance.now() - started).toBeGreaterThan(15)
      return answer
    })
    expect(new Set(answers)).toEqual(new Set(['PASSPHRASE_WRONG: the passphrase does not open the key file']))
    expect(readFileSync(file).equals(before)).toBe(true)
    const check = `${content.check.startsWith('A') ? 'B' : 'A'}${content.check.slice(1)}`
    writeFileSync(file, JSON.stringify({ ...content, check }))
    expect(refusal(() => open(file))).toBe(answers[0])
  })

  it('opens without scrypt for whoever ran it ahead, and not for a wrong passphrase either way', async () => {
    const [file, other, absent] = [cheapFile(), cheapFile(), newFile()]
    const seed = open(file).seed('s')
    const ahead = await stretchAhead('right', [file, absent])
    // With another text the master key can only be the one that was computed ahead.
    const stretched = { ...ahead, text: 'wrong' }
    expect(openKeyring(file, stretched, random).seed('s')).toEqual(seed)
    expect(refusal(() => openKeyring(other, stretched, random))).toMatch(/^PASSPHRASE_WRONG: /)
    expect(openKeyring(other, ahead, random).names()).toEqual([])
    const wrong = await stretchAhead('wrong', [file])
    expect(refusal(() => openKeyring(file, { ...wrong, text: 'right' }, random))).toMatch(
      /^PASSPHRASE_WRONG: /,
    )
    expect(existsSync(absent)).toBe(false)
  })

  it('knows a passphrase however its accents are composed', () => {
    const file = newFile()
    const seed = open(file, 'Schlüssel'.normalize('NFD')).seed('s')
    expect(open(file, 'Schlüssel'.normalize('NFC')).seed('s')).toEqual(seed)
  })

  it('gives a key to one use only', async () => {
    const file = cheapFile()
    const keyring = open(file)
    await keyring.signer('k', 'ES256')
    const other = { code: 'KEY_UNAVAILABLE' }
    await expect(keyring.signer('k', 'Ed25519')).rejects.toMatchObject(other)
    expect(() => keyring.seed('k')).toThrow(expect.objectContaining(other))
    expect(() => open(file).wrappingKey('k')).toThrow(expect.objectContaining(other))
  })

  it('never gives other keys than it was given, whatever bit of it flips', async () => {
    const file = cheapFile()
    const { kid } = await open(file).signer('instance', 'ES256')
    const good = readFileSync(file)
    const outcome = async (bytes: Buffer) => {
      writeFileSync(file, bytes)
      try {
        return (await open(file).signer('instance', 'ES256')).kid === kid ? 'same' : 'OTHER KEY'
      } catch (error) {
        return isAmpereError(error) ? error.code : 'OTHER ERROR'
      }
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length * 8 - 1), async (bit) => {
        const flipped = Buffer.from(good)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(['same', 'STORE_CORRUPT', 'PASSPHRASE_WRONG']).toContain(await outcome(flipped))
      }),
      { numRuns: 200, examples: [[(good.indexOf('instance') + 3) * 8], [good.indexOf('ES256') * 8 + 9]] },
    )
    for (let length = 0; length < good.length; length += 61)
      expect(await outcome(good.subarray(0, length))).toBe('STORE_CORRUPT')
  }, 30_000)

  it.each([
    ['N that is no power of two', { N: 32_769 }],
    ['N of one', { N: 1 }],
    ['costs without bounds', { N: 2 ** 26 }],
    ['no costs', { r: 0 }],
    ['a record without a key', { keys: { k: { use: 'seed' } } }],
    ['no seal over its records', { whole: undefined }],
    ['a number for a seal', { whole: 7 }],
    ['another version', { v: 3 }],
  ])('with %s is damaged, and says so', (_, change) => {
    const file = cheapFile()
    open(file).seed('s')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change }))
    expect(refusal(() => open(file))).toBe('STORE_CORRUPT: the key file is damaged')
  })

  it('of the first version is read, and sealed as a whole with the next key', () => {
    const file = cheapFile()
    const seed = open(file).seed('s')
    const { whole: _, ...content } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify({ ...content, v: 1 }))
    const keyring = open(file)
    expect(keyring.seed('s')).toEqual(seed)
    keyring.seed('t')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ v: 2, whole: expect.any(String) })
  })

  it('that was replaced while it was open gets no key of the old passphrase', () => {
    const file = cheapFile()
    const keyring = open(file)
    const other = makeCheapKeyFile(newFile(), 'other')
    open(other, 'other').seed('s')
    writeFileSync(file, readFileSync(other))
    expect(refusal(() => keyring.seed('t'))).toBe(
      'STORE_CORRUPT: the key file was replaced while it was open',
    )
    expect(readFileSync(file).equals(readFileSync(other))).toBe(true)
  })

  it('that cannot be read is not taken for one that is not there', () => {
    const file = newFile()
    mkdirSync(file)
    expect(refusal(() => open(file))).toMatch(/^STORE_UNAVAILABLE: /)
  })
})
